//! Tags: IAM's of a role and STS's of a session, which have the same limits. Called by [`super`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::desired::document::Tag;
use crate::desired::fields::Written;
use crate::desired::problems::{Problem, Quoted};

/// The limit of tags a role, and a session.
const MOST_TAGS: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// What has the tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tagged {
    /// Who takes them.
    service: &'static str,
    /// What they are put on.
    what: &'static str,
}

/// A role that we keep.
pub(super) const ROLE: Tagged = Tagged { service: "IAM", what: "a role" };
/// A session of a role that we assume.
pub(super) const SESSION: Tagged = Tagged { service: "STS", what: "a session" };

/// The tags by their keys.
pub(super) fn checked(tags: Written<Vec<Tag>>, of: Tagged, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let count = tags.value.len();
    if count > MOST_TAGS {
        let message = format!("{count} tags, while {} can have {MOST_TAGS}", of.what);
        problems.push(Problem::new(&tags.place, message).help("leave some out"));
    }
    let mut keys = BTreeSet::new();
    for tag in &tags.value {
        // Both tell tag keys apart without regard to case.
        if !keys.insert(tag.key.value.to_lowercase()) {
            let message = format!("{} takes this key for the same as one before it, which differs in case only", of.service);
            problems.push(Problem::new(&tag.key.place, message).help("keep one of them"));
        }
        if tag.key.value.to_ascii_lowercase().starts_with("aws:") {
            problems.push(Problem::new(&tag.key.place, "keys that begin with `aws:` are reserved for AWS").help("rename it"));
        }
        check_text(&tag.key, "a tag's key", 1..=LONGEST_KEY, problems);
        check_text(&tag.value, "a tag's value", 0..=LONGEST_VALUE, problems);
    }
    tags.value.into_iter().map(|tag| (tag.key.value, tag.value.value)).collect()
}

fn check_text(text: &Written<String>, what: &str, lengths: RangeInclusive<usize>, problems: &mut Vec<Problem>) {
    // IAM and STS: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`. Of white space, \p{Z} lacks what is a control character.
    let space = |c: char| c.is_whitespace() && !c.is_control();
    let allowed = |c: char| c.is_alphabetic() || c.is_numeric() || space(c) || "_.:/=+-@".contains(c);
    check_length(text, what, lengths, problems);
    if let Some(character) = text.value.chars().find(|c| !allowed(*c)) {
        let message = format!("{what} cannot hold {}", Quoted(&character.to_string()));
        problems.push(Problem::new(&text.place, message).help("use letters, digits, spaces and `_.:/=+-@`"));
    }
}

/// That a text has so many characters.
pub(super) fn check_length(text: &Written<String>, what: &str, lengths: RangeInclusive<usize>, problems: &mut Vec<Problem>) {
    let length = text.value.chars().count();
    if !lengths.contains(&length) {
        let message = format!("{length} characters, while {what} has {} to {}", lengths.start(), lengths.end());
        problems.push(Problem::new(&text.place, message));
    }
}
