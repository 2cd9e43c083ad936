//! Holds a change that takes away a lot: counts over all accounts, compares with the limits, and names the change.

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::aim::Aim;
use super::sightings::Part;
use crate::desired::DesiredState;
use crate::desired::guard::{ChangeId, DesiredGuard, Limit};
use crate::plan::{Removal, Removals, Tally, TooMany, Verdict, change};
use crate::status::Held;

/// How many confirmations of changes that are over are remembered.
const MOST_SPENT: usize = 100;
/// For how long a held change goes by the same name. Shorter than a name can be confirmed.
const NAMED_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// What all accounts come to.
#[derive(Debug, Default)]
pub(super) struct Guard {
    desired: DesiredGuard,
    /// What of it is counted.
    aim: Aim,
    /// Of what is declared to be taken away.
    digest: [u8; 5],
    tallies: [Tally; Removal::ALL.len()],
    verdicts: [Removals; Removal::ALL.len()],
    /// Whether what was seen, and not only what could not be read, was a lot.
    latched: [bool; Removal::ALL.len()],
    /// How much the log last told of.
    told: [usize; Removal::ALL.len()],
    /// Whether it is not known yet which accounts there are.
    is_incomplete: bool,
    /// What the held change is called.
    name: Option<(ChangeId, Timestamp)>,
    /// The confirmation that let the change in force through.
    used: Option<ChangeId>,
    /// Confirmations of changes that are over. They do not count for the same change made again.
    spent: Vec<ChangeId>,
}

impl Guard {
    /// Counts no more than a part. What confirms that confirms nothing else.
    pub(super) fn aimed_at(aim: Aim) -> Self {
        Self { aim, ..Self::default() }
    }

    /// Another desired state is in force. Whether it takes away something else than the one before.
    pub(super) fn redeclared(&mut self, desired: &DesiredState) -> bool {
        let before = std::mem::replace(&mut self.desired, desired.guard.clone());
        let whole = change::digest(desired);
        let digest = match &self.aim {
            Aim::Everything => whole,
            part @ Aim::Account { .. } => change::digest_of_part(whole, &part.to_string()),
        };
        let is_another = digest != self.digest;
        if is_another {
            self.digest = digest;
            self.retire();
        }
        if is_another || (before.resets, before.detachments) != (self.desired.resets, self.desired.detachments) {
            self.latched = Default::default();
        }
        is_another
    }

    /// Whether the accounts of the organization, if one is declared, are known by now.
    pub(super) fn knows_all_accounts(&mut self, known: bool) {
        self.is_incomplete = !known;
    }

    /// One account counts for something else than it did.
    pub(super) fn recount(&mut self, before: [Tally; Removal::ALL.len()], after: [Tally; Removal::ALL.len()]) {
        for (sum, (before, after)) in self.tallies.iter_mut().zip(before.into_iter().zip(after)) {
            *sum += after;
            *sum -= before;
        }
    }

    /// What holds for a target that takes part in the change like this.
    pub(super) fn removals(&self, part: Part) -> Removals {
        match part {
            Part::None => Removals::Free,
            Part::Uncounted => Removals::Uncounted,
            Part::Counted(removal) => self.verdicts[removal as usize].clone(),
        }
    }

    /// Whether something is held.
    pub(super) fn is_holding(&self) -> bool {
        self.verdicts.iter().any(|verdict| matches!(verdict, Removals::TooMany(_)))
    }

    /// What is held back now.
    pub(super) fn held(&self) -> Held {
        let held = |removal: Removal| match &self.verdicts[removal as usize] {
            Removals::TooMany(many) => Some(many),
            Removals::Free | Removals::Uncounted => None,
        };
        let count = |removal| held(removal).map_or(0, |many| many.tally.going);
        let change = Removal::ALL.into_iter().find_map(held).map(|many| many.change);
        Held { resets: count(Removal::Reset), detachments: count(Removal::Detachment), confirm: change }
    }

    /// Whether all that the change takes away is gone. What goes after that is another change: an account has joined, say.
    pub(super) fn is_over(&self) -> bool {
        !self.is_incomplete && self.tallies.iter().all(|tally| tally.is_done()) && self.tallies.iter().any(|tally| tally.gone > 0)
    }

