//! Accounts that are reached through a role in them: sessions, their renewal, and what happens where there is none.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sandbox::{Fault, FaultKind, Filter, Options, Sandbox};
use serde_json::Value;

use crate::harness::{Controller, DEADLINE, get, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

const PAYMENTS: &str = "222233334444";
const LEDGER: &str = "000033334444";
const SPEC: &str = r#"
  regions: { us-east-1: enabled, eu-west-1: enabled }
  accounts:
    - { id: "111122223333", name: hub }
    - { id: "222233334444", name: payments, assumeRole: { name: dhmc-controller, externalId: sesame, sessionTags: { team: platform } } }
    - { id: "000033334444", name: ledger, assumeRole: { name: reach, path: /platform/ }, regions: { eu-west-1: disabled } }
"#;

/// A sandbox with the three accounts, and credentials of the hub.
async fn three_accounts() -> (Sandbox, Credentials) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let credentials = credentials_of(&sandbox);
    sandbox.account(PAYMENTS).trust("dhmc-controller", "/", ACCOUNT, Some("sesame"));
    // Session tags have to be allowed as well.
    let with_tags = |role: &mut aws_sandbox::Role| {
        role.trust_policy = role.trust_policy.replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\",\"sts:TagSession\"]");
    };
    sandbox.account(PAYMENTS).edit_role("dhmc-controller", with_tags);
    sandbox.account(LEDGER).trust("reach", "/platform/", ACCOUNT, None);
    (sandbox, credentials)
}

fn assumed(sandbox: &Sandbox, account: &str) -> usize {
    let name = |call: &&aws_sandbox::Call| call.parameter("RoleArn").is_some_and(|arn| arn.contains(account));
    sandbox.journal().matching(&Filter::any().service("sts").operation("AssumeRole")).iter().filter(name).count()
}

async fn settled(controller: &Controller, account: &str, state: &str) {
    until(&format!("{account} is {state}"), DEADLINE, async || {
        let targets = controller.targets(account).await;
        targets.len() >= 4 && targets.iter().all(|target| target["state"] == state)
    })
    .await;
}

#[tokio::test]
async fn every_account_is_kept_with_a_session_of_its_own_that_says_who_it_was() {
    let (sandbox, credentials) = three_accounts().await;
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    for account in [ACCOUNT, PAYMENTS, LEDGER] {
        settled(&controller, account, "in_sync").await;
    }
    let setting = |account: &str, region| sandbox.account(account).setting(region);
    assert_eq!((setting(PAYMENTS, "eu-west-1").value.as_deref(), setting(LEDGER, "eu-west-1").value), (Some(VALUE), None));
    let by = setting(PAYMENTS, "us-east-1").last_modified_user;
    assert_eq!(by, "arn:aws:sts::222233334444:assumed-role/dhmc-controller/dhmc-controller");
    let by = setting(LEDGER, "us-east-1").last_modified_user;
    assert_eq!(by, "arn:aws:sts::000033334444:assumed-role/reach/dhmc-controller");
    assert_eq!((assumed(&sandbox, PAYMENTS), assumed(&sandbox, LEDGER)), (1, 1), "a session serves every target of its account");
    let status = controller.target_in(PAYMENTS, "us-east-1").await;
    assert_eq!(status["accountName"], "payments", "{status:#}");
    controller.stop().await;
}

#[tokio::test]
async fn a_session_is_asked_of_the_regional_endpoint_with_its_external_id_and_tags() {
    let (sandbox, credentials) = three_accounts().await;
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    let calls = sandbox.journal().matching(&Filter::any().service("sts").operation("AssumeRole"));
    let call = calls.iter().find(|call| call.parameter("RoleArn").is_some_and(|arn| arn.contains(PAYMENTS))).unwrap();
    assert_eq!(call.region, "us-east-1");
    assert_eq!(call.parameter("ExternalId"), Some("sesame"));
    assert_eq!((call.parameter("Tags.member.1.Key"), call.parameter("Tags.member.1.Value")), (Some("team"), Some("platform")));
    assert_eq!(call.parameter("DurationSeconds"), Some("3600"));
    controller.stop().await;
}

#[tokio::test]
async fn an_account_whose_role_does_not_let_us_in_is_blocked_by_itself_and_tried_at_its_backoff() {
    let (sandbox, credentials) = three_accounts().await;
    sandbox.account(PAYMENTS).trust("dhmc-controller", "/", ACCOUNT, Some("open-barley"));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, LEDGER, "in_sync").await;
    settled(&controller, PAYMENTS, "blocked").await;
    let reason = controller.target_in(PAYMENTS, "us-east-1").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("arn:aws:iam::222233334444:role/dhmc-controller"), "{reason}");
    // The others are looked at over and over meanwhile.
    let looks = sandbox.journal().count("ssm", "GetServiceSetting");
    until("three more passes", DEADLINE, async || sandbox.journal().count("ssm", "GetServiceSetting") > looks + 12).await;
    assert_eq!(assumed(&sandbox, PAYMENTS), 1, "one call, and then the backoff of half a minute");
    let everything = get(&format!("{}/api/v1/status", controller.url)).await.unwrap().body;
    assert!(!everything.contains("sesame"), "the external id is nobody's business");
    controller.stop().await;
}

#[tokio::test]
async fn sessions_are_renewed_and_nothing_is_missed_meanwhile() {
    let (sandbox, credentials) = three_accounts().await;
    sandbox.configure(|knobs| knobs.session_seconds = Some(4));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    until("three sessions", DEADLINE, async || assumed(&sandbox, PAYMENTS) >= 3).await;
    sandbox.account(PAYMENTS).reset_setting("us-east-1", "mallory");
    let corrected = |sandbox: &Sandbox| sandbox.account(PAYMENTS).setting("us-east-1").value.as_deref() == Some(VALUE);
    sandbox.wait_until(DEADLINE, corrected).await.unwrap();
    let expired = |call: &&aws_sandbox::Call| call.error_code().is_some_and(|code| code.starts_with("ExpiredToken"));
    assert_eq!(sandbox.journal().calls().iter().filter(expired).count(), 0, "no call was made with a session that had run out");
    controller.stop().await;
}

