//! The document of an account says what was seen of it, and has nothing done to it.

mod any_account;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::seen::{RegionList, SeenRole, role_named_by};
use super::*;
use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::Partition;
use crate::desired::{DEFAULT_ROLE_NAME, Declared, DesiredAccount, DesiredRole, Management, Mode, SettingState};
use crate::observed::{Identity, ObservedRole, ObservedSetting, RegionAccess, RoleReadiness};
use crate::plan::trust_policy::fresh;
use crate::plan::{plan_role, plan_setting, readiness};

const DEFAULT: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
const POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";

fn observed(path: &str, name: &str) -> ObservedRole {
    ObservedRole {
        path: path.to_owned(),
        name: name.to_owned(),
        trust_policy: fresh(&"ssm.amazonaws.com".parse().unwrap()),
        attached: BTreeSet::from([POLICY.to_owned()]),
        tags: BTreeMap::new(),
        description: None,
        permissions_boundary: None,
    }
}

fn set(value: Option<&str>) -> SeenRegion {
    SeenRegion::Read(ObservedSetting { value: value.map(str::to_owned), update: Update::Settled, changed: None })
}

/// An account with these settings, and for each that names a role, that role as it should be.
fn account(settings: &[(&str, Option<&str>)]) -> SeenAccount {
    let roles = settings.iter().filter_map(|(_, value)| role_named_by((*value)?)).map(|(path, name)| {
        let role = observed(path.as_str(), name.as_str());
        (name.to_string(), SeenRole::Found(role))
    });
    SeenAccount {
        identity: Identity {
            account: "011122223333".parse().unwrap(),
            partition: Partition::Aws,
            arn: "arn:aws:iam::011122223333:user/me".to_owned(),
        },
        access: Access::Own,
        region_list: RegionList::OfTheAccount,
        regions: settings.iter().map(|(region, value)| (region.parse().unwrap(), set(*value))).collect(),
        roles: roles.collect(),
    }
}

fn edit(seen: &mut SeenAccount, name: &str, edit: impl FnOnce(&mut ObservedRole)) {
    match seen.roles.get_mut(name) {
        Some(SeenRole::Found(role)) => edit(role),
        other => panic!("{other:?}"),
    }
}

fn kinds(export: &Export) -> Vec<OddityKind> {
    export.oddities.iter().map(|oddity| oddity.kind).collect()
}

fn declared(export: &Export) -> Arc<DesiredAccount> {
    let state = load(export.document().as_bytes()).unwrap_or_else(|problems| panic!("{problems}\n{}", export.document()));
    assert_eq!(state.accounts.len(), 1);
    Arc::clone(state.accounts.values().next().unwrap())
}

/// What a document comes to in the account that it was made of.
#[derive(Debug, PartialEq, Eq)]
enum Comes {
    ToNothing,
    /// To drift that nothing is done about.
    ToDrift,
}

fn comes(seen: &SeenAccount, desired: &DesiredAccount) -> Comes {
    let enabled = |region: &&Declared| matches!(region, Declared::Managed(setting) if setting.state == SettingState::Enabled);
    let needs_role = desired.regions.values().any(|region| enabled(&region));
    let mut in_sync = true;
    let ready = if needs_role { look_at_role(seen, &desired.role, &mut in_sync) } else { RoleReadiness::Unknown(String::new()) };
    for (region, setting) in desired.regions.iter() {
        let Declared::Managed(setting) = setting else { continue };
        let SeenRegion::Read(observed) = &seen.regions[region] else { panic!("{region} was not read, and is declared") };
        let plan = plan_setting(*setting, observed, &ready);
        assert_eq!(plan.actions, [], "{region}");
        in_sync &= plan.is_in_sync();
    }
    assert_eq!(desired.other_regions, Declared::Unmanaged);
    if in_sync { Comes::ToNothing } else { Comes::ToDrift }
}

fn look_at_role(seen: &SeenAccount, want: &DesiredRole, in_sync: &mut bool) -> RoleReadiness {
    let have = match &seen.roles[want.name.as_str()] {
        SeenRole::Found(role) => Some(role),
        SeenRole::Missing => None,
        SeenRole::Unread(why) => {
            *in_sync = false;
            return RoleReadiness::Unknown(why.clone());
        }
    };
    let plan = plan_role(want, have, seen.identity.partition);
    assert_eq!(plan.actions, []);
    *in_sync &= plan.is_in_sync();
    readiness(want, have)
}

