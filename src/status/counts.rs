//! How many targets are in which state, kept up to date with every change: a probe or a scrape only reads them.

use serde::ser::{Serialize, Serializer};

use super::entry::{Activity, TargetStatus};
use crate::target::State;

/// How many targets are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateCounts([u32; State::ALL.len()]);

impl StateCounts {
    /// How many are in this state.
    #[must_use]
    pub fn of(&self, state: State) -> u32 {
        self.0[state as usize]
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl Serialize for StateCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(State::ALL.map(|state| (state.label(), self.of(state))))
    }
}

/// What is counted of some targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) states: StateCounts,
    /// Those that have never been tried.
    pub(super) untried: u32,
    /// Those that a worker is at.
    pub(super) in_flight: u32,
}

impl Counts {
    /// One more target.
    pub(super) fn enter(&mut self, status: &TargetStatus) {
        self.states.0[status.state as usize] += 1;
        self.untried += u32::from(status.last_attempt.is_none());
        self.in_flight += u32::from(status.activity == Activity::InFlight);
    }

    /// One target less, as it was when it entered.
    pub(super) fn leave(&mut self, status: &TargetStatus) {
        self.states.0[status.state as usize] -= 1;
        self.untried -= u32::from(status.last_attempt.is_none());
        self.in_flight -= u32::from(status.activity == Activity::InFlight);
    }
}
