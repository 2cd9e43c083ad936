//! The role's plan: each kind of drift alone, together, and what must never happen.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::desired::names::{PolicyRef, ServicePrincipal};
use crate::desired::{DEFAULT_POLICY_NAME, DEFAULT_ROLE_NAME, Mode};

const DEFAULT_POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
const CLOUDWATCH: &str = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy";

fn desired() -> DesiredRole {
    DesiredRole {
        name: DEFAULT_ROLE_NAME.parse().unwrap(),
        path: Some(DEFAULT_ROLE_PATH.parse().unwrap()),
        management: Management::Managed,
        trust_principal: ServicePrincipal::default(),
        policies: vec![DEFAULT_POLICY_NAME.parse().unwrap()],
        other_policies: OtherPolicies::Leave,
        tags: BTreeMap::new(),
        description: None,
        permissions_boundary: None,
        mode: Mode::Enforce,
    }
}

fn observed() -> ObservedRole {
    ObservedRole {
        path: DEFAULT_ROLE_PATH.to_owned(),
        name: DEFAULT_ROLE_NAME.to_owned(),
        trust_policy: trust_policy::fresh(&ServicePrincipal::default()),
        attached: BTreeSet::from([DEFAULT_POLICY.to_owned()]),
        tags: BTreeMap::new(),
        description: None,
        permissions_boundary: None,
    }
}

fn plan(want: &DesiredRole, have: &ObservedRole) -> Plan<RoleAction> {
    plan_role(want, Some(have), Partition::Aws)
}

fn kinds(plan: &Plan<RoleAction>) -> Vec<DriftKind> {
    plan.drift.iter().map(|drift| drift.kind).collect()
}

#[test]
fn a_role_as_declared_needs_nothing() {
    assert_eq!(plan(&desired(), &observed()), Plan::default());
}

#[test]
fn a_missing_role_is_created_before_its_policies_are_attached() {
    let plan = plan_role(&desired(), None, Partition::AwsCn);
    assert_eq!(kinds(&plan), [DriftKind::RoleMissing]);
    let RoleAction::Create(new) = &plan.actions[0] else { panic!("{:?}", plan.actions) };
    assert_eq!(new.path.as_str(), "/service-role/");
    assert_eq!(
        plan.actions[1..],
        [RoleAction::AttachPolicy("arn:aws-cn:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy".to_owned())]
    );
}

#[test]
fn a_missing_policy_is_attached_and_foreign_ones_stay() {
    let have = ObservedRole { attached: BTreeSet::from([CLOUDWATCH.to_owned()]), ..observed() };
    let plan = plan(&desired(), &have);
    assert_eq!(kinds(&plan), [DriftKind::PolicyMissing]);
    assert_eq!(plan.actions, [RoleAction::AttachPolicy(DEFAULT_POLICY.to_owned())]);
}

#[test]
fn foreign_policies_are_detached_only_when_the_document_says_exclusive() {
    let have = ObservedRole { attached: BTreeSet::from([CLOUDWATCH.to_owned(), DEFAULT_POLICY.to_owned()]), ..observed() };
    let exclusive = DesiredRole { other_policies: OtherPolicies::Detach, ..desired() };
    assert_eq!(plan(&desired(), &have), Plan::default());
    assert_eq!(plan(&exclusive, &have).actions, [RoleAction::DetachPolicy(CLOUDWATCH.to_owned())]);
}

#[test]
fn a_role_at_another_path_is_held_and_never_written() {
    let have = ObservedRole { path: "/".to_owned(), attached: BTreeSet::new(), trust_policy: "{}".to_owned(), ..observed() };
    let plan = plan(&desired(), &have);
    assert_eq!(kinds(&plan), [DriftKind::RolePath]);
    assert_eq!(plan.actions, []);
    assert!(plan.holds[0].to_string().contains("declare `path: /`"), "{}", plan.holds[0]);
    assert!(matches!(readiness(&desired(), Some(&have)), RoleReadiness::NotReady(_)));
}

#[test]
fn a_deny_in_the_trust_policy_is_held() {
    let trust_policy = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}"#.to_owned();
    let plan = plan(&desired(), &ObservedRole { trust_policy, ..observed() });
    assert_eq!((kinds(&plan), plan.actions, plan.holds), (vec![DriftKind::TrustPolicy], vec![], vec![Hold::TrustDenied]));
}

#[test]
fn tags_description_and_boundary_are_compared_only_where_declared() {
    let have = ObservedRole {
        tags: BTreeMap::from([("team".to_owned(), "a".to_owned()), ("theirs".to_owned(), "x".to_owned())]),
        description: Some("by hand".to_owned()),
        permissions_boundary: Some(CLOUDWATCH.to_owned()),
        ..observed()
    };
    assert_eq!(plan(&desired(), &have), Plan::default());

    let want = DesiredRole {
        tags: BTreeMap::from([("team".to_owned(), "b".to_owned()), ("new".to_owned(), "1".to_owned())]),
        description: Some("declared".to_owned()),
        permissions_boundary: Some(PolicyRef::AwsManaged("PowerUserAccess".into())),
        ..desired()
    };
    let plan = plan(&want, &have);
    assert_eq!(kinds(&plan), [DriftKind::PermissionsBoundary, DriftKind::Tags, DriftKind::Description]);
    assert_eq!(plan.drift[1].before, "new missing, team=a");
    assert_eq!(
        plan.actions,
        [
            RoleAction::SetPermissionsBoundary("arn:aws:iam::aws:policy/PowerUserAccess".to_owned()),
            RoleAction::Tag(want.tags.clone()),
            RoleAction::Describe("declared".to_owned()),
        ]
    );
}

