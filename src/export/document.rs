//! The lines of the document: what is said, and beside it what is odd.

use std::fmt;

use super::choice::Standing;
use super::oddity::Oddity;
use super::role::RoleEntry;
use super::scalar::{quoted, value};
use super::seen::SeenRegion;
use super::{Unset, Written};
use crate::desired::Management;
use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::RolePath;

/// Comments are broken where they would be wider.
const WIDTH: usize = 120;

/// A line of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How far it is indented.
    pub indent: usize,
    /// What it is.
    pub kind: Kind,
    /// Its text, without the sign of a comment.
    pub text: String,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of what is declared.
    Said,
    /// A comment that explains.
    Remark,
    /// A comment about something odd.
    Odd,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { indent, kind, text } = self;
        let sign = if *kind == Kind::Said { "" } else { "# " };
        write!(f, "{:indent$}{sign}{text}", "")
    }
}

/// Writes the document.
pub(super) fn write(written: &Written<'_>, oddities: &[Oddity]) -> Vec<Line> {
    let mut sheet = Sheet { lines: Vec::new(), indent: 0 };
    let seen = written.seen;
    let account = seen.identity.account;
    sheet.line(Kind::Remark, "yaml-language-server: $schema=schema.json");
    sheet.remark(&format!("What AWS has in account {account}, as `dhmc-controller export` found it. {}", promise(written)));
    let of_account = |oddity: &&Oddity| oddity.region.is_none() && oddity.role.as_deref() != written.role_name;
    for oddity in oddities.iter().filter(of_account) {
        sheet.odd(&oddity.told());
    }
    sheet.said("apiVersion: dhmc.dev/v1alpha1");
    sheet.said("kind: HostManagement");
    sheet.said("metadata:");
    sheet.nested(|sheet| sheet.said(&format!("name: account-{account}")));
    sheet.said("spec:");
    let id = quoted(&account.to_string());
    sheet.nested(|sheet| match &seen.access {
        Access::Own => {
            sheet.said(&format!("account: {id}"));
            level(sheet, written, oddities);
        }
        Access::Assume(role) => {
            sheet.said("accounts:");
            sheet.nested(|sheet| {
                sheet.said(&format!("- id: {id}"));
                sheet.nested(|sheet| {
                    assume_role(sheet, role);
                    level(sheet, written, oddities);
                });
            });
        }
    });
    sheet.lines
}

/// What adopting the document comes to.
fn promise(written: &Written<'_>) -> &'static str {
    match written.standing {
        None | Some(Standing::Ready) => "To adopt it changes nothing.",
        Some(Standing::Unread(_)) => {
            "The role could not be read, so `mode: observe` lets nothing be changed; export again when it can be."
        }
        Some(_) => {
            "The role that the settings name cannot serve, so this is drift, and `mode: observe` lets nothing be changed: mend the \
             role, or look with `plan` what `mode: enforce` would do."
        }
    }
}

fn assume_role(sheet: &mut Sheet, role: &AssumeRole) {
    sheet.said("assumeRole:");
    sheet.nested(|sheet| {
        sheet.said(&format!("name: {}", value(role.name.as_str())));
        if role.path != RolePath::root() {
            sheet.said(&format!("path: {}", value(role.path.as_str())));
        }
        if role.external_id.is_some() {
            sheet.odd("externalId has to be written here: the one that this was exported with, which is shown to nobody.");
        }
    });
}

/// What is said of the account.
fn level(sheet: &mut Sheet, written: &Written<'_>, oddities: &[Oddity]) {
    if written.standing.is_some_and(|standing| standing != Standing::Ready) {
        sheet.said("mode: observe");
    }
    if let Some(entry) = written.role {
        for oddity in oddities.iter().filter(|oddity| oddity.role.as_deref() == written.role_name) {
            sheet.odd(&format!("The role {}.", oddity.message));
        }
        sheet.said("role:");
        sheet.nested(|sheet| role(sheet, entry));
    }
    if !written.regions.is_empty() {
        sheet.said("regions:");
        sheet.nested(|sheet| {
            for (region, said) in written.regions {
                for oddity in oddities.iter().filter(|oddity| oddity.region.as_ref() == Some(region)) {
                    sheet.odd(&oddity.told());
                }
                sheet.said(&format!("{region}: {}", said.word()));
            }
        });
    }
    others(sheet, written);
}

fn role(sheet: &mut Sheet, entry: &RoleEntry) {
    sheet.said(&format!("name: {}", entry.name));
    if let Some(path) = &entry.path {
        sheet.said(&format!("path: {path}"));
    }
    match entry.management {
        Management::Managed => sheet.said("management: managed"),
        Management::External => {
            sheet.remark("Somebody else's: verified and never written. `managed` has the controller repair it.");
            sheet.said("management: external");
        }
    }
    if let Some(principal) = &entry.trust_principal {
        sheet.said(&format!("trustPrincipal: {principal}"));
    }
    match entry.policies.as_deref() {
        None => {}
        Some([]) => sheet.said("policies: []"),
        Some(policies) => {
            sheet.said("policies:");
            sheet.nested(|sheet| policies.iter().for_each(|policy| sheet.said(&format!("- {policy}"))));
        }
    }
    if !entry.tags.is_empty() {
        sheet.said("tags:");
        sheet.nested(|sheet| entry.tags.iter().for_each(|(key, value)| sheet.said(&format!("{key}: {value}"))));
    }
    if let Some(description) = &entry.description {
        sheet.said(&format!("description: {description}"));
    }
    if let Some(boundary) = &entry.permissions_boundary {
        sheet.said(&format!("permissionsBoundary: {boundary}"));
    }
}

/// What is said of every region that is not named.
fn others(sheet: &mut Sheet, written: &Written<'_>) {
    let unset = |region: &&SeenRegion| matches!(region, SeenRegion::Read(setting) if setting.value.is_none());
    let off: Vec<&str> = written
        .seen
        .regions
        .iter()
        .filter(|(region, state)| unset(state) && !written.regions.contains_key(*region))
        .map(|(region, _)| region.as_str())
        .collect();
    if !off.is_empty() && written.unset == Unset::Unmanaged {
        sheet.remark(&format!(
            "Off now, and left alone: {}. `disabled` keeps a region off, and resets what somebody switches on there \
             (`export --unset disabled` lists them so).",
            off.join(", ")
        ));
    }
    sheet.remark("Every other region is neither read nor written.");
    sheet.said("otherRegions: unmanaged");
}

/// Lines in the making.
struct Sheet {
    lines: Vec<Line>,
    indent: usize,
}

impl Sheet {
    fn nested(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 2;
        write(self);
        self.indent -= 2;
    }

    fn line(&mut self, kind: Kind, text: &str) {
        self.lines.push(Line { indent: self.indent, kind, text: text.to_owned() });
    }

    fn said(&mut self, text: &str) {
        self.line(Kind::Said, text);
    }

    fn remark(&mut self, text: &str) {
        self.comment(Kind::Remark, text);
    }

    fn odd(&mut self, text: &str) {
        self.comment(Kind::Odd, text);
    }

    /// A comment, on as many lines as it takes.
    fn comment(&mut self, kind: Kind, text: &str) {
        let mut line = String::new();
        for word in text.split(' ') {
            let width = self.indent + 2 + line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && width > WIDTH {
                self.line(kind, &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(kind, &line);
    }
}
