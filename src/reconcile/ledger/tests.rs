//! What is news of a drift, and that everything detected comes to one end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::desired::names::Account;
use crate::outcome::Correction;
use crate::plan::Plan;

fn drift() -> Drift {
    Drift::new(DriftKind::SettingUnset, "unset", "service-role/R")
}

fn read(drift: Vec<Drift>) -> Outcome {
    let plan: Plan<()> = Plan { drift, ..Plan::default() };
    Outcome::of_plan(&plan, String::new(), "something".to_owned(), None)
}

fn tried(progress: Progress) -> Outcome {
    Outcome { corrections: vec![Correction { drift: drift(), progress }], ..read(vec![drift()]) }
}

fn gone(drift: Drift, why: Gone) -> Entry {
    Entry::Gone(drift, why)
}

fn run(outcomes: &[Outcome]) -> Vec<Vec<Entry>> {
    let (mut ledger, target) = (Ledger::default(), Target::role(Account::Own));
    outcomes.iter().map(|outcome| ledger.enter(&target, outcome)).collect()
}

#[test]
fn drift_that_lasts_is_detected_once() {
    assert_eq!(run(&[read(vec![drift()]), read(vec![drift()])]), [vec![Entry::Detected(drift())], vec![]]);
}

#[test]
fn a_correction_counts_when_it_was_verified() {
    assert_eq!(run(&[tried(Progress::Verified)]), [vec![Entry::Detected(drift()), Entry::Corrected(drift())]]);
}

#[test]
fn a_write_that_shows_later_counts_as_a_correction_then() {
    for progress in [Progress::Written, Progress::Unanswered] {
        assert_eq!(run(&[tried(progress), read(vec![])]), [vec![Entry::Detected(drift())], vec![Entry::Corrected(drift())]]);
    }
}

#[test]
fn a_write_that_never_shows_counts_as_failed() {
    assert_eq!(
        run(&[tried(Progress::Written), tried(Progress::Written)]),
        [vec![Entry::Detected(drift())], vec![Entry::CorrectionFailed(drift())]]
    );
}

#[test]
fn drift_that_somebody_else_mends_is_gone_and_can_come_back() {
    assert_eq!(
        run(&[read(vec![drift()]), read(vec![]), read(vec![drift()])]),
        [vec![Entry::Detected(drift())], vec![gone(drift(), Gone::MendedByOthers)], vec![Entry::Detected(drift())]]
    );
}

