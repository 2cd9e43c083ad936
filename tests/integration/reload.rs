//! Edits of the desired state while the controller runs.

use std::os::unix::fs::symlink;
use std::time::Duration;

use aws_sandbox::{Options, Sandbox};
use tokio::time::Instant;

use crate::harness::{Controller, DEADLINE, document, get, until};
use crate::referee::{ACCOUNT, credentials_of};

const BEFORE: &str = "{regions: {us-east-1: enabled}}";
const AFTER: &str = "{regions: {us-east-1: enabled, eu-west-1: enabled}}";
/// What the README promises.
const PROMISE: Duration = Duration::from_secs(3);

async fn running() -> (Sandbox, Controller) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(BEFORE, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    (sandbox, controller)
}

async fn takes_effect(sandbox: &Sandbox, edited: Instant) {
    let enabled = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("eu-west-1").value.is_some();
    sandbox.wait_until(DEADLINE, enabled).await.expect("the edit takes effect");
    assert!(edited.elapsed() < PROMISE, "{:?}", edited.elapsed());
}

#[tokio::test]
async fn a_plain_write_takes_effect() {
    let (sandbox, controller) = running().await;
    std::fs::write(&controller.config, document(AFTER)).unwrap();
    takes_effect(&sandbox, Instant::now()).await;
    controller.stop().await;
}

#[tokio::test]
async fn an_editors_rename_takes_effect() {
    let (sandbox, controller) = running().await;
    let beside = controller.config.with_extension("new");
    std::fs::write(&beside, document(AFTER)).unwrap();
    std::fs::rename(&beside, &controller.config).unwrap();
    takes_effect(&sandbox, Instant::now()).await;
    controller.stop().await;
}

#[tokio::test]
async fn the_symlink_swap_of_a_mounted_config_map_takes_effect() {
    let (sandbox, controller) = running().await;
    let folder = controller.config.parent().unwrap();
    let version = |name: &str, spec: &str| {
        std::fs::create_dir(folder.join(name)).unwrap();
        std::fs::write(folder.join(name).join("dhmc.yaml"), document(spec)).unwrap();
    };
    version("..1", BEFORE);
    symlink("..1", folder.join("..data")).unwrap();
    std::fs::remove_file(&controller.config).unwrap();
    symlink("..data/dhmc.yaml", &controller.config).unwrap();

    version("..2", AFTER);
    symlink("..2", folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    takes_effect(&sandbox, Instant::now()).await;
    controller.stop().await;
}

#[tokio::test]
async fn a_bad_edit_leaves_the_last_good_state_in_force_and_is_told() {
    let (sandbox, controller) = running().await;
    controller.edit("{regions: {us-east-1: enabled, eu-wset-1: enabled}}");
    let rejected = async || controller.status().await["configuration"]["inForce"] == false;
    until("the edit is rejected", DEADLINE, rejected).await;
    let problem = controller.status().await["configuration"]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("eu-west-1"), "suggests the nearest region: {problem}");
    assert!((controller.metric("dhmc_config_last_reload_successful").await).abs() < 0.1);

    sandbox.account(ACCOUNT).reset_setting("us-east-1", "arn:aws:iam::111122223333:user/mallory");
    let corrected = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.is_some();
    sandbox.wait_until(DEADLINE, corrected).await.expect("the last good state is kept");
    assert_eq!(get(&format!("{}/readyz", controller.url)).await.unwrap().status, 200);

    controller.edit(AFTER);
    controller.until("eu-west-1", "in_sync").await;
    assert_eq!(controller.status().await["configuration"]["inForce"], true);
    controller.stop().await;
}

#[tokio::test]
async fn a_region_that_leaves_the_document_is_forgotten_and_not_reset() {
    let (sandbox, controller) = running().await;
    controller.edit(AFTER);
    controller.until("eu-west-1", "in_sync").await;
    sandbox.journal().clear();
    controller.edit("{regions: {us-east-1: enabled}}");
    until("it is forgotten", DEADLINE, async || controller.target("eu-west-1").await.is_null()).await;
    assert!(sandbox.account(ACCOUNT).setting("eu-west-1").value.is_some());
    assert_eq!(sandbox.journal().writes().len(), 0);
    controller.stop().await;
}

#[tokio::test]
async fn another_role_comes_before_the_settings_that_point_to_it() {
    let (sandbox, controller) = running().await;
    controller.edit("{role: {name: Another, path: /}, regions: {us-east-1: enabled}}");
    let moved = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.as_deref() == Some("Another");
    sandbox.wait_until(DEADLINE, moved).await.unwrap();
    let calls = sandbox.journal().calls();
    let last = |operation: &str| {
        calls.iter().rposition(|call| call.operation == operation && call.error_code().is_none()).expect(operation)
    };
    assert!(last("CreateRole") < last("UpdateServiceSetting"));
    assert!(sandbox.account(ACCOUNT).role(crate::sdk::ROLE).is_some(), "the old role is never deleted");
    controller.stop().await;
}
