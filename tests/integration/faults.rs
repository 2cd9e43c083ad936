//! AWS saying no, saying nothing, or saying nonsense. Each test: what was called, what state is told, when it is tried again.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Options, Sandbox};
use jiff::Timestamp;
use serde_json::Value;

use crate::harness::{Controller, DEADLINE, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

const SPEC: &str = "{regions: {us-east-1: enabled, eu-west-1: enabled}}";

async fn converged() -> (Sandbox, Controller) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    for name in ["us-east-1", "eu-west-1"] {
        controller.until(name, "in_sync").await;
    }
    (sandbox, controller)
}

/// Seconds from the last attempt to the next.
fn delay(target: &Value) -> f64 {
    let at = |field: &str| target[field].as_str().unwrap().parse::<Timestamp>().unwrap();
    at("nextDue").duration_since(at("lastAttempt")).as_secs_f64()
}

/// A read that fails: the state, the reason, the delay; the other region goes on; and it is well once the fault ends.
async fn a_failed_read(kind: FaultKind, state: &str, reason: &str, delays: std::ops::Range<f64>) {
    let (sandbox, controller) = converged().await;
    sandbox.inject(Fault::new(kind).operation("GetServiceSetting").region("eu-west-1"));
    let target = controller.until("eu-west-1", state).await;
    let told = target["reason"].as_str().unwrap();
    assert!(told.contains(reason), "{told}");
    assert!(delays.contains(&delay(&target)), "{} not in {delays:?}", delay(&target));
    assert_eq!(target["observed"], VALUE, "what was last read stays to be seen");

    sandbox.account(ACCOUNT).reset_setting("us-east-1", "arn:aws:iam::111122223333:user/mallory");
    let other = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.is_some();
    sandbox.wait_until(DEADLINE, other).await.expect("the other region goes on");
    sandbox.clear_faults();
    if state == "unknown" {
        controller.until("eu-west-1", "in_sync").await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_throttled_read_is_unknown_and_tried_again_soon() {
    a_failed_read(FaultKind::Throttled, "unknown", "ThrottlingException", 0.4..3.0).await;
}

#[tokio::test]
async fn an_internal_error_is_unknown_and_tried_again_soon() {
    a_failed_read(FaultKind::Internal500, "unknown", "ssm:GetServiceSetting: InternalServerError", 0.4..3.0).await;
}

#[tokio::test]
async fn a_dropped_connection_is_unknown_and_tried_again_soon() {
    a_failed_read(FaultKind::DropBeforeActing, "unknown", "no connection", 0.4..3.0).await;
}

#[tokio::test]
async fn garbage_is_unknown_and_never_in_sync() {
    a_failed_read(FaultKind::Garbage, "unknown", "ssm:GetServiceSetting", 0.4..3.0).await;
}

#[tokio::test]
async fn a_denied_read_is_blocked_and_tried_again_slowly() {
    a_failed_read(FaultKind::AccessDenied, "blocked", "AccessDeniedException", 14.0..31.0).await;
}

#[tokio::test]
async fn expired_credentials_are_blocked() {
    a_failed_read(FaultKind::ExpiredCredentials, "blocked", "ExpiredTokenException", 14.0..31.0).await;
}

#[tokio::test]
async fn a_denied_write_is_blocked_and_names_the_call() {
    let (sandbox, controller) = converged().await;
    sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("UpdateServiceSetting"));
    sandbox.account(ACCOUNT).reset_setting("eu-west-1", "arn:aws:iam::111122223333:user/mallory");
    let target = controller.until("eu-west-1", "blocked").await;
    assert!(target["reason"].as_str().unwrap().starts_with("ssm:UpdateServiceSetting: AccessDeniedException"), "{target:#}");
    assert!((14.0..31.0).contains(&delay(&target)));
    assert_eq!(target["observed"], "unset");
    let failed = format!(
        "dhmc_corrections_total{{account=\"{ACCOUNT}\",kind=\"setting_unset\",region=\"eu-west-1\",resource=\"setting\",result=\"failed\"}}"
    );
    assert!(controller.metric(&failed).await >= 1.0);
    controller.stop().await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_found_done_and_not_repeated() {
    let (sandbox, controller) = converged().await;
    sandbox.journal().clear();
    sandbox.inject(Fault::new(FaultKind::DropAfterActing).operation("UpdateServiceSetting"));
    sandbox.account(ACCOUNT).reset_setting("eu-west-1", "arn:aws:iam::111122223333:user/mallory");
    until("the write is found done", DEADLINE, async || {
        let calls = sandbox.journal().calls();
        calls.iter().any(|call| call.operation == "UpdateServiceSetting")
            && controller.target("eu-west-1").await["state"] == "in_sync"
    })
    .await;
    let updates = sandbox.journal().calls().iter().filter(|call| call.operation == "UpdateServiceSetting").count();
    assert_eq!(updates, 1, "a write is not repeated by the SDK");
    controller.stop().await;
}

#[tokio::test]
async fn a_race_for_the_role_is_won_by_looking_again() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.inject(Fault::new(FaultKind::EntityAlreadyExists).operation("CreateRole").times(1));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    controller.stop().await;
}

#[tokio::test]
async fn too_many_updates_is_tried_again_soon() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.inject(Fault::new(FaultKind::TooManyUpdates).operation("UpdateServiceSetting").times(2));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    controller.until("eu-west-1", "in_sync").await;
    controller.stop().await;
}

#[tokio::test]
async fn a_hanging_region_does_not_delay_the_others_even_with_one_more_worker_than_it_takes() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.inject(Fault::new(FaultKind::Slow(Duration::from_mins(1))).service("ssm").region("eu-west-1"));
    let settings = crate::harness::Settings { workers: 2, ..crate::harness::Settings::default() };
    let controller = Controller::start_with(settings, SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.account(ACCOUNT).reset_setting("us-east-1", "arn:aws:iam::111122223333:user/mallory");
    let other = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.is_some();
    sandbox.wait_until(Duration::from_secs(8), other).await.expect("corrected while the other region hangs");
    controller.stop().await;
}