#[test]
fn an_external_role_is_verified_and_never_written() {
    let want = DesiredRole { management: Management::External, path: None, ..desired() };
    let untrusting = ObservedRole { trust_policy: "{}".to_owned(), path: "/team/".to_owned(), ..observed() };
    for have in [None, Some(&untrusting)] {
        let plan = plan_role(&want, have, Partition::Aws);
        assert_eq!(plan.actions, []);
        assert_eq!(plan.holds.len(), 1, "{:?}", plan.holds);
        assert!(matches!(readiness(&want, have), RoleReadiness::NotReady(_)));
    }
    let fine = ObservedRole { path: "/team/".to_owned(), ..observed() };
    assert_eq!(plan(&want, &fine), Plan::default());
    assert_eq!(readiness(&want, Some(&fine)), RoleReadiness::Ready(format!("team/{DEFAULT_ROLE_NAME}")));
}

#[test]
fn observing_keeps_the_drift_and_drops_the_actions() {
    let want = DesiredRole { mode: Mode::Observe, ..desired() };
    let plan = plan_role(&want, None, Partition::Aws);
    assert_eq!((kinds(&plan), plan.actions), (vec![DriftKind::RoleMissing], vec![]));
}

/// What IAM does with an action, as far as a plan can tell.
fn apply(have: Option<ObservedRole>, action: &RoleAction) -> Option<ObservedRole> {
    if let RoleAction::Create(new) = action {
        return Some(ObservedRole {
            path: new.path.to_string(),
            name: new.name.to_string(),
            trust_policy: new.trust_policy.clone(),
            attached: BTreeSet::new(),
            tags: new.tags.clone(),
            description: new.description.clone(),
            permissions_boundary: new.permissions_boundary.clone(),
        });
    }
    let mut role = have?;
    match action {
        RoleAction::Create(_) => {}
        RoleAction::UpdateTrustPolicy(policy) => role.trust_policy.clone_from(policy),
        RoleAction::AttachPolicy(arn) => drop(role.attached.insert(arn.clone())),
        RoleAction::DetachPolicy(arn) => drop(role.attached.remove(arn)),
        RoleAction::Tag(tags) => role.tags.extend(tags.clone()),
        RoleAction::Describe(text) => role.description = Some(text.clone()),
        RoleAction::SetPermissionsBoundary(arn) => role.permissions_boundary = Some(arn.clone()),
    }
    Some(role)
}

fn some_role() -> impl Strategy<Value = Option<ObservedRole>> {
    let policies =
        prop::collection::btree_set(prop_oneof![Just(DEFAULT_POLICY.to_owned()), "arn:aws:iam::aws:policy/[A-C]"], 0..4);
    let trust = prop_oneof![
        Just(trust_policy::fresh(&ServicePrincipal::default())),
        Just("{}".to_owned()),
        Just("garbage".to_owned()),
        Just(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#
                .to_owned()
        ),
        Just(r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}"#.to_owned()),
    ];
    let tags = prop::collection::btree_map("[a-b]", "[x-y]", 0..3);
    let path = prop_oneof![3 => Just(DEFAULT_ROLE_PATH.to_owned()), 1 => Just("/".to_owned())];
    let optional = || prop::option::of("[d-e]");
    prop::option::of((path, trust, policies, tags, optional(), optional()).prop_map(
        |(path, trust_policy, attached, tags, description, permissions_boundary)| ObservedRole {
            path,
            trust_policy,
            attached,
            tags,
            description,
            permissions_boundary,
            ..observed()
        },
    ))
}

fn some_desire() -> impl Strategy<Value = DesiredRole> {
    let tags = prop::collection::btree_map("[a-b]", "[x-y]", 0..3);
    let exclusive = prop_oneof![Just(OtherPolicies::Leave), Just(OtherPolicies::Detach)];
    let boundary = prop::option::of("[d-e]".prop_map(|name| PolicyRef::AwsManaged(name.into())));
    (tags, exclusive, prop::option::of("[d-e]"), boundary).prop_map(
        |(tags, other_policies, description, permissions_boundary)| DesiredRole {
            other_policies,
            tags,
            description,
            permissions_boundary,
            ..desired()
        },
    )
}

proptest! {
    #[test]
    fn applying_a_plan_leaves_nothing_to_plan_but_what_was_held(have in some_role(), want in some_desire()) {
        let first = plan_role(&want, have.as_ref(), Partition::Aws);
        let after = first.actions.iter().fold(have, apply);
        let second = plan_role(&want, after.as_ref(), Partition::Aws);
        prop_assert_eq!(&second.actions, &Vec::new());
        prop_assert_eq!(&second.holds, &first.holds);
        if first.holds.is_empty() {
            prop_assert!(second.is_in_sync());
            prop_assert!(matches!(readiness(&want, after.as_ref()), RoleReadiness::Ready(_)));
        }
    }

    #[test]
    fn every_drift_has_one_action_or_a_hold(have in some_role(), want in some_desire()) {
        let plan = plan_role(&want, have.as_ref(), Partition::Aws);
        for drift in &plan.drift {
            let mending = plan.actions.iter().filter(|action| action.mends(drift)).count();
            prop_assert!(mending == 1 || !plan.holds.is_empty(), "{drift:?}");
        }
    }

    #[test]
    fn undeclared_policies_and_tags_survive(have in some_role(), want in some_desire()) {
        prop_assume!(want.other_policies == OtherPolicies::Leave);
        let Some(before) = have.clone() else { return Ok(()) };
        let after = plan_role(&want, have.as_ref(), Partition::Aws).actions.iter().fold(have, apply).unwrap();
        prop_assert!(before.attached.is_subset(&after.attached));
        for (key, value) in &before.tags {
            prop_assert!(want.tags.contains_key(key) || after.tags.get(key) == Some(value));
        }
    }
}
