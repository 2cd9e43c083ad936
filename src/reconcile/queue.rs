//! The work queue: one entry per target, dedupe, due times, backoff. Pure: the time is a parameter.
//!
//! Holds no task, timer or client per target. A target is idle (with or without a due time) or in flight; what wakes it in
//! flight is remembered and done once, afterwards. Nothing that wakes a target cuts its backoff short, but for one thing: a
//! target that AWS refused is looked at once more when its own declaration changes, because that may have been the cause.
//! What is due and sick may have to wait for its share of the workers (`shares`).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::shares::{Shares, Waits, Word};
use crate::target::{Resource, Target};

/// When which target is next.
#[derive(Debug)]
pub struct Queue {
    entries: HashMap<Target, Entry>,
    /// Those with a due time that do not wait for their share.
    due: BTreeSet<(Instant, Target)>,
    shares: Shares,
}

#[derive(Debug, Default)]
struct Entry {
    due: Option<Instant>,
    /// Where it waits for its share since it is due.
    waits: Option<Waits>,
    phase: Phase,
    failures: u32,
    not_before: Option<Instant>,
    ending: Option<Ending>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    InFlight,
    /// In flight, and to be looked at again when it is back.
    InFlightAndWoken,
    /// In flight, and nobody wants it any more.
    InFlightAndForgotten,
}

/// Whether a look came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did; the target is due again at its interval, or when something wakes it.
    Well,
    /// It did not, in a way that passes by itself; the target is due again after its backoff, and nothing wakes it before.
    Passing,
    /// AWS refused; the target is due again after its backoff, or when its declaration changes.
    Refused,
}

/// Why a target is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something that it stands on has changed.
    Hint,
    /// It is declared differently.
    Redeclared,
}

impl Entry {
    /// Whether its last look did not come to an end.
    fn is_sick(&self) -> bool {
        self.ending == Some(Ending::Passing)
    }
}

impl Queue {
    /// A queue without targets, for so many workers.
    #[must_use]
    pub fn of(workers: usize) -> Self {
        Self { entries: HashMap::new(), due: BTreeSet::new(), shares: Shares::of(workers) }
    }

    /// Adds a target that waits for something other than time. Does nothing to one that is there.
    pub fn park(&mut self, target: Target) {
        let entry = self.entries.entry(target).or_default();
        if entry.phase == Phase::InFlightAndForgotten {
            entry.phase = Phase::InFlightAndWoken;
        }
    }

    /// Takes the due time of an idle target away: what it stands on is declared differently, and so is the target. What AWS
    /// refused was about the old declaration.
    pub fn unschedule(&mut self, target: &Target) {
        let Some(entry) = self.entries.get_mut(target) else { return };
        if entry.ending == Some(Ending::Refused) {
            (entry.not_before, entry.failures) = (None, 0);
        }
        let Some(due) = entry.due.take() else { return };
        if let Some(waits) = entry.waits.take() {
            self.shares.leave(target, waits);
        } else {
            self.due.remove(&(due, target.clone()));
            // It may have been let go, and leaves its turn to the next.
            self.shares.release();
            self.take_back();
        }
    }

    /// Makes a target due now, or when its backoff is over; adds it if it is not there. The answer is when, or `None` while it
    /// is in flight.
    pub fn wake(&mut self, target: &Target, now: Instant, why: Wake) -> Option<Instant> {
        let entry = self.entries.entry(target.clone()).or_default();
        if why == Wake::Redeclared && entry.ending == Some(Ending::Refused) {
            (entry.not_before, entry.failures) = (None, 0);
        }
        if entry.phase != Phase::Idle {
            entry.phase = Phase::InFlightAndWoken;
            return None;
        }
        let at = entry.not_before.map_or(now, |not_before| not_before.max(now));
        if entry.due.is_none_or(|due| due > at) {
            set_due(&mut self.due, entry, target, at);
        }
        entry.due
    }

    /// Forgets a target; what is in flight comes back to nothing.
    pub fn remove(&mut self, target: &Target) {
        self.unschedule(target);
        match self.entries.get_mut(target) {
            Some(entry) if entry.phase != Phase::Idle => entry.phase = Phase::InFlightAndForgotten,
            _ => drop(self.entries.remove(target)),
        }
        if target.resource == Resource::Account {
            self.shares.forget(target.account);
            self.take_back();
        }
    }

    /// The target that has been due longest, if any is due and has its share. It is in flight until [`Queue::finish`].
    pub fn take(&mut self, now: Instant) -> Option<Target> {
        while self.next_due()? <= now {
            let (_, target) = self.due.pop_first()?;
            let Some(entry) = self.entries.get_mut(&target) else { continue };
            entry.waits = self.shares.admit(&target, if entry.is_sick() { entry.failures } else { 0 });
            let goes = entry.waits.is_none();
            if goes {
                (entry.due, entry.phase) = (None, Phase::InFlight);
            }
            self.take_back();
            if goes {
                return Some(target);
            }
        }
        None
    }

