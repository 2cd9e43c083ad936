//! The service setting: ids, default record, role validation, pending and concurrent writes.

use std::time::Duration;

use aws_sandbox::{ConcurrentWrites, PendingShows, Role, RoleCheck, SETTING_ID, SSM_TRUST_POLICY};
use serde_json::json;

use crate::client::{ACCOUNT, Client, REGION, ROLE, VALUE, sandbox};

fn id() -> serde_json::Value {
    json!({"SettingId": SETTING_ID})
}

fn value(value: &str) -> serde_json::Value {
    json!({"SettingId": SETTING_ID, "SettingValue": value})
}

#[tokio::test]
async fn a_setting_never_written_is_none_of_system() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let reply = client.ssm("GetServiceSetting", id()).await.ok();
    let setting = &reply.json()["ServiceSetting"];
    assert_eq!(setting["SettingValue"], "$None");
    assert_eq!(setting["Status"], "Default");
    assert_eq!(setting["LastModifiedUser"], "System");
    assert_eq!(setting["SettingId"], SETTING_ID);
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:servicesetting{SETTING_ID}");
    assert_eq!(setting["ARN"], arn);
    assert_eq!(account.setting(REGION).value, None);
}

#[tokio::test]
async fn an_update_names_its_caller_and_a_reset_undoes_it() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    let alice = account.identity("assumed-role/Administrator/alice");
    let client = Client::new(&sandbox, alice.clone());
    let updated = client.ssm("UpdateServiceSetting", value(VALUE)).await.ok();
    assert_eq!(updated.json(), json!({}));
    let setting = account.setting(REGION);
    assert_eq!(setting.value.as_deref(), Some(VALUE));
    assert_eq!(setting.status, "Customized");
    assert_eq!(setting.last_modified_user, alice.arn);
    assert_eq!(account.setting("us-east-1").value, None);

    let reset = client.ssm("ResetServiceSetting", id()).await.ok();
    assert_eq!(reset.json()["ServiceSetting"]["SettingValue"], "$None");
    assert_eq!(reset.json()["ServiceSetting"]["Status"], "Default");
}

#[tokio::test]
async fn short_id_and_arn_are_the_same_setting() {
    let (sandbox, account) = sandbox().await;
    account.set_setting(REGION, "role", "arn:somebody");
    let client = Client::new(&sandbox, account.credentials());
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:servicesetting{SETTING_ID}");
    let reply = client.ssm("GetServiceSetting", json!({"SettingId": arn})).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "role");
    assert_eq!(reply.json()["ServiceSetting"]["SettingId"], SETTING_ID);
}

#[tokio::test]
async fn a_setting_of_another_regions_or_accounts_arn_is_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    for owner in [format!("us-west-1:{ACCOUNT}"), format!("{REGION}:999999999999")] {
        let arn = format!("arn:aws:ssm:{owner}:servicesetting{SETTING_ID}");
        let reply = client.ssm("GetServiceSetting", json!({"SettingId": arn})).await;
        reply.refused(400, "ValidationException");
        assert_eq!(reply.json()["message"], format!("Invalid settingId : {arn}"));
    }
}

#[tokio::test]
async fn unknown_settings_and_regions_without_it_are_not_found() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let other = json!({"SettingId": "/ssm/parameter-store/high-throughput-enabled-x"});
    client.ssm("GetServiceSetting", other).await.refused(400, "ServiceSettingNotFound");
    client.ssm("GetServiceSetting", id()).await.ok();
    sandbox.configure(|knobs| {
        knobs.regions_without_setting.insert(REGION.to_owned());
    });
    client.ssm("GetServiceSetting", id()).await.refused(400, "ServiceSettingNotFound");
}

#[tokio::test]
async fn missing_parameters_and_operations_are_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "ValidationException");
    client.ssm("UpdateServiceSetting", value("")).await.refused(400, "ValidationException");
    client.ssm("GetServiceSetting", json!([])).await.refused(400, "SerializationException");
    client.ssm("NoSuchOperation", json!({})).await.refused(400, "UnknownOperationException");
}

