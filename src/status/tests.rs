//! The board: its counts against counting, its answers, and what its targets share.

use super::*;
use crate::observed::Change;
use crate::plan::{Drift, DriftKind, Plan};

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "sa-east-1"];

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn account(number: u64) -> Account {
    Account::Id(format!("{number:012}").parse().unwrap())
}

fn setting(number: u64, region: &str) -> Target {
    Target::setting(account(number), region.parse().unwrap())
}

fn read(drift: Vec<Drift>) -> Outcome {
    let change = Change { by: "arn:aws:iam::111122223333:user/alice".to_owned(), at: None };
    let plan: Plan<()> = Plan { drift, ..Plan::default() };
    Outcome::of_plan(&plan, "wanted".to_owned(), "found".to_owned(), Some(change))
}

fn unset() -> Drift {
    Drift::new(DriftKind::SettingUnset, "unset", "service-role/R")
}

/// Two accounts with three settings each; the first account's first setting has drifted, its second is in sync.
fn board() -> StatusBoard {
    let board = StatusBoard::default();
    for number in 1..=2 {
        for region in REGIONS {
            board.add(setting(number, region), time(0));
        }
    }
    board.record(&setting(1, "us-east-1"), &read(vec![unset()]), time(10), None);
    board.record(&setting(1, "eu-west-1"), &read(vec![]), time(20), None);
    board
}

#[test]
fn the_counts_are_what_counting_gives_after_any_change() {
    let board = board();
    board.begin(&setting(1, "us-east-1"));
    board.begin(&setting(2, "us-east-1"));
    board.abandon(&setting(2, "us-east-1"));
    board.add(setting(1, "us-east-1"), time(30));
    board.wait(&setting(2, "eu-west-1"), State::Blocked, "no", time(30));
    board.remove(&setting(2, "sa-east-1"));
    board.remove(&setting(2, "sa-east-1"));
    let (mut states, mut in_flight) = ([0; State::ALL.len()], 0);
    board.each(|_, _, status| {
        states[status.state as usize] += 1;
        in_flight += u32::from(status.activity == Activity::InFlight);
    });
    assert_eq!(State::ALL.map(|state| board.count(state)), states);
    assert_eq!(states, [1, 1, 0, 0, 1, 2]);
    let figures = board.figures(time(30), Detail::OrganizationOnly);
    assert_eq!((figures.in_flight, in_flight), (1, 1));
    let by_account = |state| figures.accounts.iter().map(|account| account.figures.states.of(state)).sum::<u32>();
    assert_eq!(State::ALL.map(by_account), states);
}

#[test]
fn every_target_counts_as_tried_once_and_for_all() {
    let board = StatusBoard::default();
    assert!(!board.all_tried(), "without targets nothing was tried");
    board.add(setting(1, "us-east-1"), time(0));
    board.add(setting(1, "eu-west-1"), time(0));
    board.record(&setting(1, "us-east-1"), &read(vec![]), time(1), None);
    assert!(!board.all_tried());
    board.wait(&setting(1, "eu-west-1"), State::Unknown, "waits", time(1));
    assert!(board.all_tried());
    board.add(setting(2, "us-east-1"), time(2));
    assert!(board.all_tried());
}

#[test]
fn a_target_that_was_never_tried_and_leaves_is_not_waited_for() {
    let board = board();
    for (number, region) in [(1, "sa-east-1"), (2, "us-east-1"), (2, "eu-west-1"), (2, "sa-east-1")] {
        assert!(!board.all_tried());
        board.remove(&setting(number, region));
    }
    assert!(board.all_tried());
}

#[test]
fn the_oldest_look_is_that_of_the_targets_that_were_read() {
    let figures = board().figures(time(100), Detail::OrganizationOnly);
    let oldest: Vec<_> = figures.accounts.iter().map(|account| account.figures.oldest_observed).collect();
    assert_eq!(oldest, [Some(time(10)), None]);
    assert_eq!(figures.total.oldest_observed, Some(time(10)));
}

#[test]
fn what_is_due_and_not_taken_up_is_counted() {
    let board = board();
    for region in REGIONS {
        board.reschedule(&setting(2, region), Some(time(50)));
    }
    board.begin(&setting(2, "us-east-1"));
    assert_eq!(board.figures(time(49), Detail::OrganizationOnly).due, 0);
    assert_eq!(board.figures(time(50), Detail::OrganizationOnly).due, 2);
}

#[test]
fn the_organization_is_no_account_though_it_is_looked_at_from_the_own_one() {
    let board = StatusBoard::default();
    board.add(Target::organization(), time(0));
    board.add(Target::account(Account::Own), time(0));
    board.identify(Account::Own, "111122223333".parse().unwrap());
    board.identify(account(7), "000000000007".parse().unwrap());
    board.record(&Target::organization(), &read(vec![]), time(5), None);
    assert_eq!(board.label(&Target::organization()), "organization");
    assert_eq!(board.label(&Target::account(Account::Own)), "111122223333");
    assert_eq!(board.account_label(account(7)), "000000000007");
    let figures = board.figures(time(5), Detail::OrganizationOnly);
    let told: Vec<_> = figures.accounts.iter().map(|account| (account.label.as_str(), account.targets.len())).collect();
    assert_eq!(told, [("organization", 1), ("111122223333", 0)]);
    assert_eq!(figures.last_listed, Some(time(5)));
    let mut seen = Vec::new();
    board.each(|label, target, _| seen.push((label.to_owned(), target.clone())));
    let expected = [("organization", Target::organization()), ("111122223333", Target::account(Account::Own))];
    assert_eq!(seen, expected.map(|(label, target)| (label.to_owned(), target)));
    board.remove(&Target::organization());
    assert_eq!(board.figures(time(5), Detail::EveryTarget).last_listed, None);
}

