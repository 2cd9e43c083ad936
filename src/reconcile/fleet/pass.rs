//! A single pass: which targets have not come to an end, and how long each may take.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::target::Target;

/// How long a single pass keeps trying what fails in a way that passes by itself, from its first failure. A new role takes
/// seconds until Systems Manager takes it; nobody promises how many.
pub const PATIENCE_OF_ONE_PASS: Duration = Duration::from_mins(1);

/// What is left of a single pass.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The targets that have not come to an end, each with when it counts as failed once it has failed at all.
    unsettled: HashMap<Target, Option<Instant>>,
}

impl Pass {
    /// It has to look at this target before it ends.
    pub(super) fn expect(&mut self, target: &Target) {
        self.unsettled.entry(target.clone()).or_default();
    }

    /// It need not look at this target any more.
    pub(super) fn settle(&mut self, target: &Target) {
        self.unsettled.remove(target);
    }

    /// Whether this target has not come to an end.
    pub(super) fn expects(&self, target: &Target) -> bool {
        self.unsettled.contains_key(target)
    }

    /// Whether every target has come to an end.
    pub(super) fn is_over(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Whether to try a target that has failed again at this time.
    pub(super) fn waits_for(&mut self, target: &Target, now: Instant, again: Instant) -> bool {
        let Some(deadline) = self.unsettled.get_mut(target) else { return false };
        again <= *deadline.get_or_insert(now + PATIENCE_OF_ONE_PASS)
    }
}
