//! What is wanted of an organization, and which accounts that comes to, given who is in it. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::access::{Access, AssumeRole};
use super::levels::{Level, Settled, settle};
use super::names::{Account, AccountId, UnitId};
use super::{DesiredAccount, DesiredState, Mode};

/// Accounts by themselves or by the units they are in, nested units included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Units.
    pub units: BTreeSet<UnitId>,
    /// Accounts.
    pub accounts: BTreeSet<AccountId>,
}

/// What is declared for some accounts of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Which.
    pub whom: Selection,
    /// What.
    pub level: Level,
}

/// What is wanted of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredOrganization {
    /// The role that is assumed in every account.
    pub access: Arc<AssumeRole>,
    /// Which accounts. `None`: all of them.
    pub include: Option<Selection>,
    /// Which of these not.
    pub exclude: Selection,
    /// `spec`: what applies to every account.
    pub defaults: Level,
    /// What applies to some, the last one nearest to the account.
    pub overrides: Vec<Override>,
}

/// What Organizations has to be asked, to know which accounts a declaration comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Whether every account has to be listed, or only those in the units.
    pub scope: Scope,
    /// The units that the declaration speaks of.
    pub units: BTreeSet<UnitId>,
}

/// How far a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Every account of the organization.
    #[default]
    Everyone,
    /// The accounts in the units.
    Units,
}

/// Who is in the organization, as far as was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What was asked.
    pub query: Query,
    /// The accounts.
    pub members: BTreeMap<AccountId, Member>,
}

/// One account of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in Organizations.
    pub name: Arc<str>,
    /// Whether it can be worked in.
    pub membership: Membership,
    /// Those of the units that were asked about that it is in, nested or not.
    pub units: BTreeSet<UnitId>,
}

/// An account's state in its organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// `ACTIVE`.
    Active,
    /// Suspended, being closed or closed, or not yet usable: any word but `ACTIVE`.
    Suspended,
}

/// The accounts that an organization comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    /// Those to manage.
    pub accounts: BTreeMap<Account, Arc<DesiredAccount>>,
    /// How the accounts of the listing divide up.
    pub tally: Tally,
}

/// How many accounts of a listing are managed, and why the others are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Managed as the organization's.
    pub managed: usize,
    /// Listed by a document for themselves.
    pub listed: usize,
    /// Excluded, or not included.
    pub excluded: usize,
    /// Suspended, closing or closed.
    pub suspended: usize,
}

impl Selection {
    fn has(&self, id: AccountId, member: &Member) -> bool {
        self.accounts.contains(&id) || member.units.iter().any(|unit| self.units.contains(unit))
    }

    /// Whether it selects nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.accounts.is_empty()
    }
}

impl DesiredOrganization {
    /// What has to be asked.
    #[must_use]
    pub fn query(&self) -> Query {
        let selections = self.include.iter().chain([&self.exclude]).chain(self.overrides.iter().map(|one| &one.whom));
        let units = selections.flat_map(|selection| selection.units.iter().cloned()).collect();
        let only_units = self.include.as_ref().is_some_and(|include| include.accounts.is_empty());
        Query { scope: if only_units { Scope::Units } else { Scope::Everyone }, units }
    }

    /// Which accounts this comes to. Those that a document lists for themselves are left to that.
    #[must_use]
    pub fn expand(&self, listing: &Listing, state: &DesiredState) -> Expansion {
        self.expand_under(None, listing, state)
    }

    /// The same, where nothing is written in any of them.
    #[must_use]
    pub fn expand_to_watch(&self, listing: &Listing, state: &DesiredState) -> Expansion {
        self.expand_under(Some(&Level { mode: Some(Mode::Observe), ..Level::default() }), listing, state)
    }

    /// The accounts that the declaration names and the list does not have. Of units nobody knows who else there is.
    #[must_use]
    pub fn unknown(&self, listing: &Listing) -> BTreeSet<AccountId> {
        if listing.query.scope == Scope::Units {
            return BTreeSet::new();
        }
        let selections = self.include.iter().chain([&self.exclude]).chain(self.overrides.iter().map(|one| &one.whom));
        let named = selections.flat_map(|selection| &selection.accounts).copied();
        named.filter(|id| !listing.members.contains_key(id)).collect()
    }

    fn expand_under(&self, last: Option<&Level>, listing: &Listing, state: &DesiredState) -> Expansion {
        let mut expansion = Expansion::default();
        // Accounts to which the same overrides apply share what applies to them.
        let mut settled: HashMap<Vec<usize>, Settled> = HashMap::new();
        for (id, member) in &listing.members {
            let account = Account::Id(*id);
            if member.membership == Membership::Suspended {
                expansion.tally.suspended += 1;
            } else if state.accounts.contains_key(&account) {
                expansion.tally.listed += 1;
            } else if !self.selects(*id, member) {
                expansion.tally.excluded += 1;
            } else {
                expansion.tally.managed += 1;
                let of_overrides = |(_, one): &(usize, &Override)| one.whom.has(*id, member);
                let applying: Vec<usize> = self.overrides.iter().enumerate().filter(of_overrides).map(|(at, _)| at).collect();
                let what = settled.entry(applying).or_insert_with_key(|applying| self.settle(applying, last)).clone();
                let desired = DesiredAccount::new(Some(Arc::clone(&member.name)), Access::Assume(Arc::clone(&self.access)), what);
                expansion.accounts.insert(account, Arc::new(desired));
            }
        }
        expansion
    }

    /// Whether an account is excluded by its id.
    #[must_use]
    pub fn leaves_out(&self, account: &Account) -> bool {
        matches!(account, Account::Id(id) if self.exclude.accounts.contains(id))
    }

    fn selects(&self, id: AccountId, member: &Member) -> bool {
        self.include.as_ref().is_none_or(|include| include.has(id, member)) && !self.exclude.has(id, member)
    }

    fn settle(&self, overrides: &[usize], last: Option<&Level>) -> Settled {
        let nearer = overrides.iter().map(|at| &self.overrides[*at].level).chain(last);
        settle(&[&self.defaults].into_iter().chain(nearer).collect::<Vec<_>>())
    }
}

impl Query {
    /// Whether an answer to this question also answers the other.
    #[must_use]
    pub fn answers(&self, other: &Self) -> bool {
        (self.scope == Scope::Everyone || other.scope == Scope::Units) && other.units.is_subset(&self.units)
    }
}
