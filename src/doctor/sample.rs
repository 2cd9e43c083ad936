//! Which accounts of an organization are looked into. Pure.

use std::num::{NonZeroUsize, ParseIntError};
use std::str::FromStr;

/// How many accounts of an organization are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every one.
    All,
    /// So many.
    Sample(NonZeroUsize),
}

impl Default for Extent {
    fn default() -> Self {
        Self::Sample(NonZeroUsize::MIN.saturating_add(9))
    }
}

/// A text that is no extent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a whole number from 1 up, or `all`")]
pub struct NoExtent;

impl From<ParseIntError> for NoExtent {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}

impl FromStr for Extent {
    type Err = NoExtent;

    fn from_str(text: &str) -> Result<Self, NoExtent> {
        if text == "all" { Ok(Self::All) } else { Ok(Self::Sample(text.parse()?)) }
    }
}

impl Extent {
    /// The ones that are looked into, spread evenly over all: the same ones each time, so that two looks can be compared.
    #[must_use]
    pub fn of<T>(self, all: Vec<T>) -> Vec<T> {
        let Self::Sample(wanted) = self else { return all };
        let (wanted, there) = (wanted.get(), all.len());
        if wanted >= there {
            return all;
        }
        let mut picked = (0..wanted).map(|nth| nth * there / wanted).peekable();
        all.into_iter().enumerate().filter_map(|(at, one)| picked.next_if_eq(&at).map(|_| one)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(extent: &str, all: usize) -> Vec<usize> {
        extent.parse::<Extent>().unwrap().of((0..all).collect())
    }

    #[test]
    fn a_sample_is_spread_over_all() {
        assert_eq!(of("3", 9), [0, 3, 6]);
        assert_eq!(of("4", 10), [0, 2, 5, 7]);
        assert_eq!(of("1", 10), [0]);
    }

    #[test]
    fn nobody_is_left_out_where_there_are_no_more_than_asked_for() {
        assert_eq!(of("10", 3), [0, 1, 2]);
        assert_eq!(of("all", 100).len(), 100);
        assert_eq!(of("5", 0), Vec::<usize>::new());
    }

    #[test]
    fn an_extent_is_a_number_or_all() {
        for text in ["", "0", "-1", "some", "ALL", "1.5"] {
            assert_eq!(text.parse::<Extent>(), Err(NoExtent), "{text}");
        }
    }
}
