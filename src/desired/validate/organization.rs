//! What is declared for an organization: which accounts, and what for some of them. Called by [`super`].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::arns::{Owners, Recipients};
use super::level::Surroundings;
use super::{Above, ListedIds, accounts, level, line_of};
use crate::desired::document::{OrganizationBlock, OverrideBlock, SelectionBlock};
use crate::desired::fields::Written;
use crate::desired::levels::Level;
use crate::desired::names::AccountId;
use crate::desired::organization::{DesiredOrganization, Override, Selection};
use crate::desired::problems::{Place, Problem};

/// What is wanted of the organization.
pub(super) fn validate(
    organization: OrganizationBlock,
    defaults: Level,
    above: &Above,
    listed: &ListedIds,
    problems: &mut Vec<Problem>,
) -> DesiredOrganization {
    if !above.declares_regions {
        let problem = Problem::new(&organization.place, "nothing is declared for accounts without an override");
        problems.push(problem.help("add regions or otherRegions to spec; `otherRegions: unmanaged` is nothing, said aloud"));
    }
    check_include(&organization, listed, problems);
    let OrganizationBlock { assume_role, include, exclude, overrides, .. } = organization;
    let access = Arc::new(accounts::assume_role(assume_role, problems));
    let excluded = exclude.as_ref().map(|exclude| first_places(&exclude.accounts)).unwrap_or_default();
    // Whether an account is in a unit is for Organizations to say; without units it is known here.
    let included = include.as_ref().filter(|include| include.is_sound && include.units.is_empty());
    let included = included.map(|include| first_places(&include.accounts));
    let reach = Reach { listed, excluded, included };
    let overrides = overrides.into_iter().map(|one| checked_override(one, &reach, above, problems)).collect();
    DesiredOrganization {
        access,
        include: include.map(|include| selection(include, problems)),
        exclude: exclude.map(|exclude| selection(exclude, problems)).unwrap_or_default(),
        defaults,
        overrides,
    }
}

/// The accounts that it names to be managed, and where.
pub(super) fn selected(organization: &OrganizationBlock) -> BTreeMap<AccountId, Place> {
    let include = organization.include.iter();
    let selections = include.chain(organization.overrides.iter().map(|one| &one.whom));
    selections.flat_map(|selection| first_places(&selection.accounts)).collect()
}

fn check_include(organization: &OrganizationBlock, listed: &ListedIds, problems: &mut Vec<Problem>) {
    let Some(include) = &organization.include else { return };
    if include.is_blank() {
        let problem = Problem::new(&include.place, "nothing is included");
        problems.push(problem.help("name organizationalUnits or accounts, or leave include out to have every account"));
    }
    for account in &include.accounts {
        if let Some(place) = listed.get(&account.value) {
            problems.push(left_out(account, place));
        }
    }
    if let Some(exclude) = &organization.exclude {
        check_both(&include.accounts, &exclude.accounts, problems);
        check_both(&include.units, &exclude.units, problems);
    }
}

fn check_both<T: Ord + Clone + Display>(included: &[Written<T>], excluded: &[Written<T>], problems: &mut Vec<Problem>) {
    let included = first_places(included);
    for one in excluded {
        if let Some(place) = included.get(&one.value) {
            let message = format!("{} is included, on {}, and excluded", one.value, line_of(place));
            problems.push(Problem::new(&one.place, message).help("keep one of them"));
        }
    }
}

fn left_out(account: &Written<AccountId>, place: &Place) -> Problem {
    let message = format!("account {} is listed under accounts, on {}, and left out here", account.value, line_of(place));
    Problem::new(&account.place, message).help("declare it in one of the two places")
}

/// What is known without asking of which accounts the organization's declaration reaches.
struct Reach<'d> {
    listed: &'d ListedIds,
    excluded: BTreeMap<AccountId, Place>,
    /// `None`: units are included, or everybody is.
    included: Option<BTreeMap<AccountId, Place>>,
}

fn checked_override(one: OverrideBlock, reach: &Reach<'_>, above: &Above, problems: &mut Vec<Problem>) -> Override {
    if one.whom.is_blank() {
        let problem = Problem::new(&one.whom.place, "an override of no account");
        problems.push(problem.help("name organizationalUnits or accounts; what is for every account goes into spec"));
    }
    for account in &one.whom.accounts {
        if let Some(place) = reach.listed.get(&account.value) {
            problems.push(left_out(account, place));
        } else if let Some(place) = reach.excluded.get(&account.value) {
            let message = format!("account {} is excluded, on {}, so this is for nobody", account.value, line_of(place));
            problems.push(Problem::new(&account.place, message).help("leave it out here or there"));
        } else if reach.included.as_ref().is_some_and(|included| !included.contains_key(&account.value)) {
            let message = format!("account {} is not included, so this is for nobody", account.value);
            problems.push(Problem::new(&account.place, message).help("add it to include, or leave it out here"));
        }
    }
    let recipients = if one.whom.units.is_empty() && one.whom.is_sound {
        Recipients::These(one.whom.accounts.iter().map(|account| account.value).collect())
    } else {
        Recipients::Many
    };
    let around = Surroundings { partition: above.partition, inherited: above.management, owners: Owners::alike(recipients) };
    let (place, is_sound) = (one.whom.place.clone(), one.level.is_sound);
    let level = level::validate(one.level, &around, problems);
    if is_sound && level == Level::default() {
        let problem = Problem::new(&place, "an override that declares nothing");
        problems.push(problem.help("add mode, role, regions or otherRegions"));
    }
    Override { whom: selection(one.whom, problems), level }
}

fn selection(block: SelectionBlock, problems: &mut Vec<Problem>) -> Selection {
    check_once(&block.units, problems);
    check_once(&block.accounts, problems);
    Selection {
        units: block.units.into_iter().map(|unit| unit.value).collect(),
        accounts: block.accounts.into_iter().map(|account| account.value).collect(),
    }
}

fn check_once<T: Ord + Clone + Display>(names: &[Written<T>], problems: &mut Vec<Problem>) {
    let first = first_places(names);
    for name in names {
        if let Some(place) = first.get(&name.value).filter(|place| **place != name.place) {
            let message = format!("{} is in this list already, on {}", name.value, line_of(place));
            problems.push(Problem::new(&name.place, message).help("keep one of them"));
        }
    }
}

fn first_places<T: Ord + Clone>(names: &[Written<T>]) -> BTreeMap<T, Place> {
    names.iter().rev().map(|name| (name.value.clone(), name.place.clone())).collect()
}