#[test]
fn a_look_that_cannot_judge_closes_nothing() {
    let withheld = Outcome { judgement: Judgement::Withheld, ..read(vec![]) };
    let looks = [tried(Progress::Written), withheld.clone(), read(vec![])];
    assert_eq!(run(&looks), [vec![Entry::Detected(drift())], vec![], vec![Entry::Corrected(drift())]]);
    let looks = [read(vec![drift()]), withheld, read(vec![drift()])];
    assert_eq!(run(&looks), [vec![Entry::Detected(drift())], vec![], vec![]]);
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_new_drift_and_ours_did_not_hold() {
    let other = Drift::new(DriftKind::SettingOtherRole, "Third", "service-role/R");
    let looks = [tried(Progress::Written), read(vec![other.clone()])];
    let second = vec![Entry::CorrectionFailed(other.clone()), Entry::Gone(drift(), Gone::Superseded), Entry::Detected(other)];
    assert_eq!(run(&looks), [vec![Entry::Detected(drift())], second]);
}

#[test]
fn what_was_not_tried_has_not_failed() {
    assert_eq!(run(&[tried(Progress::NotTried)]), [vec![Entry::Detected(drift())]]);
}

#[test]
fn each_refused_write_counts_as_failed() {
    assert_eq!(
        run(&[tried(Progress::Refused), tried(Progress::Refused)]),
        [vec![Entry::Detected(drift()), Entry::CorrectionFailed(drift())], vec![Entry::CorrectionFailed(drift())]]
    );
}

#[test]
fn drift_that_another_declaration_has_overtaken_is_gone_and_neither_ours_nor_anybodys_doing() {
    let (mut ledger, target) = (Ledger::default(), Target::role(Account::Own));
    ledger.enter(&target, &tried(Progress::Written));
    ledger.redeclared(&target);
    assert_eq!(ledger.enter(&target, &read(vec![])), [gone(drift(), Gone::Redeclared)]);
}

#[test]
fn drift_of_a_target_that_nobody_wants_any_more_is_gone_once() {
    let (mut ledger, target) = (Ledger::default(), Target::role(Account::Own));
    ledger.enter(&target, &read(vec![drift()]));
    assert_eq!(ledger.forget(&target, Gone::Undeclared), [gone(drift(), Gone::Undeclared)]);
    assert_eq!(ledger.forget(&target, Gone::Undeclared), []);
    assert_eq!(ledger.counts()[&DriftKind::SettingUnset], 0);
}

/// Something that happens to one of two targets.
#[derive(Debug, Clone)]
enum Event {
    Look(Box<Outcome>),
    Redeclared,
    Forgotten,
}

fn any_drift() -> impl Strategy<Value = Drift> {
    let kinds = [DriftKind::SettingUnset, DriftKind::SettingOtherRole, DriftKind::SettingSet, DriftKind::PolicyMissing];
    let subject = prop::option::of(prop::sample::select(vec!["one".to_owned(), "two".to_owned()]));
    let words = || prop::sample::select(vec!["this", "that"]);
    (prop::sample::select(kinds.to_vec()), subject, words(), words())
        .prop_map(|(kind, subject, before, after)| Drift { subject, ..Drift::new(kind, before, after) })
}

fn any_event() -> impl Strategy<Value = Event> {
    let progress = prop::sample::select(vec![Progress::Verified, Progress::Written, Progress::Refused, Progress::NotTried]);
    let judgement = prop::sample::select(vec![Judgement::Made, Judgement::Withheld]);
    let look =
        (prop::collection::vec((any_drift(), prop::option::of(progress)), 0..4), judgement).prop_map(|(drift, judgement)| {
            let tried = |(drift, progress): &(Drift, Option<Progress>)| {
                progress.map(|progress| Correction { drift: drift.clone(), progress })
            };
            let corrections = drift.iter().filter_map(tried).collect();
            let outcome = Outcome { judgement, corrections, ..read(drift.into_iter().map(|(drift, _)| drift).collect()) };
            Event::Look(Box::new(outcome))
        });
    prop_oneof![6 => look, 1 => Just(Event::Redeclared), 1 => Just(Event::Forgotten)]
}

proptest! {
    #[test]
    fn whatever_is_detected_is_corrected_or_gone_or_open(events in prop::collection::vec((any::<bool>(), any_event()), 0..24)) {
        let mut ledger = Ledger::default();
        // Detected, less corrected, less gone.
        let mut sums: BTreeMap<DriftKind, i64> = BTreeMap::new();
        for (own, event) in events {
            let target = if own { Target::role(Account::Own) } else { Target::organization() };
            let entries = match &event {
                Event::Look(outcome) => ledger.enter(&target, outcome),
                Event::Forgotten => ledger.forget(&target, Gone::Undeclared),
                Event::Redeclared => {
                    ledger.redeclared(&target);
                    Vec::new()
                }
            };
            for entry in entries {
                match entry {
                    Entry::Detected(drift) => *sums.entry(drift.kind).or_default() += 1,
                    Entry::Corrected(drift) | Entry::Gone(drift, _) => *sums.entry(drift.kind).or_default() -= 1,
                    Entry::CorrectionFailed(_) => {}
                }
            }
            let open: BTreeMap<DriftKind, i64> = ledger.counts().iter().map(|(kind, count)| (*kind, i64::from(*count))).collect();
            sums.retain(|kind, sum| *sum != 0 || open.contains_key(kind));
            prop_assert_eq!(&sums, &open);
            let of_target = ledger.open.get(&target).map_or(0, Vec::len);
            match event {
                Event::Look(outcome) if outcome.judgement == Judgement::Made => prop_assert!(of_target <= outcome.drift.len()),
                Event::Forgotten => prop_assert_eq!(of_target, 0),
                _ => {}
            }
            prop_assert_eq!(ledger.open.values().map(Vec::len).sum::<usize>(), ledger.counts().values().sum::<u32>() as usize);
        }
    }
}
