//! The board as people ask for it: the targets they mean, not more than they can take, and how many were left out.

use jiff::Timestamp;
use serde::Serialize;

use super::counts::StateCounts;
use super::entry::{Changed, LastDrift, TargetStatus};
use super::{Board, Held, Owner};
use crate::observed::Change;
use crate::plan::Drift;
use crate::target::{Resource, ResourceKind, State};

/// Which targets are asked for. What is not said is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Those of the account with this id or name.
    pub account: Option<String>,
    /// Those of this region; `global` for what is not regional.
    pub region: Option<String>,
    /// Those in any of these states, each named once; in any at all when there are none.
    pub states: Vec<State>,
    /// No more than these.
    pub limit: usize,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// How many targets there are in each state, asked for or not.
    pub summary: StateCounts,
    /// What the guard holds; `None` while it holds nothing.
    pub held: Option<Held>,
    /// How many are as was asked for.
    pub matching: usize,
    /// How many of these are not in `targets`, because there are more than the limit.
    pub left_out: usize,
    /// The first of them.
    pub targets: Vec<TargetView>,
}

/// One target as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetView {
    account: String,
    account_name: Option<String>,
    region: String,
    resource: ResourceKind,
    state: State,
    reason: Option<String>,
    since: Timestamp,
    desired: String,
    observed: Option<String>,
    drift: Vec<Drift>,
    last_drift: Option<LastDriftView>,
    last_changed_by: Option<String>,
    last_changed_at: Option<Timestamp>,
    last_attempt: Option<Timestamp>,
    last_observed: Option<Timestamp>,
    next_due: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastDriftView {
    drift: Vec<Drift>,
    changed: Option<Change>,
    seen_at: Timestamp,
}

impl Filter {
    /// Everything, up to a limit.
    #[must_use]
    pub fn everything(limit: usize) -> Self {
        Self { account: None, region: None, states: Vec::new(), limit }
    }

    fn has_account(&self, label: &str, name: Option<&str>) -> bool {
        self.account.as_deref().is_none_or(|account| account == label || Some(account) == name)
    }

    /// How many of the targets of an account are in the states that are asked for.
    fn in_states(&self, counts: &StateCounts) -> usize {
        let asked = if self.states.is_empty() { &State::ALL[..] } else { &self.states };
        asked.iter().map(|state| counts.of(*state) as usize).sum()
    }

    fn has(&self, resource: &Resource, status: &TargetStatus) -> bool {
        self.region.as_deref().is_none_or(|region| region == resource.region_label())
            && (self.states.is_empty() || self.states.contains(&status.state))
    }
}

impl Board {
    pub(super) fn view(&self, filter: &Filter) -> View {
        let (mut targets, mut matching) = (Vec::new(), 0);
        for (owner, group) in &self.groups {
            let (label, name) = (self.label(*owner), self.name(*owner));
            if !filter.has_account(&label, name) {
                continue;
            }
            let in_states = filter.in_states(&group.counts.states);
            // Counted already: looking at every target of an organization takes its time.
            if in_states == 0 || (filter.region.is_none() && targets.len() >= filter.limit) {
                matching += in_states;
                continue;
            }
            for (resource, status) in group.targets.iter().filter(|(resource, status)| filter.has(resource, status)) {
                matching += 1;
                if targets.len() < filter.limit {
                    targets.push(TargetView::of(&label, name, resource, status));
                }
            }
        }
        View { summary: self.counts.states, held: self.held.something(), matching, left_out: matching - targets.len(), targets }
    }

    fn name(&self, owner: Owner) -> Option<&str> {
        match owner {
            Owner::Organization => None,
            Owner::Account(account) => self.names.get(&account).map(AsRef::as_ref),
        }
    }
}

impl TargetView {
    fn of(account: &str, name: Option<&str>, resource: &Resource, status: &TargetStatus) -> Self {
        let owned = |text: &std::sync::Arc<str>| text.to_string();
        Self {
            account: account.to_owned(),
            account_name: name.map(str::to_owned),
            region: resource.region_label().to_owned(),
            resource: resource.kind(),
            state: status.state,
            reason: status.reason.as_ref().map(owned),
            since: status.since,
            desired: owned(&status.desired),
            observed: status.observed.as_ref().map(owned),
            drift: status.drift.0.clone(),
            last_drift: status.last_drift.as_deref().map(LastDriftView::of),
            last_changed_by: status.changed.as_ref().map(|change| owned(&change.by)),
            last_changed_at: status.changed.as_ref().and_then(|change| change.at),
            last_attempt: status.last_attempt,
            last_observed: status.last_observed,
            next_due: status.next_due,
        }
    }
}

impl LastDriftView {
    fn of(last: &LastDrift) -> Self {
        let change = |changed: &Changed| Change { by: changed.by.to_string(), at: changed.at };
        Self { drift: last.drift.0.clone(), changed: last.changed.as_ref().map(change), seen_at: last.seen_at }
    }
}
