//! Who may have a worker now, so that what is sick keeps nobody waiting who is well. Pure.
//!
//! While nothing is sick, nothing is counted and everybody may. Otherwise:
//!
//! - An account, or a region in all accounts (IAM and STS are such places too), is **suspect** after three looks in a row, of
//!   targets that were well before, that kept their worker waiting; until one of its looks gets an answer.
//! - A target is **doubtful** if its own last look did not come to an end, or its account or region is suspect. All the doubtful
//!   together hold at most a quarter of the workers, and half of the room beside them.
//! - Whoever is doubtful and has no room waits: by region, by account, or with all others that are only sick themselves. When
//!   there is room, these three take turns, and so do the regions and the accounts among themselves: neither a suspect with
//!   thousands waiting nor thousands of suspects hold up another for long. Nobody scans for who may go, however many are due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use super::flights::BESIDE;
use crate::desired::names::Account;
use crate::target::{Resource, Target};

/// So many looks in a row that kept their worker waiting make an account or a region suspect. One may be a target's own.
const STRIKES: u32 = 3;
/// The part of the workers that the doubtful may hold.
const OF_THE_DOUBTFUL: usize = 4;
/// How many of the doubtful may go on without a worker.
const DOUBTFUL_BESIDE: usize = BESIDE / 2;

/// With whom a doubtful target takes turns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Sick,
    Account(Account),
    Place(Resource),
}

/// Where a target waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// With those that failed so often in a row, and whose accounts and regions are well.
    Sick(u32),
    /// With its account's.
    Account(u32),
    /// With its region's.
    Place(u32),
}

/// What a look that is back tells of its account and its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// AWS answered, with whatever.
    Answered,
    /// It did not, or not so that anything could be made of it.
    Nothing,
}

/// What a doubtful look under way holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Worker,
    RoomBeside,
}

/// Of one party, who failed least often in a row comes first; among equals chance decides, lest those who hang stand
/// together before those who would answer.
type Turn = (u32, u64, Target);

/// Parties that take turns.
#[derive(Debug, Default)]
struct Ring {
    waiting: BTreeMap<Party, BTreeSet<Turn>>,
    /// Whose turn it was last.
    last: Option<Party>,
}

impl Ring {
    fn pop(&mut self) -> Option<Target> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.waiting.range((after, Bound::Unbounded)).next().or_else(|| self.waiting.first_key_value());
        let party = next.map(|(party, _)| party.clone())?;
        let waiting = self.waiting.get_mut(&party)?;
        let first = waiting.pop_first();
        if waiting.is_empty() {
            self.waiting.remove(&party);
        }
        self.last = Some(party);
        first.map(|(.., target)| target)
    }
}

/// Who waits, and what the doubtful hold.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    holders: HashMap<Target, Held>,
    working: usize,
    strikes_of_accounts: HashMap<Account, u32>,
    strikes_of_places: HashMap<Resource, u32>,
    /// The sick, the accounts and the regions: each kind, and the next of them to have a turn.
    waiting: [Ring; 3],
    next: usize,
    /// Let go, and not yet taken out by the queue.
    released: Vec<Target>,
}

impl Shares {
    /// The shares of so many workers.
    pub(super) fn of(workers: usize) -> Self {
        Self {
            most: (workers / OF_THE_DOUBTFUL).max(1),
            holders: HashMap::new(),
            working: 0,
            strikes_of_accounts: HashMap::new(),
            strikes_of_places: HashMap::new(),
            waiting: Default::default(),
            next: 0,
            released: Vec::new(),
        }
    }

    /// Lets a target that is due begin, or has it wait: the answer is where. `failures` of a sick one are at least one.
    pub(super) fn admit(&mut self, target: &Target, failures: u32) -> Option<Waits> {
        let waits = if self.is_suspect(&Party::Place(target.resource.clone())) {
            Waits::Place(failures)
        } else if self.is_suspect(&Party::Account(target.account)) {
            Waits::Account(failures)
        } else if failures > 0 {
            Waits::Sick(failures)
        } else {
            // It may have been let go when it was doubtful.
            self.release();
            return None;
        };
        if self.has_room() {
            self.holders.insert(target.clone(), Held::Worker);
            self.working += 1;
            return None;
        }
        let (party, turn) = place_of(target, waits);
        self.ring(&party).waiting.entry(party).or_default().insert(turn);
        Some(waits)
    }

