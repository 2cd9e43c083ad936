//! What the board knows of one target. Small: an organization has hundreds of thousands of them.

use std::borrow::Borrow;
use std::sync::Arc;

use jiff::Timestamp;

use super::shared::{Differences, Pool};
use crate::observed::Change;
use crate::outcome::Outcome;
use crate::target::State;

/// One target on the board. Its texts are shared with every target that has the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// Where it stands.
    pub state: State,
    /// Whether it is being looked at right now.
    pub activity: Activity,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// What is wanted.
    pub desired: Arc<str>,
    /// What AWS had when it was last read successfully.
    pub observed: Option<Arc<str>>,
    /// Who changed it last, as of then.
    pub changed: Option<Changed>,
    /// What differs, as of then.
    pub drift: Arc<Differences>,
    /// The last drift there was, corrected or not.
    pub last_drift: Option<Box<LastDrift>>,
    /// When it was last looked at, successfully or not.
    pub last_attempt: Option<Timestamp>,
    /// When AWS was last read successfully.
    pub last_observed: Option<Timestamp>,
    /// When it is due again; `None` while it waits for something other than time.
    pub next_due: Option<Timestamp>,
}

/// A change as AWS attributes it: [`Change`] with its text shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Who made it.
    pub by: Arc<str>,
    /// When, where AWS tells.
    pub at: Option<Timestamp>,
}

/// Drift as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDrift {
    /// What differed.
    pub drift: Arc<Differences>,
    /// Who had changed it last by then, where AWS tells.
    pub changed: Option<Changed>,
    /// When it was last seen.
    pub seen_at: Timestamp,
}

/// Whether somebody is at work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nobody.
    Idle,
    /// A worker.
    InFlight,
}

/// The texts and drifts that targets share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    texts: Pool<str>,
    drifts: Pool<Differences>,
}

impl Shared {
    pub(super) fn text(&mut self, text: impl Borrow<str> + Into<Arc<str>>) -> Arc<str> {
        self.texts.share(text)
    }

    fn change(&mut self, change: &Change) -> Changed {
        Changed { by: self.text(change.by.as_str()), at: change.at }
    }
}

impl TargetStatus {
    pub(super) fn untried(now: Timestamp, shared: &mut Shared) -> Self {
        Self {
            state: State::Unknown,
            activity: Activity::Idle,
            reason: Some(shared.text("not looked at yet")),
            since: now,
            desired: shared.text(""),
            observed: None,
            changed: None,
            drift: shared.drifts.share(Differences::default()),
            last_drift: None,
            last_attempt: None,
            last_observed: None,
            next_due: None,
        }
    }

    pub(super) fn enter(&mut self, state: State, reason: Option<Arc<str>>, now: Timestamp) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        self.reason = reason;
        self.last_attempt = Some(now);
    }

    pub(super) fn record(&mut self, outcome: &Outcome, now: Timestamp, next_due: Option<Timestamp>, shared: &mut Shared) {
        self.enter(outcome.state, outcome.reason.as_deref().map(|reason| shared.text(reason)), now);
        self.desired = shared.text(outcome.desired.as_str());
        self.next_due = next_due;
        self.activity = Activity::Idle;
        if !outcome.drift.is_empty() {
            let drift = shared.drifts.share(Differences(outcome.drift.clone()));
            let changed = outcome.changed_before.as_ref().map(|change| shared.change(change));
            self.last_drift = Some(Box::new(LastDrift { drift, changed, seen_at: now }));
        }
        if let Some(observed) = &outcome.observed {
            self.last_observed = Some(now);
            self.observed = Some(shared.text(observed.as_str()));
            self.changed = outcome.changed.as_ref().map(|change| shared.change(change));
            self.drift = shared.drifts.share(Differences(outcome.left.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 180,000 targets are to fit 250 MB with everything else that is kept of each.
    #[test]
    fn a_target_is_small() {
        assert!(size_of::<TargetStatus>() <= 208, "{}", size_of::<TargetStatus>());
        assert!(size_of::<LastDrift>() <= 64, "{}", size_of::<LastDrift>());
    }
}
