//! Edits of the document: valid ones of all kinds, and some that are not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::cast::{ACCESS_ROLE, DISABLED, MEMBERS, OWN, REGIONS};
use crate::mischief::Trace;
use crate::process::Controller;

const HEAD: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\n";

/// Whoever edits the document.
pub(crate) struct Editor {
    path: PathBuf,
    dice: Rng,
    /// How many edits there were.
    pub(crate) edits: u32,
}

/// Of what nobody will confirm.
const UNGUARDED: &str = "{ resets: { percent: 100 }, detachments: { percent: 100 } }";

impl Editor {
    pub(crate) fn new(path: PathBuf, seed: u64) -> Self {
        Self { path, dice: Rng::with_seed(seed), edits: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The document that counts in the end.
    pub(crate) fn put_final(&self) {
        let region = |region: &str| format!("{region}: {}", if region == DISABLED { "disabled" } else { "enabled" });
        let regions = REGIONS.map(region).join(", ");
        let members: String = MEMBERS.iter().map(|id| member(id, "")).collect();
        self.write(&format!(
            "{HEAD}spec:\n  guard: {UNGUARDED}\n  regions: {{ {regions} }}\n  accounts:\n    - id: \"{OWN}\"\n{members}"
        ));
    }

    /// One region of the own account, and nothing else.
    pub(crate) fn put_quiet(&self) {
        self.write(&format!("{HEAD}spec: {{ regions: {{ {}: enabled }} }}\n", REGIONS[0]));
    }

    /// Edits in two of five seconds, because content that changes every second is never believed to be whole.
    pub(crate) fn maybe_edit(&mut self, trace: &mut Trace, controller: &Controller) {
        if self.dice.u8(0..5) >= 2 {
            return;
        }
        self.edits += 1;
        match self.dice.u8(0..12) {
            0 => {
                trace.line("edit: no YAML");
                self.write("spec: {{{\n");
            }
            1 => {
                trace.line("edit: an unknown field and an unknown region");
                self.write(&format!("{HEAD}spec: {{ regoins: {{}}, regions: {{ eu-wset-1: enabled }} }}\n"));
            }
            2 => {
                trace.line("edit: an empty file");
                self.write("");
            }
            3 => {
                trace.line("edit: the file is gone");
                let _ = std::fs::remove_file(&self.path);
            }
            _ => {
                let text = self.random();
                trace.line(&format!("edit: {}", text.replace('\n', "\\n")));
                self.write(&text);
            }
        }
        if self.dice.u8(0..3) == 0 {
            controller.reload();
        }
    }

    /// As editors do.
    fn write(&self, text: &str) {
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, &self.path).unwrap();
    }

    /// A valid document.
    fn random(&mut self) -> String {
        let guard = if self.dice.bool() { format!("  guard: {UNGUARDED}\n") } else { String::new() };
        let mut text = format!("{HEAD}spec:\n{guard}  regions: {}\n{}  accounts:\n", self.regions(6), self.role(2));
        let _ = writeln!(text, "    - id: \"{OWN}\"\n      regions: {}", self.regions(12));
        for id in MEMBERS {
            if self.dice.u8(0..6) > 0 {
                let more = format!("      regions: {}\n{}", self.regions(12), self.role(6));
                text += &member(id, &more);
            }
        }
        text
    }

    /// Up to so many regions and the state of each.
    fn regions(&mut self, most: usize) -> String {
        let chosen = self.dice.choose_multiple(REGIONS, most);
        let mut states: Vec<String> = chosen
            .into_iter()
            .map(|region| {
                let state = match self.dice.u8(0..10) {
                    0..6 => "enabled",
                    6..8 => "disabled",
                    8 => "{ state: enabled, mode: observe }",
                    _ => "unmanaged",
                };
                format!("{region}: {state}")
            })
            .collect();
        // Something has to be declared for every account.
        if states.iter().all(|state| state.ends_with("unmanaged")) {
            states = vec![format!("{}: enabled", REGIONS[0])];
        }
        format!("{{ {} }}", states.join(", "))
    }

    /// A role, or none, and a mode, or none.
    fn role(&mut self, indent: usize) -> String {
        let space = " ".repeat(indent);
        let mut text = String::new();
        if self.dice.u8(0..5) == 0 {
            let _ = writeln!(text, "{space}mode: observe");
        }
        match self.dice.u8(0..8) {
            0 => {
                let _ = writeln!(text, "{space}role: {{ name: Soaked, path: / }}");
            }
            1 => {
                let _ = writeln!(text, "{space}role: {{ exclusivePolicies: true }}");
            }
            2 => {
                let _ = writeln!(text, "{space}role: {{ tags: {{ soak: \"{}\" }}, description: soaked }}", self.dice.u8(..));
            }
            _ => {}
        }
        text
    }
}

fn member(id: &str, more: &str) -> String {
    format!("    - id: \"{id}\"\n      assumeRole: {{ name: {ACCESS_ROLE} }}\n{more}")
}