    /// Takes out one that waits.
    pub(super) fn leave(&mut self, target: &Target, waits: Waits) {
        let (party, turn) = place_of(target, waits);
        let ring = self.ring(&party);
        if let Some(waiting) = ring.waiting.get_mut(&party) {
            waiting.remove(&turn);
            if waiting.is_empty() {
                ring.waiting.remove(&party);
            }
        }
    }

    /// A look keeps its worker waiting, and gives it up.
    pub(super) fn keeps_waiting(&mut self, target: &Target, was_sick: bool) {
        if let Some(held) = self.holders.get_mut(target)
            && *held == Held::Worker
        {
            *held = Held::RoomBeside;
            self.working -= 1;
        }
        // What was sick before tells nothing new; and where one is known to be the cause, the other is not blamed.
        let account = self.is_suspect(&Party::Account(target.account));
        let place = self.is_suspect(&Party::Place(target.resource.clone()));
        if !was_sick && !account {
            *self.strikes_of_places.entry(target.resource.clone()).or_default() += 1;
        }
        if !was_sick && !place {
            *self.strikes_of_accounts.entry(target.account).or_default() += 1;
        }
        self.release();
    }

    /// A look is back.
    pub(super) fn landed(&mut self, target: &Target, word: Word) {
        if self.holders.remove(target) == Some(Held::Worker) {
            self.working -= 1;
        }
        if word == Word::Answered {
            if self.strikes_of_places.remove(&target.resource).is_some() {
                self.clear(&Party::Place(target.resource.clone()));
            }
            if self.strikes_of_accounts.remove(&target.account).is_some() {
                self.clear(&Party::Account(target.account));
            }
        }
        self.release();
    }

    /// An account that nobody wants any more leaves nothing behind.
    pub(super) fn forget(&mut self, account: Account) {
        self.strikes_of_accounts.remove(&account);
        self.clear(&Party::Account(account));
    }

    /// Lets the next go, if there is room.
    pub(super) fn release(&mut self) {
        if !self.has_room() {
            return;
        }
        let kinds = self.waiting.len();
        for kind in (self.next..self.next + kinds).map(|kind| kind % kinds) {
            if let Some(target) = self.waiting[kind].pop() {
                self.released.push(target);
                self.next = (kind + 1) % kinds;
                return;
            }
        }
    }

    /// Who has been let go since the last time: they compete again.
    pub(super) fn take_released(&mut self) -> Vec<Target> {
        std::mem::take(&mut self.released)
    }

    fn ring(&mut self, party: &Party) -> &mut Ring {
        &mut self.waiting[match party {
            Party::Sick => 0,
            Party::Account(_) => 1,
            Party::Place(_) => 2,
        }]
    }

    fn has_room(&self) -> bool {
        self.working < self.most && self.holders.len() - self.working < DOUBTFUL_BESIDE
    }

    fn is_suspect(&self, party: &Party) -> bool {
        let strikes = match party {
            Party::Sick => None,
            Party::Account(account) => self.strikes_of_accounts.get(account),
            Party::Place(place) => self.strikes_of_places.get(place),
        };
        strikes.is_some_and(|strikes| *strikes >= STRIKES)
    }

    fn clear(&mut self, party: &Party) {
        let waiting = self.ring(party).waiting.remove(party).unwrap_or_default();
        self.released.extend(waiting.into_iter().map(|(.., target)| target));
    }
}

