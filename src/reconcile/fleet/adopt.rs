//! A declaration comes into force: accounts come and go, targets are added, woken, parked and removed.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Fleet;
use super::finish::whose;
use crate::cloud::Cloud;
use crate::desired::DesiredState;
use crate::desired::names::Account;
use crate::reconcile::aim::AccountPart;
use crate::reconcile::membership::{AccountMemory, Awaited, Change};
use crate::reconcile::queue::Wake;
use crate::target::{State, Target};

impl<C: Cloud> Fleet<C> {
    /// Takes a desired state into force.
    pub(super) fn adopt(&mut self, desired: Arc<DesiredState>) {
        let changes = self.organization.want(&desired);
        if self.guard.redeclared(&desired) {
            self.begin_change();
        }
        self.desired = desired;
        self.apply(changes);
        self.adopt_accounts();
    }

    /// Keeps the accounts that are listed and those that the organization comes to, and forgets all others.
    pub(super) fn adopt_accounts(&mut self) {
        let expansion = self.organization.expansion(&self.desired);
        self.setup.board.set_organization(expansion.as_ref().map(|expansion| expansion.tally));
        let of_organization = expansion.map(|expansion| expansion.accounts).unwrap_or_default();
        let desired = Arc::clone(&self.desired);
        let is_wanted = |account: &Account| desired.accounts.contains_key(account) || of_organization.contains_key(account);
        let gone: Vec<Account> = self.accounts.keys().filter(|account| !is_wanted(account)).copied().collect();
        for account in gone {
            let Some(memory) = self.accounts.remove(&account) else { continue };
            self.guard.recount(memory.counted, Default::default());
            self.apply(memory.targets(account).into_iter().map(Change::Remove).collect());
        }
        for (account, wanted) in desired.accounts.iter().chain(&of_organization) {
            let Some(part) = self.pass.as_ref().map_or(Some(&AccountPart::Whole), |pass| pass.part(*account, wanted)) else {
                continue;
            };
            let part = part.clone();
            self.setup.board.name_account(*account, wanted.name.clone());
            let changes = if let Some(memory) = self.accounts.get_mut(account) {
                memory.want(*account, wanted)
            } else {
                let (memory, changes) = AccountMemory::new(*account, wanted, part);
                self.accounts.insert(*account, memory);
                changes
            };
            self.apply(changes);
            self.recount(*account);
        }
        self.guard.knows_all_accounts(self.organization.is_answered());
        self.judge();
    }

    pub(super) fn apply(&mut self, changes: Vec<Change>) {
        let time = (self.setup.clock)();
        for change in changes {
            match change {
                Change::Add(target) => {
                    self.setup.board.add(target.clone(), time);
                    self.expect(&target);
                    self.queue.park(target);
                }
                Change::Wake(target) => self.wake(&target, Wake::Hint),
                Change::Redeclare(target) => {
                    self.flights.call_off(&target);
                    self.reporter.redeclared(&target);
                    self.rivals.forget(&target);
                    self.wake(&target, Wake::Redeclared);
                }
                Change::Park(target, awaited) => {
                    self.flights.call_off(&target);
                    self.reporter.redeclared(&target);
                    if awaited != Awaited::Credentials {
                        self.rivals.forget(&target);
                    }
                    self.queue.unschedule(&target);
                    self.setup.board.wait(&target, State::Unknown, awaited.reason(), time);
                }
                Change::Remove(target) => {
                    self.flights.call_off(&target);
                    self.queue.remove(&target);
                    self.reporter.forget(|| whose(&self.setup.board, &target), &target);
                    self.setup.board.remove(&target);
                    self.rivals.forget(&target);
                    self.settle(&target);
                }
            }
        }
    }

    fn wake(&mut self, target: &Target, why: Wake) {
        let due = self.queue.wake(target, Instant::now(), why);
        self.expect(target);
        self.show_due(target, due);
    }

    pub(super) fn show_due(&self, target: &Target, due: Option<Instant>) {
        let time = due.and_then(|due| self.time_of(due));
        self.setup.board.reschedule(target, time);
    }

    /// The time of day of an instant to come.
    pub(super) fn time_of(&self, due: Instant) -> Option<Timestamp> {
        (self.setup.clock)().checked_add(due.saturating_duration_since(Instant::now())).ok()
    }
}
