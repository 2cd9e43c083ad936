//! What the hub needs with its own credentials: to assume the declared roles, and to list the organization as far as the
//! declaration asks.

use std::collections::BTreeSet;

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
    let listed: BTreeSet<AccountId> = super::listed(state);
    let mut everywhere: Option<&AssumeRole> = None;
    let mut roles = Vec::new();
    if let Some(organization) = &state.organization {
        match reach::by_name(organization, &listed) {
            Some(ids) => roles.extend(ids.into_iter().map(|id| Assumed { role: &organization.access, account: Some(id) })),
            None => {
                everywhere = Some(&organization.access);
                roles.push(Assumed { role: &organization.access, account: None });
            }
        }
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
