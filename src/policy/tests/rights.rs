//! What the controller and members need.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::*;
use super::{about, actions, id, resources, state, statements, value, words};

/// What the controller may do in its own account.
fn own_rights(spec: &str) -> Value {
    value(&controller(&state(spec), &Scope::default()).unwrap())
}

const READS: [&str; 3] = ["iam:GetRole", "iam:ListAttachedRolePolicies", "ssm:GetServiceSetting"];

#[test]
fn what_is_only_observed_is_only_read() {
    let policy = own_rights("{mode: observe, regions: {eu-west-1: enabled, us-east-1: disabled}}");
    assert_eq!(actions(&policy), READS.into());
}

#[test]
fn what_is_enabled_and_enforced_takes_the_role_and_one_call_of_settings() {
    let policy = own_rights("{regions: {eu-west-1: enabled}}");
    let writes =
        ["ssm:UpdateServiceSetting", "iam:PassRole", "iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy"];
    assert_eq!(actions(&policy), READS.into_iter().chain(writes).collect());
    assert_eq!(
        about(&policy, "iam:PassRole")["Condition"],
        json!({"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}})
    );
    let attach = about(&policy, "iam:AttachRolePolicy");
    let arn = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
    assert_eq!(attach["Condition"], json!({"ArnEquals": {"iam:PolicyARN": arn}}));
    assert_eq!(attach["Resource"], "arn:aws:iam::*:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole");
}

#[test]
fn only_a_disabled_region_is_reset_and_needs_no_role() {
    let policy = own_rights("{regions: {eu-west-1: disabled}}");
    assert_eq!(actions(&policy), ["ssm:GetServiceSetting", "ssm:ResetServiceSetting"].into());
}

#[test]
fn settings_are_written_where_they_are_declared_and_nowhere_else() {
    let policy = own_rights(
        "{regions: {eu-west-1: enabled, us-east-1: disabled, sa-east-1: {state: enabled, mode: observe}, ap-south-1: unmanaged}}",
    );
    let regions = |action: &str| about(&policy, action)["Condition"]["StringEquals"]["aws:RequestedRegion"].clone();
    assert_eq!(regions("ssm:GetServiceSetting"), json!(["eu-west-1", "sa-east-1", "us-east-1"]));
    assert_eq!(regions("ssm:UpdateServiceSetting"), json!("eu-west-1"));
    assert_eq!(regions("ssm:ResetServiceSetting"), json!("us-east-1"));
    let anywhere = Scope { regions: RegionScope::Any, ..Scope::default() };
    let policy = value(&controller(&state("{regions: {eu-west-1: enabled}}"), &anywhere).unwrap());
    assert_eq!(about(&policy, "ssm:UpdateServiceSetting").get("Condition"), None);
}

#[test]
fn other_regions_are_listed_and_are_all_but_the_named_ones() {
    let policy = own_rights("{regions: {eu-west-1: disabled, us-east-1: unmanaged}, otherRegions: enabled}");
    assert_eq!(about(&policy, "account:ListRegions")["Resource"], "*");
    let condition = |action: &str| about(&policy, action)["Condition"].clone();
    assert_eq!(
        condition("ssm:UpdateServiceSetting"),
        json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})
    );
    assert_eq!(condition("ssm:ResetServiceSetting"), json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}));
    assert_eq!(condition("ssm:GetServiceSetting"), json!({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}));
    assert!(!actions(&own_rights("{regions: {eu-west-1: enabled}}")).contains("account:ListRegions"));
}

#[test]
fn what_only_some_roles_need_is_allowed_only_to_them() {
    let plain = own_rights("{regions: {eu-west-1: enabled}}");
    let cases = [
        ("tags: {a: b}", "iam:TagRole"),
        ("description: some text", "iam:UpdateRoleDescription"),
        ("description: \"\"", "iam:UpdateRoleDescription"),
        ("permissionsBoundary: AWSSupportAccess", "iam:PutRolePermissionsBoundary"),
        ("exclusivePolicies: true", "iam:DetachRolePolicy"),
    ];
    for (field, action) in cases {
        let policy = own_rights(&format!("{{regions: {{eu-west-1: enabled}}, role: {{{field}}}}}"));
        let more: Vec<&str> = actions(&policy).difference(&actions(&plain)).copied().collect();
        assert_eq!(more, [action], "{field}");
    }
    let without = own_rights("{regions: {eu-west-1: enabled}, role: {policies: []}}");
    assert!(!actions(&without).contains("iam:AttachRolePolicy"));
}

