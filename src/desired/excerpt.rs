//! The line that a problem is on, fit to be shown: without secrets, without control characters, and not longer than anybody reads.
//!
//! The text may be anything; it need not even be UTF-8. Shown by the command `validate`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::problems::{Problem, is_secret};
use super::{discretion, keys, text};

/// How many characters before and after the place of a problem are shown at most.
const REACH: usize = 200;
/// How many characters are counted to find one.
const STEP: usize = 1_000;
/// What stands for whatever is not shown.
const HIDDEN: &str = "***";
/// Mappings whose keys are up to the writer.
const OF_OWN_KEYS: [&str; 3] = ["regions", "tags", "sessionTags"];

/// The lines of a text.
#[derive(Debug)]
pub struct Excerpts<'t> {
    text: Cow<'t, str>,
    lines: Vec<Line>,
    /// What a document can have.
    keys: BTreeSet<String>,
}

/// Where a line is, and how much of it may be shown.
#[derive(Debug)]
struct Line {
    range: Range<usize>,
    fit: usize,
    /// The byte of every [`STEP`]th character: a long line may have many problems.
    steps: Vec<usize>,
}

/// A line, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// What is shown.
    pub text: String,
    /// The bytes of it that the problem is about; empty at the end of a line.
    pub marked: Range<usize>,
}

impl<'t> Excerpts<'t> {
    /// Of a text as it was read.
    #[must_use]
    pub fn of(bytes: &'t [u8]) -> Self {
        let text = match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => Cow::Borrowed(text::without_mark(text)),
            Cow::Owned(text) => Cow::Owned(text::without_mark(&text).to_owned()),
        };
        let slices: Vec<&str> = text::lines(&text).collect();
        let begin = text.as_ptr().addr();
        let ranges = slices.iter().map(|line| {
            let start = line.as_ptr().addr() - begin;
            start..start + line.len()
        });
        let keys = keys::known();
        let lines = ranges.zip(discretion::fit_to_show(&slices, &keys)).map(|(range, fit)| {
            let steps = text[range.clone()].char_indices().step_by(STEP).map(|(offset, _)| offset).collect();
            Line { range, fit, steps }
        });
        Self { lines: lines.collect(), text, keys }
    }

    /// The line that a problem is on. `None`: it is about the whole.
    #[must_use]
    pub fn at(&self, problem: &Problem) -> Option<Excerpt> {
        let (line, column) = (problem.line?, problem.column?);
        let line = self.lines.get(line.checked_sub(1)?)?;
        let text = &self.text[line.range.clone()];
        let start = line.offset_of(text, column);
        let marked = start..start + length_of_token(&text[start..]);
        // The line of a secret hides it; should there be a way to write one that does not, the problem still knows.
        let fit = if is_secret(&problem.path) && line.fit == text.len() { start } else { line.fit };
        let fit = if self.may_hide_a_secret(problem, text, &marked) { fit.min(after_colon(text, marked.end)) } else { fit };
        Some(cut(text, marked, fit))
    }

    /// Whether what a problem is about is a key that nobody knows: its value may be what belongs under another name.
    fn may_hide_a_secret(&self, problem: &Problem, line: &str, marked: &Range<usize>) -> bool {
        let key = line[marked.clone()].trim_matches(['"', '\'']);
        let is_key = line[marked.end..].trim_start().starts_with(':');
        let parent = problem.path.rsplit_once(['.', '[']).map_or("", |(parent, _)| parent);
        is_key && !OF_OWN_KEYS.iter().any(|own| parent.ends_with(own)) && !self.keys.contains(key)
    }
}

impl Line {
    /// Where a character is, counted from 1.
    fn offset_of(&self, text: &str, column: usize) -> usize {
        let index = column.saturating_sub(1);
        let Some(step) = self.steps.get(index / STEP) else { return text.len() };
        text[*step..].char_indices().nth(index % STEP).map_or(text.len(), |(offset, _)| step + offset)
    }
}

/// How much of a text is one value or key, as far as it may be shown.
fn length_of_token(text: &str) -> usize {
    let text = &text[..text.char_indices().nth(REACH).map_or(text.len(), |(offset, _)| offset)];
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return text[1..].find(quote).map_or(text.len(), |end| end + 2);
    }
    let ends = |(at, c): (usize, char)| {
        c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}') || c == ':' && !continues(&text[at + 1..])
    };
    let length = text.char_indices().find(|found| ends(*found)).map_or(text.len(), |(at, _)| at);
    // A bracket is a token by itself.
    if length == 0 { text.chars().next().filter(|c| !c.is_whitespace()).map_or(0, char::len_utf8) } else { length }
}

/// Whether a colon before this text is part of a word.
fn continues(text: &str) -> bool {
    text.starts_with(|c: char| !c.is_whitespace())
}

fn after_colon(line: &str, key_end: usize) -> usize {
    let rest = line[key_end..].trim_start();
    let value = rest.strip_prefix(':').map_or(rest, |value| value.strip_prefix(' ').unwrap_or(value));
    line.len() - value.len()
}

