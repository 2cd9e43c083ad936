//! What everybody else is kept from, and who is exempt.

use serde_json::{Value, json};

use super::super::*;
use super::{about, actions, id, state, statements, value, words};

const CONTROLLER: &str = "arn:aws:iam::*:role/dhmc-controller";

fn pattern(text: &str) -> PrincipalPattern {
    text.parse().unwrap()
}

fn guard(spec: &str) -> Value {
    value(&scp(&state(spec), &Scope::default(), &[pattern(CONTROLLER)]).unwrap())
}

#[test]
fn every_statement_exempts_the_controller() {
    let policy = guard("{regions: {eu-west-1: enabled}, role: {tags: {a: b}, description: text}}");
    assert_eq!(statements(&policy).len(), 6);
    for statement in statements(&policy) {
        assert_eq!(statement["Effect"], "Deny");
        assert_eq!(statement["Condition"]["ArnNotLike"], json!({"aws:PrincipalArn": CONTROLLER}), "{statement:#}");
    }
}

#[test]
fn the_users_guides_sample_is_completed() {
    let policy = guard("{regions: {eu-west-1: enabled}}");
    let role = about(&policy, "iam:DeleteRole");
    let changes = [
        "iam:DeleteRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
    ];
    assert_eq!(words(&role["Action"]), changes);
    assert_eq!(role["Resource"], "arn:aws:iam::*:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole");
    let anywhere = ["", "*/"].map(|path| format!("arn:aws:iam::*:role/{path}AWSSystemsManagerDefaultEC2InstanceManagementRole"));
    let mut denied = words(&about(&policy, "iam:CreateRole")["Resource"]);
    denied.sort_unstable_by_key(|arn| arn.len());
    assert_eq!(denied, anywhere, "a role of the name elsewhere would keep ours from being made");
    assert_eq!(about(&policy, "iam:PassRole")["Condition"]["StringEquals"], json!({"iam:PassedToService": "ssm.amazonaws.com"}));
    assert_eq!(words(&about(&policy, "ssm:ResetServiceSetting")["Action"]).len(), 2);
    assert!(!actions(&policy).contains("iam:TagRole"));
    assert!(!actions(&policy).contains("iam:UpdateRole"));
}

/// Whoever may give a policy another version may do with the role what they like.
#[test]
fn policies_of_the_account_are_guarded_as_well_and_those_of_aws_need_it_not() {
    let role = |rest: &str| {
        format!(
            "{{regions: {{eu-west-1: enabled}}, role: {{policies: ['arn:aws:iam::111122223333:policy/hosts', AmazonSSMManagedEC2InstanceDefaultPolicy],
            permissionsBoundary: 'arn:aws:iam::111122223333:policy/edge' {rest}}}}}"
        )
    };
    let policy = guard(&role(""));
    let kept = about(&policy, "iam:CreatePolicyVersion");
    let changes = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion", "iam:DeletePolicy"];
    assert_eq!(words(&kept["Action"]), changes);
    assert_eq!(kept["Resource"], json!(["arn:aws:iam::111122223333:policy/edge", "arn:aws:iam::111122223333:policy/hosts"]));
    for spec in [role(", mode: observe"), "{regions: {eu-west-1: enabled}}".to_owned()] {
        assert!(!actions(&guard(&spec)).contains("iam:CreatePolicyVersion"), "{spec}");
    }
}

