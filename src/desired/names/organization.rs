//! What AWS Organizations calls things: roots and organizational units.
//!
//! Patterns are those of the Organizations API reference. Called by whoever reads a document or an answer of Organizations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::InvalidName;
use crate::desired::problems::Quoted;

/// A root (`r-ab12`) or an organizational unit (`ou-ab12-11111111`): whatever accounts can be beneath.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(Arc<str>);

impl UnitId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UnitId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let word = |text: &str, shortest: usize| {
            (shortest..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let is_unit = match text.split('-').collect::<Vec<_>>()[..] {
            ["r", root] => word(root, 4),
            ["ou", root, unit] => word(root, 4) && word(unit, 8),
            _ => false,
        };
        if !is_unit {
            let message = "is not the id of an organizational unit, such as ou-ab12-11111111, or of a root, such as r-ab12";
            return Err(InvalidName(format!("{} {message}", Quoted(text))));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_roots_are_told_from_everything_else() {
        for text in ["r-ab12", "ou-ab12-11111111", "ou-ab12-abcdefgh12345"] {
            assert_eq!(text.parse::<UnitId>().unwrap().to_string(), text);
        }
        for text in ["", "r-", "r-ab1", "ou-ab12", "ou-ab12-1111111", "OU-AB12-11111111", "ou-ab12-11111111-", "111122223333"] {
            assert!(text.parse::<UnitId>().is_err(), "{text}");
        }
    }
}
