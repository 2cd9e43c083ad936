//! Roles of other accounts, before two referees: the sandbox, and ministack with its checks on (`AUTH=true`), where signatures
//! are verified, users and sessions may do what their policies say, and trust policies are read. The policies are the ones
//! that ship in `deploy/iam`; where a referee cannot take them as they are, it says so here.
//!
//! Where the two differ, tests at the end hold the difference.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_organizations::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::harness::{Controller, DEADLINE, until};
use crate::referee::{ACCOUNT, Referee, before_both};
use crate::sdk::{Admin, POLICY, ROLE, VALUE};

const PAYMENTS: &str = "222233334444";
const LEDGER: &str = "000033334444";
/// As the shipped trust policy writes it.
const EXTERNAL_ID: &str = "an-external-id-of-your-own";
const HUB: &str = "arn:aws:sts::111122223333:assumed-role/dhmc-hub/pod";

before_both! { strict_ministack:
    the_shipped_policies_let_the_hub_keep_its_own_account_and_others
    a_wrong_external_id_shuts_out_of_one_account_and_no_other
    a_role_that_is_not_there_shuts_out_of_one_account_and_no_other
    session_tags_need_the_right_to_tag
    drift_in_a_member_is_corrected_through_its_role
    an_organization_is_kept_through_its_roles
}

fn config_of(aws: &Referee, credentials: &Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&aws.url)
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials.clone()))
        .build()
}

fn shipped(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/iam").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The trust policy as it ships, for this organization.
async fn trust(aws: &Referee) -> Value {
    let mut policy = shipped("member-trust-policy.json");
    let organization = if let Some(sandbox) = aws.as_sandbox() {
        sandbox.organization(ACCOUNT).id()
    } else {
        let client = aws_sdk_organizations::Client::new(&config_of(aws, &aws.credentials));
        client.describe_organization().send().await.unwrap().organization.unwrap().id.unwrap()
    };
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] = json!(organization);
    }
    policy
}

/// The rights in an account as they ship. ministack authorises settings on `*` only, knows roles without their path, and has
/// no `iam:PolicyARN`, so that there it is the list of actions that is tried. (The sandbox evaluates no policies of roles, but
/// those that `least_privilege` gives it.)
fn rights(account: &str) -> Value {
    let mut policy = shipped("controller-policy.json");
    for statement in policy["Statement"].as_array_mut().unwrap() {
        if statement["Action"].to_string().contains("ssm:") {
            statement["Resource"] = json!("*");
        } else if statement["Resource"] != "*" {
            statement["Resource"] = json!(format!("arn:aws:iam::{account}:role/{ROLE}"));
        }
        statement.as_object_mut().unwrap().remove("Condition");
    }
    policy
}

async fn put_rights(admin: &Admin, role: &str, name: &str, policy: &Value) {
    admin.iam.put_role_policy().role_name(role).policy_name(name).policy_document(policy.to_string()).send().await.unwrap();
}

/// A session of the hub's role, which may do what ships and no more.
async fn hub(aws: &Referee) -> Credentials {
    let admin = Admin::of(aws);
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" } ] });
    admin.create_role("dhmc-hub", "/", &trust.to_string()).await;
    let mut reach = shipped("hub-policy.json");
    // ministack does not know `aws:ResourceOrgID`; `least_privilege` holds it.
    for statement in reach["Statement"].as_array_mut().unwrap() {
        statement.as_object_mut().unwrap().remove("Condition");
    }
    put_rights(&admin, "dhmc-hub", "reach", &reach).await;
    put_rights(&admin, "dhmc-hub", "keep", &rights(ACCOUNT)).await;
    let sts = aws_sdk_sts::Client::new(&config_of(aws, &aws.credentials));
    let role = format!("arn:aws:iam::{ACCOUNT}:role/dhmc-hub");
    let answer = sts.assume_role().role_arn(role).role_session_name("pod").send().await.unwrap();
    let granted = answer.credentials.unwrap();
    let token = Some(granted.session_token);
    Credentials::new(granted.access_key_id, granted.secret_access_key, token, None, "test")
}