#[test]
fn only_what_is_enforced_is_guarded() {
    let policy = guard("{regions: {eu-west-1: enabled, us-east-1: {state: enabled, mode: observe}, sa-east-1: disabled}}");
    let regions = json!({"aws:RequestedRegion": ["eu-west-1", "sa-east-1"]});
    assert_eq!(about(&policy, "ssm:UpdateServiceSetting")["Condition"]["StringEquals"], regions);
    let observed = scp(&state("{mode: observe, regions: {eu-west-1: enabled}}"), &Scope::default(), &[pattern(CONTROLLER)]);
    assert_eq!(observed, Err(Unfit::NothingEnforced));
    // Somebody else keeps the role, and may pass it to nothing but what is kept from here.
    let external = guard("{regions: {eu-west-1: enabled}, role: {management: external}}");
    assert_eq!(actions(&external), ["iam:PassRole", "ssm:ResetServiceSetting", "ssm:UpdateServiceSetting"].into());
    // Others set the settings, and have to pass the role for that.
    let role_alone = guard("{mode: observe, regions: {eu-west-1: enabled}, role: {mode: enforce}}");
    assert!(!actions(&role_alone).contains("iam:PassRole") && actions(&role_alone).contains("iam:DeleteRole"));
}

#[test]
fn regions_that_nobody_named_are_guarded_with_the_others() {
    let policy = guard("{regions: {eu-west-1: unmanaged}, otherRegions: enabled}");
    let but = json!({"aws:RequestedRegion": "eu-west-1"});
    assert_eq!(about(&policy, "ssm:UpdateServiceSetting")["Condition"]["StringNotEquals"], but);
}

const MEMBERS: &str =
    "{regions: {eu-west-1: enabled}, accounts: [{id: '111122223333'}, {id: '222233334444', assumeRole: {name: m}}],
    organization: {assumeRole: {name: o, path: /p/}}}";

#[test]
fn roles_that_are_assumed_are_exempt_and_the_own_one_has_to_be_named() {
    assert_eq!(scp(&state(MEMBERS), &Scope::default(), &[]), Err(Unfit::ControllerUnknown));
    let policy = guard(MEMBERS);
    let exempt = json!(["arn:aws:iam::*:role/p/o", "arn:aws:iam::222233334444:role/m", CONTROLLER]);
    for statement in statements(&policy) {
        assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"], exempt);
    }
    let members_only = state("{regions: {eu-west-1: enabled}, organization: {assumeRole: {name: o}}}");
    assert!(scp(&members_only, &Scope::default(), &[]).is_ok());
    // For a member's account, the controller's own role is of no account.
    assert!(scp(&state(MEMBERS), &Scope::of(id("222233334444")), &[]).is_ok());
    assert_eq!(scp(&state(MEMBERS), &Scope::of(id("111122223333")), &[]), Err(Unfit::ControllerUnknown));
}

#[test]
fn whoever_gets_the_deny_needs_no_exemption() {
    let policy = value(&deny(&state("{regions: {eu-west-1: enabled}}"), &Scope::default(), &[]).unwrap());
    assert!(statements(&policy).iter().all(|statement| statement["Condition"].get("ArnNotLike").is_none()));
}

#[test]
fn whoever_is_to_stay_allowed_can_be_there() {
    let spec = "{account: '111122223333', regions: {eu-west-1: enabled}}";
    let with = |principal: &str| scp(&state(spec), &Scope::default(), &[pattern(principal)]);
    assert!(with("arn:aws:iam::111122223333:role/x").is_ok());
    assert!(with("arn:*:iam::*:role/x").is_ok());
    assert_eq!(with("arn:aws:iam::999999999999:role/x"), Err(Unfit::ElsewhereAccount(id("111122223333"))));
    let refused = with("arn:aws-cn:iam::111122223333:role/x").unwrap_err();
    assert!(matches!(refused, Unfit::ElsewherePartition { partition: Partition::Aws, .. }), "{refused}");
}

#[test]
fn a_partition_that_is_not_the_documents_is_refused() {
    let scope = Scope { partition: Some(Partition::AwsCn), ..Scope::default() };
    let refused = scope.check(&state("{regions: {eu-west-1: enabled}}")).unwrap_err();
    assert_eq!(refused.to_string(), "the document is for partition aws, not for aws-cn; leave --partition out");
    assert_eq!(scope.check(&state("{regions: {cn-north-1: enabled}}")), Ok(()));
}
