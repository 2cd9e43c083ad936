//! A survey as a table, for a comment on a pull request.

use std::fmt::Write;

use super::text::{Tense, last_change, why};
use super::{Row, Survey, Verdict};
use crate::terminal::plain;

/// How many rows a comment has at most: GitHub takes 65,536 characters.
const MOST_ROWS: usize = 100;
/// How much of one cell is told.
const LONGEST_CELL: usize = 160;

impl Survey {
    /// The whole report.
    pub(in crate::commands) fn markdown(&self) -> String {
        let mut text = format!("### dhmc-controller\n\n{}\n", anstream::adapter::strip_str(&self.summary.line(Tense::WouldBe)));
        let rows: Vec<&Row> = self.targets.iter().filter(|row| row.verdict != Verdict::InSync).collect();
        if rows.is_empty() {
            return text;
        }
        text.push_str("\n| Account | Target | | Is | Should be | Last changed |\n| --- | --- | --- | --- | --- | --- |\n");
        for row in rows.iter().take(MOST_ROWS) {
            let account = row.account_name.as_ref().unwrap_or(&row.account);
            let [before, after] = ends(row);
            let changed = last_change(row).unwrap_or_default();
            let cells = [cell(account), cell(row.name()), verdict(row), cell(&before), cell(&after), cell(&changed)];
            // Writing to text cannot fail.
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if let Some(more) = rows.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
            let _ = writeln!(text, "\nAnd {more} more.");
        }
        if let Some(confirm) = self.held.and_then(|held| held.confirm) {
            let _ =
                writeln!(text, "\nWhat is held as too much at once is made with `guard: {{ confirm: {confirm} }}` in `spec`.");
        }
        text
    }
}

/// What would be done, or why nothing would.
fn verdict(row: &Row) -> String {
    let label = format!("**{}**", row.verdict.label());
    match (why(row), row.actions.as_slice()) {
        (Some(why), []) => format!("{label}: {}", cell(why)),
        (None, []) => label,
        (Some(_), actions) => format!("{}; the rest is {label}", cell(&actions.join("; "))),
        (None, actions) => cell(&actions.join("; ")),
    }
}

/// What it is, and what it should be.
fn ends(row: &Row) -> [String; 2] {
    match row.drift.as_slice() {
        [] => [row.observed.clone().unwrap_or_default(), row.desired.clone()],
        drift => {
            let subject = |subject: &Option<String>| subject.as_ref().map(|one| format!("{one} ")).unwrap_or_default();
            let join = |end: fn(&crate::plan::Drift) -> &str| {
                drift.iter().map(|one| format!("{}{}", subject(&one.subject), end(one))).collect::<Vec<_>>().join("; ")
            };
            [join(|one| &one.before), join(|one| &one.after)]
        }
    }
}

/// Text that stays within its cell, whatever it is.
fn cell(text: &str) -> String {
    let text = plain(text);
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(LONGEST_CELL).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    let mut escaped = String::with_capacity(shown.len());
    for character in shown.chars() {
        match character {
            '\n' => escaped.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
