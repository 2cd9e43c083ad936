//! What documents mean, and what is told of those that mean nothing: examples from end to end.

mod accounts;
mod directory;
mod organization;
mod precedence;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::access::Access;
use super::names::{Account, PolicyRef, RoleName, RolePath, ServicePrincipal};
use super::{
    Declared, DesiredAccount, DesiredRole, DesiredSetting, DesiredState, Management, Mode, OtherPolicies, SettingState, load,
};

const MINIMAL: &str = include_str!("../../config/minimal.yaml");
const EXAMPLE: &str = include_str!("../../config/example.yaml");
const ORGANIZATION: &str = include_str!("../../config/organization.yaml");

/// Checks every example of a text: a `yaml` block loads, or else a `text` block follows with exactly what is told of it.
fn check_examples(markdown: &str, file: &str) -> usize {
    let blocks: Vec<(&str, &str)> = markdown
        .split("\n```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').expect("a block begins on its own line"))
        .collect();
    let mut examples = 0;
    for (index, (language, yaml)) in blocks.iter().enumerate() {
        if *language != "yaml" {
            continue;
        }
        examples += 1;
        // The fence has taken the end of the last line, which a file has.
        let told =
            load(format!("{yaml}\n").as_bytes()).map_or_else(|problems| problems.in_file(file).to_string(), |_| String::new());
        let expected = blocks.get(index + 1).filter(|(language, _)| *language == "text").map_or("", |(_, text)| *text);
        assert_eq!(told, expected, "of this document:\n{yaml}");
    }
    examples
}

fn state(yaml: &str) -> DesiredState {
    load(yaml.as_bytes()).unwrap_or_else(|problems| panic!("{problems}\nof this document:\n{yaml}"))
}

fn only_account(yaml: &str) -> Arc<DesiredAccount> {
    only(&state(yaml))
}

fn only(state: &DesiredState) -> Arc<DesiredAccount> {
    let accounts: Vec<_> = state.accounts.values().collect();
    assert_eq!(accounts.len(), 1);
    Arc::clone(accounts[0])
}

fn managed(state: SettingState, mode: Mode) -> Declared {
    Declared::Managed(DesiredSetting { state, mode })
}

fn with_header(rest: &str) -> String {
    format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\n{rest}")
}

#[test]
fn every_mistake_is_told_in_these_words() {
    assert!(check_examples(include_str!("tests/problems.md"), "desired.yaml") > 65);
}

#[test]
fn every_example_in_the_reference_is_true() {
    assert!(check_examples(include_str!("../../docs/CONFIG.md"), "desired.yaml") > 3);
}

#[test]
fn the_smallest_document_means_the_defaults() {
    let role = DesiredRole {
        name: RoleName::default(),
        path: Some(RolePath::default()),
        management: Management::Managed,
        trust_principal: ServicePrincipal::default(),
        policies: vec![PolicyRef::default()],
        other_policies: OtherPolicies::Leave,
        tags: BTreeMap::new(),
        description: None,
        permissions_boundary: None,
        mode: Mode::Enforce,
    };
    let regions = BTreeMap::from([("eu-west-1".parse().unwrap(), managed(SettingState::Enabled, Mode::Enforce))]);
    let account = DesiredAccount {
        name: None,
        access: Access::Own,
        role: Arc::new(role),
        regions: Arc::new(regions),
        other_regions: Declared::Unmanaged,
    };
    let accounts = BTreeMap::from([(Account::Own, Arc::new(account))]);
    let expected = DesiredState { name: "default".to_owned(), accounts, ..DesiredState::default() };
    assert_eq!(state(MINIMAL), expected);
}

#[test]
fn the_default_names_are_names() {
    assert_eq!(RoleName::default().as_str().parse(), Ok(RoleName::default()));
    assert_eq!(RolePath::default().as_str().parse(), Ok(RolePath::default()));
    assert_eq!(PolicyRef::default().to_string().parse(), Ok(PolicyRef::default()));
}

#[test]
fn every_field_of_the_example_arrives() {
    let state = state(EXAMPLE);
    assert_eq!(state.name, "production");
    let account = &state.accounts[&Account::Id("111122223333".parse().unwrap())];
    let role = &account.role;
    assert_eq!(role.tags, BTreeMap::from([("team", "platform"), ("cost-center", "4711")].map(|(k, v)| (k.into(), v.into()))));
    let description = "Lets Systems Manager manage EC2 instances without an instance profile.";
    assert_eq!(role.description.as_deref(), Some(description));
    assert_eq!(role.permissions_boundary, "arn:aws:iam::111122223333:policy/boundary".parse().ok());
    let expected = [
        ("ap-south-1", Declared::Unmanaged),
        ("eu-west-1", managed(SettingState::Enabled, Mode::Observe)),
        ("sa-east-1", managed(SettingState::Disabled, Mode::Enforce)),
        ("us-east-1", managed(SettingState::Enabled, Mode::Enforce)),
    ];
    assert_eq!(*account.regions, expected.map(|(region, declared)| (region.parse().unwrap(), declared)).into());
    assert_eq!(account.other_regions, Declared::Unmanaged);
}

#[test]
fn the_mode_of_the_document_applies_where_no_nearer_one_is_written() {
    let account = only_account(&with_header(
        "spec:\n  mode: observe\n  role: { mode: enforce }\n  otherRegions: disabled\n  \
         regions: { us-east-1: enabled, us-east-2: { state: enabled, mode: enforce }, us-west-1: { state: disabled } }\n",
    ));
    assert_eq!(account.role.mode, Mode::Enforce);
    assert_eq!(account.other_regions, managed(SettingState::Disabled, Mode::Observe));
    let declared: Vec<Declared> = account.regions.values().copied().collect();
    assert_eq!(
        declared,
        [
            managed(SettingState::Enabled, Mode::Observe),
            managed(SettingState::Enabled, Mode::Enforce),
            managed(SettingState::Disabled, Mode::Observe),
        ]
    );
    let account = only_account(&with_header("spec: { mode: observe, otherRegions: enabled }"));
    assert_eq!(account.role.mode, Mode::Observe);
}

#[test]
fn an_external_role_has_no_path_and_no_policies_but_those_written() {
    let account = only_account(&with_header("spec: { otherRegions: enabled, role: { name: theirs, management: external } }"));
    assert_eq!((&account.role.path, account.role.policies.len()), (&None, 0));
    let account = only_account(&with_header(
        "spec:\n  otherRegions: enabled\n  role: { management: external, path: /, policies: [a], exclusivePolicies: false }",
    ));
    assert_eq!(account.role.path, "/".parse().ok());
    assert_eq!(account.role.policies, ["a".parse().unwrap()]);
}

#[test]
fn a_declared_empty_list_of_policies_is_not_the_default() {
    let account = only_account(&with_header("spec: { otherRegions: enabled, role: { policies: [], exclusivePolicies: true } }"));
    assert_eq!(account.role.policies, []);
    assert_eq!(account.role.other_policies, OtherPolicies::Detach);
}

#[test]
fn aliases_and_json_and_a_byte_order_mark_and_windows_lines_are_fine() {
    let minimal = state(MINIMAL);
    let same = [
        format!("\u{feff}{MINIMAL}"),
        MINIMAL.replace('\n', "\r\n"),
        format!("%YAML 1.2\n---\n{MINIMAL}...\n"),
        r#"{"apiVersion": "dhmc.dev/v1alpha1", "kind": "HostManagement", "spec": {"regions": {"eu-west-1": "enabled"}}}"#
            .to_owned(),
        with_header("spec: { mode: &x enforce, role: { mode: *x }, regions: { eu-west-1: enabled } }"),
    ];
    for yaml in same {
        assert_eq!(state(&yaml), minimal, "{yaml}");
    }
}

#[test]
fn every_partition_can_be_declared_and_names_fit_all_of_them() {
    for region in ["cn-north-1", "us-gov-east-1", "eusc-de-east-1"] {
        only_account(&with_header(&format!("spec: {{ regions: {{ {region}: enabled }} }}")));
    }
    only_account(&with_header(
        "spec: { regions: { cn-north-1: enabled }, role: { policies: ['arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore'] } }",
    ));
}

#[test]
fn limits_of_iam_are_met_exactly() {
    let tags: Vec<String> = (0..50).map(|index| format!("k{index}: v")).collect();
    let yaml = format!(
        "spec:\n  otherRegions: enabled\n  role:\n    policies: [a, b, c, d, e, f, g, h, i, j]\n    description: {}\n    tags: {{ {} }}\n",
        "d".repeat(1000),
        tags.join(", "),
    );
    assert_eq!(only_account(&with_header(&yaml)).role.tags.len(), 50);
    let yaml = format!(
        "spec:\n  otherRegions: enabled\n  role: {{ tags: {{ {}: {}, Größe: '', a b: 'x_.:/=+-@' }} }}\n",
        "k".repeat(128),
        "v".repeat(256),
    );
    assert_eq!(only_account(&with_header(&yaml)).role.tags.len(), 3);
}

proptest! {
    #[test]
    fn any_bytes_are_a_state_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = load(&bytes);
    }

    #[test]
    fn any_text_of_yaml_s_own_characters_is_a_state_or_problems(text in "[-\\[\\]{}:,?&*!|>'\"%@`#<~a1 \n\t]{0,80}") {
        let _ = load(text.as_bytes());
    }

    /// Cuts, doubles, swaps and overwrites pieces of a good document.
    #[test]
    fn a_mutilated_document_is_a_state_or_problems_on_its_lines(
        example in proptest::sample::select(vec![EXAMPLE, ORGANIZATION]),
        from in any::<proptest::sample::Index>(),
        to in any::<proptest::sample::Index>(),
        piece in "[-\\[\\]{}:,?&*!|>'\"%#<~a1 \n\t]{0,6}",
        other in any::<proptest::sample::Index>(),
    ) {
        let [from, to, other] = [from, to, other].map(|place| place.index(example.len()));
        let (from, to) = (from.min(to), from.max(to));
        let mutilated = [&example[..from], &piece, &example[to..], &example[other.min(from)..from]].concat();
        if let Err(problems) = load(mutilated.as_bytes()) {
            let lines = mutilated.lines().count() + 1;
            prop_assert!(problems.iter().all(|problem| problem.line.is_none_or(|line| (1..=lines).contains(&line))), "{problems}");
        }
    }

    #[test]
    fn a_truncated_document_is_never_a_crash(length in 0..ORGANIZATION.len()) {
        let _ = load(&ORGANIZATION.as_bytes()[..length]);
        let _ = load(&EXAMPLE.as_bytes()[..length.min(EXAMPLE.len())]);
    }
}
