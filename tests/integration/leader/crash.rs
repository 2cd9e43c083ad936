//! Leaders that end, with and without a word.

use aws_sandbox::{Fault, FaultKind, Filter};
use jiff::Timestamp;
use k8s_openapi::jiff::{SignedDuration, Timestamp as Time};

use super::leases::Weather;
use super::records::between;
use super::replica::{Stage, TIMING};
use crate::harness::{DEADLINE, until};

fn an_hour_ahead() -> Time {
    Time::now() + SignedDuration::from_hours(1)
}

fn an_hour_behind() -> Time {
    Time::now() - SignedDuration::from_hours(1)
}

#[tokio::test]
async fn when_the_leader_crashes_another_takes_over_within_the_lease_and_one_look() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    one.crash();
    stage.until_leads(&two).await;
    stage.assert_taken_in_time_from("one");
    assert!(two.leads().await);
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(terms.iter().map(|(term, _)| term.transitions).collect::<Vec<_>>(), [0, 1]);
    assert!(terms.iter().all(|(_, writes)| *writes > 0), "{terms:?}");
}

#[tokio::test]
async fn clocks_that_are_hours_apart_change_nothing() {
    for (leader, follower) in [(Time::now as fn() -> _, an_hour_ahead as fn() -> _), (an_hour_ahead, an_hour_behind)] {
        let stage = Stage::new().await;
        let one = stage.replica_by("one", leader).await;
        stage.until_leads(&one).await;
        let two = stage.replica_by("two", follower).await;
        until("the other knows", DEADLINE, async || two.is_ready().await).await;
        let renewals = || stage.leases.renewals_of("one").len();
        let before = renewals();
        until("the lease is renewed many times", DEADLINE, async || renewals() > before + 10).await;
        assert_eq!(stage.holders(), ["one"], "the lease is not taken from a leader that is well");
        one.crash();
        stage.until_leads(&two).await;
        stage.assert_taken_in_time_from("one");
        stage.assert_only_holders_wrote();
    }
}

#[tokio::test]
async fn a_leader_that_stops_gives_the_lease_back_and_nobody_waits() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    one.stop().await;
    stage.until_leads(&two).await;
    assert_eq!(stage.holders(), ["one", "", "two"]);
    let terms = stage.assert_only_holders_wrote();
    let took = between(terms[1].0.since, terms[2].0.since);
    assert!(took < TIMING.lease_duration, "{took:?}");
}

#[tokio::test]
async fn a_leader_that_stops_keeps_the_lease_until_its_last_write_is_answered() {
    // Longer than a leader may write without a renewal, and much shorter than a call may take.
    let answer = TIMING.renew_deadline + TIMING.renew_deadline / 2;
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    let fault = stage.sandbox.inject(Fault::new(FaultKind::Slow(answer)).operation("UpdateServiceSetting"));
    let before = stage.writes_of(&one).len();
    until("a write is in flight", DEADLINE, async || stage.writes_of(&one).len() > before).await;
    let stopped = Timestamp::now();
    one.stop().await;
    // What is in flight keeps its time.
    stage.sandbox.clear(fault);
    stage.until_leads(&two).await;

    assert_eq!(stage.holders(), ["one", "", "two"]);
    let terms = stage.assert_only_holders_wrote();
    let (given_back, taken) = (terms[1].0.since, terms[2].0.since);
    let ones = stage.sandbox.journal().matching(&Filter::any());
    let ones: Vec<_> = ones.into_iter().filter(|call| call.principal.ends_with("user/one")).collect();
    let written = ones.iter().rfind(|call| call.is_write()).unwrap().at;
    assert!(between(stopped, given_back) > TIMING.renew_deadline, "it took longer than one renewal lasts");
    assert!(between(written, given_back) >= answer, "the answer is awaited");
    let last = ones.last().unwrap();
    assert!(!last.is_write() && last.at <= given_back && between(written, last.at) >= answer, "read back: {last:?}");
    let mut renewals = stage.leases.renewals_of("one");
    renewals.retain(|at| *at >= stopped);
    renewals.push(given_back);
    let gaps = renewals.windows(2).map(|pair| between(pair[0], pair[1]));
    let longest = gaps.max().expect("it is renewed while the write lasts");
    assert!(longest < TIMING.renew_deadline, "{longest:?}");
    assert!(taken > given_back);
}

/// It may still arrive, and has the time that the lease has left.
#[tokio::test]
async fn a_leader_that_stops_after_a_write_without_an_answer_does_not_give_the_lease_back() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    stage.sandbox.inject(Fault::new(FaultKind::DropAfterActing).operation("UpdateServiceSetting"));
    let before = stage.writes_of(&one).len();
    until("writes go without an answer", DEADLINE, async || stage.writes_of(&one).len() >= before + 4).await;
    one.stop().await;
    stage.sandbox.clear_faults();
    stage.until_leads(&two).await;
    assert_eq!(stage.holders(), ["one", "two"]);
    stage.assert_taken_in_time_from("one");
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_follower_that_stops_leaves_the_lease_to_whoever_has_it() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    two.stop().await;
    let renewals = || stage.leases.renewals_of("one").len();
    let before = renewals();
    until("renewals go on", DEADLINE, async || renewals() > before + 2).await;
    assert!(one.leads().await);
    assert_eq!(stage.holders(), ["one"]);
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_replica_leads_a_second_time_as_well_as_the_first() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    one.door.set(Weather::CutOff);
    stage.until_leads(&two).await;
    one.door.set(Weather::Fine);
    until("one follows", DEADLINE, async || one.status().await["leader"] == "two").await;
    two.crash();
    stage.until_leads(&one).await;
    stage.assert_taken_in_time_from("two");
    until("one says so", DEADLINE, async || one.leads().await && one.is_ready().await).await;
    until("it corrects", DEADLINE, async || one.status().await["targets"].as_array().is_some_and(|all| !all.is_empty())).await;
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(stage.holders(), ["one", "two", "one"]);
    assert_eq!(terms.iter().map(|(term, _)| term.transitions).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(terms.iter().all(|(_, writes)| *writes > 0), "{terms:?}");
}
