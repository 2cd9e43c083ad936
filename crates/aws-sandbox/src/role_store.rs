//! The roles and customer managed policies of one account, with IAM's uniqueness and delayed visibility.
//! Holds no AWS wording: errors become wire errors in `services/iam`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::identity::unique_letters;
use crate::managed_policies;
use crate::partition::Partition;
use crate::policy_document;
use crate::role::Role;

/// A customer managed policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// What it says, and has said.
    pub(crate) versions: Versions,
    pub(crate) created: Timestamp,
}

/// The versions of a policy by their numbers, of which one is in force.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    pub(crate) documents: BTreeMap<u32, String>,
    pub(crate) default: u32,
    /// Numbers are not used again.
    newest: u32,
}

impl Versions {
    pub(crate) fn first(document: String) -> Self {
        Self { documents: [(1, document)].into(), default: 1, newest: 1 }
    }

    /// Adds one, and tells its number.
    pub(crate) fn add(&mut self, document: String, in_force: bool) -> u32 {
        self.newest += 1;
        self.documents.insert(self.newest, document);
        if in_force {
            self.default = self.newest;
        }
        self.newest
    }
}

#[derive(Debug)]
struct Stored {
    role: Role,
    visible_at: Option<Instant>,
    usable_at: Option<Instant>,
}

/// By lower-case name: role names are unique whatever their case.
#[derive(Debug, Default)]
pub(crate) struct RoleStore {
    roles: BTreeMap<String, Stored>,
    /// By ARN.
    pub(crate) policies: BTreeMap<String, Policy>,
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn passed(moment: Option<Instant>) -> bool {
    moment.is_none_or(|moment| Instant::now() >= moment)
}

impl RoleStore {
    /// Whether the name is taken, even by a role not visible yet.
    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.roles.contains_key(&key(name))
    }

    /// The role as it truly is.
    pub(crate) fn truth(&self, name: &str) -> Option<&Role> {
        self.roles.get(&key(name)).map(|stored| &stored.role)
    }

    /// The role as calls see it. Unlike uniqueness, look-ups mind the case: a guess.
    pub(crate) fn visible(&mut self, name: &str) -> Option<&mut Role> {
        let stored = self.roles.get_mut(&key(name))?;
        (stored.role.name == name && passed(stored.visible_at)).then_some(&mut stored.role)
    }

    pub(crate) fn truth_mut(&mut self, name: &str) -> Option<&mut Role> {
        self.roles.get_mut(&key(name)).map(|stored| &mut stored.role)
    }

    /// Every visible role, by name.
    pub(crate) fn all_visible(&self) -> impl Iterator<Item = &Role> {
        let visible = self.roles.values().filter(|stored| passed(stored.visible_at));
        visible.map(|stored| &stored.role)
    }

    pub(crate) fn insert(&mut self, role: Role, invisible: Duration, unusable: Duration) {
        let later = |delay: Duration| (!delay.is_zero()).then(|| Instant::now() + delay);
        let stored = Stored { visible_at: later(invisible), usable_at: later(unusable), role };
        self.roles.insert(key(&stored.role.name), stored);
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Role> {
        self.roles.remove(&key(name)).map(|stored| stored.role)
    }

    /// A changed trust policy takes as long to arrive at SSM as a new role does.
    pub(crate) fn unusable_for(&mut self, name: &str, delay: Duration) {
        if let Some(stored) = self.roles.get_mut(&key(name)) {
            stored.usable_at = (!delay.is_zero()).then(|| Instant::now() + delay);
        }
    }

    /// Whether SSM takes `value` (path and name, no leading slash) for a role it may assume.
    pub(crate) fn usable_by_ssm(&self, value: &str) -> bool {
        let name = value.rsplit('/').next().unwrap_or(value);
        self.roles.get(&key(name)).is_some_and(|stored| {
            stored.role.setting_value() == value
                && passed(stored.visible_at)
                && passed(stored.usable_at)
                && policy_document::trusts(&stored.role.trust_policy, "ssm.amazonaws.com")
        })
    }

    /// The role of this very ARN, once sessions of it can be opened.
    pub(crate) fn assumable(&self, arn: &str) -> Option<&Role> {
        let stored = self.roles.get(&key(arn.rsplit('/').next()?))?;
        let ready = passed(stored.visible_at) && passed(stored.usable_at);
        (ready && stored.role.arn == arn).then_some(&stored.role)
    }

    /// Whether a managed policy of this ARN can be attached.
    pub(crate) fn policy_exists(&self, partition: Partition, arn: &str) -> bool {
        managed_policies::exists(partition, arn) || self.policies.contains_key(arn)
    }
}

/// The unique id of a role: changes when a role is deleted and created again, as in AWS.
pub(crate) fn role_id(arn: &str, created: Timestamp) -> String {
    format!("AROA{}", unique_letters(&format!("{arn} {created}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(invisible: Duration, unusable: Duration) -> RoleStore {
        let mut store = RoleStore::default();
        store.insert(Role::trusting_ssm("/service-role/", "Dhmc"), invisible, unusable);
        store
    }

    #[test]
    fn a_name_is_taken_whatever_its_case() {
        assert!(store(Duration::ZERO, Duration::ZERO).is_taken("DHMC"));
    }

    #[test]
    fn an_invisible_role_is_taken_yet_not_seen() {
        let mut store = store(Duration::from_hours(1), Duration::ZERO);
        assert!(store.is_taken("Dhmc"));
        assert!(store.visible("Dhmc").is_none());
        assert!(store.truth("Dhmc").is_some());
    }

    #[test]
    fn ssm_takes_a_role_only_with_its_own_path() {
        let store = store(Duration::ZERO, Duration::ZERO);
        assert!(store.usable_by_ssm("service-role/Dhmc"));
        assert!(!store.usable_by_ssm("Dhmc"));
        assert!(!store.usable_by_ssm("other/Dhmc"));
        assert!(!store.usable_by_ssm("service-role/dhmc"));
    }

    #[test]
    fn a_fresh_role_is_visible_before_it_is_usable() {
        let mut store = store(Duration::ZERO, Duration::from_hours(1));
        assert!(store.visible("Dhmc").is_some());
        assert!(!store.usable_by_ssm("service-role/Dhmc"));
    }
}
