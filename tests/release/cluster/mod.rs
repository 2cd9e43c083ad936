//! Leader election against a real kube-apiserver with etcd and RBAC, by the Role that ships.

mod api_server;
mod replica;
mod shipped;

use std::time::Duration;

use api_server::ApiServer;
use replica::{Replica, Stage};

/// Far longer than anything here takes: reached only when something is wrong.
const DEADLINE: Duration = Duration::from_mins(1);

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
    // All that the role allows is what is asked for: nothing else was refused meanwhile.
    assert!(!api.holder().await.is_empty());
    stage.assert_only_holders_wrote(&api).await;
}

#[tokio::test]
async fn when_the_leader_is_killed_the_other_takes_over() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (mut leader, follower) = two_replicas(&stage, &api).await;
    stage.until_writes(&leader).await;
    leader.kill().await;
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    let terms = stage.assert_only_holders_wrote(&api).await;
    assert_eq!(terms, 2);
}

#[tokio::test]
async fn a_leader_that_is_cut_off_from_the_api_server_stops_writing_and_follows_when_it_is_back() {
    let (api, stage) = (ApiServer::start().await, Stage::new().await);
    api.allow_what_ships().await;
    let (leader, follower) = two_replicas(&stage, &api).await;
    stage.until_writes(&leader).await;
    leader.cut_off();
    until("one stops", async || !leader.leads().await).await;
    assert!(api.holder().await.starts_with("one_"), "the lease is still its own when it stops");
    let written = stage.writes_of("one");
    until("two leads", async || follower.leads().await).await;
    stage.until_writes(&follower).await;
    assert_eq!(stage.writes_of("one"), written);
    leader.reconnect();
    until("one follows", async || leader.leader().await.is_some_and(|name| name.starts_with("two_"))).await;
    assert_eq!(stage.assert_only_holders_wrote(&api).await, 2);
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
