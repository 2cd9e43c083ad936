//! What the conditions of policies can ask of a call. A key that is not in this table is refused when a policy is given:
//! to take it as met, or as not met, would be a guess that nobody sees.

use std::collections::BTreeMap;

/// Every key that is played, in lower case; those that end in a slash go on with the key of a tag.
const KNOWN: [(&str, Holds); 13] = [
    ("aws:principalaccount", Holds::One),
    ("aws:principalarn", Holds::One),
    ("aws:principalorgid", Holds::One),
    ("aws:resourceorgid", Holds::One),
    ("aws:requestedregion", Holds::One),
    ("aws:requesttag/", Holds::One),
    ("aws:tagkeys", Holds::Many),
    ("iam:passedtoservice", Holds::One),
    ("iam:permissionsboundary", Holds::One),
    ("iam:policyarn", Holds::One),
    ("sts:externalid", Holds::One),
    ("sts:rolesessionname", Holds::One),
    ("sts:transitivetagkeys", Holds::Many),
];

/// Whether a key has one value in a call or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    One,
    Many,
}

/// The key of a condition: its name in lower case, for keys know no case, and what it holds.
pub(super) fn known(name: &str) -> Option<(String, Holds)> {
    let name = name.to_ascii_lowercase();
    let same = |known: &str| match known.strip_suffix('/') {
        Some(_) => name.len() > known.len() && name.starts_with(known),
        None => name == known,
    };
    let holds = KNOWN.iter().find(|(known, _)| same(known)).map(|(_, holds)| *holds)?;
    Some((name, holds))
}

/// The keys of one call with their values. A key that is not in it is missing from the call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(BTreeMap<String, Vec<String>>);

impl Keys {
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.add(key, value);
        self
    }

    /// Tags that a call sends along.
    pub(crate) fn with_tags(mut self, tags: &[(&str, &str)]) -> Self {
        for (key, value) in tags {
            self.add(&format!("aws:RequestTag/{key}"), *value);
            self.add("aws:TagKeys", *key);
        }
        self
    }

    pub(crate) fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_ascii_lowercase()).or_default().push(value.into());
    }

    /// All of both.
    pub(crate) fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().map(|(key, values)| (key.clone(), values.clone())));
        self
    }

    /// Of a key in lower case.
    pub(super) fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_know_no_case() {
        assert_eq!(known("IAM:PolicyArn"), Some(("iam:policyarn".to_owned(), Holds::One)));
        assert_eq!(Keys::default().with("iam:PolicyARN", "a").values("iam:policyarn"), ["a"]);
    }

    #[test]
    fn the_key_of_a_tag_needs_the_tags_own_key() {
        assert!(known("aws:RequestTag/team").is_some());
        assert_eq!(known("aws:RequestTag/"), None);
        assert_eq!(known("aws:RequestTag"), None);
    }
}
