//! What is known of one account, and what that means for its targets: which there are, which wait, which to wake. Pure.
//!
//! Everything that changes what is known answers with a list of [`Change`]s for the queue. Settings are looked at only with
//! a role that was read for the very declaration now in force, never with a mixture of two documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::{Finding, RegionList};
use super::aim::AccountPart;
use super::expand::{Want, desired_partition, expand};
use super::job::{Job, RoleFinding};
use super::role::Presence;
use super::sightings::{Sight, Sightings};
use crate::cloud::Caller;
use crate::desired::names::{Account, AccountId, Partition};
use crate::desired::{DesiredAccount, DesiredRole, DesiredSetting, SettingState, regions};
use crate::observed::{AccountFacts, RoleReadiness};
use crate::plan::change::resets;
use crate::plan::{Removal, Restraint, Tally};
use crate::target::{Resource, Target};

/// What to do with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new, and waits.
    Add(Target),
    /// Something it stands on has changed: it is due now, or when its backoff is over.
    Wake(Target),
    /// It is declared differently: it is due now, and work under way on the old declaration is given up.
    Redeclare(Target),
    /// It waits for what it stands on; work under way is given up.
    Park(Target, Awaited),
    /// Nobody wants it any more.
    Remove(Target),
}

/// What a target waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The account, which is declared differently.
    Account,
    /// The account, whose credentials are not good any more.
    Credentials,
    /// The role, which is declared differently.
    Role,
}

impl Awaited {
    /// For people.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Account => "the account has not been verified as it is now declared",
            Self::Credentials => "the account is not verified",
            Self::Role => "the role has not been read as it is now declared",
        }
    }
}

/// What is wanted and known of one account.
#[derive(Debug)]
pub(super) struct AccountMemory {
    desired: Arc<DesiredAccount>,
    /// What of it this is about.
    part: AccountPart,
    wants: BTreeMap<Resource, Want>,
    facts: Option<AccountFacts>,
    /// Which account it turned out to be; never forgotten, so that it cannot turn into another.
    id: Option<AccountId>,
    presence: Presence,
    /// The role as it was last read, and the declaration it was compared with.
    role: Option<(Arc<DesiredRole>, RoleReadiness)>,
    /// What a change could take away.
    pub(super) sightings: Sightings,
    /// What of it the guard has counted.
    pub(super) counted: [Tally; Removal::ALL.len()],
}

impl AccountMemory {
    /// An account that nothing is known of: the account itself is due, everything else waits for it.
    pub(super) fn new(account: Account, desired: &Arc<DesiredAccount>, part: AccountPart) -> (Self, Vec<Change>) {
        let mut memory = Self {
            desired: Arc::clone(desired),
            part,
            wants: BTreeMap::new(),
            facts: None,
            id: None,
            presence: Presence::Unknown,
            role: None,
            sightings: Sightings::default(),
            counted: Default::default(),
        };
        let changes = memory.refresh(account);
        (memory, changes)
    }