/// An account that lets the hub in.
async fn member(aws: &Referee, account: &str, trust: &Value) -> Admin {
    let admin = Admin::of(&aws.in_account(account));
    admin.create_role("dhmc-controller", "/", &trust.to_string()).await;
    put_rights(&admin, "dhmc-controller", "keep", &rights(account)).await;
    admin
}

fn entry(account: &str, external_id: &str) -> String {
    format!(
        "{{id: '{account}', assumeRole: {{name: dhmc-controller, externalId: {external_id}, sessionTags: {{team: platform}}}}}}"
    )
}

fn spec(entries: &[String]) -> String {
    format!(
        "{{regions: {{us-east-1: enabled, eu-west-1: enabled}}, accounts: [{{id: '{ACCOUNT}', name: hub}}, {}]}}",
        entries.join(", ")
    )
}

async fn settled(controller: &Controller, account: &str, state: &str) {
    until(&format!("{account} is {state}"), DEADLINE, async || {
        let targets = controller.targets(account).await;
        targets.len() == 4 && targets.iter().all(|target| target["state"] == state)
    })
    .await;
}

async fn the_shipped_policies_let_the_hub_keep_its_own_account_and_others(aws: Referee) {
    let (hub, trust) = (hub(&aws).await, trust(&aws).await);
    let (payments, ledger) = (member(&aws, PAYMENTS, &trust).await, member(&aws, LEDGER, &trust).await);
    let entries = [entry(PAYMENTS, EXTERNAL_ID), entry(LEDGER, EXTERNAL_ID)];
    let controller = Controller::start(&spec(&entries), &aws.url, &hub).await;
    for account in [ACCOUNT, PAYMENTS, LEDGER] {
        settled(&controller, account, "in_sync").await;
    }
    for (admin, by) in [
        (&Admin::of(&aws), HUB),
        (&payments, "arn:aws:sts::222233334444:assumed-role/dhmc-controller/dhmc-controller"),
        (&ledger, "arn:aws:sts::000033334444:assumed-role/dhmc-controller/dhmc-controller"),
    ] {
        for region in ["us-east-1", "eu-west-1"] {
            let setting = admin.get_setting(region).await;
            assert_eq!((setting.setting_value(), setting.last_modified_user()), (Some(VALUE), Some(by)));
        }
        assert_eq!(admin.attached(ROLE).await, [POLICY]);
    }
    controller.stop().await;
}

async fn a_wrong_external_id_shuts_out_of_one_account_and_no_other(aws: Referee) {
    let (hub, trust) = (hub(&aws).await, trust(&aws).await);
    let (payments, _) = (member(&aws, PAYMENTS, &trust).await, member(&aws, LEDGER, &trust).await);
    let wrong = [entry(PAYMENTS, "guessed"), entry(LEDGER, EXTERNAL_ID)];
    let controller = Controller::start(&spec(&wrong), &aws.url, &hub).await;
    settled(&controller, LEDGER, "in_sync").await;
    settled(&controller, PAYMENTS, "blocked").await;
    let reason = controller.target_in(PAYMENTS, "us-east-1").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("sts:AssumeRole: AccessDenied") && reason.contains(HUB), "{reason}");
    assert!(!payments.role_exists(ROLE).await);
    assert_eq!(payments.setting("us-east-1").await, "$None");

    controller.edit(&spec(&[entry(PAYMENTS, EXTERNAL_ID), entry(LEDGER, EXTERNAL_ID)]));
    settled(&controller, PAYMENTS, "in_sync").await;
    controller.stop().await;
}

async fn a_role_that_is_not_there_shuts_out_of_one_account_and_no_other(aws: Referee) {
    let (hub, trust) = (hub(&aws).await, trust(&aws).await);
    member(&aws, LEDGER, &trust).await;
    let entries = [entry(PAYMENTS, EXTERNAL_ID), entry(LEDGER, EXTERNAL_ID)];
    let controller = Controller::start(&spec(&entries), &aws.url, &hub).await;
    settled(&controller, LEDGER, "in_sync").await;
    settled(&controller, PAYMENTS, "blocked").await;
    let reason = controller.target_in(PAYMENTS, "account").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("the role arn:aws:iam::222233334444:role/dhmc-controller is not there"), "{reason}");
    assert!(!reason.contains(EXTERNAL_ID), "{reason}");
    controller.stop().await;
}

