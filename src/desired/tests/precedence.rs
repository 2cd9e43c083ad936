//! Which of several declarations applies: the table of `docs/CONFIG.md`, proved row by row.

use std::sync::Arc;

use super::{state, with_header};
use crate::desired::names::{Account, AccountId};
use crate::desired::organization::Query;
use crate::desired::organization::{Listing, Member, Membership};
use crate::desired::{Declared, DesiredAccount, Mode, SettingState};

const REFERENCE: &str = include_str!("../../../docs/CONFIG.md");
const ID: &str = "111122223333";

/// A row: what three levels say, and what applies.
struct Row {
    levels: [String; 3],
    applies: String,
}

fn rows() -> Vec<Row> {
    let section = REFERENCE.split("\n## Precedence\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with('|')).skip(2);
    table
        .map(|line| {
            let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
            let [spec, nearer, nearest, applies] = &cells[..] else { panic!("{line}") };
            Row { levels: [spec, nearer, nearest].map(Clone::clone), applies: applies.clone() }
        })
        .collect()
}

/// What applies to an account of the organization, whose overrides are the levels after the first.
fn of_the_organization([spec, nearer, nearest]: &[String; 3]) -> Arc<DesiredAccount> {
    let overrides: Vec<String> = [nearer, nearest]
        .into_iter()
        .filter(|level| !level.is_empty())
        .map(|level| format!("{{ organizationalUnits: [r-ab12], {level} }}"))
        .collect();
    let state = state(&with_header(&format!(
        "spec: {{ {}, organization: {{ assumeRole: {{ name: a }}, overrides: [{}] }} }}\n",
        with_some_region(spec),
        overrides.join(", ")
    )));
    let id: AccountId = ID.parse().unwrap();
    let units = ["r-ab12".parse().unwrap()].into();
    let member = Member { name: "a".into(), membership: Membership::Active, units };
    let listing = Listing { query: Query::default(), members: [(id, member)].into() };
    let expansion = state.organization.as_ref().unwrap().expand(&listing, &state);
    Arc::clone(&expansion.accounts[&Account::Id(id)])
}

/// What applies to an account that is listed.
fn of_the_list(spec: &str, entry: &str) -> Arc<DesiredAccount> {
    let entry = if entry.is_empty() { String::new() } else { format!(", {entry}") };
    let spec = with_some_region(spec);
    super::only(&state(&with_header(&format!("spec: {{ {spec}, accounts: [{{ id: \"{ID}\"{entry} }}] }}\n"))))
}

/// A document has to declare some region; rows about something else do not show it.
fn with_some_region(spec: &str) -> String {
    let needed = if spec.contains("egions:") { None } else { Some("regions: { us-west-2: disabled }") };
    needed.into_iter().chain((!spec.is_empty()).then_some(spec)).collect::<Vec<_>>().join(", ")
}

/// A fact of an account in the words of the table.
fn shown(account: &DesiredAccount, key: &str) -> String {
    let role = &account.role;
    match key {
        "otherRegions" => declared(account.other_regions),
        "role.mode" => mode(role.mode).to_owned(),
        "role.name" => role.name.to_string(),
        "role.path" => role.path.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string),
        "role.policies" => role.policies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        "role.tags" if role.tags.is_empty() => "none".to_owned(),
        "role.tags" => role.tags.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", "),
        region => account.regions.get(&region.parse().unwrap()).map_or("not named".to_owned(), |one| declared(*one)),
    }
}

fn declared(declared: Declared) -> String {
    match declared {
        Declared::Unmanaged => "unmanaged".to_owned(),
        Declared::Managed(setting) => {
            let state = if setting.state == SettingState::Enabled { "enabled" } else { "disabled" };
            format!("{state}, {}", mode(setting.mode))
        }
    }
}

fn mode(mode: Mode) -> &'static str {
    if mode == Mode::Enforce { "enforce" } else { "observe" }
}

#[test]
fn the_table_of_the_reference_is_true_of_organizations_and_of_lists() {
    let rows = rows();
    assert!(rows.len() >= 12, "{} rows", rows.len());
    for Row { levels, applies } in rows {
        let (key, expected) = applies.split_once(" = ").unwrap_or_else(|| panic!("{applies}"));
        assert_eq!(shown(&of_the_organization(&levels), key), expected, "{levels:?}");
        if levels[2].is_empty() {
            assert_eq!(shown(&of_the_list(&levels[0], &levels[1]), key), expected, "{levels:?}");
        }
    }
}
