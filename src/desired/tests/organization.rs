//! Which accounts a declaration comes to, given who is in the organization; what has to be asked for that.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{managed, state, with_header};
use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, UnitId};
use crate::desired::organization::{DesiredOrganization, Expansion, Override, Query, Scope, Selection, Tally};
use crate::desired::organization::{Listing, Member, Membership};
use crate::desired::{DesiredState, Mode, SettingState};

const OUTER: &str = "ou-ab12-11111111";
const INNER: &str = "ou-ab12-22222222";

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn units(names: &[&str]) -> std::collections::BTreeSet<UnitId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn member(name: &str, of: &[&str]) -> Member {
    Member { name: name.into(), membership: Membership::Active, units: units(of) }
}

fn listing(members: Vec<(&str, Member)>) -> Listing {
    let members = members.into_iter().map(|(account, member)| (id(account), member)).collect();
    Listing { query: Query::default(), members }
}

/// A document of an organization, with more of it as YAML.
fn organization(more: &str) -> DesiredState {
    state(&with_header(&format!(
        "spec:\n  regions: {{ eu-west-1: enabled }}\n  organization:\n    assumeRole: {{ name: dhmc-controller }}\n{more}"
    )))
}

fn expand(state: &DesiredState, listing: &Listing) -> Expansion {
    state.organization.as_ref().unwrap().expand(listing, state)
}

fn accounts(expansion: &Expansion) -> Vec<String> {
    expansion.accounts.keys().map(ToString::to_string).collect()
}

fn mode_of(expansion: &Expansion, account: &str) -> Mode {
    let desired = &expansion.accounts[&Account::Id(id(account))];
    let region = "eu-west-1".parse().unwrap();
    let mode =
        [Mode::Enforce, Mode::Observe].into_iter().find(|mode| desired.regions[&region] == managed(SettingState::Enabled, *mode));
    mode.unwrap()
}

#[test]
fn without_more_every_active_account_is_managed_by_the_role_and_has_its_name() {
    let state = organization("");
    let mut closing = member("closing", &[]);
    closing.membership = Membership::Suspended;
    let everybody = listing(vec![("111122223333", member("payments", &[])), ("222233334444", closing)]);
    let expansion = expand(&state, &everybody);
    assert_eq!(expansion.tally, Tally { managed: 1, suspended: 1, ..Tally::default() });
    let desired = &expansion.accounts[&Account::Id(id("111122223333"))];
    assert_eq!(desired.name.as_deref(), Some("payments"));
    let Access::Assume(role) = &desired.access else { panic!("{:?}", desired.access) };
    assert_eq!((role.name.as_str(), role.path.as_str()), ("dhmc-controller", "/"));
}

#[test]
fn units_include_and_exclude_what_is_nested_in_them() {
    let state = organization(&format!(
        "    include: {{ organizationalUnits: [{OUTER}], accounts: [\"444455556666\"] }}\n    \
         exclude: {{ organizationalUnits: [{INNER}], accounts: [\"333344445555\"] }}\n"
    ));
    let everybody = listing(vec![
        ("111122223333", member("in", &[OUTER])),
        ("222233334444", member("nested and excluded", &[OUTER, INNER])),
        ("333344445555", member("excluded by its id", &[OUTER])),
        ("444455556666", member("in by its id", &[])),
        ("555566667777", member("elsewhere", &[])),
        ("666677778888", member("excluded only", &[INNER])),
    ]);
    let expansion = expand(&state, &everybody);
    assert_eq!(accounts(&expansion), ["111122223333", "444455556666"]);
    assert_eq!(expansion.tally, Tally { managed: 2, excluded: 4, ..Tally::default() });
}