async fn session_tags_need_the_right_to_tag(aws: Referee) {
    let (hub, mut trust) = (hub(&aws).await, trust(&aws).await);
    trust["Statement"].as_array_mut().unwrap().retain(|statement| statement["Action"] == "sts:AssumeRole");
    member(&aws, PAYMENTS, &trust).await;
    let tagged = spec(&[entry(PAYMENTS, EXTERNAL_ID)]);
    let controller = Controller::start(&tagged, &aws.url, &hub).await;
    settled(&controller, PAYMENTS, "blocked").await;
    let reason = controller.target_in(PAYMENTS, "account").await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("sts:TagSession"), "{reason}");
    controller.edit(&tagged.replace(", sessionTags: {team: platform}", ""));
    settled(&controller, PAYMENTS, "in_sync").await;
    controller.stop().await;
}

async fn drift_in_a_member_is_corrected_through_its_role(aws: Referee) {
    let (hub, trust) = (hub(&aws).await, trust(&aws).await);
    let payments = member(&aws, PAYMENTS, &trust).await;
    let controller = Controller::start(&spec(&[entry(PAYMENTS, EXTERNAL_ID)]), &aws.url, &hub).await;
    settled(&controller, PAYMENTS, "in_sync").await;
    payments.reset_setting("eu-west-1").await;
    payments.detach(ROLE, POLICY).await;
    until("the setting is set again", DEADLINE, async || payments.setting("eu-west-1").await == VALUE).await;
    until("the policy is attached again", DEADLINE, async || payments.attached(ROLE).await == [POLICY]).await;
    controller.stop().await;
}

/// An organization of the hub: accounts in a unit, in a unit beneath that one, at the root, and one that was closed.
struct Organization {
    workloads: String,
    nested: String,
    in_workloads: String,
    in_nested: String,
    at_root: String,
    closed: String,
}

/// Only ministack builds one by call; it chooses the ids.
async fn organization(aws: &Referee) -> Organization {
    if let Some(sandbox) = aws.as_sandbox() {
        let organization = sandbox.organization(ACCOUNT);
        let workloads = organization.unit(&organization.root(), "workloads");
        let nested = organization.unit(&workloads, "nested");
        let [in_workloads, in_nested, at_root, closed] = [1, 2, 3, 4].map(|number| format!("{number:012}"));
        let parents =
            [(&in_workloads, &workloads), (&in_nested, &nested), (&at_root, &organization.root()), (&closed, &workloads)];
        for (id, parent) in parents {
            organization.add(id, "member", parent);
        }
        organization.set_status(&closed, aws_sandbox::AccountStatus::Suspended);
        return Organization { workloads, nested, in_workloads, in_nested, at_root, closed };
    }
    let client = aws_sdk_organizations::Client::new(&config_of(aws, &aws.credentials));
    let root = client.list_roots().send().await.unwrap().roots.unwrap().remove(0).id.unwrap();
    let unit = async |parent: &str, name: &str| {
        let answer = client.create_organizational_unit().parent_id(parent).name(name).send().await.unwrap();
        answer.organizational_unit.unwrap().id.unwrap()
    };
    let workloads = unit(&root, "workloads").await;
    let nested = unit(&workloads, "nested").await;
    let account = async |parent: &str| {
        let answer = client.create_account().account_name("member").email("member@example.com").send().await.unwrap();
        let id = answer.create_account_status.unwrap().account_id.unwrap();
        if parent != root {
            let request = client.move_account().account_id(&id).source_parent_id(&root).destination_parent_id(parent);
            request.send().await.unwrap();
        }
        id
    };
    let (in_workloads, in_nested) = (account(&workloads).await, account(&nested).await);
    let (at_root, closed) = (account(&root).await, account(&workloads).await);
    client.close_account().account_id(&closed).send().await.unwrap();
    Organization { workloads, nested, in_workloads, in_nested, at_root, closed }
}