#[test]
fn an_account_has_the_name_that_somebody_gave_it_until_it_leaves() {
    let board = board();
    board.name_account(account(1), Some("payments".into()));
    assert_eq!(board.account_name(account(1)).as_deref(), Some("payments"));
    let filter = Filter { account: Some("payments".to_owned()), ..Filter::everything(10) };
    let view = serde_json::to_value(board.view(&filter)).unwrap();
    assert_eq!((view["matching"].as_u64(), view["targets"][0]["accountName"].as_str()), (Some(3), Some("payments")));
    for region in REGIONS {
        board.remove(&setting(1, region));
    }
    assert_eq!(board.account_name(account(1)), None);
    board.name_account(account(2), Some("shop".into()));
    board.name_account(account(2), None);
    assert_eq!(board.account_name(account(2)), None);
}

#[test]
fn an_answer_has_the_targets_that_were_asked_for_and_says_how_many_it_leaves_out() {
    let board = board();
    let matching = |filter: Filter| board.view(&filter).matching;
    let everything = || Filter::everything(10);
    assert_eq!(matching(everything()), 6);
    assert_eq!(matching(Filter { account: Some("000000000002".to_owned()), ..everything() }), 3);
    assert_eq!(matching(Filter { region: Some("us-east-1".to_owned()), ..everything() }), 2);
    assert_eq!(matching(Filter { states: vec![State::InSync, State::Drifted], ..everything() }), 2);
    assert_eq!(matching(Filter { account: Some("nobody".to_owned()), ..everything() }), 0);
    let view = board.view(&Filter { states: vec![State::Unknown], ..Filter::everything(3) });
    assert_eq!((view.matching, view.left_out, view.targets.len()), (4, 1, 3));
    // The limit is reached in the first account: the second is counted and not looked at, unless its regions matter.
    let view = board.view(&Filter { states: vec![State::Unknown], ..Filter::everything(1) });
    assert_eq!((view.matching, view.left_out, view.targets.len()), (4, 3, 1));
    let view = board.view(&Filter { region: Some("sa-east-1".to_owned()), ..Filter::everything(1) });
    assert_eq!((view.matching, view.left_out, view.targets.len()), (2, 1, 1));
    let view = serde_json::to_value(board.view(&Filter::everything(0))).unwrap();
    let summary = serde_json::json!({"in_sync": 1, "drifted": 1, "held": 0, "contended": 0, "blocked": 0, "unknown": 4});
    assert_eq!(view, serde_json::json!({"summary": summary, "held": null, "matching": 6, "leftOut": 6, "targets": []}));
}

#[test]
fn a_drift_that_is_gone_is_remembered_with_who_made_it() {
    let board = board();
    board.record(&setting(1, "us-east-1"), &read(vec![]), time(40), None);
    let filter = Filter { region: Some("us-east-1".to_owned()), ..Filter::everything(1) };
    let target = &serde_json::to_value(board.view(&filter)).unwrap()["targets"][0];
    assert_eq!((target["state"].as_str(), target["drift"].as_array().map(Vec::len)), (Some("in_sync"), Some(0)));
    assert_eq!(target["lastDrift"]["drift"][0]["after"], "service-role/R");
    assert_eq!(target["lastDrift"]["changed"]["by"], "arn:aws:iam::111122223333:user/alice");
    assert_eq!(target["lastChangedBy"], "arn:aws:iam::111122223333:user/alice");
    assert_eq!(target["lastDrift"]["seenAt"], "1970-01-01T00:00:10Z");
}

#[test]
fn what_many_targets_say_is_kept_once() {
    let board = StatusBoard::default();
    for number in 0..100 {
        board.add(setting(number, "us-east-1"), time(0));
        board.record(&setting(number, "us-east-1"), &read(vec![unset()]), time(1), None);
    }
    let mut first: Option<TargetStatus> = None;
    board.each(|_, _, status| {
        let first = first.get_or_insert_with(|| status.clone());
        let is_shared = |one: &Arc<str>, other: &Arc<str>| Arc::ptr_eq(one, other);
        assert!(is_shared(&first.desired, &status.desired));
        assert!(first.observed.as_ref().zip(status.observed.as_ref()).is_some_and(|(one, other)| is_shared(one, other)));
        assert!(first.reason.as_ref().zip(status.reason.as_ref()).is_some_and(|(one, other)| is_shared(one, other)));
        assert!(first.changed.as_ref().zip(status.changed.as_ref()).is_some_and(|(one, other)| is_shared(&one.by, &other.by)));
        assert!(Arc::ptr_eq(&first.drift, &status.drift));
    });
}
