//! Whatever is seen of an account, the document of it is valid, says what was seen, and has nothing done to it.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::export::seen::trust_in_systems_manager;
use crate::plan::trust_policy::Trust;

/// A trust policy, mostly a good one.
fn trusts() -> impl Strategy<Value = String> {
    let of = |service: &str| fresh(&service.parse().unwrap());
    let deny = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}"#.to_owned();
    select(vec![
        of("ssm.amazonaws.com"),
        of("ssm.amazonaws.com"),
        of("ssm.amazonaws.com.cn"),
        of("ec2.amazonaws.com"),
        deny,
        "no json".to_owned(),
    ])
}

/// Text of every kind: what IAM takes, what YAML could stumble over, and anything at all.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "[-a-z0-9:#'\"\\\\&*!|>{}\\[\\],.~%@` \t\n]{0,12}", any::<String>(), "\\PC{0,40}"]
}

fn roles(path: String, name: String) -> impl Strategy<Value = SeenRole> {
    let policies = prop_oneof![
        Just(POLICY.to_owned()),
        "[a-zA-Z]{1,6}".prop_map(|name| format!("arn:aws:iam::aws:policy/{name}")),
        "[a-z]{1,6}".prop_map(|name| format!("arn:aws-cn:iam::aws:policy/{name}")),
        "[a-z/]{1,6}".prop_map(|name| format!("arn:aws:iam::011122223333:policy/{name}")),
        "[a-z]{1,6}".prop_map(|name| format!("arn:aws:iam::999922223333:policy/{name}")),
        texts(),
    ];
    let paths =
        prop_oneof![4 => Just(path), 1 => select(vec!["/", "/x/", "/aws-service-role/x/", "/ü/"]).prop_map(str::to_owned)];
    let found = (
        paths,
        trusts(),
        prop::collection::btree_set(policies.clone(), 0..14),
        prop::collection::btree_map(texts(), texts(), 0..6),
        prop::option::of(texts()),
        prop::option::of(policies),
    );
    let found = found.prop_map(move |(path, trust_policy, attached, tags, description, permissions_boundary)| {
        SeenRole::Found(ObservedRole {
            path,
            name: name.clone(),
            trust_policy,
            attached,
            tags,
            description,
            permissions_boundary,
        })
    });
    prop_oneof![6 => found, 1 => Just(SeenRole::Missing), 1 => texts().prop_map(SeenRole::Unread)]
}

const VALUES: [&str; 8] = [
    DEFAULT,
    "Other",
    "service-role/Other",
    "a/b/On",
    "AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1",
    "arn:aws:iam::011122223333:role/Arn",
    "aws-service-role/ssm.amazonaws.com/Linked",
    "ends/with/",
];

fn regions_of(partition: Partition) -> impl Strategy<Value = BTreeMap<Region, SeenRegion>> {
    let known = crate::desired::regions::known().iter().filter(move |(_, of)| *of == partition);
    let names: Vec<Region> = known.map(|(name, _)| name.parse().unwrap()).collect();
    let value = prop_oneof![2 => Just(None), 8 => select(VALUES.to_vec()).prop_map(|value| Some(value.to_owned())), 1 => texts().prop_map(Some)];
    let update = prop_oneof![8 => Just(Update::Settled), 1 => Just(Update::Pending)];
    let read = (value, update).prop_map(|(value, update)| SeenRegion::Read(ObservedSetting { value, update, changed: None }));
    let other = select(vec![
        SeenRegion::Changing(RegionAccess::Closing),
        SeenRegion::NotKnownHere,
        SeenRegion::Closed,
        SeenRegion::MostLikelyClosed,
    ]);
    let state = prop_oneof![12 => read, 1 => texts().prop_map(SeenRegion::Unread), 1 => other];
    prop::collection::btree_map(select(names), state, 0..8)
}

fn accounts() -> impl Strategy<Value = SeenAccount> {
    let list = prop_oneof![
        Just(RegionList::OfTheAccount),
        texts().prop_map(|why| RegionList::AllKnown { why }),
        texts().prop_map(|why| RegionList::Unanswered { why })
    ];
    let of_partition = |partition| (Just(partition), regions_of(partition));
    let regions = prop_oneof![3 => of_partition(Partition::Aws), 1 => of_partition(Partition::AwsCn)];
    (list, regions).prop_flat_map(|(region_list, (partition, regions))| {
        let named = regions.values().filter_map(SeenRegion::value).filter_map(role_named_by);
        let roles: Vec<_> =
            named.map(|(path, name)| (Just(name.to_string()), roles(path.to_string(), name.to_string()))).collect();
        (Just(region_list), Just(partition), Just(regions), roles).prop_map(|(region_list, partition, regions, roles)| {
            SeenAccount {
                identity: Identity { account: "011122223333".parse().unwrap(), partition, arn: String::new() },
                access: Access::Own,
                region_list,
                regions,
                roles: roles.into_iter().collect(),
            }
        })
    })
}

/// Whether some setting names a role that serves.
fn some_role_serves(seen: &SeenAccount) -> bool {
    seen.regions.values().any(|region| match region {
        SeenRegion::Read(ObservedSetting { value: Some(value), update: Update::Settled, .. }) => {
            let role = role_named_by(value).and_then(|(_, name)| seen.roles.get(name.as_str()));
            matches!(role, Some(SeenRole::Found(role)) if role.setting_value() == *value
                && trust_in_systems_manager(role, seen.identity.partition) == Trust::Granted)
        }
        _ => false,
    })
}

proptest! {
    #[test]
    fn whatever_is_seen_the_document_says_it_and_has_nothing_done(seen in accounts(), unset in select(vec![Unset::Unmanaged, Unset::Disabled])) {
        let export = export(&seen, unset).unwrap();
        let desired = declared(&export);
        let comes = comes(&seen, &desired);
        let observes = desired.role.mode == Mode::Observe;
        prop_assert_eq!(comes == Comes::ToDrift, observes, "{}", export.document());
        prop_assert_eq!(observes, export.value.is_some() && !some_role_serves(&seen));
        for (region, state) in &seen.regions {
            let expected = match state {
                SeenRegion::Read(setting) if setting.update == Update::Pending => Some(Said::Unmanaged),
                SeenRegion::Read(setting) if setting.value.is_none() => (unset == Unset::Disabled).then_some(Said::Disabled),
                SeenRegion::Read(setting) if setting.value == export.value => Some(Said::Enabled),
                SeenRegion::Read(_) | SeenRegion::Unread(_) => Some(Said::Unmanaged),
                _ => None,
            };
            prop_assert_eq!(export.regions.get(region).copied(), expected, "{}", region);
            let said = desired.regions.get(region).map(|declared| match declared {
                Declared::Unmanaged => Said::Unmanaged,
                Declared::Managed(setting) if setting.state == SettingState::Enabled => Said::Enabled,
                Declared::Managed(_) => Said::Disabled,
            });
            prop_assert_eq!(said, expected);
        }
        prop_assert!(export.document().lines().all(|line| !line.contains(|c: char| c.is_control())));
        prop_assert_eq!(&crate::export::export(&seen, unset).unwrap(), &export);
    }
}