#[test]
fn an_account_with_nothing_on_is_described_as_one_that_is_left_alone() {
    let seen = account(&[("us-east-1", None), ("eu-west-1", None)]);
    let export = export(&seen, Unset::Unmanaged).unwrap();
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
    assert!(export.regions.is_empty() && export.oddities.is_empty());
    assert!(export.document().contains("Off now, and left alone: eu-west-1, us-east-1."), "{}", export.document());
}

#[test]
fn regions_that_are_off_are_kept_off_only_where_that_is_asked_for() {
    let seen = account(&[("us-east-1", None), ("eu-west-1", Some(DEFAULT))]);
    let left = export(&seen, Unset::Unmanaged).unwrap();
    assert_eq!((left.count(Said::Enabled), left.count(Said::Disabled)), (1, 0));
    let kept = export(&seen, Unset::Disabled).unwrap();
    assert_eq!((kept.count(Said::Enabled), kept.count(Said::Disabled)), (1, 1));
    assert_eq!(comes(&seen, &declared(&kept)), Comes::ToNothing);
}

#[test]
fn everything_that_a_document_can_keep_of_the_role_is_in_it() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT))]);
    edit(&mut seen, "AWSSystemsManagerDefaultEC2InstanceManagementRole", |role| {
        role.attached.insert("arn:aws:iam::011122223333:policy/session/logs".to_owned());
        role.attached.insert("arn:aws:iam::aws:policy/service-role/AmazonSSMMaintenanceWindowRole".to_owned());
        role.tags = [("team", "yes"), ("cost: center", "012"), ("empty", ""), ("aws:cloudformation:stack-name", "s")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        role.description = Some("It's \"quoted\": \\ and\ttabbed\nÿ".to_owned());
        role.permissions_boundary = Some("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
    });
    let export = export(&seen, Unset::Unmanaged).unwrap();
    let desired = declared(&export);
    let role = &desired.role;
    assert_eq!(comes(&seen, &desired), Comes::ToNothing);
    assert_eq!((role.management, role.mode), (Management::Managed, Mode::Enforce));
    let policies: Vec<String> = role.policies.iter().map(ToString::to_string).collect();
    assert_eq!(
        policies,
        [
            "AmazonSSMManagedEC2InstanceDefaultPolicy",
            "arn:aws:iam::011122223333:policy/session/logs",
            "service-role/AmazonSSMMaintenanceWindowRole"
        ]
    );
    assert_eq!(role.tags.keys().collect::<Vec<_>>(), ["cost: center", "empty", "team"]);
    assert_eq!(role.description.as_deref(), Some("It's \"quoted\": \\ and\ttabbed\nÿ"));
    assert_eq!(role.permissions_boundary.as_ref().unwrap().to_string(), "PowerUserAccess");
    assert_eq!(kinds(&export), [OddityKind::PermissionsBoundary, OddityKind::ExtraPolicies, OddityKind::NotInDocument]);
    assert!(export.oddities[2].message.ends_with(": tag aws:cloudformation:stack-name"), "{:?}", export.oddities[2]);
}

#[test]
fn more_than_a_document_takes_is_left_out_and_never_the_default_policy() {
    let mut seen = account(&[("us-east-1", Some("R"))]);
    edit(&mut seen, "R", |role| role.attached.extend((10..30).map(|n| format!("arn:aws:iam::011122223333:policy/a{n}"))));
    let export = export(&seen, Unset::Unmanaged).unwrap();
    let desired = declared(&export);
    assert_eq!((desired.role.policies.len(), desired.role.policies[0].arn(Partition::Aws).as_str()), (10, POLICY));
    assert_eq!(comes(&seen, &desired), Comes::ToNothing);
    assert!(kinds(&export).contains(&OddityKind::NotInDocument));
}

#[test]
fn of_several_roles_the_one_that_most_regions_name_is_the_document_s() {
    let seen = account(&[("us-east-1", Some(DEFAULT)), ("eu-west-1", Some("Other")), ("eu-west-2", Some("Other"))]);
    let export = export(&seen, Unset::Unmanaged).unwrap();
    assert_eq!(export.value.as_deref(), Some("Other"));
    assert_eq!(export.regions[&"us-east-1".parse().unwrap()], Said::Unmanaged);
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
    let told = export.oddities.iter().find(|oddity| oddity.kind == OddityKind::OtherRole).unwrap().told();
    assert_eq!(told, format!("us-east-1 names another role, `{DEFAULT}`; `enabled` would have it name `Other`"));
}

#[test]
fn a_role_that_serves_comes_before_one_that_does_not_however_many_name_it() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT)), ("eu-west-1", Some("Gone")), ("eu-west-2", Some("Gone"))]);
    seen.roles.insert("Gone".to_owned(), SeenRole::Missing);
    let export = export(&seen, Unset::Unmanaged).unwrap();
    assert_eq!(export.value.as_deref(), Some(DEFAULT));
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
    assert!(export.oddities[0].message.contains("`Gone`, which does not exist"), "{:?}", export.oddities);
}

