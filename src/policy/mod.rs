//! The least that AWS has to allow for a document, and what keeps others away from it: policies as plain values, worked out from the
//! desired state and the planner. Pure.
//!
//! [`controller`], [`member`] and [`hub`] allow; [`scp`] and [`deny`] guard; [`trust`] lets in. `serde` writes a
//! [`PolicyDocument`] as IAM reads it; [`render`] writes it for Terraform and `CloudFormation`.

mod denial;
pub mod doctor;
pub mod document;
mod hub;
pub mod principal;
pub mod quota;
mod reach;
pub mod render;
mod rights;
mod statements;
#[cfg(test)]
mod tests;
pub mod text;
pub mod trust;
mod unfit;
mod values;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::{Account, AccountId, Partition, PolicyRef};
use crate::desired::{DesiredAccount, DesiredState, regions};
use denial::Entrusted;
use document::PolicyDocument;
use principal::{Allowed, OrganizationId};
use reach::Reach;
use rights::Rights;
use text::{Place, Text, Whose};
pub use unfit::Unfit;
use values::Values;
pub use writes::{Compared, Write, writes};

/// What a policy is for, besides the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Where it is deployed, where the document does not tell.
    pub partition: Option<Partition>,
    /// For which account. `None`: for all that the document declares.
    pub account: Option<AccountId>,
    /// Where settings may be written.
    pub regions: RegionScope,
    /// Whether `doctor` is to be able to read what it reads.
    pub doctor: Doctor,
}

/// Where settings may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegionScope {
    /// In the regions that the document declares: a new one needs a new policy.
    #[default]
    Declared,
    /// In every region.
    Any,
}

/// Whether `doctor` is to be able to read what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doctor {
    /// It is told what the controller can read, and says of the rest that it could not.
    #[default]
    Without,
    /// It is.
    With,
}

/// Which session tags the hub's sessions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionTags {
    /// Those that the document declares.
    #[default]
    Declared,
    /// Also those of EKS Pod Identity, which go along into every account.
    Inherited,
}

impl Scope {
    /// For one account.
    #[must_use]
    pub fn of(account: AccountId) -> Self {
        Self { account: Some(account), ..Self::default() }
    }

    fn place(&self) -> Place {
        Place { partition: self.partition, account: self.account.map_or(Whose::Deployed, Whose::Id) }
    }

    /// Refuses a partition that is not the document's.
    pub fn check(&self, state: &DesiredState) -> Result<(), Unfit> {
        match (self.partition, partition(state)) {
            (Some(asked), Some(declared)) if asked != declared => Err(Unfit::OtherPartition { declared, asked }),
            _ => Ok(()),
        }
    }

    fn place_in(&self, state: &DesiredState) -> Place {
        Place { partition: partition(state).or(self.partition), ..self.place() }
    }

    fn regions(&self, declared: Values) -> Values {
        match self.regions {
            RegionScope::Declared => declared,
            RegionScope::Any => Values::any(),
        }
    }

    /// What keeps accounts as they may come to be declared.
    fn rights(&self, reaches: &[Reach], place: &Place) -> Rights {
        let mut rights = Rights::default();
        for reach in reaches {
            let settings = reach.settings.iter().map(|(regions, setting)| (self.regions(regions.clone()), *setting)).collect();
            rights.keep(&Reach { settings, ..reach.clone() }, place);
            if self.doctor == Doctor::With {
                doctor::allow(&mut rights, reach, place);
            }
        }
        rights
    }
}

/// What the controller needs in the account of its own credentials.
pub fn controller(state: &DesiredState, scope: &Scope) -> Result<PolicyDocument, Unfit> {
    let (account, desired) = own(state).ok_or(Unfit::NothingOwn)?;
    let place = match (account, scope.account) {
        (Account::Id(declared), Some(asked)) if declared != asked => return Err(Unfit::OtherAccount { declared, asked }),
        (Account::Id(id), _) => Place { account: Whose::Id(id), ..scope.place_in(state) },
        (Account::Own, _) => scope.place_in(state),
    };
    Ok(statements::document(scope.rights(&[Reach::of(desired)], &place)))
}