    /// A look keeps its worker waiting for so long that it does not count as a worker's any more.
    pub fn keeps_waiting(&mut self, target: &Target) {
        let was_sick = self.entries.get(target).is_some_and(Entry::is_sick);
        self.shares.keeps_waiting(target, was_sick);
        self.take_back();
    }

    /// Whether the last look at a target did not come to an end, in a way that passes by itself.
    #[must_use]
    pub fn is_sick(&self, target: &Target) -> bool {
        self.entries.get(target).is_some_and(Entry::is_sick)
    }

    /// Has those that were let go compete again, as they were due before.
    fn take_back(&mut self) {
        for target in self.shares.take_released() {
            let Some(entry) = self.entries.get_mut(&target) else { continue };
            entry.waits = None;
            self.due.extend(entry.due.map(|at| (at, target)));
        }
    }

    /// How many looks in a row have ended in the same bad way, counting one that is about to be finished `ending`.
    #[must_use]
    pub fn failures(&self, target: &Target, ending: Ending) -> u32 {
        match (ending, self.entries.get(target)) {
            (Ending::Well, _) => 0,
            (_, Some(entry)) if entry.ending == Some(ending) => entry.failures.saturating_add(1),
            _ => 1,
        }
    }

    /// Puts a target back, due after `delay`. The answer is when, or `None` if it was forgotten meanwhile.
    pub fn finish(&mut self, target: &Target, now: Instant, delay: Duration, ending: Ending) -> Option<Instant> {
        let failures = self.failures(target, ending);
        let word = if ending == Ending::Passing { Word::Nothing } else { Word::Answered };
        let woken = self.land(target, word)?;
        let entry = self.entries.get_mut(target)?;
        (entry.failures, entry.ending) = (failures, Some(ending));
        entry.not_before = (ending != Ending::Well).then_some(now + delay);
        let at = if woken && ending == Ending::Well { now } else { now + delay };
        set_due(&mut self.due, entry, target, at);
        Some(at)
    }

    /// Puts a target back that was not looked at. It is due only if something woke it meanwhile.
    pub fn give_back(&mut self, target: &Target, now: Instant) -> Option<Instant> {
        if self.land(target, Word::Nothing)? { self.wake(target, now, Wake::Hint) } else { None }
    }

    /// Ends a flight. The answer is whether something woke the target meanwhile, or `None` if nobody wants it any more.
    fn land(&mut self, target: &Target, word: Word) -> Option<bool> {
        self.shares.landed(target, word);
        self.take_back();
        let entry = self.entries.get_mut(target).filter(|entry| entry.phase != Phase::Idle)?;
        match std::mem::take(&mut entry.phase) {
            Phase::InFlightAndForgotten => {
                self.entries.remove(target);
                None
            }
            phase => Some(phase == Phase::InFlightAndWoken),
        }
    }

    /// When the next target is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether a target is known and wanted.
    #[must_use]
    pub fn contains(&self, target: &Target) -> bool {
        self.entries.get(target).is_some_and(|entry| entry.phase != Phase::InFlightAndForgotten)
    }
}

