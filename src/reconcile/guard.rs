//! Holds a change that takes away a lot: counts over all accounts, compares with the limits, and names the change.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tracing::{error, info, warn};

use super::sightings::Part;
use crate::desired::guard::{ChangeId, DesiredGuard, Limit};
use crate::plan::{Removal, Removals, Tally, TooMany, Verdict};
use crate::status::Held;

/// How many changes that were confirmed and are over are remembered.
const MOST_SPENT: usize = 100;

/// What all accounts come to.
#[derive(Debug, Default)]
pub(super) struct Guard {
    desired: DesiredGuard,
    tallies: [Tally; Removal::ALL.len()],
    verdicts: [Removals; Removal::ALL.len()],
    /// What the change in force is called; `None` until somebody needs it.
    digest: Option<[u8; 5]>,
    /// The confirmation that let a change through.
    used: Option<ChangeId>,
    /// Confirmations of changes that are over. They do not count for the same change made again.
    spent: Vec<ChangeId>,
}

impl Guard {
    /// Another desired state, or another set of accounts, is in force.
    pub(super) fn redeclared(&mut self, desired: &DesiredGuard) {
        self.desired = desired.clone();
        self.digest = None;
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

    /// What is held back now.
    pub(super) fn held(&self) -> Held {
        let count = |removal: Removal| match &self.verdicts[removal as usize] {
            Removals::TooMany(_) => self.tallies[removal as usize].going,
            Removals::Free | Removals::Uncounted => 0,
        };
        let change = self.verdicts.iter().find_map(|verdict| match verdict {
            Removals::TooMany(many) => Some(many.change),
            Removals::Free | Removals::Uncounted => None,
        });
        Held { resets: count(Removal::Reset), detachments: count(Removal::Detachment), confirm: change }
    }

    /// Judges anew. The answer is the kinds of which every target has to hear. `digest` works out what the change is called,
    /// which takes its time with an organization.
    pub(super) fn judge(&mut self, now: Timestamp, digest: impl Fn() -> [u8; 5]) -> Vec<Removal> {
        let today = TimeZone::UTC.to_datetime(now).date();
        if self.used.is_some() && self.digest.is_none() {
            self.retire(self.digest(&digest));
        }
        let mut news = Vec::new();
        for removal in Removal::ALL {
            let verdict = self.verdict(removal, today, &digest);
            let before = std::mem::replace(&mut self.verdicts[removal as usize], verdict);
            let after = &self.verdicts[removal as usize];
            if !is_alike(&before, after) {
                tell(removal, &before, after);
                news.push(removal);
            }
        }
        news
    }

    fn verdict(&mut self, removal: Removal, today: Date, digest: &impl Fn() -> [u8; 5]) -> Removals {
        let (tally, limit) = (self.tallies[removal as usize], self.limit(removal));
        let verdict = tally.judge(limit);
        if verdict == Verdict::Free {
            return Removals::Free;
        }
        let confirmed = self.desired.confirm;
        if verdict == Verdict::Waits && confirmed.is_none() {
            return Removals::Uncounted;
        }
        let change = ChangeId { day: today, digest: self.digest(digest) };
        self.digest = Some(change.digest);
        let counts = |one: &ChangeId| one.digest == change.digest && one.is_good_on(today) && !self.spent.contains(one);
        if let Some(confirmed) = confirmed.filter(counts) {
            if self.used.replace(confirmed) != Some(confirmed) {
                let (kind, confirmed) = (removal.label(), confirmed.to_string());
                warn!(removal = kind, confirmed, "the desired state confirms a change that takes away a lot; it is made");
            }
            return Removals::Free;
        }
        if verdict == Verdict::Waits {
            return Removals::Uncounted;
        }
        Removals::TooMany(
            TooMany { removal, taken: tally.taken(), of: tally.before(), limit, change, other_is_confirmed: confirmed }.into(),
        )
    }

    fn limit(&self, removal: Removal) -> Limit {
        match removal {
            Removal::Reset => self.desired.resets,
            Removal::Detachment => self.desired.detachments,
        }
    }

    fn digest(&self, digest: &impl Fn() -> [u8; 5]) -> [u8; 5] {
        self.digest.unwrap_or_else(digest)
    }

    /// A confirmation that was used counts no more once another change is in force.
    fn retire(&mut self, digest: [u8; 5]) {
        self.digest = Some(digest);
        if let Some(used) = self.used.take_if(|used| used.digest != digest) {
            if self.spent.len() == MOST_SPENT {
                self.spent.remove(0);
            }
            self.spent.push(used);
        }
    }
}

/// Whether a target that knows the one needs not hear of the other. How much it is in all is told by the log and the metric.
fn is_alike(one: &Removals, other: &Removals) -> bool {
    match (one, other) {
        (Removals::TooMany(one), Removals::TooMany(other)) => {
            one.change == other.change && one.limit == other.limit && one.other_is_confirmed == other.other_is_confirmed
        }
        _ => one == other,
    }
}

fn tell(removal: Removal, before: &Removals, after: &Removals) {
    let kind = removal.label();
    match (before, after) {
        (_, Removals::TooMany(many)) => {
            let (taken, of, confirm) = (many.taken, many.of, many.change.to_string());
            error!(removal = kind, taken, of, confirm, "held: {many}");
        }
        (Removals::TooMany(_), _) => {
            info!(removal = kind, "what was held is confirmed, or less than the limits, or not declared any more");
        }
        _ => {}
    }
}
