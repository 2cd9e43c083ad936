//! What is known of every target right now. Feeds the status API and the gauges; decides nothing.

mod counts;
mod entry;
mod figures;
mod held;
mod shared;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::desired::names::{Account, AccountId};
use crate::desired::organization::Tally;
use crate::outcome::Outcome;
use crate::target::{Resource, ResourceKind, State, Target};
use counts::Counts;
pub use counts::StateCounts;
use entry::Shared;
pub use entry::{Activity, Changed, LastDrift, TargetStatus};
pub use figures::{AccountFigures, Detail, Figures, GroupFigures, TargetFigures};
pub use held::Held;
pub use shared::Differences;
pub use view::{Filter, TargetView, View};

/// The board that reconciling writes and HTTP reads.
#[derive(Debug, Default)]
pub struct StatusBoard {
    inner: Mutex<Board>,
}

#[derive(Debug, Default)]
struct Board {
    groups: BTreeMap<Owner, Group>,
    /// What all groups count together.
    counts: Counts,
    /// The id that the own account turned out to have; every other is called by its id.
    own: Option<AccountId>,
    names: HashMap<Account, Arc<str>>,
    organization: Option<Tally>,
    held: Held,
    shared: Shared,
    /// Set once every target has been tried; targets that are added later do not take it back.
    all_were_tried: bool,
}

/// The targets of one owner. Boxed: a node of the tree has room for eleven, and most of it stands empty.
#[derive(Debug, Default)]
struct Group {
    counts: Counts,
    targets: BTreeMap<Resource, Box<TargetStatus>>,
}

/// Whose a target is. The organization is looked at from the own account and is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Organization,
    Account(Account),
}

impl StatusBoard {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts up a target that has not been looked at. Does nothing to one that is there.
    pub fn add(&self, target: Target, now: Timestamp) {
        let Board { groups, counts, shared, .. } = &mut *self.board();
        let group = groups.entry(Owner::of(&target)).or_default();
        group.targets.entry(target.resource).or_insert_with(|| {
            let status = TargetStatus::untried(now, shared);
            group.counts.enter(&status);
            counts.enter(&status);
            Box::new(status)
        });
    }

    /// Takes a target down. With the last one of an account goes its name.
    pub fn remove(&self, target: &Target) {
        let Board { groups, counts, names, .. } = &mut *self.board();
        let owner = Owner::of(target);
        let Some(group) = groups.get_mut(&owner) else { return };
        if let Some(status) = group.targets.remove(&target.resource) {
            group.counts.leave(&status);
            counts.leave(&status);
        }
        if group.targets.is_empty() {
            groups.remove(&owner);
            if owner != Owner::Organization {
                names.remove(&target.account);
            }
        }
    }

    /// The id that an account turned out to have.
    pub fn identify(&self, account: Account, id: AccountId) {
        if account == Account::Own {
            self.board().own = Some(id);
        }
    }

    /// What people call an account, where somebody says.
    pub fn name_account(&self, account: Account, name: Option<Arc<str>>) {
        let names = &mut self.board().names;
        match name {
            Some(name) => names.insert(account, name),
            None => names.remove(&account),
        };
    }

    /// What people call an account, where somebody says.
    #[must_use]
    pub fn account_name(&self, account: Account) -> Option<Arc<str>> {
        self.board().names.get(&account).cloned()
    }

    /// How an account is called in labels and logs: its id as soon as that is known.
    #[must_use]
    pub fn account_label(&self, account: Account) -> String {
        self.board().label(Owner::Account(account))
    }

    /// How the account of a target is called in labels and logs. The organization's is no account's.
    #[must_use]
    pub fn label(&self, target: &Target) -> String {
        self.board().label(Owner::of(target))
    }

    /// How the accounts of the organization divide up; `None`: none is declared.
    pub fn set_organization(&self, tally: Option<Tally>) {
        self.board().organization = tally;
    }

    /// What the guard holds.
    pub fn set_held(&self, held: Held) {
        self.board().held = held;
    }