#[tokio::test]
async fn a_role_that_ssm_cannot_use_is_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let refused = async |given: &str| {
        let reply = client.ssm("UpdateServiceSetting", value(given)).await;
        reply.refused(400, "ValidationException");
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{given}");
        let message = format!("Nonexistent role or missing ssm service principal in trust policy: {role}");
        assert_eq!(reply.json()["message"], message);
    };
    refused(VALUE).await;
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    refused(ROLE).await;
    account.edit_role(ROLE, |role| {
        role.trust_policy = SSM_TRUST_POLICY.replace("ssm.", "ec2.");
    });
    refused(VALUE).await;
    assert_eq!(account.setting(REGION).value, None);
    sandbox.configure(|knobs| knobs.role_check = RoleCheck::Accept);
    client.ssm("UpdateServiceSetting", value("anything")).await.ok();
    assert_eq!(account.setting(REGION).value.as_deref(), Some("anything"));
}

#[tokio::test]
async fn a_caller_that_may_not_pass_the_role_is_told_so() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    account.deny("iam:PassRole");
    let client = Client::new(&sandbox, account.credentials());
    let reply = client.ssm("UpdateServiceSetting", value(VALUE)).await;
    reply.refused(400, "AccessDeniedException");
    assert!(reply.body.contains("is not authorized to perform: iam:PassRole"), "{reply:?}");
    account.allow("iam:PassRole");
    client.ssm("UpdateServiceSetting", value(VALUE)).await.ok();
}

#[tokio::test]
async fn a_pending_write_shows_until_it_is_done_and_refuses_others() {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| {
        knobs.role_check = RoleCheck::Accept;
        knobs.pending_update = Duration::from_hours(1);
        knobs.pending_shows = PendingShows::Old;
    });
    let client = Client::new(&sandbox, account.credentials());
    client.ssm("UpdateServiceSetting", value("first")).await.ok();
    let reply = client.ssm("GetServiceSetting", id()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["Status"], "PendingUpdate");
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "$None");
    sandbox.configure(|knobs| knobs.pending_shows = PendingShows::New);
    let reply = client.ssm("GetServiceSetting", id()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "first");

    client.ssm("UpdateServiceSetting", value("second")).await.refused(400, "TooManyUpdates");
    client.ssm("ResetServiceSetting", id()).await.refused(400, "TooManyUpdates");
    sandbox.configure(|knobs| {
        knobs.concurrent_writes = ConcurrentWrites::Accept;
        knobs.pending_update = Duration::from_millis(30);
    });
    client.ssm("UpdateServiceSetting", value("third")).await.ok();
    let settled =
        sandbox.wait_until(Duration::from_secs(10), |sandbox| sandbox.account(ACCOUNT).setting(REGION).status == "Customized");
    settled.await.unwrap();
    assert_eq!(account.setting(REGION).value.as_deref(), Some("third"));
}

#[tokio::test]
async fn a_role_not_yet_usable_is_refused_until_it_is() {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| knobs.role_unusable = Duration::from_hours(1));
    let client = Client::new(&sandbox, account.credentials());
    let create = [("RoleName", ROLE), ("Path", "/service-role/"), ("AssumeRolePolicyDocument", SSM_TRUST_POLICY)];
    client.iam("CreateRole", &create).await.ok();
    client.iam("GetRole", &[("RoleName", ROLE)]).await.ok();
    client.ssm("UpdateServiceSetting", value(VALUE)).await.refused(400, "ValidationException");
    sandbox.configure(|knobs| knobs.role_unusable = Duration::ZERO);
    let trust = [("RoleName", ROLE), ("PolicyDocument", SSM_TRUST_POLICY)];
    client.iam("UpdateAssumeRolePolicy", &trust).await.ok();
    client.ssm("UpdateServiceSetting", value(VALUE)).await.ok();
}
