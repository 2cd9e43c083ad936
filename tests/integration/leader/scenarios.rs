//! Crashes, partitions, skewed clocks and slow answers.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::leases::Weather;
use super::replica::{Replica, Stage, TIMING};
use crate::harness::{DEADLINE, until};

/// What a takeover may take beyond the lease and one look: the calls themselves, on a machine with other work.
const SLACK: Duration = Duration::from_secs(2);

fn an_hour_ahead() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(1)
}

fn an_hour_behind() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

/// How long it takes until another replica writes.
async fn takeover(stage: &Stage, successor: &Replica) -> Duration {
    let began = Instant::now();
    stage.until_leads(successor).await;
    began.elapsed()
}

#[tokio::test]
async fn one_replica_writes_and_the_other_stands_by_ready() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    until("both are ready", DEADLINE, async || one.is_ready().await && two.is_ready().await).await;
    assert!(one.leads().await && !two.leads().await);
    assert_eq!((one.status().await["leads"].clone(), one.status().await["leader"].clone()), (json!(true), Value::Null));
    let status = two.status().await;
    assert_eq!((&status["leads"], &status["leader"], &status["targets"]), (&json!(false), &json!("one"), &json!([])));
    assert_eq!(status["configuration"]["inForce"], true, "its document is checked all the same");
    assert_eq!(two.metric("dhmc_targets{account=\"111122223333\",state=\"in_sync\"}").await, None);

    let renewed = stage.leases.lease()["spec"]["renewTime"].clone();
    until("the lease is renewed", DEADLINE, async || stage.leases.lease()["spec"]["renewTime"] != renewed).await;
    let calls = stage.sandbox.journal().calls();
    assert!(!calls.iter().any(|call| call.principal.ends_with("user/two")), "who stands by calls no AWS");
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(terms.len(), 1, "{terms:?}");
}

#[tokio::test]
async fn when_the_leader_crashes_another_takes_over_within_the_lease_and_one_look() {
    let stage = Stage::new().await;
    let (one, two) = (stage.replica("one").await, stage.replica("two").await);
    until("somebody leads", DEADLINE, async || stage.leases.holder().is_some()).await;
    let (leader, other) = if stage.leases.holder().as_deref() == Some("one") { (one, two) } else { (two, one) };
    stage.until_leads(&leader).await;
    until("the other knows", DEADLINE, async || other.is_ready().await).await;
    leader.crash();
    let took = takeover(&stage, &other).await;
    assert!(took <= TIMING.lease_duration + TIMING.retry_period + SLACK, "{took:?}");
    assert!(other.leads().await);
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(terms.iter().map(|(term, _)| term.transitions).collect::<Vec<_>>(), [0, 1]);
    assert!(terms.iter().all(|(_, writes)| *writes > 0), "{terms:?}");
}

#[tokio::test]
async fn a_leader_that_stops_gives_the_lease_back_and_nobody_waits() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    until("the other knows", DEADLINE, async || two.is_ready().await).await;
    one.stop().await;
    assert_eq!(stage.leases.holder().filter(|holder| holder == "one"), None);
    let took = takeover(&stage, &two).await;
    assert!(took < TIMING.lease_duration, "{took:?}");
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_writing_before_the_lease_can_be_taken_and_follows_when_it_is_back() {
    for weather in [Weather::CutOff, Weather::Deaf] {
        let stage = Stage::new().await;
        let one = stage.replica("one").await;
        stage.until_leads(&one).await;
        let two = stage.replica("two").await;
        until("the other knows", DEADLINE, async || two.is_ready().await).await;
        one.door.set(weather);
        let cut_off = Instant::now();
        until("the old leader says so", DEADLINE, async || !one.leads().await).await;
        if weather == Weather::CutOff {
            assert!(cut_off.elapsed() <= TIMING.renew_deadline + SLACK, "{:?}", cut_off.elapsed());
            assert_eq!(stage.leases.holder().as_deref(), Some("one"), "it stops while the lease is still its own");
        }
        let last = stage.writes_of(&one).len();
        stage.until_leads(&two).await;
        assert_eq!(stage.writes_of(&one).len(), last, "{weather:?}: nothing is written after");
        one.door.set(Weather::Fine);
        until("the old leader follows", DEADLINE, async || one.status().await["leader"] == "two").await;
        assert_eq!(one.status().await["targets"], json!([]));
        assert!(one.is_ready().await && !one.leads().await && two.leads().await);
        one.assert_left_nothing_behind().await;
        let terms = stage.assert_only_holders_wrote();
        assert_eq!(terms.len(), 2, "{terms:?}");
    }
}

