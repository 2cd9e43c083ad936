//! A survey as a table, for a comment on a pull request.

use std::fmt::Write;

use super::Survey;
use super::row::{Row, Verdict};
use super::text::Tense;
use crate::commands::counted;
use crate::plan::Drift;
use crate::target::ResourceKind;
use crate::terminal::plain;

/// How long a comment gets: GitHub takes 65,536 characters.
const LONGEST_TABLE: usize = 60_000;
/// How much of one cell is told.
const LONGEST_CELL: usize = 160;

impl Survey {
    /// The whole report.
    pub(in crate::commands) fn markdown(&self) -> String {
        let mut text = format!("### dhmc-controller\n\n{}\n", anstream::adapter::strip_str(&self.summary.line(Tense::WouldBe)));
        // Writing to text cannot fail.
        if let Some((held, confirm)) = self.held.and_then(|held| Some((held, held.confirm?))) {
            let (resets, detachments) = (counted(held.resets, "reset"), counted(held.detachments, "detachment"));
            let _ = writeln!(
                text,
                "\nHeld as too much at once: {resets}, {detachments}. They are made with `guard: {{ confirm: {confirm} }}` in `spec`."
            );
        }
        let rows: Vec<&Row> = self.targets.iter().filter(|row| row.verdict != Verdict::InSync).collect();
        if rows.is_empty() {
            return text;
        }
        text.push_str("\n| Account | Target | | Is | Should be | Last changed |\n| --- | --- | --- | --- | --- | --- |\n");
        let mut told = 0;
        for row in &rows {
            let line = line(row);
            if text.len() + line.len() > LONGEST_TABLE {
                break;
            }
            text.push_str(&line);
            told += 1;
        }
        if told < rows.len() {
            let _ = writeln!(text, "\nAnd {} more.", rows.len() - told);
        }
        text
    }
}

fn line(row: &Row) -> String {
    let account = match &row.account_name {
        Some(name) => format!("{} {}", row.account, code(name)),
        None => row.account.clone(),
    };
    let changed = row.last_change().map(|change| code(&change)).unwrap_or_default();
    let [before, after] = ends(row).map(|end| code(&end));
    format!("| {} |\n", [account, row.name().to_owned(), verdict(row), before, after, changed].join(" | "))
}

/// What would be done, or why nothing would.
fn verdict(row: &Row) -> String {
    let label = format!("**{}**", row.verdict.label());
    match (row.why(), row.actions.as_slice()) {
        (Some(why), []) => format!("{label}: {}", code(why)),
        (None, []) => label,
        (Some(_), actions) => format!("{}; the rest is {label}", code(&actions.join("; "))),
        (None, actions) => code(&actions.join("; ")),
    }
}

/// What it is, and what it should be.
fn ends(row: &Row) -> [String; 2] {
    if row.drift.is_empty() {
        return [row.observed.as_deref().unwrap_or_default().to_owned(), row.desired.to_string()];
    }
    let end = |drift: &Drift, value: &str| match (&drift.subject, row.resource) {
        (_, ResourceKind::Setting) => value.to_owned(),
        (Some(subject), _) => format!("{}: {subject} {value}", drift.kind.label()),
        (None, _) => format!("{}: {value}", drift.kind.label()),
    };
    let join = |value: fn(&Drift) -> &str| row.drift.iter().map(|drift| end(drift, value(drift))).collect::<Vec<_>>().join("; ");
    [join(|drift| &drift.before), join(|drift| &drift.after)]
}

/// Text of somebody else as code, where it is no name, link or markup of anything, within its cell.
fn code(text: &str) -> String {
    let text = plain(text);
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(LONGEST_CELL).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    if shown.trim().is_empty() {
        return String::new();
    }
    // A row is one line, and a bar ends a cell in code as well (GitHub Flavored Markdown, tables).
    let shown = shown.replace('\n', " ").replace('|', "\\|");
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let gap = if longest > 0 { " " } else { "" };
    format!("{fence}{gap}{shown}{gap}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_code_within_its_cell() {
        assert_eq!(code("service-role/R"), "`service-role/R`");
        assert_eq!(code("a|b\nc @all"), "`a\\|b c @all`");
        assert_eq!(code("`` ` ["), "``` `` ` [ ```");
        assert_eq!(code(" "), "");
        assert_eq!(code(&"x".repeat(500)).chars().count(), LONGEST_CELL + 3);
    }
}
