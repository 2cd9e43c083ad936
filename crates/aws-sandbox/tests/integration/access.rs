//! Policies in force: what they allow and refuse, in which words, on which resource and by which keys.

use aws_sandbox::{AccountHandle, OrganizationHandle, RegionStatus, Role, SETTING_ID, Sandbox};
use serde_json::{Value, json};

use crate::client::{ACCOUNT, Client, REGION, ROLE, Reply, VALUE, sandbox};

const CONTROLLER: &str = "arn:aws:iam::123456789012:role/dhmc-controller";
const POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
const TRUST: &str = aws_sandbox::SSM_TRUST_POLICY;

fn policy(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// A sandbox in which the controller may do this and nothing else.
async fn allowing(statements: &Value) -> (Sandbox, AccountHandle, Client) {
    let (sandbox, account) = sandbox().await;
    account.authorize_role(CONTROLLER, &policy(statements)).unwrap();
    let client = Client::new(&sandbox, account.credentials());
    (sandbox, account, client)
}

fn role_arn(path: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role{path}{ROLE}")
}

fn get() -> Value {
    json!({"SettingId": SETTING_ID})
}

fn update() -> Value {
    json!({"SettingId": SETTING_ID, "SettingValue": VALUE})
}

/// Refused, for want of a policy that allows exactly this.
fn unallowed(reply: &Reply, action: &str) {
    assert!(reply.code().starts_with("AccessDenied"), "{reply:?}");
    let why = format!("because no identity-based policy allows the {action} action");
    assert!(reply.body.contains(&why), "{reply:?}");
}

#[tokio::test]
async fn a_role_may_do_what_its_policy_allows_and_others_everything() {
    let setting = format!("arn:aws:ssm:us-east-2:{ACCOUNT}:servicesetting/ssm/managed-instance/*");
    let (sandbox, account, client) = allowing(&allow("ssm:Get*", &setting)).await;
    client.ssm("GetServiceSetting", get()).await.ok();
    let refused = client.ssm("ResetServiceSetting", get()).await;
    refused.refused(400, "AccessDeniedException");
    unallowed(&refused, "ssm:ResetServiceSetting");
    let elsewhere = client.in_region("eu-west-1").ssm("GetServiceSetting", get()).await;
    unallowed(&elsewhere, "ssm:GetServiceSetting");
    assert!(elsewhere.body.contains("arn:aws:ssm:eu-west-1:123456789012:servicesetting/ssm/managed-instance/"), "{elsewhere:?}");
    unallowed(&client.iam("GetRole", &[("RoleName", ROLE)]).await, "iam:GetRole");
    client.sts("GetCallerIdentity").await.ok();
    let other = Client::new(&sandbox, account.identity("assumed-role/Administrator/alice"));
    other.ssm("ResetServiceSetting", get()).await.ok();
    account.authorize(&policy(&allow("ssm:ResetServiceSetting", "*"))).unwrap();
    client.ssm("ResetServiceSetting", get()).await.ok();
    unallowed(&other.ssm("GetServiceSetting", get()).await, "ssm:GetServiceSetting");
    account.forget_policies();
    other.ssm("GetServiceSetting", get()).await.ok();
}

#[tokio::test]
async fn the_region_of_a_call_can_be_asked_about() {
    let statement = json!({"Effect": "Allow", "Action": "ssm:GetServiceSetting", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}});
    let (_sandbox, _account, client) = allowing(&statement).await;
    client.ssm("GetServiceSetting", get()).await.ok();
    unallowed(&client.in_region("eu-west-1").ssm("GetServiceSetting", get()).await, "ssm:GetServiceSetting");
}

#[tokio::test]
async fn an_explicit_deny_is_told_as_such() {
    let both = json!([allow("*", "*"), {"Effect": "Deny", "Action": "ssm:Update*", "Resource": "*"}]);
    let (_sandbox, _account, client) = allowing(&both).await;
    client.ssm("GetServiceSetting", get()).await.ok();
    let refused = client.ssm("UpdateServiceSetting", update()).await;
    refused.refused(400, "AccessDeniedException");
    assert!(refused.body.contains("with an explicit deny in an identity-based policy"), "{refused:?}");
}

