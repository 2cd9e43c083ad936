//! The guard over all accounts: what each look changes about how much a change takes away, and who has to hear of it.

use super::Fleet;
use crate::cloud::Cloud;
use crate::desired::names::Account;
use crate::plan::Removals;
use crate::reconcile::membership::{AccountMemory, Change};
use crate::reconcile::sightings::Part;
use crate::target::Target;

impl<C: Cloud> Fleet<C> {
    /// Another change begins.
    pub(super) fn begin_change(&mut self) {
        let accounts: Vec<Account> = self.accounts.keys().copied().collect();
        for account in accounts {
            if let Some(memory) = self.accounts.get_mut(&account) {
                memory.sightings.begin_change();
            }
            self.recount(account);
        }
    }

    /// Counts an account again. Tells whether it counts for something else than before.
    pub(super) fn recount(&mut self, account: Account) -> bool {
        let Some(memory) = self.accounts.get_mut(&account) else { return false };
        let after = memory.sightings.tallies();
        let differs = after != memory.counted;
        if differs {
            self.guard.recount(std::mem::replace(&mut memory.counted, after), after);
        }
        differs
    }

    /// A look at a target has been learnt from; `before` is how it took part in the change until then.
    pub(super) fn weigh(&mut self, target: &Target, before: Part) {
        // A held change is judged at every look, because it may get another name.
        if self.recount(target.account) || self.guard.is_holding() {
            self.judge();
        }
        // What was held until it was counted goes on, or has to say why it is held now.
        let after = self.part(target);
        let is_judged = self.guard.removals(after) != Removals::Uncounted;
        if before == Part::Uncounted && matches!(after, Part::Counted(_)) && is_judged {
            self.apply(vec![Change::Wake(target.clone())]);
        }
    }

    /// How a target takes part in the change.
    pub(super) fn part(&self, target: &Target) -> Part {
        self.accounts.get(&target.account).map_or(Part::None, |memory| memory.sightings.part(&target.resource))
    }

    /// Judges the whole change anew, and has every target looked at for which that makes a difference.
    pub(super) fn judge(&mut self) {
        if self.guard.is_over() {
            self.guard.retire();
            self.begin_change();
        }
        let news = self.guard.judge((self.setup.clock)());
        let hears = |(account, memory): (&Account, &AccountMemory)| {
            let (account, parts) = (*account, news.iter().flat_map(|removal| memory.sightings.parts(*removal)));
            parts.map(|resource| Change::Wake(Target { account, resource })).collect::<Vec<_>>()
        };
        let changes = if news.is_empty() { Vec::new() } else { self.accounts.iter().flat_map(hears).collect() };
        self.apply(changes);
        self.setup.board.set_held(self.guard.held());
    }
}