/// What the role needs that is assumed in a member account: of one account, or of all of them in one policy.
pub fn member(state: &DesiredState, scope: &Scope) -> Result<PolicyDocument, Unfit> {
    let reaches = members(state, scope.account)?;
    if reaches.is_empty() {
        return Err(Unfit::NoMember);
    }
    Ok(statements::document(scope.rights(&reaches, &scope.place_in(state))))
}

/// What the hub needs with its own credentials to reach the members, besides [`controller`] where it keeps an account itself.
///
/// Where the organization's id is known, accounts that the document does not name have to be of it.
pub fn hub(
    state: &DesiredState,
    scope: &Scope,
    tags: SessionTags,
    organization: Option<&OrganizationId>,
) -> Result<PolicyDocument, Unfit> {
    Ok(statements::document(hub::rights(state, &scope.place_in(state), tags, organization)?))
}

/// The roles by which stack sets come into the accounts of an organization (`CloudFormation` user guide, "Activate trusted access").
/// A service-linked role makes them, and no service control policy binds those (Organizations user guide, "SCPs").
const STACK_SETS: &str = "role/stacksets-exec-*";

/// The service control policy that keeps everybody but the controller from what it keeps.
pub fn scp(state: &DesiredState, scope: &Scope, allowed: &Allowed) -> Result<PolicyDocument, Unfit> {
    if own_in(state, scope).is_some() && allowed.controllers.is_empty() {
        return Err(Unfit::ControllerUnknown);
    }
    let place = Place { account: scope.account.map_or(Whose::Any, Whose::Id), ..scope.place_in(state) };
    denial(state, scope, &place, allowed, &[place.arn("iam", "", STACK_SETS)])
}

/// The same for principals of IAM that must not touch it. No stack set is one of them.
pub fn deny(state: &DesiredState, scope: &Scope, allowed: &Allowed) -> Result<PolicyDocument, Unfit> {
    denial(state, scope, &scope.place_in(state), allowed, &[])
}

fn denial(
    state: &DesiredState,
    scope: &Scope,
    place: &Place,
    allowed: &Allowed,
    stack_sets: &[Text],
) -> Result<PolicyDocument, Unfit> {
    can_stay(state, scope, place, allowed)?;
    let own = own_in(state, scope).map(Reach::of);
    let reaches = match own {
        Some(own) if scope.account.is_some() => vec![own],
        own => own.into_iter().chain(members(state, scope.account)?).collect(),
    };
    let assumed = hub::roles(state);
    let declared = assumed.iter().filter(|role| role.covered_by(&assumed).is_none()).map(|role| role.arn(place));
    let entrusted = Entrusted::new(declared.collect(), allowed, stack_sets, place);
    denial::document(&reaches, place, &|regions| scope.regions(regions), entrusted)
}

/// Whoever is to stay allowed has to be somebody who can be there: else the controller is shut out as well.
fn can_stay(state: &DesiredState, scope: &Scope, place: &Place, allowed: &Allowed) -> Result<(), Unfit> {
    let partition = place.partition.unwrap_or(Partition::Aws);
    let controllers = &allowed.controllers;
    let mut named = controllers.iter().chain(&allowed.deployers);
    if let Some(one) = named.find(|one| one.partition().is_some_and(|its| its != partition)) {
        return Err(Unfit::ElsewherePartition { principal: one.to_string(), partition });
    }
    let known = own(state).and_then(|(account, _)| match account {
        Account::Id(id) => Some(id),
        Account::Own => scope.account,
    });
    match known.filter(|_| own_in(state, scope).is_some()) {
        Some(id) if !controllers.is_empty() && !controllers.iter().any(|one| one.may_be_of(id)) => {
            Err(Unfit::ElsewhereAccount(id))
        }
        _ => Ok(()),
    }
}