#[test]
fn roles_of_quick_setup_are_external_and_another_one_is_preferred() {
    let quick = |region: &str| format!("AWS-QuickSetup-SSM-DefaultEC2MgmtRole-{region}");
    let (one, two) = (quick("eu-west-1"), quick("eu-west-2"));
    let seen = account(&[("eu-west-1", Some(&one)), ("eu-west-2", Some(&two))]);
    let quick_setup = export(&seen, Unset::Unmanaged).unwrap();
    let desired = declared(&quick_setup);
    assert_eq!(desired.role.management, Management::External);
    assert_eq!((quick_setup.count(Said::Enabled), quick_setup.count(Said::Unmanaged)), (1, 1));
    assert_eq!(comes(&seen, &desired), Comes::ToNothing);
    assert_eq!(kinds(&quick_setup), [OddityKind::QuickSetup, OddityKind::OtherRole]);

    let seen = account(&[("eu-west-1", Some(&one)), ("us-east-1", Some("Own"))]);
    assert_eq!(export(&seen, Unset::Unmanaged).unwrap().value.as_deref(), Some("Own"));
}

#[test]
fn where_the_role_cannot_serve_the_document_only_observes_and_says_why() {
    let deny = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}"#;
    let broken: [(OddityKind, SeenRole); 5] = [
        (OddityKind::RoleMissing, SeenRole::Missing),
        (OddityKind::RoleUnread, SeenRole::Unread("denied".to_owned())),
        (OddityKind::TrustPolicy, SeenRole::Found(ObservedRole { trust_policy: "{}".to_owned(), ..observed("/", "R") })),
        (OddityKind::TrustPolicy, SeenRole::Found(ObservedRole { trust_policy: deny.to_owned(), ..observed("/", "R") })),
        (OddityKind::SettingValue, SeenRole::Found(observed("/elsewhere/", "R"))),
    ];
    for (kind, role) in broken {
        let mut seen = account(&[("us-east-1", Some("R"))]);
        seen.roles.insert("R".to_owned(), role);
        let export = export(&seen, Unset::Unmanaged).unwrap();
        let desired = declared(&export);
        assert_eq!(desired.role.mode, Mode::Observe);
        assert_eq!(comes(&seen, &desired), Comes::ToDrift, "{}", export.document());
        assert_eq!(kinds(&export), [kind]);
        assert_eq!(export.unread().count(), usize::from(kind == OddityKind::RoleUnread));
    }
}

#[test]
fn another_role_that_could_not_be_read_is_told_of_as_something_missing() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT)), ("eu-west-1", Some("Other"))]);
    seen.roles.insert("Other".to_owned(), SeenRole::Unread("denied".to_owned()));
    let export = export(&seen, Unset::Unmanaged).unwrap();
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
    assert_eq!(export.unread().map(Oddity::told).collect::<Vec<_>>(), ["role Other could not be read: denied"]);
    assert!(export.oddities[1].message.contains("`Other`, which could not be read;"), "{:?}", export.oddities);
}

#[test]
fn a_default_role_that_nobody_names_is_told_of() {
    let mut seen = account(&[("us-east-1", Some("Other"))]);
    let role = observed("/service-role/", DEFAULT_ROLE_NAME);
    seen.roles.insert(DEFAULT_ROLE_NAME.to_owned(), SeenRole::Found(role));
    assert_eq!(kinds(&export(&seen, Unset::Unmanaged).unwrap()), [OddityKind::RoleUnused]);
}

