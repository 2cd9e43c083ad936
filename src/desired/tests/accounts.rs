//! What documents of several accounts mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{managed, state, with_header};
use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::Account;
use crate::desired::{DesiredAccount, DesiredState, Mode, SettingState};

fn account<'s>(state: &'s DesiredState, id: &str) -> &'s Arc<DesiredAccount> {
    &state.accounts[&Account::Id(id.parse().unwrap())]
}

#[test]
fn every_field_of_a_listed_account_arrives() {
    let state = state(&with_header(
        "spec:\n  regions: { us-east-1: enabled }\n  accounts:\n    - id: \"000022223333\"\n      name: Zahlungen\n      \
         assumeRole: { name: dhmc, path: /platform/, externalId: s3cr3t, sessionTags: { team: x } }\n      \
         mode: observe\n      regions: { eu-west-1: disabled }\n      otherRegions: { state: enabled, mode: enforce }\n      \
         role: { name: ours }\n",
    ));
    let payments = account(&state, "000022223333");
    assert_eq!(payments.name.as_deref(), Some("Zahlungen"));
    let role = AssumeRole {
        name: "dhmc".parse().unwrap(),
        path: "/platform/".parse().unwrap(),
        external_id: "s3cr3t".parse().ok(),
        session_tags: BTreeMap::from([("team".to_owned(), "x".to_owned())]),
    };
    assert_eq!(payments.access, Access::Assume(Arc::new(role)));
    assert_eq!(payments.role.name.as_str(), "ours");
    assert_eq!(payments.other_regions, managed(SettingState::Enabled, Mode::Enforce));
    let expected = [
        ("eu-west-1", managed(SettingState::Disabled, Mode::Observe)),
        ("us-east-1", managed(SettingState::Enabled, Mode::Observe)),
    ];
    assert_eq!(*payments.regions, expected.map(|(region, declared)| (region.parse().unwrap(), declared)).into());
}

#[test]
fn with_a_list_or_an_organization_the_own_account_is_managed_only_if_listed() {
    let listed = state(&with_header("spec: { otherRegions: enabled, accounts: [{ id: \"111122223333\" }] }"));
    assert_eq!(listed.accounts.keys().map(ToString::to_string).collect::<Vec<_>>(), ["111122223333"]);
    assert_eq!(account(&listed, "111122223333").access, Access::Own);
    let everybody = state(&with_header("spec: { otherRegions: enabled, organization: { assumeRole: { name: a } } }"));
    assert!(everybody.accounts.is_empty() && everybody.organization.is_some());
}

#[test]
fn accounts_that_declare_nothing_of_their_own_share_what_spec_says() {
    let entries = (0..3).map(|index| format!("{{ id: \"11112222333{index}\", assumeRole: {{ name: a }} }}"));
    let entries = entries.collect::<Vec<_>>().join(", ");
    let state = state(&with_header(&format!("spec: {{ otherRegions: enabled, accounts: [{entries}] }}")));
    let roles: Vec<_> = state.accounts.values().map(|account| &account.role).collect();
    assert!(roles.iter().all(|role| Arc::ptr_eq(role, roles[0])));
}

#[test]
fn an_arn_of_an_account_is_fine_where_that_account_alone_gets_it() {
    state(&with_header(
        "spec:\n  otherRegions: enabled\n  role: { policies: ['arn:aws:iam::111122223333:policy/logs'] }\n  accounts:\n    \
         - id: \"111122223333\"\n    - id: \"222233334444\"\n      assumeRole: { name: a }\n      \
         role: { policies: ['arn:aws:iam::222233334444:policy/logs'] }\n",
    ));
    state(&with_header(
        "spec:\n  otherRegions: enabled\n  organization:\n    assumeRole: { name: a }\n    overrides:\n      \
         - { accounts: ['111122223333'], role: { policies: ['arn:aws:iam::111122223333:policy/logs'] } }\n",
    ));
}

#[test]
fn an_account_may_take_back_that_a_role_is_external() {
    let state = state(&with_header(
        "spec:\n  otherRegions: enabled\n  role: { management: external, name: theirs }\n  accounts:\n    \
         - { id: \"111122223333\", role: { management: managed, tags: { team: x } } }\n",
    ));
    assert_eq!(account(&state, "111122223333").role.tags.len(), 1);
}

#[test]
fn limits_of_accounts_and_sessions_are_met_exactly() {
    let tags: Vec<String> = (0..50).map(|index| format!("k{index}: v")).collect();
    let state = state(&with_header(&format!(
        "spec:\n  otherRegions: enabled\n  accounts:\n    - id: \"111122223333\"\n      name: {}\n      \
         assumeRole: {{ name: a, externalId: {}, sessionTags: {{ {} }} }}\n",
        "ü".repeat(50),
        "x".repeat(1224),
        tags.join(", "),
    )));
    let Access::Assume(role) = &account(&state, "111122223333").access else { panic!("own") };
    assert_eq!(role.session_tags.len(), 50);
}