/// The role that is assumed in members: of one account, or the one that all of them have.
pub fn assumed_role(state: &DesiredState, account: Option<AccountId>) -> Result<&AssumeRole, Unfit> {
    if let Some(id) = account {
        return match state.accounts.get(&Account::Id(id)).map(|desired| &desired.access) {
            Some(Access::Assume(role)) => Ok(role),
            Some(Access::Own) => Err(Unfit::Own(id)),
            None => {
                let organization = state.organization.as_ref().filter(|one| reach::selects(one, id));
                organization.map(|one| &*one.access).ok_or(Unfit::NotDeclared(id))
            }
        };
    }
    let listed = state.accounts.values().filter_map(|desired| match &desired.access {
        Access::Assume(role) => Some(&**role),
        Access::Own => None,
    });
    let roles: Vec<&AssumeRole> = listed.chain(state.organization.iter().map(|one| &*one.access)).collect();
    let first = *roles.first().ok_or(Unfit::NoMember)?;
    // External ids may differ: nobody is shown them. So may tags: to be allowed to have some is not to have to.
    let what = |role: &AssumeRole| (role.name.clone(), role.path.clone(), role.external_id.is_some());
    if roles.iter().any(|role| what(role) != what(first)) {
        return Err(Unfit::RolesDiffer);
    }
    Ok(roles.into_iter().find(|role| !role.session_tags.is_empty()).unwrap_or(first))
}

fn own(state: &DesiredState) -> Option<(Account, &DesiredAccount)> {
    let mut accounts = state.accounts.iter();
    accounts.find(|(_, desired)| desired.access == Access::Own).map(|(account, desired)| (*account, &**desired))
}

/// The account of the own credentials, if the policy is for it too. One whose id the document does not tell is the only one.
fn own_in<'s>(state: &'s DesiredState, scope: &Scope) -> Option<&'s DesiredAccount> {
    let (account, desired) = own(state)?;
    let asked = |id: AccountId| account == Account::Own || account == Account::Id(id);
    scope.account.is_none_or(asked).then_some(desired)
}

fn members(state: &DesiredState, account: Option<AccountId>) -> Result<Vec<Reach>, Unfit> {
    if let Some(id) = account {
        return match state.accounts.get(&Account::Id(id)) {
            Some(desired) if desired.access == Access::Own => Err(Unfit::Own(id)),
            Some(desired) => Ok(vec![Reach::of(desired)]),
            None => {
                let organization = state.organization.as_ref().filter(|one| reach::selects(one, id));
                let organization = organization.ok_or(Unfit::NotDeclared(id))?;
                reach::of_organization(organization, &listed(state), Some(id))
            }
        };
    }
    let assumed = state.accounts.values().filter(|desired| desired.access != Access::Own);
    let mut reaches: Vec<Reach> = assumed.map(|desired| Reach::of(desired)).collect();
    if let Some(organization) = &state.organization {
        reaches.extend(reach::of_organization(organization, &listed(state), None)?);
    }
    Ok(reaches)
}

/// The accounts that are listed by their ids.
fn listed(state: &DesiredState) -> BTreeSet<AccountId> {
    let id = |account: &Account| match account {
        Account::Id(id) => Some(*id),
        Account::Own => None,
    };
    state.accounts.keys().filter_map(id).collect()
}

/// The partition that the document tells: of its regions, or of the ARNs in it.
#[must_use]
pub fn partition(state: &DesiredState) -> Option<Partition> {
    let levels = || {
        let organization = state.organization.iter();
        organization.flat_map(|one| [&one.defaults].into_iter().chain(one.overrides.iter().map(|one| &one.level)))
    };
    let of_arn = |policy: &PolicyRef| match policy {
        PolicyRef::Arn(arn) => arn.split(':').nth(1)?.parse().ok(),
        PolicyRef::AwsManaged(_) => None,
    };
    let listed = || state.accounts.values().map(Arc::as_ref);
    let named = listed().flat_map(|account| account.regions.keys()).chain(levels().flat_map(|level| level.regions.keys()));
    let of_roles = listed().flat_map(|account| account.role.policies.iter().chain(&account.role.permissions_boundary));
    let of_levels = levels().flat_map(|level| level.role.policies.iter().flatten().chain(&level.role.permissions_boundary));
    named.into_iter().find_map(regions::partition_of).or_else(|| of_roles.chain(of_levels).find_map(of_arn))
}
