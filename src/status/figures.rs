//! What a scrape needs of the board: numbers, taken in one pass, so that the lock is held no longer than counting takes.

use jiff::Timestamp;

use super::counts::StateCounts;
use super::entry::{Activity, TargetStatus};
use super::{Board, Held, Owner};
use crate::desired::organization::Tally;
use crate::target::{Resource, State, Target};

/// Of which targets a scrape is told one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Of all.
    EveryTarget,
    /// Of the organization alone: every account stands on it, and it is only one.
    OrganizationOnly,
}

/// The numbers of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// All targets together.
    pub total: GroupFigures,
    /// Each account, and the organization as if it were one.
    pub accounts: Vec<AccountFigures>,
    /// Targets that are due and not taken up.
    pub due: u32,
    /// Targets that a worker is at.
    pub in_flight: u32,
    /// How the accounts of the organization divide up; `None` while none is declared or none was listed.
    pub organization: Option<Tally>,
    /// When the accounts of the organization were last listed.
    pub last_listed: Option<Timestamp>,
    /// What the guard holds.
    pub held: Held,
}

/// The numbers of some targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupFigures {
    /// How many are in each state.
    pub states: StateCounts,
    /// When the one was read that has gone without for longest. Those that were never read have no such time; their state,
    /// which cannot be in sync, tells of them.
    pub oldest_observed: Option<Timestamp>,
}

/// The numbers of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFigures {
    /// What it is called in labels.
    pub label: String,
    /// Its targets together.
    pub figures: GroupFigures,
    /// Its targets one by one, if that was asked.
    pub targets: Vec<TargetFigures>,
}

/// The numbers of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFigures {
    /// What it is.
    pub resource: Resource,
    /// Where it stands.
    pub state: State,
    /// When it was last read.
    pub last_observed: Option<Timestamp>,
}

impl Board {
    pub(super) fn figures(&self, now: Timestamp, detail: Detail) -> Figures {
        let mut figures = Figures {
            total: GroupFigures { states: self.counts.states, oldest_observed: None },
            accounts: Vec::with_capacity(self.groups.len()),
            due: 0,
            in_flight: self.counts.in_flight,
            organization: self.organization,
            last_listed: self.get(&Target::organization()).and_then(|status| status.last_observed),
            held: self.held,
        };
        for (owner, group) in &self.groups {
            let mut account = GroupFigures { states: group.counts.states, oldest_observed: None };
            // One pass: with as many targets as an organization has, the time goes into fetching them from memory.
            for status in group.targets.values() {
                account.oldest_observed = older(account.oldest_observed, status.last_observed);
                figures.due += u32::from(status.activity == Activity::Idle && status.next_due.is_some_and(|due| due <= now));
            }
            figures.total.oldest_observed = older(figures.total.oldest_observed, account.oldest_observed);
            let is_told = detail == Detail::EveryTarget || *owner == Owner::Organization;
            let told = group.targets.iter().filter(|_| is_told).map(|(resource, status)| TargetFigures::of(resource, status));
            figures.accounts.push(AccountFigures { label: self.label(*owner), figures: account, targets: told.collect() });
        }
        figures
    }
}

fn older(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

impl TargetFigures {
    fn of(resource: &Resource, status: &TargetStatus) -> Self {
        Self { resource: resource.clone(), state: status.state, last_observed: status.last_observed }
    }
}
