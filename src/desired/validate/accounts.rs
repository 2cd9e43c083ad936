//! The accounts that a document lists, and how each is reached. Called by [`super`].

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::arns::{Owners, Recipients};
use super::level::Surroundings;
use super::{Above, ListedIds, level, line_of, tags};
use crate::desired::DesiredAccount;
use crate::desired::access::{Access, AssumeRole};
use crate::desired::document::{AccountBlock, AssumeRoleBlock, OrganizationBlock};
use crate::desired::fields::Written;
use crate::desired::levels::{Level, settle};
use crate::desired::names::{Account, AccountId, RolePath};
use crate::desired::problems::{Place, Problem};

/// As long as the name of an account may be in Organizations.
const LONGEST_NAME: usize = 50;

/// Where each account is listed. Twice is a problem: nobody could know which of the two applies.
pub(super) fn ids(listed: &[AccountBlock], problems: &mut Vec<Problem>) -> ListedIds {
    let mut ids = ListedIds::new();
    for id in listed.iter().filter_map(|account| account.id.as_ref()) {
        match ids.entry(id.value) {
            Entry::Vacant(vacant) => {
                vacant.insert(id.place.clone());
            }
            Entry::Occupied(first) => {
                let message = format!("account {} is listed already, on {}", id.value, line_of(first.get()));
                problems.push(Problem::new(&id.place, message).help("keep one of them"));
            }
        }
    }
    ids
}

/// Who gets the policies that `spec.role` names: every account for which nothing nearer names its own.
pub(super) fn heirs(listed: &[AccountBlock], organization: Option<&OrganizationBlock>) -> Owners {
    let recipients = |says: fn(&AccountBlock) -> bool| {
        if organization.is_some() {
            return Recipients::Many;
        }
        let heirs = listed.iter().filter(|account| !says(account)).filter_map(|account| account.id.as_ref());
        Recipients::These(heirs.map(|id| id.value).collect::<BTreeSet<_>>())
    };
    Owners {
        policies: recipients(|account| account.level.role.policies.is_some()),
        boundary: recipients(|account| account.level.role.permissions_boundary.is_some()),
    }
}

/// What is wanted of each account that is listed.
pub(super) fn validate(
    listed: Vec<AccountBlock>,
    defaults: &Level,
    above: &Above,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Account, Arc<DesiredAccount>> {
    let inherited = settle(&[defaults]);
    let mut accounts = BTreeMap::new();
    for account in listed {
        if !above.declares_regions && account.level.is_sound && !account.level.declares_regions() {
            let problem = Problem::new(&account.place, "nothing is declared for this account");
            problems.push(problem.help("add regions or otherRegions, here or in spec for every account"));
        }
        let id = account.id.map(|id| id.value);
        let around = Surroundings {
            partition: above.partition,
            inherited: above.management,
            owners: Owners::alike(id.map_or(Recipients::Unknown, Recipients::one)),
        };
        let level = level::validate(account.level, &around, problems);
        let name = account.name.map(|name| checked_name(&name, problems));
        let access = account.assume_role.map_or(Access::Own, |role| Access::Assume(Arc::new(assume_role(role, problems))));
        // Most accounts are like all others, and share what applies to them.
        let what = if level == Level::default() { inherited.clone() } else { settle(&[defaults, &level]) };
        accounts.extend(id.map(|id| (Account::Id(id), Arc::new(DesiredAccount::new(name, access, what)))));
    }
    accounts
}

/// The one account that is reached with the controller's own credentials, if there is one: its id, and where it is listed.
///
/// The credentials are of one account. Of several that are reached with them, all but one are out of reach.
pub(super) fn check_own(listed: &[AccountBlock], problems: &mut Vec<Problem>) -> Option<(Option<AccountId>, Place)> {
    let mut own = listed.iter().filter(|account| account.assume_role.is_none());
    let place_of = |account: &AccountBlock| account.id.as_ref().map_or(&account.place, |id| &id.place).clone();
    let first = own.next()?;
    for account in own {
        let message = format!(
            "a second account without assumeRole, after the one on {}; the controller's own credentials are of one account",
            line_of(&place_of(first)),
        );
        problems.push(Problem::new(&place_of(account), message).help("add `assumeRole: { name: dhmc-controller }`"));
    }
    Some((first.id.as_ref().map(|id| id.value), place_of(first)))
}

fn checked_name(name: &Written<String>, problems: &mut Vec<Problem>) -> Arc<str> {
    tags::check_length(name, "an account's name", 1..=LONGEST_NAME, problems);
    if name.value.chars().any(char::is_control) {
        problems.push(Problem::new(&name.place, "an account's name cannot hold control characters").help("leave them out"));
    }
    name.value.as_str().into()
}

/// The role that is assumed. One without a name is a problem by now, and has some name here.
pub(super) fn assume_role(role: AssumeRoleBlock, problems: &mut Vec<Problem>) -> AssumeRole {
    AssumeRole {
        name: role.name.map(|name| name.value).unwrap_or_default(),
        path: role.path.map_or_else(RolePath::root, |path| path.value),
        external_id: role.external_id.map(|id| id.value),
        session_tags: role.session_tags.map(|tags| tags::checked(tags, tags::SESSION, problems)).unwrap_or_default(),
    }
}