#[tokio::test]
async fn a_write_that_aws_does_not_answer_is_broken_off_when_the_leader_may_not_write_any_more() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    // Far longer than the lease, and than what is waited for below.
    stage.sandbox.inject(Fault::new(FaultKind::Slow(DEADLINE)).operation("UpdateServiceSetting"));
    let before = stage.writes_of(&one).len();
    until("writes hang", DEADLINE, async || stage.writes_of(&one).len() >= before + 4).await;
    one.door.set(Weather::CutOff);
    until("it does not lead any more", DEADLINE, async || !one.leads().await).await;
    let began = Instant::now();
    until("it has given up its targets", DEADLINE, async || one.status().await["targets"] == json!([])).await;
    assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn clocks_that_are_hours_apart_change_nothing() {
    for (leader, follower) in [(Timestamp::now as fn() -> _, an_hour_ahead as fn() -> _), (an_hour_ahead, an_hour_behind)] {
        let stage = Stage::new().await;
        let one = stage.replica_by("one", leader).await;
        stage.until_leads(&one).await;
        let two = stage.replica_by("two", follower).await;
        until("the other knows", DEADLINE, async || two.is_ready().await).await;
        let renewals = || stage.leases.lease()["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
        let before = renewals();
        until("the lease is renewed many times", DEADLINE, async || renewals() > before + 10).await;
        assert_eq!(stage.leases.terms().len(), 1, "the lease is not taken from a leader that is well");
        one.crash();
        let took = takeover(&stage, &two).await;
        assert!(took <= TIMING.lease_duration + TIMING.retry_period + SLACK, "{took:?}");
        stage.assert_only_holders_wrote();
    }
}

#[tokio::test]
async fn a_slow_api_server_costs_nobody_the_lease_until_it_is_too_slow() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    for door in [&one.door, &two.door] {
        door.set(Weather::Slow(TIMING.renew_deadline / 8));
    }
    let version = || stage.leases.lease()["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
    let before = version();
    until("renewals go on", DEADLINE, async || version() >= before + 8).await;
    assert_eq!(stage.leases.terms().len(), 1);
    assert!(one.leads().await);

    one.door.set(Weather::Slow(TIMING.renew_deadline));
    stage.until_leads(&two).await;
    until("the slow one knows", DEADLINE, async || !one.leads().await).await;
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn replicas_that_start_together_have_one_leader() {
    let stage = Stage::new().await;
    let replicas = [stage.replica("one").await, stage.replica("two").await, stage.replica("three").await];
    until("all are ready", DEADLINE, async || {
        let mut ready = 0;
        for replica in &replicas {
            ready += usize::from(replica.is_ready().await);
        }
        ready == replicas.len()
    })
    .await;
    let leader = stage.leases.holder().unwrap();
    for replica in &replicas {
        assert_eq!(replica.leads().await, replica.name == leader, "{}", replica.name);
    }
    stage.assert_only_holders_wrote();
}

/// Somebody deletes the lease, or writes another name in it: whoever leads notices at the next renewal, and whoever follows has waited for that.
#[tokio::test]
async fn a_lease_that_somebody_deletes_or_edits_by_hand_makes_no_second_leader() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    until("the other knows", DEADLINE, async || two.is_ready().await).await;
    stage.leases.delete();
    until("the lease is there again", DEADLINE, async || !stage.leases.lease().is_null()).await;
    stage.until_leads(&one).await;
    stage.leases.edit(|lease| lease["metadata"]["annotations"] = json!({"note": "by hand"}));
    until("the leader was overtaken by the edit", DEADLINE, async || stage.leases.conflicts() > 0).await;
    let edited = stage.leases.lease()["metadata"]["resourceVersion"].clone();
    until("it renews all the same", DEADLINE, async || stage.leases.lease()["metadata"]["resourceVersion"] != edited).await;
    assert_eq!(stage.leases.lease()["metadata"]["annotations"]["note"], "by hand", "what others wrote in it stays");
    stage.until_leads(&one).await;
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(terms.len(), 1, "{terms:?}");
}