    /// Another declaration comes into force.
    pub(super) fn want(&mut self, account: Account, desired: &Arc<DesiredAccount>) -> Vec<Change> {
        if self.desired == *desired {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let is_elsewhere =
            |facts: &AccountFacts| desired_partition(desired).is_some_and(|there| there != facts.identity.partition);
        if self.desired.access != desired.access || self.facts.as_ref().is_some_and(is_elsewhere) {
            // What was seen with other credentials, or for another partition, was perhaps not what is meant now.
            (self.facts, self.role) = (None, None);
            self.sightings.untried_account();
            changes.extend(self.dependents(account).map(|target| Change::Park(target, Awaited::Account)));
        }
        if !is_same_role(&self.desired.role, &desired.role) {
            self.presence = Presence::Unknown;
        }
        self.desired = Arc::clone(desired);
        changes.extend(self.refresh(account));
        // Nobody looks at a new target of an account that could not be used before the next look at that.
        if self.facts.is_none() && self.sightings.account_was_tried() {
            self.sightings.saw_nothing();
        }
        changes
    }

    /// Somebody has looked at the account.
    pub(super) fn account_was_looked_at(&mut self, account: Account, finding: Finding) -> Vec<Change> {
        let changes = self.heed(account, finding);
        self.sightings.tried_account();
        if self.facts.is_none() {
            self.sightings.saw_nothing();
        }
        changes
    }

    fn heed(&mut self, account: Account, finding: Finding) -> Vec<Change> {
        match finding {
            Finding::Unread => Vec::new(),
            Finding::Wrong => {
                self.role = None;
                if self.facts.take().is_none() {
                    return Vec::new();
                }
                self.dependents(account).map(|target| Change::Park(target, Awaited::Credentials)).collect()
            }
            Finding::Verified(mut facts) => {
                let partition_before = self.facts.as_ref().map(|facts| facts.identity.partition);
                // A list that could not be fetched leaves the regions that were open before.
                if facts.open_regions.is_none()
                    && matches!(self.wants.get(&Resource::Account), Some(Want::Account { list: RegionList::Needed, .. }))
                {
                    facts.open_regions = self.facts.take().and_then(|before| before.open_regions);
                }
                let partition = facts.identity.partition;
                self.id = Some(facts.identity.account);
                self.facts = Some(facts);
                let mut changes = self.refresh(account);
                if partition_before != Some(partition) {
                    self.role = None;
                    changes.extend(self.ready_dependents(account).map(Change::Wake));
                }
                changes
            }
        }
    }

    /// Somebody has looked at the role. `reason` is why it could not be read, if it could not.
    pub(super) fn role_was_looked_at(&mut self, account: Account, found: RoleFinding, reason: Option<&str>) -> Vec<Change> {
        // Another declaration of the role has other extra policies.
        let is_current = Arc::ptr_eq(&found.want, &self.desired.role) || found.want == self.desired.role;
        if is_current {
            self.sightings.saw_role(found.sight);
        }
        if self.facts.is_none() || !is_same_role(&found.want, &self.desired.role) {
            return Vec::new();
        }
        self.presence = found.presence;
        match found.readiness {
            Some(ready) => self.role_is(account, ready),
            None => self.role_is_unreadable(account, reason),
        }
    }

    /// Somebody has looked at a setting.
    pub(super) fn setting_was_looked_at(&mut self, resource: &Resource, sight: Sight) {
        if let Resource::Setting(region) = resource {
            self.sightings.saw_setting(region, sight);
        }
    }

    /// The role could not be read. What was known of it holds until somebody reads otherwise.
    pub(super) fn role_is_unreadable(&mut self, account: Account, reason: Option<&str>) -> Vec<Change> {
        if self.facts.is_none() || self.role.is_some() {
            return Vec::new();
        }
        let why = format!("it could not be read ({})", reason.unwrap_or("no reason given"));
        self.role_is(account, RoleReadiness::Unknown(why))
    }

    fn role_is(&mut self, account: Account, ready: RoleReadiness) -> Vec<Change> {
        let is_wanted = self.wants.contains_key(&Resource::Role);
        if !is_wanted || self.role.as_ref().is_some_and(|(_, before)| *before == ready) {
            return Vec::new();
        }
        self.role = Some((Arc::clone(&self.desired.role), ready));
        self.settings(account, SettingState::Enabled).map(Change::Wake).collect()
    }

    /// The work on one target, or `None` while it waits for what it stands on.
    pub(super) fn job(&self, resource: &Resource) -> Option<Job> {
        let facts = self.facts.as_ref();
        match (self.wants.get(resource)?, resource) {
            (Want::Account { list, partition, .. }, _) => {
                Some(Job::Account { list: *list, before: self.id, partition: *partition })
            }
            (Want::Role(want), _) => {
                let partition = facts?.identity.partition;
                Some(Job::Role { partition, want: Arc::clone(want), presence: self.presence, restraint: Restraint::default() })
            }
            (Want::Setting(want), Resource::Setting(region)) => {
                let partition = facts?.identity.partition;
                let role = match want.state {
                    SettingState::Enabled => self.role.as_ref()?.1.clone(),
                    SettingState::Disabled => RoleReadiness::Unknown("a disabled setting needs no role".to_owned()),
                };
                Some(Job::Setting { partition, region: region.clone(), want: *want, role, restraint: Restraint::default() })
            }
            (Want::Setting(_), Resource::Organization | Resource::Account | Resource::Role) => None,
        }
    }

    /// As whom calls in the account are made.
    pub(super) fn caller(&self, account: Account) -> Caller {
        Caller { account, access: self.desired.access.clone() }
    }

    /// Whether its identity is verified.
    pub(super) fn is_usable(&self) -> bool {
        self.facts.is_some()
    }

    /// All its targets.
    pub(super) fn targets(&self, account: Account) -> Vec<Target> {
        self.wants.keys().map(|resource| Target { account, resource: resource.clone() }).collect()
    }

    /// Works out the targets anew and compares them with what they were.
    fn refresh(&mut self, account: Account) -> Vec<Change> {
        let mut after = expand(&self.desired, self.facts.as_ref());
        self.part.narrow(&mut after);
        let before = std::mem::replace(&mut self.wants, after);
        self.sightings.declare(&before, &self.wants, self.unlisted());
        let target = |resource: &Resource| Target { account, resource: resource.clone() };
        let mut changes: Vec<Change> = before
            .keys()
            .filter(|resource| !self.wants.contains_key(*resource))
            .map(|gone| Change::Remove(target(gone)))
            .collect();

        let role_is_stale = self.role.as_ref().is_some_and(|(read_for, _)| !is_same_role(read_for, &self.desired.role));
        if role_is_stale || !self.wants.contains_key(&Resource::Role) {
            self.role = None;
        }
        for (resource, want) in &self.wants {
            let known = before.get(resource);
            if known.is_none() {
                changes.push(Change::Add(target(resource)));
            }
            let enabled = matches!(want, Want::Setting(DesiredSetting { state: SettingState::Enabled, .. }));
            match self.job(resource) {
                Some(_) if known != Some(want) => changes.push(Change::Redeclare(target(resource))),
                // What is under way may still be the old declaration's; what it waits for is the role of the new one.
                None if self.facts.is_some() && known.is_some() && (known != Some(want) || (role_is_stale && enabled)) => {
                    changes.push(Change::Park(target(resource), Awaited::Role));
                }
                _ => {}
            }
        }
        changes
    }

    /// How many regions `otherRegions` may reset, while nobody knows which are open to the account.
    fn unlisted(&self) -> usize {
        let is_listed = self.facts.as_ref().is_some_and(|facts| facts.open_regions.is_some());
        if is_listed || !resets(self.desired.other_regions) {
            return 0;
        }
        let partition = self.facts.as_ref().map(|facts| facts.identity.partition).or_else(|| desired_partition(&self.desired));
        let is_there = |there: Partition| partition.is_none_or(|partition| partition == there);
        let regions = regions::known().iter().filter(|(_, partition)| is_there(*partition)).count();
        regions.saturating_sub(self.desired.regions.len())
    }

    fn dependents(&self, account: Account) -> impl Iterator<Item = Target> {
        self.targets(account).into_iter().filter(|target| target.resource != Resource::Account)
    }

    /// What needs only the account: its role, and the settings that need no role.
    fn ready_dependents(&self, account: Account) -> impl Iterator<Item = Target> {
        let ready: Vec<Target> = self.dependents(account).filter(|target| self.job(&target.resource).is_some()).collect();
        ready.into_iter()
    }

    fn settings(&self, account: Account, state: SettingState) -> impl Iterator<Item = Target> {
        self.wants.iter().filter_map(move |(resource, want)| match want {
            Want::Setting(setting) if setting.state == state => Some(Target { account, resource: resource.clone() }),
            _ => None,
        })
    }
}

/// Whether what was read of the role for one declaration tells what settings need to know for the other: they point to a
/// name at a path, which has to trust the service.
fn is_same_role(one: &DesiredRole, other: &DesiredRole) -> bool {
    one.name == other.name && one.path == other.path && one.trust_principal == other.trust_principal
}