#[tokio::test]
async fn a_role_is_asked_about_with_its_path_and_a_missing_one_without() {
    let (_sandbox, account, client) = allowing(&allow("iam:GetRole", &role_arn("/service-role/"))).await;
    let name = [("RoleName", ROLE)];
    let missing = client.iam("GetRole", &name).await;
    unallowed(&missing, "iam:GetRole");
    assert!(missing.body.contains(&format!("on resource: role {ROLE} because")), "{missing:?}");
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    client.iam("GetRole", &name).await.ok();
    account.put_role(Role::trusting_ssm("/", ROLE));
    unallowed(&client.iam("GetRole", &name).await, "iam:GetRole");
    account.authorize_role(CONTROLLER, &policy(&allow("iam:GetRole", &role_arn("/")))).unwrap();
    account.delete_role(ROLE);
    client.iam("GetRole", &name).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn creating_a_role_is_asked_about_with_path_boundary_and_tags() {
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    let statement = json!([
        {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": role_arn("/service-role/"),
         "Condition": {"ArnEquals": {"iam:PermissionsBoundary": boundary}, "StringLikeIfExists": {"aws:RequestTag/team": "plat*"}}},
        {"Effect": "Allow", "Action": "iam:TagRole", "Resource": role_arn("/service-role/"),
         "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
    ]);
    let (_sandbox, account, client) = allowing(&statement).await;
    let create = async |further: &[(&str, &str)]| {
        let base = [("RoleName", ROLE), ("AssumeRolePolicyDocument", TRUST)];
        client.iam("CreateRole", &[&base, further].concat()).await
    };
    let (at, bound) = (("Path", "/service-role/"), ("PermissionsBoundary", boundary));
    let tag = |value| [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", value)];
    let unbound = create(&[at]).await;
    unallowed(&unbound, "iam:CreateRole");
    assert!(unbound.body.contains(&role_arn("/service-role/")), "{unbound:?}");
    unallowed(&create(&[bound]).await, "iam:CreateRole");
    unallowed(&create(&[&[at, bound][..], &tag("sales")].concat()).await, "iam:CreateRole");
    let other = [("Tags.member.1.Key", "cost"), ("Tags.member.1.Value", "1")];
    unallowed(&create(&[&[at, bound][..], &other].concat()).await, "iam:TagRole");
    create(&[&[at, bound][..], &tag("platform")].concat()).await.ok();
    assert!(account.role(ROLE).is_some());
}

#[tokio::test]
async fn attaching_is_asked_about_with_the_policy_and_the_boundary_the_role_has() {
    let condition = json!({"ArnLike": {"iam:PolicyARN": POLICY}, "Null": {"iam:PermissionsBoundary": "true"}});
    let statement = json!({"Effect": "Allow", "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        "Resource": "arn:aws:iam::*:role/service-role/*", "Condition": condition});
    let (_sandbox, account, client) = allowing(&statement).await;
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    let change = async |action: &str, arn: &str| client.iam(action, &[("RoleName", ROLE), ("PolicyArn", arn)]).await;
    change("AttachRolePolicy", POLICY).await.ok();
    change("DetachRolePolicy", POLICY).await.ok();
    let other = "arn:aws:iam::aws:policy/AdministratorAccess";
    unallowed(&change("AttachRolePolicy", other).await, "iam:AttachRolePolicy");
    account.edit_role(ROLE, |role| role.permissions_boundary = Some(other.to_owned()));
    unallowed(&change("DetachRolePolicy", POLICY).await, "iam:DetachRolePolicy");
}

#[tokio::test]
async fn naming_a_role_in_a_setting_passes_it_to_systems_manager() {
    let pass = |service: &str| {
        json!([allow("ssm:UpdateServiceSetting", "*"), {"Effect": "Allow", "Action": "iam:PassRole",
            "Resource": role_arn("/service-role/"), "Condition": {"StringEquals": {"iam:PassedToService": service}}}])
    };
    let (_sandbox, account, client) = allowing(&pass("ec2.amazonaws.com")).await;
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    let refused = client.ssm("UpdateServiceSetting", update()).await;
    refused.refused(400, "AccessDeniedException");
    unallowed(&refused, "iam:PassRole");
    account.authorize_role(CONTROLLER, &policy(&pass("ssm.amazonaws.com"))).unwrap();
    client.ssm("UpdateServiceSetting", update()).await.ok();
}

#[tokio::test]
async fn a_session_needs_the_callers_policy_and_the_roles_trust() {
    let member = "arn:aws:iam::222233334444:role/dhmc-member";
    let (sandbox, account, client) = allowing(&allow("sts:AssumeRole", member)).await;
    let trust = |organization: &str| {
        policy(&json!([{"Effect": "Allow", "Principal": {"AWS": CONTROLLER}, "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"sts:ExternalId": "dhmc-7", "aws:PrincipalOrgID": organization}}}]))
    };
    let owner = sandbox.organization(ACCOUNT);
    owner.add("222233334444", "member", &owner.root());
    let id = organization_id(&client, &account).await;
    sandbox.account("222233334444").put_role(Role::new("/", "dhmc-member", &trust(&id)));
    let assume = async |role: &str, further: &[(&str, &str)]| {
        let base = [("RoleArn", role), ("RoleSessionName", "hub"), ("ExternalId", "dhmc-7")];
        client.sts_with("AssumeRole", &[&base, further].concat()).await
    };
    assume(member, &[]).await.ok();
    unallowed(&assume("arn:aws:iam::222233334444:role/other", &[]).await, "sts:AssumeRole");
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "a")];
    unallowed(&assume(member, &tags).await, "sts:TagSession");
    account.authorize_role(CONTROLLER, &policy(&allow("sts:TagSession", member))).unwrap();
    assume(member, &tags).await.ok();
    sandbox.account("222233334444").put_role(Role::new("/", "dhmc-member", &trust("o-another123")));
    assume(member, &[]).await.refused(403, "AccessDenied");
}

/// Asked for by somebody whom no policy binds.
async fn organization_id(client: &Client, account: &AccountHandle) -> String {
    let unbound = client.signing_with(account.identity("user/owner"));
    let described = unbound.organizations("DescribeOrganization", json!({})).await.ok();
    described.json()["Organization"]["Id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn organizations_and_regions_are_asked_about_by_the_arns_of_the_reference() {
    let (sandbox, account, client) = allowing(&allow("organizations:ListRoots", "*")).await;
    let organization = sandbox.organization(ACCOUNT);
    organization.add("222233334444", "member", &organization.root());
    let (id, root) = (organization_id(&client, &account).await, organization.root());
    client.organizations("ListRoots", json!({})).await.ok();
    let accounts = client.organizations("ListAccounts", json!({})).await;
    accounts.refused(400, "AccessDeniedException");
    assert!(accounts.body.contains("organizations:ListAccounts on resource: * because"), "{accounts:?}");
    let below = client.organizations("ListAccountsForParent", json!({"ParentId": root})).await;
    assert!(below.body.contains(&format!("arn:aws:organizations::{ACCOUNT}:root/{id}/{root} because")), "{below:?}");
    let own = client.account("/listRegions", json!({})).await;
    own.refused(403, "AccessDeniedException");
    assert!(own.body.contains(&format!("arn:aws:account::{ACCOUNT}:account because")), "{own:?}");
    let of_member = client.account("/listRegions", json!({"AccountId": "222233334444"})).await;
    assert!(of_member.body.contains(&format!("arn:aws:account::{ACCOUNT}:account/{id}/222233334444 because")), "{of_member:?}");
    for (action, resource) in [
        ("account:ListRegions", format!("arn:aws:account::{ACCOUNT}:account/{id}/*")),
        ("organizations:ListAccountsForParent", format!("arn:aws:organizations::{ACCOUNT}:root/{id}/*")),
    ] {
        account.authorize_role(CONTROLLER, &policy(&allow(action, &resource))).unwrap();
    }
    client.organizations("ListAccountsForParent", json!({"ParentId": root})).await.ok();
    client.account("/listRegions", json!({"AccountId": "222233334444"})).await.ok();
    unallowed(&client.account("/listRegions", json!({})).await, "account:ListRegions");
}

/// A member whose organization forbids everybody but the controller to change the setting.
async fn guarded() -> (Sandbox, OrganizationHandle, AccountHandle) {
    let (sandbox, member) = sandbox().await;
    let organization = sandbox.organization("999999999999");
    organization.add(ACCOUNT, "member", &organization.root());
    let deny = json!({"Effect": "Deny", "Action": "ssm:ResetServiceSetting", "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:*:iam::*:role/dhmc-controller"}}});
    organization.attach_policy(&organization.root(), &policy(&deny)).unwrap();
    (sandbox, organization, member)
}

#[tokio::test]
async fn a_service_control_policy_binds_members_but_whom_it_spares_and_the_management_account() {
    let (sandbox, organization, member) = guarded().await;
    Client::new(&sandbox, member.credentials()).ssm("ResetServiceSetting", get()).await.ok();
    let others = [member.identity("assumed-role/Administrator/alice"), member.identity("user/dhmc-controller")];
    for other in others {
        let refused = Client::new(&sandbox, other).ssm("ResetServiceSetting", get()).await;
        refused.refused(400, "AccessDeniedException");
        assert!(refused.body.contains("with an explicit deny in a service control policy"), "{refused:?}");
    }
    let manager = sandbox.account("999999999999").identity("user/bob");
    Client::new(&sandbox, manager).ssm("ResetServiceSetting", get()).await.ok();
    organization.detach_policies();
    Client::new(&sandbox, member.identity("user/bob")).ssm("ResetServiceSetting", get()).await.ok();
}

#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_is_given_to_nobody() {
    let (sandbox, account) = sandbox().await;
    let organization = sandbox.organization(ACCOUNT);
    let bad = policy(
        &json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
    );
    let why = account.authorize(&bad).unwrap_err().to_string();
    assert!(why.contains("Bool"), "{why}");
    assert!(account.authorize_role(CONTROLLER, &bad).is_err());
    assert!(organization.attach_policy(&organization.root(), &bad).is_err());
    let good = policy(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    assert!(organization.attach_policy("ou-none", &good).unwrap_err().to_string().contains("ou-none"));
    Client::new(&sandbox, account.credentials()).ssm("GetServiceSetting", get()).await.ok();
}

/// The decisions of a simulation, in order.
fn decisions(reply: &Reply) -> Vec<&str> {
    let parts = reply.body.split("<EvalDecision>").skip(1);
    parts.map(|part| part.split_once("</EvalDecision>").unwrap().0).collect()
}

#[tokio::test]
async fn a_simulation_decides_as_the_calls_would_be() {
    let statements = json!([
        allow("ssm:*", "*"), {"Effect": "Deny", "Action": "ssm:ResetServiceSetting", "Resource": "*"},
        allow("iam:SimulatePrincipalPolicy", CONTROLLER),
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role_arn("/service-role/"),
         "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}},
    ]);
    let (_sandbox, account, client) = allowing(&statements).await;
    let simulate = async |further: &[(&str, &str)]| {
        client.iam("SimulatePrincipalPolicy", &[&[("PolicySourceArn", CONTROLLER)], further].concat()).await
    };
    let actions = [
        ("ActionNames.member.1", "ssm:GetServiceSetting"),
        ("ActionNames.member.2", "ssm:ResetServiceSetting"),
        ("ActionNames.member.3", "iam:CreateRole"),
    ];
    let simulated = simulate(&actions).await.ok();
    assert_eq!(decisions(&simulated), ["allowed", "explicitDeny", "implicitDeny"]);
    assert_eq!(simulated.element("EvalActionName"), Some("ssm:GetServiceSetting"));
    assert_eq!(simulated.element("EvalResourceName"), Some("*"));
    assert_eq!(simulated.element("IsTruncated"), Some("false"));

    let (arn, other) = (role_arn("/service-role/"), role_arn("/"));
    let pass = [("ActionNames.member.1", "iam:PassRole"), ("ResourceArns.member.1", &arn), ("ResourceArns.member.2", &other)];
    let simulated = simulate(&pass).await.ok();
    assert_eq!(decisions(&simulated), ["implicitDeny", "implicitDeny"]);
    assert!(simulated.body.contains("<MissingContextValues><member>iam:PassedToService</member></MissingContextValues>"));
    let key = [
        ("ContextEntries.member.1.ContextKeyName", "iam:PassedToService"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "ssm.amazonaws.com"),
    ];
    assert_eq!(decisions(&simulate(&[&pass[..], &key].concat()).await.ok()), ["allowed", "implicitDeny"]);

    let of = async |arn: &str| client.iam("SimulatePrincipalPolicy", &[("PolicySourceArn", arn), actions[0]]).await;
    unallowed(&of(&format!("arn:aws:iam::{ACCOUNT}:role/other")).await, "iam:SimulatePrincipalPolicy");
    account.authorize_role(CONTROLLER, &policy(&allow("iam:SimulatePrincipalPolicy", "*"))).unwrap();
    of(&account.credentials().arn).await.refused(400, "InvalidInput");
    account.put_role(Role::trusting_ssm("/team/", "other"));
    of(&format!("arn:aws:iam::{ACCOUNT}:role/other")).await.refused(404, "NoSuchEntity");
    assert_eq!(decisions(&of(&format!("arn:aws:iam::{ACCOUNT}:role/team/other")).await.ok()), ["allowed"]);
}

#[tokio::test]
async fn a_simulation_sees_only_service_control_policies_without_conditions() {
    let (sandbox, organization, member) = guarded().await;
    let client = Client::new(&sandbox, member.identity("user/bob"));
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let simulate = async || {
        let asked = [("PolicySourceArn", bob.as_str()), ("ActionNames.member.1", "ssm:ResetServiceSetting")];
        client.iam("SimulatePrincipalPolicy", &asked).await.ok()
    };
    let blind = simulate().await;
    assert_eq!((decisions(&blind), blind.element("AllowedByOrganizations")), (vec!["allowed"], Some("true")));
    let deny = policy(&json!({"Effect": "Deny", "Action": "ssm:Reset*", "Resource": "*"}));
    organization.attach_policy(ACCOUNT, &deny).unwrap();
    let seen = simulate().await;
    assert_eq!((decisions(&seen), seen.element("AllowedByOrganizations")), (vec!["explicitDeny"], Some("false")));
}

/// A closed region does not know the key, before any policy is asked.
#[tokio::test]
async fn a_closed_region_is_told_before_any_policy() {
    let (_sandbox, account, client) = allowing(&allow("sts:GetCallerIdentity", "*")).await;
    account.set_region(REGION, RegionStatus::Disabled);
    client.ssm("GetServiceSetting", get()).await.refused(400, "UnrecognizedClientException");
}
