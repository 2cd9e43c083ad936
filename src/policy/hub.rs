//! What the hub needs with its own credentials: to assume the declared roles, and to list the organization as far as the
//! declaration asks.

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
pub(super) fn rights(state: &DesiredState, place: &Place, tags: SessionTags) -> Result<Rights, Unfit> {
    let roles = roles(state);
    if roles.is_empty() {
        return Err(Unfit::NothingToAssume);
    }
    let mut rights = Rights::default();
    for role in roles {
        for resource in role.arns(place) {
            rights.allow(ASSUME_ROLE, resource.clone(), Values::any());
            if tags == SessionTags::Inherited || !role.role.session_tags.is_empty() {
                rights.allow(TAG_SESSION, resource, Values::any());
            }
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

impl Assumed<'_> {
    /// The role by its ARN.
    pub(super) fn arns(&self, place: &Place) -> Vec<Text> {
        Place { account: self.account.map_or(Whose::Any, Whose::Id), ..*place }.role(Some(&self.role.path), &self.role.name)
    }
}

/// Every role that the hub assumes. One that it assumes in every account is not also named for single ones.
pub(super) fn roles(state: &DesiredState) -> Vec<Assumed<'_>> {
    let of_organization = state.organization.as_ref();
    let by_name = of_organization.and_then(|one| reach::by_name(one, &super::listed(state)));
    let everywhere = of_organization.filter(|_| by_name.is_none()).map(|one| &*one.access);
    let mut roles: Vec<Assumed<'_>> = everywhere.map(|role| Assumed { role, account: None }).into_iter().collect();
    for id in by_name.into_iter().flatten() {
        roles.extend(of_organization.map(|one| Assumed { role: &one.access, account: Some(id) }));
    }
    for (account, desired) in &state.accounts {
        if let (Account::Id(id), Access::Assume(role)) = (account, &desired.access) {
            let covered = everywhere.is_some_and(|one| {
                (&one.path, &one.name) == (&role.path, &role.name)
                    && (role.session_tags.is_empty() || !one.session_tags.is_empty())
            });
            if !covered {
                roles.push(Assumed { role, account: Some(*id) });
            }
        }
    }
    roles
}