#[tokio::test]
async fn a_session_that_aws_ends_early_is_opened_again() {
    let (sandbox, credentials) = three_accounts().await;
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    // By AWS's clock every session is over. Ours would have used it for another 45 minutes.
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 3 * 3600);
    until("another session", DEADLINE, async || assumed(&sandbox, PAYMENTS) >= 2).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    controller.stop().await;
}

/// The session that ends was good for nothing: the role was not created, and is created with the next one.
#[tokio::test]
async fn a_session_that_ends_just_before_a_write_costs_no_more_than_another_attempt() {
    let (sandbox, credentials) = three_accounts().await;
    let fault = |operation: &str| Fault::new(FaultKind::ExpiredCredentials).operation(operation).account(PAYMENTS).times(1);
    sandbox.inject(fault("CreateRole"));
    sandbox.inject(fault("UpdateServiceSetting"));
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    let began = std::time::Instant::now();
    settled(&controller, PAYMENTS, "in_sync").await;
    assert!(began.elapsed() < Duration::from_secs(20), "the wait for a new role that is not visible yet is longer");
    controller.stop().await;
}

#[tokio::test]
async fn an_account_that_is_not_that_of_the_own_credentials_and_has_no_role_to_assume_is_blocked() {
    let (sandbox, credentials) = three_accounts().await;
    let spec = r#"{regions: {us-east-1: enabled, eu-west-1: enabled}, accounts: [{id: "222233334444"}]}"#;
    let controller = Controller::start(spec, &sandbox.url(), &credentials).await;
    settled(&controller, PAYMENTS, "blocked").await;
    let reason = controller.target_in(PAYMENTS, "account").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("declare `assumeRole` for it"), "{reason}");
    let only_sts = |call: &aws_sandbox::Call| call.service == "sts";
    assert!(sandbox.journal().calls().iter().all(only_sts));
    controller.stop().await;
}

#[tokio::test]
async fn another_role_to_assume_is_verified_before_anything_is_written_through_it() {
    let (sandbox, credentials) = three_accounts().await;
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, LEDGER, "in_sync").await;
    controller.edit(&SPEC.replace("name: reach", "name: nobody"));
    settled(&controller, LEDGER, "blocked").await;
    let before = sandbox.journal().matching(&Filter::any().account(LEDGER)).len();
    sandbox.account(LEDGER).reset_setting("us-east-1", "mallory");
    let passes = sandbox.journal().count("ssm", "GetServiceSetting");
    until("more passes elsewhere", DEADLINE, async || sandbox.journal().count("ssm", "GetServiceSetting") > passes + 12).await;
    assert_eq!(sandbox.journal().matching(&Filter::any().account(LEDGER)).len(), before);
    controller.edit(SPEC);
    settled(&controller, LEDGER, "in_sync").await;
    controller.stop().await;
}

#[tokio::test]
async fn metrics_count_the_states_of_each_account() {
    let (sandbox, credentials) = three_accounts().await;
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    for account in [ACCOUNT, PAYMENTS, LEDGER] {
        settled(&controller, account, "in_sync").await;
        assert!((controller.metric(&format!("dhmc_targets{{account=\"{account}\",state=\"in_sync\"}}")).await - 4.0).abs() < 0.1);
    }
    controller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_itself_a_session_chains_into_the_accounts() {
    let (sandbox, _) = three_accounts().await;
    let hub = sandbox.account(ACCOUNT).identity("assumed-role/web-identity/pod");
    let credentials = crate::referee::sdk_credentials(hub);
    let controller = Controller::start(SPEC, &sandbox.url(), &credentials).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    controller.stop().await;
}

/// The standard chain finds a profile that assumes the hub's role first.
#[tokio::test]
async fn a_profile_with_a_source_profile_is_a_chain_that_works() {
    let (sandbox, _) = three_accounts().await;
    let user = sandbox.account("999988887777").identity("user/ci");
    sandbox.account(ACCOUNT).trust("hub", "/", "999988887777", None);
    let folder = tempfile::tempdir().unwrap();
    let profiles = format!(
        "[profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n[profile hub]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/hub\nsource_profile = base\nregion = eu-west-1\n",
        user.access_key_id, user.secret_access_key
    );
    std::fs::write(folder.path().join("config"), profiles).unwrap();
    std::fs::write(folder.path().join("dhmc.yaml"), crate::harness::document(SPEC)).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_dhmc-controller"))
        .args(["run", "--once", "--instance", "blue", "--config"])
        .arg(folder.path().join("dhmc.yaml"))
        .env_clear()
        .env("AWS_CONFIG_FILE", folder.path().join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("none"))
        .env("AWS_PROFILE", "hub")
        .env("AWS_ENDPOINT_URL", sandbox.url())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_mins(2), output).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let by = sandbox.account(PAYMENTS).setting("us-east-1").last_modified_user;
    assert_eq!(by, "arn:aws:sts::222233334444:assumed-role/dhmc-controller/dhmc-blue");
    let principals: Vec<Value> = sandbox
        .journal()
        .matching(&Filter::any().operation("AssumeRole"))
        .iter()
        .map(|call| call.principal.clone().into())
        .collect();
    assert!(principals.iter().any(|by| by.as_str().unwrap().contains(":assumed-role/hub/")), "{principals:?}");
}
