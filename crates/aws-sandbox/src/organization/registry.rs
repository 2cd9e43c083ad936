//! Every organization of a sandbox, and which of them an account is in: one at most, as in AWS.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::tree::Organization;
use crate::partition::Partition;

/// The organizations, by management account.
#[derive(Debug, Default)]
pub(crate) struct Organizations {
    all: HashMap<Arc<str>, Organization>,
    /// Account -> management account.
    membership: HashMap<Arc<str>, Arc<str>>,
}

impl Organizations {
    /// The organization of a management account, created on first use. An account that was in another leaves that.
    pub(crate) fn create(&mut self, management: &str, partition: Partition, now: Timestamp) -> &mut Organization {
        if !self.all.contains_key(management) {
            self.remove(management);
            let id: Arc<str> = management.into();
            self.membership.insert(Arc::clone(&id), id);
        }
        self.all.entry(management.into()).or_insert_with(|| Organization::new(management, partition, now))
    }

    pub(crate) fn owned_by(&self, management: &str) -> Option<&Organization> {
        self.all.get(management)
    }

    pub(crate) fn owned_by_mut(&mut self, management: &str) -> Option<&mut Organization> {
        self.all.get_mut(management)
    }

    /// The organization an account is in.
    pub(crate) fn of(&self, account: &str) -> Option<&Organization> {
        self.all.get(self.membership.get(account)?)
    }

    /// Takes an account into an organization and out of any other; `None` when there is no such organization or
    /// parent, or when the account owns another organization.
    pub(crate) fn add(&mut self, management: &str, account: &str, name: &str, parent: &str, now: Timestamp) -> Option<()> {
        let owner = Arc::clone(&self.all.get(management)?.management);
        self.all.get(management)?.parent(parent)?;
        if self.membership.get(account).is_some_and(|other| *other != owner) {
            self.remove(account)?;
        }
        let known = self.membership.get_key_value(account).map(|(id, _)| Arc::clone(id));
        let account = known.unwrap_or_else(|| Arc::from(account));
        self.all.get_mut(management)?.add(&account, name, parent, now)?;
        self.membership.insert(account, owner);
        Some(())
    }

    /// Takes an account out of its organization; `None` when it is in none or owns it.
    pub(crate) fn remove(&mut self, account: &str) -> Option<()> {
        let management = self.membership.get(account)?;
        self.all.get_mut(management)?.remove(account)?;
        self.membership.remove(account);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_in_one_organization_at_a_time() {
        let mut organizations = Organizations::default();
        let now = Timestamp::UNIX_EPOCH;
        let first = organizations.create("111111111111", Partition::Aws, now).root.to_string();
        let second = organizations.create("222222222222", Partition::Aws, now).root.to_string();
        organizations.add("111111111111", "333333333333", "member", &first, now).unwrap();
        organizations.add("222222222222", "333333333333", "member", &second, now).unwrap();
        assert_eq!(&*organizations.of("333333333333").unwrap().management, "222222222222");
        assert_eq!(organizations.owned_by("111111111111").unwrap().accounts("").count(), 1);
        assert_eq!(organizations.add("111111111111", "222222222222", "owner", &first, now), None);
        organizations.create("333333333333", Partition::Aws, now);
        assert_eq!(&*organizations.of("333333333333").unwrap().management, "333333333333");
    }
}