/// The part of a line around what is marked, as far as it may be shown. What is hidden has no length of its own, but leaves
/// what is marked in its column.
fn cut(line: &str, marked: Range<usize>, fit: usize) -> Excerpt {
    let from = line[..marked.start].char_indices().rev().nth(REACH).map_or(0, |(offset, _)| offset);
    let to = line[marked.start..].char_indices().nth(REACH).map_or(line.len(), |(offset, _)| marked.start + offset);
    let shown = |from: usize, to: usize| -> String {
        let (from, to) = (from.min(fit), to.min(fit));
        line[from..to].chars().map(|c| if is_visible(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
    };
    let mut text = shown(from, marked.start);
    if fit <= marked.start && fit < line.len() {
        let hidden = line[from.max(fit)..marked.start].chars().count();
        text.push_str(&"*".repeat(hidden));
        let start = text.len();
        text.push_str(HIDDEN);
        return Excerpt { marked: start..text.len(), text };
    }
    let start = text.len();
    text.push_str(&shown(marked.start, marked.end.min(to)));
    let end = text.len();
    text.push_str(&shown(marked.end.min(to), to));
    if fit < to {
        text.push_str(HIDDEN);
    }
    Excerpt { text, marked: start..end }
}

/// Whether a character is what it looks like, and does nothing to the terminal or its neighbours. Tabs are the renderer's.
fn is_visible(c: char) -> bool {
    matches!(c, '\t' | '"' | '\'') || c.escape_debug().next() == Some(c)
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    const BEGINNING: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\n";

    /// What is shown of each problem, with what is marked.
    fn shown(document: &[u8]) -> Vec<(String, String)> {
        let problems = load(document).unwrap_err();
        let excerpts = Excerpts::of(document);
        let found = problems.iter().filter_map(|problem| excerpts.at(problem));
        found.map(|excerpt| (excerpt.text.clone(), excerpt.text[excerpt.marked].to_owned())).collect()
    }

    fn shown_of(spec: &str) -> Vec<(String, String)> {
        shown(format!("{BEGINNING}{spec}").as_bytes())
    }

    fn one(text: &str, marked: &str) -> Vec<(String, String)> {
        vec![(text.to_owned(), marked.to_owned())]
    }

    #[test]
    fn the_line_is_shown_with_the_key_or_the_value_that_is_wrong() {
        assert_eq!(
            shown_of("spec: { mode: enforced, otherRegions: enabled }").pop(),
            one("spec: { mode: enforced, otherRegions: enabled }", "enforced").pop()
        );
        assert_eq!(
            shown_of("spec: { regions: { eu-wset-1: enabled } }"),
            one("spec: { regions: { eu-wset-1: enabled } }", "eu-wset-1")
        );
        assert_eq!(shown_of("spec:\n  otherRegions: 'an'"), one("  otherRegions: 'an'", "'an'"));
        assert_eq!(shown_of("spec: [a]"), one("spec: [a]", "["));
        assert_eq!(shown_of("spec: { otherRegions: enabled"), one("spec: { otherRegions: enabled", ""));
    }

    #[test]
    fn the_value_of_an_unknown_key_is_not_shown_but_that_of_an_unknown_region_or_tag_is() {
        assert_eq!(
            shown_of("spec: { otherRegions: enabled, token: s3cr3t }"),
            one("spec: { otherRegions: enabled, token: ***", "token")
        );
        let tagged = "spec: { otherRegions: enabled, role: { tags: { 'aws:x': shown } } }";
        assert_eq!(shown_of(tagged), one(tagged, "'aws:x'"));
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_marked_and_not_shown() {
        let assumed =
            |rest: &str| format!("spec: {{ otherRegions: enabled, accounts: [{{ id: '111122223333', assumeRole: {rest}");
        let beginning = "spec: { otherRegions: enabled, accounts: [{ id: '111122223333', assumeRole: { name: a, externalId: ***";
        assert_eq!(shown_of(&assumed("{ name: a, externalId: s3cr3t horse } }] }")), one(beginning, "***"));
        let spec =
            "spec:\n  otherRegions: enabled\n  organization:\n    assumeRole:\n      name: a\n      externalId: s3cr3t horse\n";
        assert_eq!(shown_of(spec), one("      externalId: ***", "***"));
    }

    #[test]
    fn what_is_no_text_is_shown_as_far_as_it_is_one() {
        assert_eq!(shown(b"\xef\xbb\xbfa: \xc3\xbc\xff b"), one("a: ü\u{fffd} b", "\u{fffd}"));
        assert_eq!(shown(b"a: b\r\nc\0d: \x1b[31m"), one("c\u{fffd}d: ***", "\u{fffd}d"));
        assert_eq!(shown("spec: a\u{202e}b\u{9b}31m".as_bytes()), one("spec: a\u{fffd}b\u{fffd}31m", "\u{fffd}31m"));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_problem_is_shown() {
        let fill = "x".repeat(100_000);
        let found = shown_of(&format!("spec: {{ otherRegions: {fill}, mode: {fill} }}"));
        assert_eq!(found.len(), 2);
        for (text, marked) in found {
            assert!(text.chars().count() <= 2 * REACH + 1 && marked.starts_with("xxx"), "{text}");
        }
    }

    #[test]
    fn every_problem_of_a_long_line_is_found_in_its_place() {
        let fields: Vec<String> = (0..2_000).map(|index| format!("ü{index}: x")).collect();
        let found = shown_of(&format!("spec: {{ otherRegions: enabled, {} }}", fields.join(", ")));
        let marked: Vec<String> = found.into_iter().map(|(_, marked)| marked).collect();
        assert_eq!(marked, (0..2_000).map(|index| format!("ü{index}")).collect::<Vec<_>>());
    }
}
