//! Identity first: nothing is written before it is known whose account this is.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Options, Sandbox};

use crate::harness::{Controller, DEADLINE, get, until};
use crate::referee::{ACCOUNT, credentials_of};

const SPEC: &str = "{regions: {us-east-1: enabled, eu-west-1: disabled}}";

#[tokio::test]
async fn while_sts_is_away_nothing_is_called_in_the_account_and_the_probes_stay_well() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.inject(Fault::new(FaultKind::Unavailable503).service("sts"));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    for name in ["account", "role", "us-east-1", "eu-west-1"] {
        let target = controller.until(name, "unknown").await;
        assert_eq!(target["account"], "own", "the id is not known yet");
    }
    until("ready", DEADLINE, async || get(&format!("{}/readyz", controller.url)).await.unwrap().status == 200).await;
    assert_eq!(get(&format!("{}/livez", controller.url)).await.unwrap().status, 200);
    let others = |call: &aws_sandbox::Call| call.service != "sts";
    assert!(!sandbox.journal().calls().iter().any(others), "only sts was called");

    sandbox.clear_faults();
    let target = controller.until("us-east-1", "in_sync").await;
    assert_eq!(target["account"], ACCOUNT);
    controller.stop().await;
}

#[tokio::test]
async fn the_first_call_of_all_is_get_caller_identity() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    assert_eq!(sandbox.journal().calls()[0].operation, "GetCallerIdentity");
    controller.stop().await;
}

#[tokio::test]
async fn what_was_verified_holds_while_sts_is_away() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.inject(Fault::new(FaultKind::Unavailable503).service("sts"));
    controller.until("account", "unknown").await;
    account.reset_setting("us-east-1", "arn:aws:iam::111122223333:user/mallory");
    let corrected = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.is_some();
    sandbox.wait_until(Duration::from_secs(30), corrected).await.expect("drift is corrected all the same");
    controller.stop().await;
}
