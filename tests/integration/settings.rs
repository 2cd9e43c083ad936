//! AWS's awkward sides, as only the sandbox plays them.

use std::time::Duration;

use aws_sandbox::{Options, RegionStatus, Sandbox};
use dhmc_controller::app::PassResult;

use crate::harness::{Controller, DEADLINE, once, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::{ROLE, VALUE};

const SPEC: &str = "{regions: {us-east-1: enabled}}";

fn writes(sandbox: &Sandbox) -> Vec<String> {
    sandbox.journal().writes().into_iter().map(|call| call.operation).collect()
}

#[tokio::test]
async fn a_pending_update_is_waited_for_and_not_written_again() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| knobs.pending_update = Duration::from_secs(2));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    assert_eq!(writes(&sandbox), ["CreateRole", "AttachRolePolicy", "UpdateServiceSetting"]);
    controller.stop().await;
}

#[tokio::test]
async fn a_new_role_that_iam_does_not_show_yet_is_waited_for() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| knobs.role_invisible = Duration::from_secs(2));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    controller.until("role", "in_sync").await;
    assert_eq!(writes(&sandbox).iter().filter(|operation| *operation == "CreateRole").count(), 1);
    let failed = format!(
        "dhmc_corrections_total{{account=\"{ACCOUNT}\",kind=\"role_missing\",region=\"global\",resource=\"role\",result=\"failed\"}}"
    );
    assert!(controller.metric(&failed).await.abs() < 0.1, "waiting for IAM is no failure");
    controller.stop().await;
}

#[tokio::test]
async fn a_new_role_that_systems_manager_does_not_see_yet_is_tried_again_soon() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| knobs.role_unusable = Duration::from_secs(2));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    let target = controller.until("us-east-1", "in_sync").await;
    assert_eq!(target["observed"], VALUE);
    controller.stop().await;
}

#[tokio::test]
async fn a_role_that_vanishes_for_one_look_is_not_created_again() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.journal().clear();
    let account = sandbox.account(ACCOUNT);
    let role = account.role(ROLE).unwrap();
    account.delete_role(ROLE);
    let looked = |sandbox: &Sandbox| {
        sandbox.journal().calls().iter().any(|call| call.operation == "GetRole" && call.error_code() == Some("NoSuchEntity"))
    };
    sandbox.wait_until(DEADLINE, looked).await.unwrap();
    account.put_role(role);
    controller.until("role", "in_sync").await;
    assert_eq!(writes(&sandbox), Vec::<String>::new());
    controller.stop().await;
}

#[tokio::test]
async fn a_role_that_stays_away_is_created_again() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.account(ACCOUNT).delete_role(ROLE);
    sandbox.wait_until(DEADLINE, |sandbox| sandbox.account(ACCOUNT).role(ROLE).is_some()).await.unwrap();
    controller.until("role", "in_sync").await;
    controller.stop().await;
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_blocked_and_says_so_and_the_others_go_on() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let spec = "{regions: {us-east-1: enabled, af-south-1: enabled}}";
    let controller = Controller::start(spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    let target = controller.until("af-south-1", "blocked").await;
    let reason = target["reason"].as_str().unwrap();
    assert!(reason.contains("region af-south-1 is not enabled for this account"), "{reason}");
    controller.stop().await;
}

#[tokio::test]
async fn other_regions_follow_what_the_account_opens() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| knobs.page_size = 5);
    let account = sandbox.account(ACCOUNT);
    let controller = Controller::start("{otherRegions: enabled}", &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    assert!(controller.target("af-south-1").await.is_null());
    account.set_region("af-south-1", RegionStatus::Enabled);
    until("an opened region is enabled", DEADLINE, async || account.setting("af-south-1").value.is_some()).await;
    controller.stop().await;
}

#[tokio::test]
async fn a_converged_pass_over_34_regions_makes_34_setting_reads_two_iam_reads_and_no_write() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    for region in account.regions().keys() {
        account.set_region(region, RegionStatus::Enabled);
    }
    let credentials = credentials_of(&sandbox);
    assert_eq!(once("{otherRegions: enabled}", &sandbox.url(), &credentials).await, PassResult::InSync);
    sandbox.journal().clear();
    assert_eq!(once("{otherRegions: enabled}", &sandbox.url(), &credentials).await, PassResult::InSync);
    let count = |operation: &str| sandbox.journal().calls().iter().filter(|call| call.operation == operation).count();
    assert_eq!(count("GetServiceSetting"), 34);
    assert_eq!([count("GetRole"), count("ListAttachedRolePolicies")], [1, 1]);
    assert_eq!([count("GetCallerIdentity"), count("ListRegions")], [1, 1]);
    assert_eq!(sandbox.journal().len(), 38);
    assert_eq!(writes(&sandbox), Vec::<String>::new());
}

#[tokio::test]
async fn who_changed_a_setting_last_is_told() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let spec = "{regions: {us-east-1: {state: enabled, mode: observe}}, role: {mode: enforce}}";
    let account = sandbox.account(ACCOUNT);
    account.set_setting("us-east-1", "Other", "arn:aws:sts::111122223333:assumed-role/Administrator/mallory");
    let controller = Controller::start(spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    let target = controller.until("us-east-1", "drifted").await;
    assert_eq!(target["lastChangedBy"], "arn:aws:sts::111122223333:assumed-role/Administrator/mallory");
    assert!(target["lastChangedAt"].is_string());
    controller.stop().await;
}
