//! What the controller does not do at once: a change that takes away a lot, and the next round of a fight.

use std::time::Duration;

use aws_sandbox::{Options, Sandbox};

use crate::harness::{Controller, DEADLINE, Settings, get, until};
use crate::referee::{ACCOUNT, credentials_of};

const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";
const FOUR: [&str; 4] = ["eu-west-1", "eu-west-2", "us-east-1", "us-east-2"];

fn all(word: &str, more: &str) -> String {
    format!("{{regions: {{{}}}{more}}}", FOUR.map(|region| format!("{region}: {word}")).join(", "))
}

fn writes(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.journal().calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test]
async fn a_commit_that_switches_everything_off_does_so_only_when_it_is_confirmed_by_name() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(&all("enabled", ""), &sandbox.url(), &credentials_of(&sandbox)).await;
    for region in FOUR {
        controller.until(region, "in_sync").await;
    }
    controller.edit(&all("disabled", ""));
    for region in FOUR {
        let target = controller.until(region, "held").await;
        let reason = target["reason"].as_str().unwrap();
        assert!(
            reason.contains("would reset 4 of 4 settings that are on; together that is more than 2 and more than 20%"),
            "{reason}"
        );
    }
    assert!(controller.metric("dhmc_guard_held{removal=\"reset\"}").await.eq(&4.0));
    let status = controller.status().await;
    assert_eq!((&status["held"]["resets"], &status["held"]["detachments"]), (&4.into(), &0.into()));
    assert_eq!(writes(&sandbox, "ResetServiceSetting"), 0);

    let confirm = status["held"]["confirm"].as_str().unwrap();
    controller.edit(&all("disabled", &format!(", guard: {{confirm: {confirm}}}")));
    for region in FOUR {
        controller.until(region, "in_sync").await;
        assert_eq!(sandbox.account(ACCOUNT).setting(region).value, None);
    }
    assert_eq!(writes(&sandbox, "ResetServiceSetting"), 4);
    assert!(controller.metric("dhmc_guard_held{removal=\"reset\"}").await.eq(&0.0));
    controller.stop().await;
}

/// Mallory sets the region to a role of his as soon as anybody has corrected it.
async fn fought_over(value: &str, word: &str) -> (Sandbox, Controller) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let settings = Settings { interval: Duration::from_secs(1), ..Settings::default() };
    let spec = format!("{{regions: {{eu-west-1: {word}}}}}");
    let controller = Controller::start_with(settings, &spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    let fight = async || {
        if controller.target("eu-west-1").await["state"] == "in_sync" {
            sandbox.account(ACCOUNT).set_setting("eu-west-1", value, MALLORY);
        }
        controller.target("eu-west-1").await["state"] == "contended"
    };
    until("the controller gives way", 2 * DEADLINE, fight).await;
    (sandbox, controller)
}

#[tokio::test]
async fn a_fight_is_given_up_after_three_corrections_and_the_other_writer_is_named() {
    let (sandbox, controller) = fought_over("Theirs", "enabled").await;
    let reason = controller.target("eu-west-1").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with(&format!("{MALLORY} changes this back each time: 3 corrections were undone")), "{reason}");
    assert_eq!(writes(&sandbox, "UpdateServiceSetting"), 3);
    let series = format!("dhmc_contentions_total{{account=\"{ACCOUNT}\",region=\"eu-west-1\",resource=\"setting\"}}");
    assert!(controller.metric(&series).await.eq(&1.0));
    let scrape = get(&format!("{}/metrics", controller.url)).await.unwrap().body;
    assert!(scrape.contains(&format!("dhmc_targets{{account=\"{ACCOUNT}\",state=\"contended\"}} 1")), "{scrape}");
    // An edit of the target itself is tried at once.
    controller.edit("{regions: {eu-west-1: {state: enabled, mode: observe}}}");
    controller.until("eu-west-1", "drifted").await;
    controller.edit("{regions: {eu-west-1: enabled}}");
    controller.until("eu-west-1", "in_sync").await;
    assert_eq!(writes(&sandbox, "UpdateServiceSetting"), 4);
    controller.stop().await;
}

#[tokio::test]
async fn quick_setup_is_recognised_and_what_to_turn_off_is_said() {
    let role = "AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1";
    let (sandbox, controller) = fought_over(role, "disabled").await;
    let reason = controller.target("eu-west-1").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("AWS Quick Setup: turn Default Host Management Configuration off"), "{reason}");
    assert_eq!(writes(&sandbox, "ResetServiceSetting"), 3);
    controller.stop().await;
}
