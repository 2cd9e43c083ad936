//! The page: one table a fault, calls that fare alike in one line.

use std::fmt::Write;
use std::time::Duration;

use dhmc_controller::aws::Patience;
use dhmc_controller::reconcile::schedule::{Doubling, Waits};

use super::calls::{Call, Effect};
use super::row::Row;

/// A fault and its rows, in the order of calls.
pub struct Part {
    pub title: &'static str,
    pub about: &'static str,
    pub rows: Vec<Row>,
}

/// Timeouts, attempts and waits.
pub fn figures() -> String {
    let mut text = String::from("| | A call | A list of an organization |\n|---|---|---|\n");
    let (calls, lists) = (Patience::OF_CALLS, Patience::OF_LISTS);
    let mut line = |what: &str, of: fn(&Patience) -> String| {
        let _ = writeln!(text, "| {what} | {} | {} |", of(&calls), of(&lists));
    };
    line("Connecting gives up after", |patience| time(patience.connect));
    line("An attempt gives up after", |patience| time(patience.attempt));
    line("All attempts together give up after", |patience| time(patience.call));
    line("The SDK sends a read at most", |patience| format!("{} times", patience.attempts));
    line("The pause before its second attempt is at most", |patience| time(patience.first_pause));
    line("No pause is longer than", |patience| time(patience.longest_pause));
    let waits = Waits::default();
    text += "\n| The next look after | comes in | doubling up to |\n|---|---|---|\n";
    let half = |wait: Doubling| format!("{} to {}", time(wait.first / 2), time(wait.first));
    let _ = writeln!(text, "| what passes by itself | {} | {} |", half(waits.passing), time(waits.passing.longest));
    let _ = writeln!(text, "| what AWS is still applying | {} | {} |", time(waits.applying.first), time(waits.applying.longest));
    let _ = writeln!(text, "| a refusal | {} | {} |", half(waits.refused), time(waits.refused.longest));
    text
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds > 60.0 || (seconds - 60.0).abs() < 0.1 { format!("{} min", seconds / 60.0) } else { format!("{seconds} s") }
}

/// All tables.
pub fn tables(calls: &[Call], parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let _ = writeln!(text, "### {}\n\n{}\n", part.title, part.about);
        text += "| Call | Sent | State | Reason | Next look |\n|---|---|---|---|---|\n";
        for (names, row) in folded(&part.rows) {
            let reason = if row.reason.is_empty() { String::new() } else { format!("`{}`", row.reason.replace('|', "\\|")) };
            let names = together(calls, &names);
            let _ = writeln!(text, "| {names} | {} | `{}` | {reason} | {} |", row.sent, row.state, row.next);
        }
        text.push('\n');
    }
    let rows: usize = parts.iter().map(|part| part.rows.len()).sum();
    let _ = writeln!(text, "{} faults, {} calls, {rows} pairs of them.", parts.len(), calls.len());
    text
}

/// Rows that differ in nothing but the call.
fn folded(rows: &[Row]) -> Vec<(Vec<String>, &Row)> {
    let mut folded: Vec<(Vec<String>, &Row)> = Vec::new();
    for row in rows {
        let alike = |other: &Row| Row { call: row.call.clone(), ..other.clone() } == *row;
        match folded.iter_mut().find(|(_, other)| alike(other)) {
            Some((names, _)) => names.push(row.call.clone()),
            None => folded.push((vec![row.call.clone()], row)),
        }
    }
    folded
}

/// Calls by name, or what they all are.
fn together(calls: &[Call], names: &[String]) -> String {
    let mut left: Vec<&String> = names.iter().collect();
    let mut told = Vec::new();
    let services = [("iam", "IAM"), ("ssm", "Systems Manager"), ("organizations", "Organizations")];
    for (service, title) in services {
        for (effect, word) in [(Effect::Read, "read"), (Effect::Write, "write")] {
            let of: Vec<String> =
                calls.iter().filter(|call| call.service == service && call.effect == effect).map(Call::name).collect();
            if of.len() > 1 && of.iter().all(|name| names.contains(name)) {
                left.retain(|name| !of.contains(name));
                told.push(format!("every {word} of {title}"));
            }
        }
    }
    left.into_iter().map(|name| format!("`{name}`")).chain(told).collect::<Vec<_>>().join(", ")
}