#[test]
fn a_role_with_a_boundary_is_not_created_without_it() {
    let policy = own_rights("{regions: {eu-west-1: enabled}, role: {permissionsBoundary: 'arn:aws:iam::111122223333:policy/b'}}");
    let condition = json!({"ArnEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}});
    for action in ["iam:CreateRole", "iam:PutRolePermissionsBoundary"] {
        assert_eq!(about(&policy, action)["Condition"], condition, "{action}");
    }
    assert_eq!(about(&policy, "iam:UpdateAssumeRolePolicy").get("Condition"), None);
}

#[test]
fn every_policy_but_the_declared_ones_may_be_detached() {
    let policy = own_rights("{regions: {eu-west-1: enabled}, role: {exclusivePolicies: true, policies: [a, b]}}");
    let arns = json!(["arn:aws:iam::aws:policy/a", "arn:aws:iam::aws:policy/b"]);
    assert_eq!(about(&policy, "iam:DetachRolePolicy")["Condition"], json!({"ArnNotEquals": {"iam:PolicyARN": arns}}));
}

#[test]
fn an_external_role_is_read_and_passed_wherever_it_may_be() {
    let policy = own_rights("{regions: {eu-west-1: enabled}, role: {management: external, name: R}}");
    assert_eq!(actions(&policy), READS.into_iter().chain(["ssm:UpdateServiceSetting", "iam:PassRole"]).collect());
    let resources = json!(["arn:aws:iam::*:role/*/R", "arn:aws:iam::*:role/R"]);
    let mut passed = about(&policy, "iam:PassRole")["Resource"].clone();
    passed.as_array_mut().unwrap().sort_by_key(|one| one.as_str().unwrap().to_owned());
    assert_eq!(passed, resources);
}

#[test]
fn a_role_is_named_with_its_path_in_its_partition_and_account() {
    let policy = own_rights("{account: '000011112222', regions: {cn-north-1: enabled}, role: {name: R, path: /a/b/}}");
    assert_eq!(about(&policy, "iam:CreateRole")["Resource"], "arn:aws-cn:iam::000011112222:role/a/b/R");
    let setting = "arn:aws-cn:ssm:*:000011112222:servicesetting/ssm/managed-instance/default-ec2-instance-management-role";
    assert_eq!(about(&policy, "ssm:UpdateServiceSetting")["Resource"], setting);
    assert_eq!(about(&policy, "iam:ListAttachedRolePolicies")["Resource"], "arn:aws-cn:iam::000011112222:role/a/b/R");
    // A role that is not there has no path.
    let read = ["arn:aws-cn:iam::000011112222:role/R", "arn:aws-cn:iam::000011112222:role/a/b/R"];
    assert_eq!(resources(&policy, "iam:GetRole"), read.into());
}

#[test]
fn the_partition_is_told_by_regions_or_by_arns_or_by_the_scope() {
    let of = |spec: &str| partition(&state(spec));
    assert_eq!(of("{regions: {us-gov-west-1: enabled}}"), Some(Partition::AwsUsGov));
    assert_eq!(of("{otherRegions: enabled}"), None);
    assert_eq!(of("{otherRegions: enabled, role: {policies: ['arn:aws-cn:iam::aws:policy/a']}}"), Some(Partition::AwsCn));
    let scope = Scope { partition: Some(Partition::AwsEusc), ..Scope::default() };
    let policy = value(&controller(&state("{otherRegions: enabled}"), &scope).unwrap());
    assert!(about(&policy, "iam:CreateRole")["Resource"].as_str().unwrap().starts_with("arn:aws-eusc:"));
}

const TWO_MEMBERS: &str = "{regions: {eu-west-1: enabled}, accounts: [
    {id: '111122223333'},
    {id: '222233334444', assumeRole: {name: m}, mode: observe},
    {id: '333344445555', assumeRole: {name: m}, regions: {us-east-1: disabled}, role: {name: R, tags: {a: b}}}]}";

#[test]
fn a_member_has_the_rights_of_its_own_declaration() {
    let state = state(TWO_MEMBERS);
    let of = |account: &str| value(&member(&state, &Scope::of(id(account))).unwrap());
    assert_eq!(actions(&of("222233334444")), READS.into());
    let other = of("333344445555");
    assert!(actions(&other).is_superset(&["iam:TagRole", "ssm:ResetServiceSetting"].into()));
    assert_eq!(about(&other, "iam:TagRole")["Resource"], "arn:aws:iam::333344445555:role/service-role/R");
}

#[test]
fn the_policy_of_all_members_is_the_union_and_of_any_account() {
    let policy = value(&member(&state(TWO_MEMBERS), &Scope::default()).unwrap());
    let tagged = about(&policy, "iam:TagRole");
    assert_eq!(tagged["Resource"], "arn:aws:iam::*:role/service-role/R");
    // The role of the observed account is read by name and never written.
    assert_eq!(resources(&policy, "iam:GetRole").len(), 4);
    assert_eq!(words(&about(&policy, "iam:CreateRole")["Resource"]).len(), 1);
}