fn set_due(queue: &mut BTreeSet<(Instant, Target)>, entry: &mut Entry, target: &Target, at: Instant) {
    if let Some(before) = entry.due.replace(at) {
        queue.remove(&(before, target.clone()));
    }
    queue.insert((at, target.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::names::Account;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn region(name: &str) -> Target {
        Target::setting(Account::Own, name.parse().unwrap())
    }

    #[test]
    fn a_target_woken_many_times_is_taken_once() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        for _ in 0..5 {
            queue.wake(&target, now, Wake::Hint);
        }
        assert_eq!((queue.take(now), queue.take(now)), (Some(target), None));
    }

    #[test]
    fn a_parked_target_is_due_only_when_woken() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.park(target.clone());
        assert_eq!((queue.next_due(), queue.take(now + 3600 * SECOND)), (None, None));
        queue.wake(&target, now, Wake::Hint);
        assert_eq!(queue.take(now), Some(target));
    }

    #[test]
    fn what_wakes_a_target_in_flight_is_done_once_afterwards() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        queue.wake(&target, now, Wake::Hint);
        queue.wake(&target, now, Wake::Hint);
        assert_eq!(queue.take(now), None);
        assert_eq!(queue.finish(&target, now, 300 * SECOND, Ending::Well), Some(now));
        assert_eq!(queue.take(now), Some(target.clone()));
        assert_eq!(queue.finish(&target, now, 300 * SECOND, Ending::Well), Some(now + 300 * SECOND));
    }

    #[test]
    fn nothing_that_wakes_a_sick_target_cuts_its_backoff_short() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        queue.wake(&target, now, Wake::Hint);
        queue.finish(&target, now, 60 * SECOND, Ending::Passing);
        queue.wake(&target, now + SECOND, Wake::Hint);
        assert_eq!(queue.take(now + 59 * SECOND), None);
        assert_eq!(queue.take(now + 60 * SECOND), Some(target));
    }

    #[test]
    fn a_refused_target_is_looked_at_once_more_when_it_is_declared_differently_and_a_throttled_one_is_not() {
        for (ending, due_at) in [(Ending::Refused, SECOND), (Ending::Passing, 60 * SECOND)] {
            let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
            queue.wake(&target, now, Wake::Hint);
            queue.take(now);
            queue.finish(&target, now, 60 * SECOND, ending);
            assert_eq!(queue.wake(&target, now + SECOND, Wake::Hint), Some(now + 60 * SECOND));
            assert_eq!(queue.wake(&target, now + SECOND, Wake::Redeclared), Some(now + due_at));
        }
    }

    #[test]
    fn another_kind_of_failure_begins_a_row_of_its_own() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        for _ in 0..3 {
            queue.wake(&target, now, Wake::Hint);
            queue.take(now);
            queue.finish(&target, now, Duration::ZERO, Ending::Passing);
        }
        assert_eq!((queue.failures(&target, Ending::Passing), queue.failures(&target, Ending::Refused)), (4, 1));
    }

    #[test]
    fn a_target_that_is_given_back_is_due_only_if_something_woke_it() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        assert_eq!((queue.give_back(&target, now), queue.next_due()), (None, None));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        queue.wake(&target, now, Wake::Redeclared);
        assert_eq!(queue.give_back(&target, now), Some(now));
    }

    #[test]
    fn failures_in_a_row_are_counted_and_one_success_ends_the_row() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        for expected in 1..4 {
            queue.wake(&target, now, Wake::Hint);
            queue.take(now);
            assert_eq!(queue.failures(&target, Ending::Passing), expected);
            queue.finish(&target, now, Duration::ZERO, Ending::Passing);
        }
        queue.take(now);
        queue.finish(&target, now, SECOND, Ending::Well);
        assert_eq!(queue.failures(&target, Ending::Passing), 1);
    }

    #[test]
    fn a_target_forgotten_in_flight_does_not_come_back() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        queue.remove(&target);
        assert!(!queue.contains(&target));
        assert_eq!(queue.finish(&target, now, SECOND, Ending::Well), None);
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn a_target_forgotten_in_flight_and_wanted_again_is_looked_at_again() {
        let (mut queue, now, target) = (Queue::of(16), Instant::now(), region("eu-west-1"));
        queue.wake(&target, now, Wake::Hint);
        queue.take(now);
        queue.remove(&target);
        queue.park(target.clone());
        assert_eq!(queue.finish(&target, now, 300 * SECOND, Ending::Well), Some(now));
    }

    #[test]
    fn the_longest_due_comes_first_and_the_account_before_its_settings() {
        let (mut queue, now) = (Queue::of(16), Instant::now());
        queue.wake(&region("eu-west-1"), now, Wake::Hint);
        queue.wake(&Target::account(Account::Own), now, Wake::Hint);
        queue.wake(&region("us-east-1"), now - SECOND, Wake::Hint);
        let order: Vec<String> = std::iter::from_fn(|| queue.take(now)).map(|target| target.to_string()).collect();
        assert_eq!(order, ["own/us-east-1", "own/account", "own/eu-west-1"]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wake(u8),
        Park(u8),
        Remove(u8),
        Unschedule(u8),
        Take,
        Finish(u8, bool),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let target = 0u8..4;
        prop_oneof![
            target.clone().prop_map(Step::Wake),
            target.clone().prop_map(Step::Park),
            target.clone().prop_map(Step::Remove),
            target.clone().prop_map(Step::Unschedule),
            Just(Step::Take),
            (target, any::<bool>()).prop_map(|(target, well)| Step::Finish(target, well)),
            (0u64..100).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #[test]
        fn no_target_is_ever_in_flight_twice_or_lost_there(steps in prop::collection::vec(step(), 0..200)) {
            let names = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"].map(region);
            let (mut queue, mut now) = (Queue::of(16), Instant::now());
            let mut flying: Vec<Target> = Vec::new();
            for step in steps {
                match step {
                    Step::Wake(n) => drop(queue.wake(&names[n as usize], now, Wake::Hint)),
                    Step::Park(n) => queue.park(names[n as usize].clone()),
                    Step::Remove(n) => queue.remove(&names[n as usize]),
                    Step::Unschedule(n) => queue.unschedule(&names[n as usize]),
                    Step::Pass(seconds) => now += Duration::from_secs(seconds),
                    Step::Take => {
                        if let Some(target) = queue.take(now) {
                            prop_assert!(!flying.contains(&target));
                            flying.push(target);
                        }
                    }
                    Step::Finish(n, well) => {
                        let target = &names[n as usize];
                        if let Some(position) = flying.iter().position(|flying| flying == target) {
                            flying.remove(position);
                            queue.finish(target, now, SECOND, if well { Ending::Well } else { Ending::Passing });
                        }
                    }
                }
                let in_flight = queue.entries.values().filter(|entry| entry.phase != Phase::Idle).count();
                prop_assert_eq!(in_flight, flying.len());
                prop_assert!(queue.due.len() <= queue.entries.len());
            }
        }
    }
    /// Targets of three accounts in three regions, most of them sick, with two workers: whatever happens, whoever is due is
    /// taken in the end.
    #[derive(Debug, Clone)]
    enum Turn {
        Wake(usize),
        Remove(usize),
        Unschedule(usize),
        RemoveAccount(usize),
        Take,
        KeepWaiting(usize),
        Finish(usize, u8),
        GiveBack(usize),
    }

    fn turn() -> impl Strategy<Value = Turn> {
        let one = 0usize..9;
        prop_oneof![
            4 => one.clone().prop_map(Turn::Wake),
            1 => one.clone().prop_map(Turn::Remove),
            1 => one.clone().prop_map(Turn::Unschedule),
            1 => (0usize..3).prop_map(Turn::RemoveAccount),
            8 => Just(Turn::Take),
            6 => one.clone().prop_map(Turn::KeepWaiting),
            6 => (one.clone(), 0u8..8).prop_map(|(one, how)| Turn::Finish(one, how)),
            1 => one.prop_map(Turn::GiveBack),
        ]
    }

    fn account(number: usize) -> Account {
        Account::Id(format!("{number:012}").parse().unwrap())
    }

    proptest! {
        #[test]
        fn whoever_waits_for_its_share_gets_it_in_the_end(turns in prop::collection::vec(turn(), 0..300)) {
            let names = ["eu-west-1", "eu-west-2", "us-east-1"];
            let all: Vec<Target> =
                (0..9).map(|n| Target::setting(account(n / 3), names[n % 3].parse().unwrap())).collect();
            let (mut queue, mut now) = (Queue::of(2), Instant::now());
            let (mut flying, mut waiting): (Vec<Target>, Vec<Target>) = (Vec::new(), Vec::new());
            for turn in turns {
                now += SECOND;
                let at = |flying: &[Target], n: usize| (!flying.is_empty()).then(|| n % flying.len());
                match turn {
                    Turn::Wake(n) => drop(queue.wake(&all[n], now, Wake::Redeclared)),
                    Turn::Remove(n) => queue.remove(&all[n]),
                    Turn::Unschedule(n) => queue.unschedule(&all[n]),
                    Turn::RemoveAccount(n) => queue.remove(&Target::account(account(n))),
                    Turn::Take => flying.extend(queue.take(now)),
                    Turn::KeepWaiting(n) => {
                        if let Some(at) = at(&flying, n).filter(|at| !waiting.contains(&flying[*at])) {
                            queue.keeps_waiting(&flying[at]);
                            waiting.push(flying[at].clone());
                        }
                    }
                    Turn::Finish(n, how) => {
                        if let Some(at) = at(&flying, n) {
                            let target = flying.remove(at);
                            waiting.retain(|waiting| *waiting != target);
                            let ending = [Ending::Well, Ending::Refused].get(usize::from(how)).copied().unwrap_or(Ending::Passing);
                            queue.finish(&target, now, SECOND, ending);
                        }
                    }
                    Turn::GiveBack(n) => {
                        if let Some(at) = at(&flying, n) {
                            let target = flying.remove(at);
                            waiting.retain(|waiting| *waiting != target);
                            queue.give_back(&target, now);
                        }
                    }
                }
            }
            for target in flying.drain(..) {
                queue.finish(&target, now, SECOND, Ending::Passing);
            }
            now += 10 * SECOND;
            while let Some(target) = queue.take(now) {
                queue.finish(&target, now, 60 * SECOND, Ending::Passing);
            }
            let left: Vec<&Target> =
                queue.entries.iter().filter(|(_, entry)| entry.due.is_some_and(|due| due <= now)).map(|(target, _)| target).collect();
            prop_assert!(left.is_empty(), "{left:?} wait for ever: {:?}", queue.shares);
        }
    }
}