#[test]
fn an_account_that_a_document_lists_is_left_to_it() {
    let state = state(&with_header(
        "spec:\n  regions: { eu-west-1: enabled }\n  accounts: [{ id: \"111122223333\" }]\n  organization:\n    \
         assumeRole: { name: dhmc-controller }\n    overrides: [{ organizationalUnits: [r-ab12], mode: observe }]\n",
    ));
    let everybody = listing(vec![("111122223333", member("a", &["r-ab12"])), ("222233334444", member("b", &["r-ab12"]))]);
    let expansion = expand(&state, &everybody);
    assert_eq!(accounts(&expansion), ["222233334444"]);
    assert_eq!(expansion.tally, Tally { managed: 1, listed: 1, ..Tally::default() });
    assert_eq!(mode_of(&expansion, "222233334444"), Mode::Observe);
    let own = &state.accounts[&Account::Id(id("111122223333"))];
    assert_eq!(own.role.mode, Mode::Enforce);
}

#[test]
fn a_suspended_account_is_suspended_whatever_else_it_is() {
    let state = organization("    exclude: { accounts: [\"111122223333\"] }\n");
    let mut closing = member("closing", &[]);
    closing.membership = Membership::Suspended;
    let expansion = expand(&state, &listing(vec![("111122223333", closing)]));
    assert_eq!(expansion.tally, Tally { suspended: 1, ..Tally::default() });
}

#[test]
fn overrides_apply_in_their_order_to_those_they_select() {
    let state = organization(&format!(
        "    overrides:\n      - {{ organizationalUnits: [{OUTER}], mode: observe }}\n      \
         - {{ organizationalUnits: [{INNER}], accounts: [\"333344445555\"], mode: enforce, otherRegions: disabled }}\n"
    ));
    let everybody = listing(vec![
        ("111122223333", member("outer", &[OUTER])),
        ("222233334444", member("inner", &[OUTER, INNER])),
        ("333344445555", member("by its id", &[OUTER])),
        ("444455556666", member("elsewhere", &[])),
    ]);
    let expansion = expand(&state, &everybody);
    let modes = ["111122223333", "222233334444", "333344445555", "444455556666"].map(|account| mode_of(&expansion, account));
    assert_eq!(modes, [Mode::Observe, Mode::Enforce, Mode::Enforce, Mode::Enforce]);
    let other = |account: &str| expansion.accounts[&Account::Id(id(account))].other_regions;
    assert_eq!(other("222233334444"), managed(SettingState::Disabled, Mode::Enforce));
    assert_eq!(other("444455556666"), crate::desired::Declared::Unmanaged);
}

#[test]
fn accounts_with_the_same_overrides_share_what_applies_to_them() {
    let state = organization(&format!("    overrides: [{{ organizationalUnits: [{OUTER}], mode: observe }}]\n"));
    let everybody = listing(vec![
        ("111122223333", member("a", &[OUTER])),
        ("222233334444", member("b", &[OUTER])),
        ("333344445555", member("c", &[])),
    ]);
    let expansion = expand(&state, &everybody);
    let role = |account: &str| &expansion.accounts[&Account::Id(id(account))].role;
    assert!(std::sync::Arc::ptr_eq(role("111122223333"), role("222233334444")));
    assert_ne!(role("111122223333"), role("333344445555"));
}

fn query(more: &str) -> Query {
    organization(more).organization.unwrap().query()
}

#[test]
fn what_is_asked_is_no_more_than_what_the_declaration_speaks_of() {
    assert_eq!(query(""), Query { scope: Scope::Everyone, units: units(&[]) });
    let by_unit = format!("    include: {{ organizationalUnits: [{OUTER}] }}\n");
    assert_eq!(query(&by_unit), Query { scope: Scope::Units, units: units(&[OUTER]) });
    let excluding = format!("{by_unit}    exclude: {{ organizationalUnits: [{INNER}] }}\n");
    assert_eq!(query(&excluding), Query { scope: Scope::Units, units: units(&[OUTER, INNER]) });
    let by_id = format!("    include: {{ organizationalUnits: [{OUTER}], accounts: [\"111122223333\"] }}\n");
    assert_eq!(query(&by_id), Query { scope: Scope::Everyone, units: units(&[OUTER]) });
    let overriding = format!("    overrides: [{{ organizationalUnits: [{INNER}], mode: observe }}]\n");
    assert_eq!(query(&overriding), Query { scope: Scope::Everyone, units: units(&[INNER]) });
}