#[test]
fn what_a_role_lacks_or_has_too_much_of_is_told() {
    let with = |policies: &[&str]| {
        let mut seen = account(&[("us-east-1", Some("R"))]);
        edit(&mut seen, "R", |role| role.attached = policies.iter().map(|policy| (*policy).to_owned()).collect());
        kinds(&export(&seen, Unset::Unmanaged).unwrap())
    };
    assert_eq!(with(&[POLICY]), []);
    assert_eq!(with(&[]), [OddityKind::DefaultPolicyMissing]);
    assert_eq!(with(&[POLICY, "arn:aws:iam::011122223333:policy/FullAccess"]), [OddityKind::ExtraPolicies]);
    for broad in ["AdministratorAccess", "PowerUserAccess", "AmazonS3FullAccess"] {
        assert_eq!(with(&[POLICY, &format!("arn:aws:iam::aws:policy/{broad}")]), [OddityKind::BroadPolicy]);
    }
}

#[test]
fn a_service_linked_role_is_external_wherever_it_is() {
    let seen = account(&[("us-east-1", Some("aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"))]);
    let export = export(&seen, Unset::Unmanaged).unwrap();
    let desired = declared(&export);
    assert_eq!((desired.role.management, &desired.role.path), (Management::External, &None));
    assert_eq!(comes(&seen, &desired), Comes::ToNothing);
}

#[test]
fn what_was_not_read_or_not_decided_is_unmanaged_and_counts_as_missing() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT)), ("eu-west-1", Some(DEFAULT)), ("eu-west-2", None)]);
    let pending = ObservedSetting { value: Some(DEFAULT.to_owned()), update: Update::Pending, changed: None };
    seen.regions.insert("eu-west-1".parse().unwrap(), SeenRegion::Read(pending));
    seen.regions.insert("eu-west-2".parse().unwrap(), SeenRegion::Unread("no\nanswer".to_owned()));
    let export = export(&seen, Unset::Disabled).unwrap();
    assert_eq!((export.count(Said::Enabled), export.count(Said::Unmanaged), export.count(Said::Disabled)), (1, 2, 0));
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
    let missing: Vec<String> = export.unread().map(Oddity::told).collect();
    assert!(missing[0].starts_with("eu-west-1 AWS is still applying a change"), "{missing:?}");
    assert_eq!(missing[1], "eu-west-2 could not be read: no\\u{a}answer");
}

#[test]
fn an_account_behind_a_role_is_listed_with_it_and_its_external_id_is_not_shown() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT))]);
    seen.access = Access::Assume(Arc::new(AssumeRole {
        name: "reach".parse().unwrap(),
        path: "/platform/".parse().unwrap(),
        external_id: Some("sesame".parse().unwrap()),
        session_tags: BTreeMap::new(),
    }));
    let export = export(&seen, Unset::Unmanaged).unwrap();
    let Access::Assume(role) = &declared(&export).access else { panic!("{}", export.document()) };
    assert_eq!((role.name.as_str(), role.path.as_str()), ("reach", "/platform/"));
    assert!(!export.document().contains("sesame") && export.document().contains("# externalId has to be written here"));
    assert_eq!(comes(&seen, &declared(&export)), Comes::ToNothing);
}

#[test]
fn regions_that_no_document_should_name_are_told_of_and_left_out() {
    let mut seen = account(&[("us-east-1", Some(DEFAULT))]);
    seen.region_list = RegionList::AllKnown { why: "denied".to_owned() };
    for (region, state) in [
        ("af-south-1", SeenRegion::MostLikelyClosed),
        ("ap-east-1", SeenRegion::Changing(RegionAccess::Opening)),
        ("mars-east-1", SeenRegion::NotKnownHere),
        ("me-south-1", SeenRegion::Closed),
    ] {
        seen.regions.insert(region.parse().unwrap(), state);
    }
    let export = export(&seen, Unset::Disabled).unwrap();
    assert_eq!(export.regions.len(), 1);
    assert_eq!(kinds(&export), [OddityKind::RegionsNotListed, OddityKind::RegionChanging, OddityKind::RegionNotKnownHere]);
    let told = export.document().replace("\n# ", " ");
    for expected in
        ["not open to the account: af-south-1", "Being opened to the account, and not read: ap-east-1", ": mars-east-1"]
    {
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(export.unread().count(), 0);
}

#[test]
fn comments_are_broken_and_no_line_is_far_too_long() {
    let mut seen = account(&[("us-east-1", None)]);
    seen.regions.insert("eu-west-1".parse().unwrap(), SeenRegion::Unread("word ".repeat(200)));
    let document = export(&seen, Unset::Unmanaged).unwrap().document();
    assert!(document.lines().all(|line| line.chars().count() <= 120), "{document}");
    assert!(document.starts_with("# yaml-language-server: $schema=schema.json\n"));
}
