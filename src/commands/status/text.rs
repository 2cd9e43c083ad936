//! The answer for people: how many targets are in which state, what the guard holds, then the targets, each with why, since when,
//! and who changed it last.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::answer::{Answer, Held, Target};
use super::api::Api;
use super::question::Question;
use crate::target::State;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, WARNING, styled, width};

/// What is not known, or does not apply.
const NOTHING: &str = "-";
const HEADINGS: [&str; 6] = ["STATE", "ACCOUNT", "TARGET", "SINCE", "LAST CHANGED BY", "REASON"];

pub(super) fn report(answer: &Answer, question: &Question, api: &Api) -> String {
    let parts =
        [head(answer, api), summary(answer), answer.held.as_ref().map(held).unwrap_or_default(), targets(answer, question)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(answer: &Answer, api: &Api) -> String {
    let configuration = &answer.configuration;
    let hash: String = printable(&configuration.hash).chars().take(12).collect();
    let loaded = moment(configuration.loaded_at);
    let head = format!("dhmc-controller {} at {api}, desired state {hash} of {loaded}\n", printable(&answer.version));
    if configuration.in_force {
        return head;
    }
    let problems = configuration.problem.as_deref().unwrap_or("it does not say why").lines();
    let problems: Vec<String> = problems.map(|line| format!("  {}", printable(line))).collect();
    let problems = problems.join("\n");
    format!("{head}{}\n{problems}\n", styled(BAD, "What is on disk now is not in force:"))
}

/// All states in their own order, then those that only the controller knows.
fn summary(answer: &Answer) -> String {
    let known = State::ALL.iter().map(|state| state.label()).filter_map(|label| answer.summary.get_key_value(label));
    let unknown = answer.summary.iter().filter(|(label, _)| label.parse::<State>().is_err());
    let counts: Vec<String> = known
        .chain(unknown)
        .filter(|(_, count)| **count > 0)
        .map(|(label, count)| {
            let label = printable(label);
            paint(&label, &format!("{count} {}", label.replace('_', " ")))
        })
        .collect();
    let total: usize = answer.summary.values().sum();
    if counts.is_empty() {
        return "There are no targets: the desired state declares nothing that is to be kept.\n".to_owned();
    }
    format!("{} {}: {}\n", styled(STRONG, &total.to_string()), noun(total), counts.join(", "))
}

fn noun(targets: usize) -> &'static str {
    if targets == 1 { "target" } else { "targets" }
}

fn held(held: &Held) -> String {
    let Held { resets, detachments, confirm } = held;
    let what = format!("The guard holds {resets} resets and {detachments} detachments.");
    let how = format!("  spec:\n    guard:\n      confirm: {}\n", printable(confirm));
    format!("{} If they are meant, confirm them in the document:\n\n{how}", styled(WARNING, &what))
}

fn targets(answer: &Answer, question: &Question) -> String {
    if answer.targets.is_empty() {
        return match question.of_some() {
            Some(part) => format!("Of {}, no target is {}.\n", part.described(), states(question)),
            None => String::new(),
        };
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADINGS);
    if let Some(width) = width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.add_rows(answer.targets.iter().map(row));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(states) = table.column_mut(0) {
        states.set_constraint(ColumnConstraint::ContentWidth);
    }
    let mut lines: Vec<String> = table.lines().map(|line| painted(line.trim_end())).collect();
    if answer.left_out > 0 {
        lines.push(format!("and {} more; ask for one --account, --region or --state", answer.left_out));
    }
    lines.join("\n") + "\n"
}

fn states(question: &Question) -> String {
    let words: Vec<&str> = question.states().iter().map(|state| state.label()).collect();
    words.join(" or ")
}

fn row(target: &Target) -> [String; 6] {
    let account = match &target.account_name {
        Some(name) => format!("{} {}", printable(&target.account), printable(name)),
        None => printable(&target.account),
    };
    let what = if target.resource == "setting" { &target.region } else { &target.resource };
    let changed = match (&target.last_changed_by, target.last_changed_at) {
        (Some(by), Some(at)) => format!("{} {}", printable(by), moment(at)),
        (Some(by), None) => printable(by),
        (None, _) => NOTHING.to_owned(),
    };
    let reason = target.reason.as_deref().map_or_else(|| NOTHING.to_owned(), printable);
    [printable(&target.state), account, printable(what), moment(target.since), changed, reason]
}

/// A line of the table, whose first word is a heading or a state, unless the line goes on with one before.
fn painted(line: &str) -> String {
    let end = line.find(' ').unwrap_or(line.len());
    match line.split_at(end) {
        (heading, _) if heading == HEADINGS[0] => styled(FAINT, line),
        (word, rest) => format!("{}{rest}", paint(word, word)),
    }
}

/// A text about a state.
fn paint(label: &str, text: &str) -> String {
    match label.parse::<State>() {
        Ok(State::InSync) => styled(GOOD, text),
        Ok(State::Drifted | State::Held | State::Contended) => styled(WARNING, text),
        Ok(State::Blocked | State::Unknown) | Err(_) => styled(BAD, text),
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A text of the controller's, which may be AWS's or of whoever names accounts, on one line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