    /// The change is over: a confirmation of it does not count any more.
    pub(super) fn retire(&mut self) {
        self.name = None;
        self.spend();
    }

    fn spend(&mut self) {
        if let Some(used) = self.used.take() {
            if self.spent.len() == MOST_SPENT {
                self.spent.remove(0);
            }
            self.spent.push(used);
        }
    }

    /// What was held is another replica's to hold from now on, and nothing is told of it.
    pub(super) fn hands_over(&mut self) {
        self.verdicts = Default::default();
    }

    /// Judges anew. The answer is the kinds of which every target has to hear.
    pub(super) fn judge(&mut self, now: Timestamp) -> Vec<Removal> {
        let mut news = Vec::new();
        for removal in Removal::ALL {
            let verdict = self.verdict(removal, now);
            let before = std::mem::replace(&mut self.verdicts[removal as usize], verdict);
            let after = &self.verdicts[removal as usize];
            let is_news = !is_alike(&before, after);
            if is_news {
                news.push(removal);
            }
            let taken = self.tallies[removal as usize].taken();
            match (&before, after) {
                (_, Removals::TooMany(many)) if is_news || taken >= 2 * self.told[removal as usize] => {
                    self.told[removal as usize] = taken;
                    let (going, confirm) = (many.tally.going, many.change.to_string());
                    error!(removal = removal.label(), going, confirm, "held: {many}");
                }
                (Removals::TooMany(_), Removals::Free) => {
                    info!(removal = removal.label(), "what was held is confirmed, within the limits, or not there any more");
                }
                _ => {}
            }
        }
        news
    }

    fn verdict(&mut self, removal: Removal, now: Timestamp) -> Removals {
        let (tally, limit) = (self.tallies[removal as usize], self.limit(removal));
        let seen = tally.going + tally.gone;
        // What was held stays held: neither an outage nor growth elsewhere lets it through.
        let latched = &mut self.latched[removal as usize];
        *latched &= tally.going > 0;
        let verdict = if *latched { Verdict::TooMuch } else { tally.judge(limit) };
        *latched |= verdict == Verdict::TooMuch && limit.is_exceeded(seen, tally.before());
        if verdict == Verdict::Free {
            return Removals::Free;
        }
        let confirmed = self.desired.confirm;
        let counts = |one: &ChangeId| one.digest == self.digest && one.is_good_at(now) && !self.spent.contains(one);
        if let Some(confirmed) = confirmed.filter(counts) {
            if self.used != Some(confirmed) {
                // Of two names of one change, the first is used up.
                self.spend();
                self.used = Some(confirmed);
                let confirmed = confirmed.to_string();
                warn!(confirmed, "the desired state confirms a change that takes away a lot; it is made");
            }
            return Removals::Free;
        }
        if verdict == Verdict::Waits {
            return Removals::Uncounted;
        }
        let change = self.name(now);
        Removals::TooMany(TooMany { removal, tally, limit, change, confirmed }.into())
    }

    fn limit(&self, removal: Removal) -> Limit {
        match removal {
            Removal::Reset => self.desired.resets,
            Removal::Detachment => self.desired.detachments,
        }
    }

    /// What the held change is called. After a day it is given another name, so that the one that people read is always good.
    fn name(&mut self, now: Timestamp) -> ChangeId {
        // The clock may have been set back since.
        let is_young = |at: Timestamp| now >= at && now.duration_since(at) < NAMED_FOR;
        let known = self.name.filter(|(name, at)| name.digest == self.digest && is_young(*at));
        let (name, _) = known.unwrap_or_else(|| {
            let mut at = now;
            while self.spent.contains(&ChangeId::held(at, self.digest)) {
                at += jiff::SignedDuration::from_secs(1);
            }
            (ChangeId::held(at, self.digest), now)
        });
        self.name = Some(known.unwrap_or((name, now)));
        name
    }
}

/// Whether a target that knows the one needs not hear of the other before its next look.
fn is_alike(one: &Removals, other: &Removals) -> bool {
    match (one, other) {
        (Removals::TooMany(one), Removals::TooMany(other)) => {
            one.change.digest == other.change.digest && one.limit == other.limit && one.confirmed == other.confirmed
        }
        _ => one == other,
    }
}
