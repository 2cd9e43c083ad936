//! What the hub needs with its own credentials: to assume the declared roles, and to list the organization as far as the
//! declaration asks.

use super::principal::OrganizationId;
use super::rights::Rights;
use super::text::{Place, Text, Whose};
use super::values::Values;
use super::{SessionTags, Unfit, reach};
use crate::desired::DesiredState;
use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::{Account, AccountId};
use crate::desired::organization::Scope;
use crate::operations::{ASSUME_ROLE, LIST_ACCOUNTS, LIST_ACCOUNTS_OF_UNIT, LIST_UNITS_OF_UNIT, TAG_SESSION};

/// What is allowed to the hub.
pub(super) fn rights(
    state: &DesiredState,
    place: &Place,
    tags: SessionTags,
    organization: Option<&OrganizationId>,
) -> Result<Rights, Unfit> {
    let roles = roles(state);
    if roles.is_empty() {
        return Err(Unfit::NothingToAssume);
    }
    let mut rights = Rights::default();
    let has_tags = |role: &Assumed<'_>| tags == SessionTags::Inherited || !role.role.session_tags.is_empty();
    for role in &roles {
        // A listed account may be of another organization.
        let covered = role.covered_by(&roles).filter(|_| organization.is_none());
        let of = match organization {
            Some(organization) if role.account.is_none() => Values::only([Text::literal(organization.to_string())]),
            _ => Values::any(),
        };
        if covered.is_none() {
            rights.allow(ASSUME_ROLE, role.arn(place), of.clone());
        }
        if has_tags(role) && !covered.is_some_and(has_tags) {
            rights.allow(TAG_SESSION, role.arn(place), of);
        }
    }
    if let Some(organization) = &state.organization {
        let query = organization.query();
        if query.scope == Scope::Everyone {
            rights.allow_everywhere(LIST_ACCOUNTS);
        }
        if !query.units.is_empty() {
            rights.allow_everywhere(LIST_ACCOUNTS_OF_UNIT);
            rights.allow_everywhere(LIST_UNITS_OF_UNIT);
        }
    }
    Ok(rights)
}

/// A role that the hub assumes, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assumed<'s> {
    pub(super) role: &'s AssumeRole,
    /// `None`: in every account.
    account: Option<AccountId>,
}

impl<'s> Assumed<'s> {
    /// The role by its ARN.
    pub(super) fn arn(&self, place: &Place) -> Text {
        Place { account: self.account.map_or(Whose::Any, Whose::Id), ..*place }.role_at(&self.role.path, &self.role.name)
    }

    /// The pattern for every account that also stands for this role of one.
    pub(super) fn covered_by<'r>(&self, roles: &'r [Assumed<'s>]) -> Option<&'r Assumed<'s>> {
        let same = |one: &&Assumed<'s>| (&one.role.path, &one.role.name) == (&self.role.path, &self.role.name);
        roles.iter().filter(|one| one.account.is_none() && self.account.is_some()).find(same)
    }
}

/// Every role that the hub assumes.
pub(super) fn roles(state: &DesiredState) -> Vec<Assumed<'_>> {
    let mut roles = Vec::new();
    if let Some(organization) = &state.organization {
        let role = &*organization.access;
        match reach::by_name(organization, &super::listed(state)) {
            None => roles.push(Assumed { role, account: None }),
            Some(ids) => roles.extend(ids.into_iter().map(|id| Assumed { role, account: Some(id) })),
        }
    }
    for (account, desired) in &state.accounts {
        if let (Account::Id(id), Access::Assume(role)) = (account, &desired.access) {
            roles.push(Assumed { role, account: Some(*id) });
        }
    }
    roles
}
