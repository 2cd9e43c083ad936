//! A survey for people at a terminal.

use std::collections::HashSet;
use std::fmt::Write;

use super::row::{Row, Verdict};
use super::{Summary, Survey};
use crate::commands::counted;
use crate::plan::Drift;
use crate::target::ResourceKind;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, WARNING, plain, styled};

/// Whether it tells of what would be, or of what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Tense {
    /// Nothing was written.
    WouldBe,
    /// What could be was corrected.
    Was,
}

impl Survey {
    /// The whole report, ending in one line that sums it up.
    pub(in crate::commands) fn text(&self, tense: Tense) -> String {
        let mut text = String::new();
        for account in self.targets.chunk_by(|one, other| one.account == other.account) {
            tell_account(&mut text, account);
        }
        // Writing to text cannot fail.
        let _ = writeln!(text, "{}", self.summary.line(tense));
        text
    }
}

/// One account: what is not as declared, and how much is.
fn tell_account(text: &mut String, rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    if rows.iter().all(|row| row.verdict == Verdict::InSync) {
        return;
    }
    let name = first.account_name.as_ref().map(|name| format!(" ({})", plain(name))).unwrap_or_default();
    let _ = writeln!(text, "{}{name}", styled(STRONG, &first.account));
    let is_usable = !rows.iter().any(|row| row.resource == ResourceKind::Account && row.verdict == Verdict::Unread);
    let differing = rows.iter().filter(|row| row.verdict != Verdict::InSync);
    let (told_of, waiting): (Vec<&Row>, Vec<&Row>) = differing.partition(|row| row.was_looked_at);
    let mut told = HashSet::new();
    for row in told_of {
        tell(text, row, &mut told);
    }
    if !waiting.is_empty() {
        let names = waiting.iter().map(|row| row.name()).collect::<Vec<_>>().join(", ");
        let why = if is_usable { "not looked at" } else { "not read: the account cannot be used" };
        let _ = writeln!(text, "  {} {names}  {why}", styled(BAD, "?"));
    }
    let in_sync = rows.iter().filter(|row| row.verdict == Verdict::InSync).count();
    if in_sync > 0 {
        let _ = writeln!(text, "  {}", styled(GOOD, &format!("= {in_sync} as declared")));
    }
    text.push('\n');
}

fn tell<'a>(text: &mut String, row: &'a Row, told: &mut HashSet<&'a str>) {
    let style = match row.verdict {
        Verdict::InSync | Verdict::Changed => GOOD,
        Verdict::Change | Verdict::Observed | Verdict::Held => WARNING,
        Verdict::Failed | Verdict::Unread => BAD,
    };
    let sign = styled(style, sign(row));
    let why = row.why().map(|why| if told.insert(why) { why } else { "for the reason above" });
    let what = match row.drift.as_slice() {
        [] => why.map_or_else(|| row.verdict.label().to_owned(), |why| format!("{}: {}", row.verdict.label(), shown(why))),
        [only] => difference(row, only),
        several => format!("{} differences", several.len()),
    };
    let _ = writeln!(text, "  {sign} {}  {what}", row.name());
    if row.drift.len() > 1 {
        for drift in &row.drift {
            let _ = writeln!(text, "      {}", difference(row, drift));
        }
    }
    // What would be done to a setting is what it would be then.
    for action in row.actions.iter().filter(|_| row.resource != ResourceKind::Setting) {
        let _ = writeln!(text, "      would {}", shown(action));
    }
    for drift in row.corrected().filter(|_| row.verdict != Verdict::Changed) {
        let _ = writeln!(text, "      {} {}", styled(GOOD, "corrected"), difference(row, drift));
    }
    if let Some(why) = why.filter(|_| !row.drift.is_empty()) {
        let _ = writeln!(text, "      {}: {}", row.verdict.label(), shown(why));
    }
    if row.verdict == Verdict::Observed && row.why().is_none() {
        let _ = writeln!(text, "      only observed: the desired state says `mode: observe`");
    }
    if let Some(changed) = row.last_change() {
        let _ = writeln!(text, "      {}", styled(FAINT, &format!("last changed {}", shown(&changed))));
    }
}

/// One difference: from what to what. What a setting differs in is clear without a word.
fn difference(row: &Row, Drift { kind, subject, before, after }: &Drift) -> String {
    let subject = subject.as_ref().map(|subject| format!("{} ", shown(subject))).unwrap_or_default();
    let (before, after) = (shown(before), shown(after));
    match row.resource {
        ResourceKind::Setting => format!("{before} -> {after}"),
        _ => format!("{}: {subject}{before} -> {after}", kind.label()),
    }
}

/// Text of AWS or of a document within the report: later lines of it stay below the first.
fn shown(text: &str) -> String {
    plain(text).replace('\n', "\n        ")
}

fn sign(row: &Row) -> &'static str {
    use crate::plan::DriftKind::{PolicyExtra, PolicyMissing, RoleMissing, SettingSet, SettingUnset};
    let is_all = |kinds: &[_]| !row.drift.is_empty() && row.drift.iter().all(|drift| kinds.contains(&drift.kind));
    match row.verdict {
        Verdict::InSync => "=",
        Verdict::Observed => ".",
        Verdict::Held => "!",
        Verdict::Failed => "x",
        Verdict::Unread => "?",
        Verdict::Change | Verdict::Changed if is_all(&[SettingUnset, RoleMissing, PolicyMissing]) => "+",
        Verdict::Change | Verdict::Changed if is_all(&[SettingSet, PolicyExtra]) => "-",
        Verdict::Change | Verdict::Changed => "~",
    }
}

impl Summary {
    /// All of it in one line.
    pub(in crate::commands) fn line(self, tense: Tense) -> String {
        let Self { writes, to_change, changed, observed, held, failed, unread, in_sync } = self;
        let (title, first) = match (tense, writes) {
            (Tense::WouldBe, 0) => ("Plan", "nothing to write".to_owned()),
            (Tense::WouldBe, _) => ("Plan", format!("{} to {}", counted(writes, "write"), counted(to_change, "target"))),
            (Tense::Was, _) => ("Done", format!("{} changed", counted(changed, "target"))),
        };
        let others = [
            (failed, "not corrected"),
            (held, "held"),
            (observed, "only observed"),
            (unread, "could not be read"),
            (in_sync, "as declared"),
        ];
        let mut line = format!("{}: {first}", styled(STRONG, title));
        for (number, what) in others.into_iter().filter(|(number, _)| *number > 0) {
            // Writing to text cannot fail.
            let _ = write!(line, "; {number} {what}");
        }
        line + "."
    }
}
