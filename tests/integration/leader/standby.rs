//! One replica writes, and the others are ready to.

use serde_json::{Value, json};

use super::leases::Weather;
use super::replica::{REGIONS, SPEC, Stage};
use crate::harness::{DEADLINE, until};
use crate::referee::ACCOUNT;

/// One that nobody undoes anything in.
const QUIET: &str = "eu-north-1";

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

#[tokio::test]
async fn a_follower_that_gets_an_edit_leads_with_it_afterwards() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    let before = two.status().await["configuration"]["hash"].clone();
    assert!(before.is_string(), "{before}");
    two.edit(&SPEC.replace("{us-east-1: enabled", &format!("{{{QUIET}: enabled, us-east-1: enabled")));
    until("two has read it", DEADLINE, async || two.status().await["configuration"]["hash"] != before).await;
    let calls = stage.sandbox.journal().calls();
    assert!(!calls.iter().any(|call| call.principal.ends_with("user/two")), "who stands by calls no AWS");
    assert_eq!(stage.sandbox.account(ACCOUNT).setting(QUIET).value, None);
    one.crash();
    stage.until_leads(&two).await;
    let is_on = async || stage.sandbox.account(ACCOUNT).setting(QUIET).value.is_some();
    until("the edit takes effect", DEADLINE, is_on).await;
    assert!(stage.writes_of(&two).iter().any(|write| write.region == QUIET));
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn a_follower_tells_of_an_edit_that_is_no_good() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    let is_good = async || two.metric("dhmc_config_last_reload_successful").await;
    assert_eq!(is_good().await, Some(1.0));
    two.edit("{regions: {us-east-1: perhaps}}");
    until("two tells", DEADLINE, async || is_good().await == Some(0.0)).await;
    assert!(two.is_ready().await && !two.leads().await && one.leads().await);
    two.edit(SPEC);
    until("two is content", DEADLINE, async || is_good().await == Some(1.0)).await;
    stage.assert_only_holders_wrote();
}

#[tokio::test]
async fn what_the_guard_holds_is_held_by_the_next_leader_too_and_left_behind_by_the_last() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    stage.leave_in_peace();
    let account = stage.sandbox.account(ACCOUNT);
    let are_on = || REGIONS.iter().all(|region| account.setting(region).value.is_some());
    until("everything is on", DEADLINE, async || are_on()).await;
    for replica in [&one, &two] {
        replica.edit(&SPEC.replace("enabled", "disabled"));
    }
    let held = "dhmc_guard_held{removal=\"reset\"}";
    until("one holds the resets", DEADLINE, async || one.metric(held).await == Some(4.0)).await;
    one.door.set(Weather::CutOff);
    until("two holds them too", DEADLINE, async || two.metric(held).await == Some(4.0)).await;
    one.door.set(Weather::Fine);
    until("one follows", DEADLINE, async || one.status().await["leader"] == "two").await;
    one.assert_left_nothing_behind().await;
    assert_eq!(one.status().await["targets"], json!([]));
    assert!(are_on(), "nothing is reset");
    assert_eq!(stage.sandbox.journal().count("ssm", "ResetServiceSetting"), 0);
    assert_eq!(stage.holders(), ["one", "two"]);
    stage.assert_only_holders_wrote();
}
