//! Calls to the API server that do not arrive, are not answered, or arrive late.

use aws_sandbox::{Fault, FaultKind};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::leases::Weather;
use super::records::between;
use super::replica::{ARRIVAL, SLACK, Stage, TIMING};
use crate::harness::{DEADLINE, until};
use crate::referee::ACCOUNT;
use crate::sdk::ROLE;

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_writing_before_the_lease_can_be_taken_and_follows_when_it_is_back() {
    for weather in [Weather::CutOff, Weather::Deaf] {
        let stage = Stage::new().await;
        let (one, two) = stage.leader_and_follower().await;
        one.door.set(weather);
        stage.until_leads(&two).await;
        stage.assert_taken_in_time_from("one");
        one.door.set(Weather::Fine);
        until("the old leader follows", DEADLINE, async || one.status().await["leader"] == "two").await;
        assert_eq!(one.status().await["targets"], json!([]));
        assert!(one.is_ready().await && !one.leads().await && two.leads().await);
        one.assert_left_nothing_behind().await;
        stage.assert_only_holders_wrote();
        assert_eq!(stage.holders(), ["one", "two"]);
    }
}

/// What the API server accepts without the leader's knowing gives the leader no more time.
#[tokio::test]
async fn a_renewal_that_lands_late_lengthens_the_lease_and_not_what_the_leader_may_do() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    one.door.set(Weather::Slow(TIMING.renew_deadline));
    let slow_since = Timestamp::now();
    stage.until_leads(&two).await;
    let landed = stage.last_renewal_of("one");
    assert!(between(slow_since, landed) >= TIMING.renew_deadline, "it landed after everybody had given it up");
    stage.assert_taken_in_time_from("one");
    let last = stage.writes_of(&one).last().unwrap().at;
    let known = stage.leases.renewals_of("one").into_iter().rfind(|at| *at < landed).unwrap();
    assert!(between(known, last) <= TIMING.renew_deadline + ARRIVAL, "{known} {last} {landed}");
    until("the slow one knows", DEADLINE, async || !one.leads().await).await;
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_renewal_that_lands_when_another_leads_is_refused() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    let conflicts = stage.leases.conflicts();
    one.door.set(Weather::Slow(TIMING.lease_duration * 2 + SLACK));
    stage.until_leads(&two).await;
    until("it lands", DEADLINE, async || stage.leases.conflicts() > conflicts).await;
    stage.until_leads(&two).await;
    assert_eq!(stage.holders(), ["one", "two"]);
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_slow_api_server_costs_nobody_the_lease() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    for door in [&one.door, &two.door] {
        door.set(Weather::Slow(TIMING.renew_deadline / 16));
    }
    let renewals = || stage.leases.renewals_of("one").len();
    let before = renewals();
    until("renewals go on", DEADLINE, async || renewals() >= before + 8).await;
    assert_eq!(stage.holders(), ["one"]);
    assert!(one.leads().await);
    stage.assert_only_holders_wrote();
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

/// Of a role, whose repair has several steps.
#[tokio::test]
async fn what_a_leader_was_in_the_middle_of_is_finished_by_the_next() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    // Far longer than the lease: the role is created, and whoever asked for it is not told.
    let fault = stage.sandbox.inject(Fault::new(FaultKind::Slow(DEADLINE)).operation("CreateRole"));
    stage.sandbox.account(ACCOUNT).delete_role(ROLE);
    let journal = stage.sandbox.journal();
    until("the role is being created", DEADLINE, async || journal.count("iam", "CreateRole") > 1).await;
    one.door.set(Weather::CutOff);
    stage.sandbox.clear(fault);
    stage.until_leads(&two).await;
    let is_whole = async || stage.sandbox.account(ACCOUNT).role(ROLE).is_some_and(|role| role.attached.len() == 1);
    until("the role has its policy", DEADLINE, is_whole).await;
    let steps = journal.writes().into_iter().filter(|write| write.operation == "AttachRolePolicy");
    let by: Vec<_> = steps.map(|write| write.principal.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(by, ["one", "two"], "one at its own beginning, and two where one was broken off");
    stage.assert_taken_in_time_from("one");
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_leader_that_is_alone_stops_for_an_outage_of_the_api_server_and_goes_on_after_it() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    one.door.set(Weather::CutOff);
    until("it stops", DEADLINE, async || !one.leads().await).await;
    let ends = stage.last_renewal_of("one") + TIMING.lease_duration;
    until("the lease is over", DEADLINE, async || Timestamp::now() > ends).await;
    let outage = stage.last_renewal_of("one");
    one.door.set(Weather::Fine);
    until("it leads again", DEADLINE, async || one.leads().await).await;
    stage.until_leads(&one).await;
    let again = stage.leases.renewals_of("one").into_iter().find(|at| *at > outage).unwrap();
    assert!(between(outage, again) > TIMING.lease_duration, "the outage was longer than the lease");
    let writes = stage.writes_of(&one);
    assert!(writes.iter().any(|write| write.at < again) && writes.iter().any(|write| write.at > again));
    assert!(one.is_ready().await);
    assert_eq!(stage.holders(), ["one"]);
    stage.assert_only_holders_wrote();
}
