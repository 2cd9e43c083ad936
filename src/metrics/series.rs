//! Whether single targets have series of their own. An organization has more targets than a Prometheus likes series.

use std::sync::Arc;

use clap::ValueEnum;

use crate::status::StatusBoard;
use crate::target::{Resource, Target};

/// Up to how many targets `auto` gives each its own series.
pub const AUTO_LIMIT: u32 = 2_000;

/// Whether each target has series of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TargetMetrics {
    /// While there are up to 2,000 targets.
    #[default]
    Auto,
    /// However many there are.
    Always,
    /// None has; accounts and the whole fleet have counts in any case.
    Never,
}

/// What was chosen, and what it depends on: how many targets there are at the moment.
#[derive(Debug, Clone, Default)]
pub struct TargetSeries {
    choice: TargetMetrics,
    board: Arc<StatusBoard>,
}

impl TargetSeries {
    /// A choice for the targets of a board.
    #[must_use]
    pub fn new(choice: TargetMetrics, board: Arc<StatusBoard>) -> Self {
        Self { choice, board }
    }

    /// Whether targets have series of their own right now. `auto` has no memory: the number of targets moves only when the
    /// desired state, the organization or the open regions of an account do, so that it does not flap by itself.
    #[must_use]
    pub fn are_on(&self) -> bool {
        match self.choice {
            TargetMetrics::Auto => self.board.len() <= AUTO_LIMIT,
            TargetMetrics::Always => true,
            TargetMetrics::Never => false,
        }
    }

    /// The region that an event of this target is counted under. A change that somebody makes everywhere must not create a
    /// series for every target; those of one account then share one.
    pub(super) fn region_of_event<'a>(&self, target: &'a Target) -> &'a str {
        match target.resource {
            Resource::Setting(_) if !self.are_on() => "all",
            _ => target.region_label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::desired::names::Account;

    fn target(number: u32) -> Target {
        Target::setting(Account::Own, format!("xx-region-{number}").parse().unwrap())
    }

    #[test]
    fn auto_has_series_of_targets_up_to_and_with_the_limit_and_again_below_it() {
        let board = Arc::new(StatusBoard::default());
        let series = TargetSeries::new(TargetMetrics::Auto, Arc::clone(&board));
        for number in 0..AUTO_LIMIT {
            board.add(target(number), Timestamp::UNIX_EPOCH);
        }
        assert!(series.are_on());
        board.add(target(AUTO_LIMIT), Timestamp::UNIX_EPOCH);
        assert!(!series.are_on());
        assert!(TargetSeries::new(TargetMetrics::Always, Arc::clone(&board)).are_on());
        board.remove(&target(0));
        assert!(series.are_on());
        assert!(!TargetSeries::new(TargetMetrics::Never, board).are_on());
    }

    #[test]
    fn without_series_of_targets_only_what_is_regional_is_counted_under_all_regions() {
        let region = |choice, target| TargetSeries::new(choice, Arc::default()).region_of_event(&target).to_owned();
        assert_eq!(region(TargetMetrics::Never, target(1)), "all");
        assert_eq!(region(TargetMetrics::Never, Target::role(Account::Own)), "global");
        assert_eq!(region(TargetMetrics::Always, target(1)), "xx-region-1");
    }
}