async fn an_organization_is_kept_through_its_roles(aws: Referee) {
    let (organization, hub, trust) = (organization(&aws).await, hub(&aws).await, trust(&aws).await);
    let Organization { workloads, nested, in_workloads, in_nested, at_root, closed } = &organization;
    for account in [in_workloads, in_nested, at_root, closed] {
        member(&aws, account, &trust).await;
    }
    let access = format!("assumeRole: {{name: dhmc-controller, externalId: {EXTERNAL_ID}}}");
    let declared = |selection: &str| {
        format!("{{regions: {{us-east-1: enabled, eu-west-1: enabled}}, organization: {{{access}, {selection}}}}}")
    };
    let exclude = format!("exclude: {{organizationalUnits: [{nested}], accounts: ['{ACCOUNT}']}}");
    let controller = Controller::start(&declared(&exclude), &aws.url, &hub).await;
    for account in [in_workloads, at_root] {
        settled(&controller, account, "in_sync").await;
        assert_eq!(Admin::of(&aws.in_account(account)).setting("us-east-1").await, VALUE);
    }
    for account in [in_nested, closed] {
        assert!(controller.targets(account).await.is_empty(), "{account}");
    }
    // Only a unit, with what is beneath it.
    controller.edit(&declared(&format!("include: {{organizationalUnits: [{workloads}]}}")));
    settled(&controller, in_nested, "in_sync").await;
    until("the account at the root is let go", DEADLINE, async || controller.targets(at_root).await.is_empty()).await;
    assert_eq!(Admin::of(&aws.in_account(at_root)).setting("us-east-1").await, VALUE, "and left as it was");
    assert_eq!(Admin::of(&aws.in_account(closed)).setting("us-east-1").await, "$None");
    controller.stop().await;
}

/// Without its checks ministack lets anybody into a role that does not exist, so that only a strict one can be a referee here.
#[tokio::test]
async fn ministack_without_checks_opens_sessions_of_roles_that_do_not_exist() {
    for (aws, refused) in [
        (Referee::ministack().await, None),
        (Referee::strict_ministack().await, Some("AccessDenied")),
        (Referee::sandbox().await, Some("AccessDenied")),
    ] {
        let sts = aws_sdk_sts::Client::new(&config_of(&aws, &aws.credentials));
        let role = format!("arn:aws:iam::{PAYMENTS}:role/nobody");
        let error = sts.assume_role().role_arn(role).role_session_name("test").send().await.err();
        assert_eq!(error.as_ref().and_then(ProvideErrorMetadata::code), refused);
    }
}

/// To ministack every account owns an organization. AWS, and the sandbox, answer only to members.
#[tokio::test]
async fn ministack_makes_up_an_organization_for_whoever_asks() {
    for (aws, refused) in
        [(Referee::strict_ministack().await, None), (Referee::sandbox().await, Some("AWSOrganizationsNotInUseException"))]
    {
        let client = aws_sdk_organizations::Client::new(&config_of(&aws, &aws.in_account(PAYMENTS).credentials));
        let error = client.list_accounts().send().await.err();
        assert_eq!(error.as_ref().and_then(ProvideErrorMetadata::code), refused);
    }
}

/// To ministack a unit that does not exist is an empty one.
#[tokio::test]
async fn ministack_takes_any_id_for_an_empty_unit() {
    for (aws, refused) in [(Referee::strict_ministack().await, None), (Referee::sandbox().await, Some("ParentNotFoundException"))]
    {
        organization(&aws).await;
        let client = aws_sdk_organizations::Client::new(&config_of(&aws, &aws.credentials));
        let error = client.list_accounts_for_parent().parent_id("ou-none-12345678").send().await.err();
        assert_eq!(error.as_ref().and_then(ProvideErrorMetadata::code), refused);
    }
}