fn place_of(target: &Target, waits: Waits) -> (Party, Turn) {
    let (party, failures) = match waits {
        Waits::Sick(failures) => (Party::Sick, failures),
        Waits::Account(failures) => (Party::Account(target.account), failures),
        Waits::Place(failures) => (Party::Place(target.resource.clone()), failures),
    };
    let mut chance = DefaultHasher::new();
    target.hash(&mut chance);
    (party, (failures, chance.finish(), target.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKERS: usize = 16;

    fn account(number: usize) -> Account {
        Account::Id(format!("{number:012}").parse().unwrap())
    }

    fn setting(number: usize, region: &str) -> Target {
        Target::setting(account(number), region.parse().unwrap())
    }

    /// Three accounts find out that a region hangs.
    fn hanging(region: &str) -> Shares {
        let mut shares = Shares::of(WORKERS);
        for number in 0..3 {
            assert_eq!(shares.admit(&setting(number, region), 0), None);
            shares.keeps_waiting(&setting(number, region), false);
        }
        shares
    }

    /// How many of these accounts may be looked at in a region at once.
    fn admitted(shares: &mut Shares, accounts: std::ops::Range<usize>, region: &str, failures: u32) -> usize {
        accounts.filter(|number| shares.admit(&setting(*number, region), failures).is_none()).count()
    }

    #[test]
    fn who_is_well_has_no_limit_and_the_sick_have_a_quarter_of_the_workers() {
        let mut shares = Shares::of(WORKERS);
        assert_eq!(admitted(&mut shares, 0..100, "us-east-1", 0), 100);
        assert_eq!(admitted(&mut shares, 0..100, "eu-west-1", 1), 4);
    }

    #[test]
    fn a_region_that_hangs_in_three_accounts_is_suspect_in_all_and_the_accounts_are_not() {
        let mut shares = hanging("eu-west-1");
        assert_eq!(admitted(&mut shares, 10..100, "eu-west-1", 0), 4);
        assert_eq!(admitted(&mut shares, 0..100, "us-east-1", 0), 100);
    }

    #[test]
    fn an_account_that_hangs_in_three_regions_is_suspect_and_its_regions_are_not() {
        let mut shares = Shares::of(WORKERS);
        for region in ["us-east-1", "us-east-2", "us-west-1"] {
            shares.keeps_waiting(&setting(1, region), false);
        }
        assert_eq!(shares.admit(&setting(1, "eu-west-1"), 0), None, "there is room for four");
        assert!(shares.holders.contains_key(&setting(1, "eu-west-1")));
        assert_eq!(admitted(&mut shares, 2..100, "us-east-1", 0), 98);
    }

    #[test]
    fn what_was_sick_before_makes_nobody_suspect() {
        let mut shares = Shares::of(WORKERS);
        for _ in 0..10 {
            shares.keeps_waiting(&setting(1, "us-east-1"), true);
        }
        assert_eq!(admitted(&mut shares, 2..100, "us-east-1", 0), 98);
    }

    #[test]
    fn one_answer_lets_everybody_go() {
        let mut shares = hanging("eu-west-1");
        admitted(&mut shares, 10..100, "eu-west-1", 0);
        shares.landed(&setting(10, "eu-west-1"), Word::Nothing);
        assert_eq!(shares.take_released().len(), 1, "the next in turn");
        shares.landed(&setting(11, "eu-west-1"), Word::Answered);
        assert_eq!(shares.take_released().len(), 85);
        assert_eq!(admitted(&mut shares, 10..100, "eu-west-1", 0), 90);
    }

    #[test]
    fn regions_accounts_and_the_merely_sick_take_turns_however_many_of_each_wait() {
        let mut shares = hanging("eu-west-1");
        for (number, region) in [(1000, "us-east-1"), (1000, "us-east-2"), (1000, "us-west-1")] {
            shares.keeps_waiting(&setting(number, region), false);
        }
        let flying: Vec<Target> = (10..14).map(|number| setting(number, "eu-west-1")).collect();
        assert_eq!(admitted(&mut shares, 10..900, "eu-west-1", 0), flying.len());
        assert_eq!(admitted(&mut shares, 2000..2010, "sa-east-1", 7), 0);
        for region in ["sa-east-1", "ca-central-1", "eu-north-1"] {
            assert_eq!(admitted(&mut shares, 1000..1001, region, 0), 0, "{region}");
        }
        let mut order = String::new();
        let mut next = flying.into_iter().next();
        while let Some(target) = next.filter(|_| order.len() < 9) {
            shares.landed(&target, Word::Nothing);
            let released = shares.take_released().remove(0);
            let (kind, failures) = match &released {
                one if one.account == account(1000) => ('a', 0),
                one if one.region_label() == "eu-west-1" => ('r', 0),
                _ => ('s', 7),
            };
            order.push(kind);
            assert_eq!(shares.admit(&released, failures), None);
            next = Some(released);
        }
        assert_eq!(order, "sarsarsar");
    }

    #[test]
    fn who_failed_less_often_goes_first() {
        let mut shares = Shares::of(WORKERS);
        admitted(&mut shares, 0..50, "us-east-1", 9);
        shares.admit(&setting(99, "us-east-1"), 1);
        shares.landed(&setting(0, "us-east-1"), Word::Nothing);
        assert_eq!(shares.take_released(), [setting(99, "us-east-1")]);
    }
}
