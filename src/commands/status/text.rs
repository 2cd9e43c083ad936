//! The answer for people: how many targets are in which state, what the guard holds, then the targets, each with since when, who
//! changed it last, and why; what several in a row have in common is told once.

use comfy_table::{Table, presets};
use jiff::Timestamp;

use super::super::counted;
use super::answer::{Answer, Held, Target};
use super::api::Api;
use super::question::Question;
use crate::target::State;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, WARNING, plain_line, styled};

/// What is not known, or does not apply.
const NOTHING: &str = "-";
const HEADINGS: [&str; 5] = ["STATE", "ACCOUNT", "TARGET", "SINCE", "LAST CHANGED BY"];

pub(super) fn report(answer: &Answer, question: &Question, api: &Api) -> String {
    let parts =
        [head(answer, api), summary(answer), answer.held.as_ref().map(held).unwrap_or_default(), targets(answer, question)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(answer: &Answer, api: &Api) -> String {
    let configuration = &answer.configuration;
    let hash: String = plain_line(&configuration.hash).chars().take(12).collect();
    let loaded = moment(configuration.loaded_at);
    let head = format!("dhmc-controller {} at {api}, desired state {hash} of {loaded}\n", plain_line(&answer.version));
    if configuration.in_force {
        return head;
    }
    let problems = configuration.problem.as_deref().unwrap_or("it does not say why").lines();
    let problems: Vec<String> = problems.map(|line| format!("  {}", plain_line(line))).collect();
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
            let label = plain_line(label);
            paint(&label, &format!("{count} {}", label.replace('_', " ")))
        })
        .collect();
    let total: usize = answer.summary.values().sum();
    if counts.is_empty() {
        return "There are no targets: the desired state declares nothing that is to be kept.\n".to_owned();
    }
    format!("{}: {}\n", styled(STRONG, &counted(total, "target")), counts.join(", "))
}

fn held(held: &Held) -> String {
    let Held { resets, detachments, confirm } = held;
    let kinds = [(*resets, "reset"), (*detachments, "detachment")];
    let kinds: Vec<String> =
        kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, kind)| counted(count, kind)).collect();
    let what = format!("The guard holds {}.", kinds.join(" and "));
    let how = format!("  spec:\n    guard:\n      confirm: {}\n", plain_line(confirm));
    format!("{} If it is meant, confirm it in the document:\n\n{how}", styled(WARNING, &what))
}

fn targets(answer: &Answer, question: &Question) -> String {
    if answer.targets.is_empty() {
        return match question.of_some() {
            Some(part) => format!("Of {}, no target is {}.\n", part.described(), states(question)),
            None => String::new(),
        };
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADINGS).add_rows(answer.targets.iter().map(row));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut rows = table.lines();
    let mut lines: Vec<String> = rows.next().map(|headings| styled(FAINT, headings.trim_end())).into_iter().collect();
    // No cell has a line break in it: each target is one line.
    for (index, (target, row)) in answer.targets.iter().zip(rows).enumerate() {
        lines.push(painted(row.trim_end()));
        let next = answer.targets.get(index + 1).map(|next| &next.reason);
        if let Some(reason) = target.reason.as_deref().filter(|_| next != Some(&target.reason)) {
            lines.push(format!("  {}", plain_line(reason)));
        }
    }
    if answer.left_out > 0 {
        lines.push(format!("and {} more; ask for one --account, --region or --state", answer.left_out));
    }
    lines.join("\n") + "\n"
}

fn states(question: &Question) -> String {
    let words: Vec<&str> = question.states().iter().map(|state| state.label()).collect();
    words.join(" or ")
}

fn row(target: &Target) -> [String; 5] {
    let account = match &target.account_name {
        Some(name) => format!("{} {}", plain_line(&target.account), plain_line(name)),
        None => plain_line(&target.account),
    };
    let what = if target.resource == "setting" { &target.region } else { &target.resource };
    let changed =
        target.last_changed_by.as_deref().map_or_else(|| NOTHING.to_owned(), |by| plain_line(own_name(by, &target.account)));
    [plain_line(&target.state), account, plain_line(what), moment(target.since), changed]
}

/// Without the part of an ARN that says no more than the account, where that is the target's own:
/// `assumed-role/Administrator/alice`.
fn own_name<'a>(arn: &'a str, account: &str) -> &'a str {
    match arn.split_once(account) {
        Some((before, after)) if before.starts_with("arn:") && before.ends_with("::") => after.strip_prefix(':').unwrap_or(arn),
        _ => arn,
    }
}

/// A row, whose first word is a state.
fn painted(row: &str) -> String {
    let (state, rest) = row.split_at(row.find(' ').unwrap_or(row.len()));
    format!("{}{rest}", paint(state, state))
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
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_of_the_same_account_is_told_without_it() {
        for (arn, shown) in [
            ("arn:aws:sts::111122223333:assumed-role/Administrator/alice", "assumed-role/Administrator/alice"),
            ("arn:aws-cn:iam::111122223333:user/mallory", "user/mallory"),
            (
                "arn:aws:sts::222233334444:assumed-role/111122223333/bob",
                "arn:aws:sts::222233334444:assumed-role/111122223333/bob",
            ),
            ("arn:aws:iam::111122223333", "arn:aws:iam::111122223333"),
            ("System", "System"),
        ] {
            assert_eq!(own_name(arn, "111122223333"), shown);
        }
    }
}