    /// A worker has taken the target.
    pub fn begin(&self, target: &Target) {
        self.board().change(target, |status, _| status.activity = Activity::InFlight);
    }

    /// A worker is back without an outcome.
    pub fn abandon(&self, target: &Target) {
        self.board().change(target, |status, _| status.activity = Activity::Idle);
    }

    /// A worker is back. Gives the state from before.
    pub fn record(&self, target: &Target, outcome: &Outcome, now: Timestamp, next_due: Option<Timestamp>) -> Option<State> {
        self.board().change(target, |status, shared| {
            let before = status.last_attempt.map(|_| status.state);
            status.record(outcome, now, next_due, shared);
            before
        })?
    }

    /// A target cannot be looked at, because what it stands on could not be.
    pub fn wait(&self, target: &Target, state: State, reason: impl Into<Arc<str>>, now: Timestamp) {
        self.board().change(target, |status, shared| {
            status.enter(state, Some(shared.text(reason.into())), now);
            status.next_due = None;
        });
    }

    /// A target is due at another time than was said before.
    pub fn reschedule(&self, target: &Target, next_due: Option<Timestamp>) {
        self.board().change(target, |status, _| status.next_due = next_due);
    }

    /// This replica does not lead: there is nothing to try here.
    pub fn stand_by(&self) {
        self.board().all_were_tried = true;
    }

    /// Whether every target has been tried, successfully or not. Once true it stays so.
    #[must_use]
    pub fn all_tried(&self) -> bool {
        let mut board = self.board();
        board.all_were_tried |= !board.groups.is_empty() && board.counts.untried == 0;
        board.all_were_tried
    }

    /// How many targets there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.board().counts.states.total()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many targets are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u32 {
        self.board().counts.states.of(state)
    }

    /// Calls `visit` with the account's label, the target and its status, in a fixed order.
    pub fn each(&self, mut visit: impl FnMut(&str, &Target, &TargetStatus)) {
        let board = self.board();
        for (owner, group) in &board.groups {
            let (label, account) = (board.label(*owner), owner.account());
            for (resource, status) in &group.targets {
                visit(&label, &Target { account, resource: resource.clone() }, status);
            }
        }
    }

    /// The numbers of this moment.
    #[must_use]
    pub fn figures(&self, now: Timestamp, detail: Detail) -> Figures {
        self.board().figures(now, detail)
    }

    /// The targets that are asked for, as the status API shows them.
    #[must_use]
    pub fn view(&self, filter: &Filter) -> View {
        self.board().view(filter)
    }
}

impl Board {
    fn get(&self, target: &Target) -> Option<&TargetStatus> {
        self.groups.get(&Owner::of(target))?.targets.get(&target.resource).map(AsRef::as_ref)
    }

    /// Changes a target and what is counted of it. The only way to change one: the counts cannot be forgotten.
    fn change<T>(&mut self, target: &Target, change: impl FnOnce(&mut TargetStatus, &mut Shared) -> T) -> Option<T> {
        let group = self.groups.get_mut(&Owner::of(target))?;
        let status = group.targets.get_mut(&target.resource)?;
        group.counts.leave(status);
        self.counts.leave(status);
        let result = change(status, &mut self.shared);
        group.counts.enter(status);
        self.counts.enter(status);
        Some(result)
    }

    fn label(&self, owner: Owner) -> String {
        match owner {
            Owner::Organization => ResourceKind::Organization.label().to_owned(),
            Owner::Account(Account::Own) => self.own.map_or_else(|| Account::Own.to_string(), |id| id.to_string()),
            Owner::Account(account) => account.to_string(),
        }
    }
}

impl Owner {
    fn of(target: &Target) -> Self {
        match target.resource {
            Resource::Organization => Self::Organization,
            Resource::Account | Resource::Role | Resource::Setting(_) => Self::Account(target.account),
        }
    }

    /// The account that it is looked at from.
    fn account(self) -> Account {
        match self {
            Self::Organization => Account::Own,
            Self::Account(account) => account,
        }
    }
}
