//! What everybody else is kept from, and who is exempt.

use serde_json::{Value, json};

use super::super::*;
use super::{about, actions, id, state, statements, value, words};

const CONTROLLER: &str = "arn:aws:iam::*:role/dhmc-controller";

fn but(controller: &str) -> Allowed {
    Allowed { controllers: vec![controller.parse().unwrap()], deployers: Vec::new() }
}

/// What is said of what the controller keeps.
fn guard(spec: &str) -> Value {
    let mut policy = value(&scp(&state(spec), &Scope::default(), &but(CONTROLLER)).unwrap());
    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != OF_CONTROLLER);
    policy
}

/// What is said of the roles that stay allowed.
const OF_CONTROLLER: &str = "KeepController";

fn of_controller(policy: &PolicyDocument) -> Option<Value> {
    statements(&value(policy)).iter().find(|statement| statement["Sid"] == OF_CONTROLLER).cloned()
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
    let observed = scp(&state("{mode: observe, regions: {eu-west-1: enabled}}"), &Scope::default(), &but(CONTROLLER));
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
    assert_eq!(scp(&state(MEMBERS), &Scope::default(), &Allowed::default()), Err(Unfit::ControllerUnknown));
    let policy = guard(MEMBERS);
    let exempt = json!(["arn:aws:iam::*:role/p/o", "arn:aws:iam::222233334444:role/m", CONTROLLER]);
    for statement in statements(&policy) {
        assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"], exempt);
    }
    let members_only = state("{regions: {eu-west-1: enabled}, organization: {assumeRole: {name: o}}}");
    assert!(scp(&members_only, &Scope::default(), &Allowed::default()).is_ok());
    // For a member's account, the controller's own role is of no account.
    assert!(scp(&state(MEMBERS), &Scope::of(id("222233334444")), &Allowed::default()).is_ok());
    assert_eq!(scp(&state(MEMBERS), &Scope::of(id("111122223333")), &Allowed::default()), Err(Unfit::ControllerUnknown));
}

/// Whoever made such a role, or changed whom it trusts, would be it.
#[test]
fn roles_that_stay_allowed_are_for_themselves_and_for_what_deploys_them_to_change() {
    const STACK_SETS: &str = "arn:aws:iam::*:role/stacksets-exec-*";
    const DEPLOYER: &str = "arn:aws:iam::*:role/infrastructure/deployer";
    let mut allowed = but("arn:*:iam::*:role/hub");
    // Users are no roles, and have other doors.
    allowed.controllers.push("arn:aws:iam::111122223333:user/emergency".parse().unwrap());
    allowed.deployers.push(DEPLOYER.parse().unwrap());
    let kept = of_controller(&scp(&state(MEMBERS), &Scope::default(), &allowed).unwrap()).unwrap();
    let (hub, every, one) = ("arn:aws:iam::*:role/hub", "arn:aws:iam::*:role/p/o", "arn:aws:iam::222233334444:role/m");
    let resources: BTreeSet<&str> = words(&kept["Resource"]).into_iter().collect();
    assert_eq!(resources, [hub, every, one, STACK_SETS, DEPLOYER].into(), "IAM takes no pattern of partitions in a resource");
    let changed_by: BTreeSet<&str> = words(&kept["Condition"]["ArnNotLike"]["aws:PrincipalArn"]).into_iter().collect();
    let named = ["arn:*:iam::*:role/hub", "arn:aws:iam::111122223333:user/emergency"];
    assert_eq!(changed_by, [named[0], named[1], every, one, STACK_SETS, DEPLOYER].into());
    let changes = words(&kept["Action"]);
    for change in words(&about(&guard(MEMBERS), "iam:DeleteRole")["Action"]).into_iter().chain(["iam:CreateRole"]) {
        assert!(changes.contains(&change), "{change}");
    }
    // What deploys may change nothing else.
    for statement in statements(&value(&scp(&state(MEMBERS), &Scope::default(), &allowed).unwrap())) {
        assert_eq!(statement.to_string().contains(DEPLOYER), statement["Sid"] == OF_CONTROLLER, "{statement:#}");
    }
    let denial = of_controller(&deny(&state(MEMBERS), &Scope::default(), &allowed).unwrap()).unwrap();
    assert!(!denial.to_string().contains(STACK_SETS), "no stack set has a policy of yours: {denial:#}");
    assert_eq!(words(&denial["Action"]), changes);
}

#[test]
fn what_deploys_is_of_the_documents_partition() {
    let mut allowed = but(CONTROLLER);
    allowed.deployers.push("arn:aws-cn:iam::*:role/deployer".parse().unwrap());
    let refused = scp(&state("{regions: {eu-west-1: enabled}}"), &Scope::default(), &allowed).unwrap_err();
    assert!(matches!(refused, Unfit::ElsewherePartition { partition: Partition::Aws, .. }), "{refused}");
}

#[test]
fn whoever_gets_the_deny_needs_no_exemption() {
    let policy = value(&deny(&state("{regions: {eu-west-1: enabled}}"), &Scope::default(), &Allowed::default()).unwrap());
    assert!(!policy.to_string().contains(OF_CONTROLLER), "{policy:#}");
    assert!(statements(&policy).iter().all(|statement| statement["Condition"].get("ArnNotLike").is_none()));
}

#[test]
fn whoever_is_to_stay_allowed_can_be_there() {
    let spec = "{account: '111122223333', regions: {eu-west-1: enabled}}";
    let with = |principal: &str| scp(&state(spec), &Scope::default(), &but(principal));
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