#[test]
fn rights_that_differ_by_account_are_not_mixed() {
    let policy = value(
        &member(
            &state(
                "{regions: {eu-west-1: enabled}, accounts: [
                {id: '222233334444', assumeRole: {name: m}, role: {name: A, policies: [a]}},
                {id: '333344445555', assumeRole: {name: m}, role: {name: B, policies: [b]}}]}",
            ),
            &Scope::default(),
        )
        .unwrap(),
    );
    let attached: BTreeSet<(&str, &str)> = statements(&policy)
        .iter()
        .filter(|statement| statement["Action"] == "iam:AttachRolePolicy")
        .map(|statement| {
            (statement["Resource"].as_str().unwrap(), statement["Condition"]["ArnEquals"]["iam:PolicyARN"].as_str().unwrap())
        })
        .collect();
    let role = |name: &str| format!("arn:aws:iam::*:role/service-role/{name}");
    let expected = [(role("A"), "arn:aws:iam::aws:policy/a"), (role("B"), "arn:aws:iam::aws:policy/b")];
    assert_eq!(attached, expected.iter().map(|(role, policy)| (role.as_str(), *policy)).collect());
    let sids: Vec<&str> = statements(&policy).iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
    assert_eq!(sids.len(), sids.iter().collect::<BTreeSet<_>>().len(), "{sids:?}");
    assert!(sids.iter().all(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric())));
}

const OVERRIDES: &str = "{mode: observe, regions: {eu-west-1: enabled}, organization: {assumeRole: {name: m}, overrides: [
    {organizationalUnits: [ou-ab12-11111111], mode: enforce},
    {organizationalUnits: [ou-ab12-22222222], regions: {us-east-1: disabled}},
    {accounts: ['222233334444'], mode: observe, role: {name: R}}]}}";

/// Which units an account is in, only Organizations knows.
#[test]
fn an_account_of_the_organization_may_need_what_any_of_its_units_lead_to() {
    let policy = value(&member(&state(OVERRIDES), &Scope::default()).unwrap());
    let regions = |action: &str| about(&policy, action)["Condition"]["StringEquals"]["aws:RequestedRegion"].clone();
    // In both units: enforced by the one, disabled by the other.
    assert_eq!(regions("ssm:ResetServiceSetting"), "us-east-1");
    assert_eq!(regions("ssm:UpdateServiceSetting"), "eu-west-1");
    assert!(!words(&about(&policy, "iam:CreateRole")["Resource"]).contains(&"arn:aws:iam::*:role/service-role/R"));
}

#[test]
fn an_override_of_an_account_by_its_id_is_known_to_apply() {
    let policy = value(&member(&state(OVERRIDES), &Scope::of(id("222233334444"))).unwrap());
    assert_eq!(actions(&policy), READS.into());
    let read = ["arn:aws:iam::222233334444:role/R", "arn:aws:iam::222233334444:role/service-role/R"];
    assert_eq!(resources(&policy, "iam:GetRole"), read.into());
}

#[test]
fn a_hundred_units_are_no_trouble() {
    let units = (0..100).map(|n| {
        let region = crate::desired::regions::known()[n % 34].0;
        format!(
            "{{organizationalUnits: [ou-ab12-{n:08}], regions: {{{region}: disabled}}, role: {{name: R{}, tags: {{a: b}}}}}}",
            n % 7
        )
    });
    let overrides = units.collect::<Vec<_>>().join(", ");
    let spec = format!("{{otherRegions: enabled, organization: {{assumeRole: {{name: m}}, overrides: [{overrides}]}}}}");
    let policy = value(&member(&state(&spec), &Scope::default()).unwrap());
    assert_eq!(words(&about(&policy, "ssm:ResetServiceSetting")["Condition"]["StringEquals"]["aws:RequestedRegion"]).len(), 34);
}

#[test]
fn whoever_needs_nothing_is_told_so() {
    let own = state("{regions: {eu-west-1: enabled}}");
    let members = state("{regions: {eu-west-1: enabled}, accounts: [{id: '222233334444', assumeRole: {name: m}}]}");
    let scope = Scope::default();
    assert_eq!(controller(&members, &scope), Err(Unfit::NothingOwn));
    assert_eq!(member(&own, &scope), Err(Unfit::NoMember));
    assert_eq!(hub(&own, &scope, SessionTags::Declared, None), Err(Unfit::NothingToAssume));
    let other = id("999988887777");
    assert_eq!(member(&members, &Scope::of(other)), Err(Unfit::NotDeclared(other)));
    let both = state(TWO_MEMBERS);
    assert_eq!(member(&both, &Scope::of(id("111122223333"))), Err(Unfit::Own(id("111122223333"))));
    let wrong = Unfit::OtherAccount { declared: id("111122223333"), asked: other };
    assert_eq!(controller(&both, &Scope::of(other)), Err(wrong));
    let excluded =
        state("{regions: {eu-west-1: enabled}, organization: {assumeRole: {name: m}, exclude: {accounts: ['999988887777']}}}");
    assert_eq!(member(&excluded, &Scope::of(other)), Err(Unfit::NotDeclared(other)));
}
