//! Leader election against a real kube-apiserver with etcd and RBAC, by the Role that ships.

mod api_server;
mod replica;
mod shipped;

use std::time::Duration;

use api_server::ApiServer;
use aws_sandbox::{Fault, FaultKind};
use jiff::Timestamp;
use replica::{LEASE, RETRY, Replica, Stage};

/// Far longer than anything here takes: reached only when something is wrong.
const DEADLINE: Duration = Duration::from_mins(1);
/// What a takeover may take beyond the lease and one look: the calls themselves, on a machine with other work.
const SLACK: Duration = Duration::from_secs(2);

/// Waits on a condition.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + DEADLINE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < end, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn two_replicas(stage: &Stage, api: &ApiServer) -> (Replica, Replica) {
    let leader = stage.replica("one", api).await;
    until("one leads", async || leader.leads().await).await;
    let follower = stage.replica("two", api).await;
    until("two stands by", async || follower.is_ready().await).await;
    assert!(!follower.leads().await);
    (leader, follower)
}

/// Holds the second term against the last renewal of the first, whose leader gave no sign any more at a moment.
fn assert_taken_in_time(api: &ApiServer, silent: Timestamp) {
    let (terms, renewals) = (api.terms(), api.renewals());
    let taken = terms[1].since;
    let renewed = renewals.iter().rfind(|renewal| renewal.holder == terms[0].holder).unwrap().since;
    let left = Duration::try_from(taken.duration_since(renewed)).unwrap();
    assert!(left >= LEASE, "taken {left:?} after a renewal: {terms:?}");
    let took = Duration::try_from(taken.duration_since(silent)).unwrap();
    assert!(took <= LEASE + RETRY + SLACK, "taken after {took:?}: {terms:?}");
}

#[tokio::test]
async fn without_the_role_that_ships_nobody_leads_and_the_log_says_why_and_with_it_somebody_does() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    let replica = stage.replica("one", &api).await;
    until("the log tells of the refusal", async || {
        replica.log().contains("leases.coordination.k8s.io \\\"dhmc-controller\\\" is forbidden")
    })
    .await;
    assert!(!replica.is_ready().await && !replica.leads().await);
    assert_eq!(stage.sandbox.journal().len(), 0, "who does not know who leads calls no AWS");
    api.allow_what_ships().await;
    until("it leads", async || replica.leads().await).await;
    stage.until_writes(&replica).await;
    let before = api.renewals().len();
    until("it renews", async || api.renewals().len() >= before + 3).await;
    let log = replica.log();
    let (_, since_it_leads) = log.split_once("this replica leads").expect("the log tells who leads");
    assert!(!since_it_leads.contains("forbidden"), "all that is asked for is allowed: {since_it_leads}");
    stage.assert_only_holders_wrote(&api).await;
}

#[tokio::test]
async fn when_the_leader_is_killed_the_other_takes_over() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (mut leader, follower) = two_replicas(&stage, &api).await;
    stage.until_writes(&leader).await;
    leader.kill().await;
    let killed = Timestamp::now();
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    assert_eq!(stage.assert_only_holders_wrote(&api).await, 2);
    assert_taken_in_time(&api, killed);
}

#[tokio::test]
async fn a_leader_that_is_cut_off_from_the_api_server_stops_writing_and_follows_when_it_is_back() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (leader, follower) = two_replicas(&stage, &api).await;
    stage.until_writes(&leader).await;
    leader.cut_off();
    let silent = Timestamp::now();
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    leader.reconnect();
    until("one follows", async || leader.leader().await.is_some_and(|name| name.starts_with("two_"))).await;
    assert_eq!(stage.assert_only_holders_wrote(&api).await, 2);
    assert_taken_in_time(&api, silent);
}

#[tokio::test]
async fn a_leader_whose_process_was_held_past_its_lease_writes_nothing_when_it_goes_on() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (leader, follower) = two_replicas(&stage, &api).await;
    stage.until_writes(&leader).await;
    // One write waits for its answer, one region for its next look, and one region is as ever.
    for (kind, region) in [(FaultKind::Slow(DEADLINE), "eu-west-1"), (FaultKind::Throttled, "us-east-1")] {
        stage.sandbox.inject(Fault::new(kind).operation("UpdateServiceSetting").region(region));
        let before = stage.writes_in(region);
        until("it is under way", async || stage.writes_in(region) > before).await;
    }
    leader.freeze().await;
    let silent = Timestamp::now();
    stage.sandbox.clear_faults();
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    let written = stage.writes_of("one");
    leader.go_on().await;
    until("one has done with what was in flight", async || leader.log().contains("this replica does not lead any more")).await;
    until("one follows", async || leader.leader().await.is_some_and(|name| name.starts_with("two_"))).await;
    stage.until_writes(&follower).await;
    assert_eq!(stage.writes_of("one"), written);
    assert_eq!(stage.assert_only_holders_wrote(&api).await, 2);
    assert_taken_in_time(&api, silent);
}

#[tokio::test]
async fn in_a_namespace_that_does_not_exist_nobody_leads_and_the_log_says_why() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    let replica = stage.replica_by("one", &api, |port| api.administrators_kubeconfig(port, "nowhere")).await;
    until("the log says so", async || replica.log().contains("namespaces \\\"nowhere\\\" not found")).await;
    assert!(!replica.is_ready().await && !replica.leads().await);
    assert_eq!(stage.sandbox.journal().len(), 0, "who does not know who leads calls no AWS");
    api.create_namespace("nowhere").await;
    until("it leads", async || replica.leads().await).await;
    stage.until_writes(&replica).await;
}

#[tokio::test]
async fn a_leader_that_is_stopped_gives_the_lease_back_to_the_real_api_server() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (mut leader, follower) = two_replicas(&stage, &api).await;
    assert_eq!(leader.terminate().await, Some(0));
    assert!(!api.holder().await.starts_with("one_"));
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    stage.assert_only_holders_wrote(&api).await;
}
