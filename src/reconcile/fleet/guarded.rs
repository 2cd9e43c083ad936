//! The guard over all accounts: what each look changes about how much a change takes away, and who has to hear of it.

use super::Fleet;
use crate::cloud::Cloud;
use crate::desired::names::Account;
use crate::plan::{Removals, change};
use crate::reconcile::membership::{AccountMemory, Change};
use crate::reconcile::sightings::Part;
use crate::target::Target;

impl<C: Cloud> Fleet<C> {
    /// Another desired state comes into force.
    pub(super) fn begin_change(&mut self) {
        self.accounts.values_mut().for_each(|memory| memory.sightings.begin_change());
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
        if self.recount(target.account) {
            self.judge();
        }
        // What was held until it was counted, and may go on.
        let after = self.part(target);
        if before == Part::Uncounted && matches!(after, Part::Counted(_)) && self.guard.removals(after) == Removals::Free {
            self.apply(vec![Change::Wake(target.clone())]);
        }
    }

    /// How a target takes part in the change.
    pub(super) fn part(&self, target: &Target) -> Part {
        self.accounts.get(&target.account).map_or(Part::None, |memory| memory.sightings.part(&target.resource))
    }

    /// Judges the whole change anew, and has every target looked at for which that makes a difference.
    pub(super) fn judge(&mut self) {
        let accounts = &self.accounts;
        let digest = || {
            let mut all: Vec<(Account, &AccountMemory)> = accounts.iter().map(|(account, memory)| (*account, memory)).collect();
            all.sort_unstable_by_key(|(account, _)| *account);
            change::digest(all.into_iter().map(|(account, memory)| (account, memory.desired())))
        };
        let news = self.guard.judge((self.setup.clock)(), digest);
        let hears = |(account, memory): (&Account, &AccountMemory)| {
            let (account, parts) = (*account, news.iter().flat_map(|removal| memory.sightings.parts(*removal)));
            parts.map(|resource| Change::Wake(Target { account, resource })).collect::<Vec<_>>()
        };
        let changes = if news.is_empty() { Vec::new() } else { accounts.iter().flat_map(hears).collect() };
        self.apply(changes);
        self.setup.board.set_held(self.guard.held());
    }
}