#[test]
fn an_answer_serves_every_narrower_question() {
    let ask = |scope, names: &[&str]| Query { scope, units: units(names) };
    let everyone = ask(Scope::Everyone, &[OUTER]);
    assert!(everyone.answers(&everyone));
    assert!(everyone.answers(&ask(Scope::Everyone, &[])));
    assert!(everyone.answers(&ask(Scope::Units, &[OUTER])));
    assert!(!everyone.answers(&ask(Scope::Everyone, &[OUTER, INNER])));
    assert!(!ask(Scope::Units, &[OUTER, INNER]).answers(&ask(Scope::Everyone, &[OUTER])));
}

/// Twelve accounts and four units are enough for every combination to come up.
fn account(number: u8) -> AccountId {
    id(&format!("{number:012}"))
}

fn unit(number: u8) -> UnitId {
    format!("ou-ab12-{number:08}").parse().unwrap()
}

fn any_selection() -> impl Strategy<Value = Selection> {
    let some = |most| proptest::collection::btree_set(0u8..most, 0..4);
    (some(4), some(12)).prop_map(|(units, accounts)| Selection {
        units: units.into_iter().map(unit).collect(),
        accounts: accounts.into_iter().map(account).collect(),
    })
}

fn any_listing() -> impl Strategy<Value = Listing> {
    let member =
        (any::<bool>(), proptest::collection::btree_set((0u8..4).prop_map(unit), 0..3)).prop_map(|(suspended, units)| {
            let membership = if suspended { Membership::Suspended } else { Membership::Active };
            Member { name: "a".into(), membership, units }
        });
    proptest::collection::btree_map((0u8..12).prop_map(account), member, 0..12)
        .prop_map(|members| Listing { query: Query::default(), members })
}

fn selects(selection: &Selection, id: AccountId, member: &Member) -> bool {
    selection.accounts.contains(&id) || !selection.units.is_disjoint(&member.units)
}

proptest! {
    #[test]
    fn nobody_is_managed_who_is_excluded_suspended_listed_or_a_stranger(
        listing in any_listing(),
        include in proptest::option::of(any_selection()),
        exclude in any_selection(),
        whom in any_selection(),
        listed in proptest::collection::btree_set(0u8..12, 0..4),
    ) {
        let example = organization("");
        let declared = example.organization.clone().unwrap();
        let level = crate::desired::levels::Level { mode: Some(Mode::Observe), ..Default::default() };
        let declared = DesiredOrganization { include, exclude, overrides: vec![Override { whom, level }], ..(*declared).clone() };
        let template = std::sync::Arc::clone(&super::only(&state(super::MINIMAL)));
        let accounts: BTreeMap<_, _> = listed.into_iter().map(|one| (Account::Id(account(one)), template.clone())).collect();
        let state = DesiredState { accounts, ..example };
        let expansion = declared.expand(&listing, &state);
        for (managed, desired) in &expansion.accounts {
            let Account::Id(id) = managed else { panic!("{managed}") };
            let member = &listing.members[id];
            prop_assert_eq!(member.membership, Membership::Active);
            prop_assert!(!selects(&declared.exclude, *id, member));
            prop_assert!(declared.include.as_ref().is_none_or(|include| selects(include, *id, member)));
            prop_assert!(!state.accounts.contains_key(managed));
            let overridden = selects(&declared.overrides[0].whom, *id, member);
            prop_assert_eq!(desired.role.mode == Mode::Observe, overridden);
        }
        let Tally { managed, listed, excluded, suspended } = expansion.tally;
        prop_assert_eq!(managed, expansion.accounts.len());
        prop_assert_eq!(managed + listed + excluded + suspended, listing.members.len());
    }
}
