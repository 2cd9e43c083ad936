//! The values that a condition lets through: these, or all but these. What several accounts need is one of the two again.

use std::collections::BTreeSet;

use super::text::Text;

/// A set of values, or all but a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Values {
    /// These.
    Only(BTreeSet<Text>),
    /// All others.
    AllBut(BTreeSet<Text>),
}

/// None.
impl Default for Values {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Values {
    pub(super) fn any() -> Self {
        Self::AllBut(BTreeSet::new())
    }

    pub(super) fn only(values: impl IntoIterator<Item = Text>) -> Self {
        Self::Only(values.into_iter().collect())
    }

    pub(super) fn all_but(values: impl IntoIterator<Item = Text>) -> Self {
        Self::AllBut(values.into_iter().collect())
    }

    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What either lets through.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(one), Self::Only(other)) => Self::Only(&one | &other),
            (Self::AllBut(one), Self::AllBut(other)) => Self::AllBut(&one & &other),
            (Self::AllBut(but), Self::Only(these)) | (Self::Only(these), Self::AllBut(but)) => Self::AllBut(&but - &these),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lets_through(values: &Values, value: &Text) -> bool {
        match values {
            Values::Only(these) => these.contains(value),
            Values::AllBut(these) => !these.contains(value),
        }
    }

    fn some_values() -> impl Strategy<Value = Values> {
        let set = proptest::collection::btree_set("[a-d]".prop_map(Text::literal), 0..4);
        (any::<bool>(), set).prop_map(|(only, set)| if only { Values::Only(set) } else { Values::AllBut(set) })
    }

    proptest! {
        #[test]
        fn a_union_lets_through_what_either_does(one in some_values(), other in some_values()) {
            let both = one.clone().or(other.clone());
            for value in ["a", "b", "c", "d", "e"].map(Text::literal) {
                prop_assert_eq!(lets_through(&both, &value), lets_through(&one, &value) || lets_through(&other, &value));
            }
        }
    }
}
