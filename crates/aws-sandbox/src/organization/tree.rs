//! One organization: its root, its units, and the accounts in them. Lists are kept in the order of ids and start
//! anywhere, so that a page costs what it holds and not what the organization holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::member::{AccountStatus, Member};
use crate::access::Policy;
use crate::partition::Partition;

/// An organization.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    /// The account that owns it.
    pub(crate) management: Arc<str>,
    pub(crate) partition: Partition,
    pub(crate) root: Arc<str>,
    /// The root and every unit, by id.
    parents: HashMap<Arc<str>, Parent>,
    accounts: BTreeMap<Arc<str>, Stored>,
    delegates: BTreeSet<Arc<str>>,
    /// Service control policies by what they are attached to: the root, a unit, an account.
    policies: HashMap<String, Vec<Policy>>,
}

/// The root or a unit.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    /// The root has nothing above it.
    above: Option<Arc<str>>,
    units: BTreeSet<Arc<str>>,
    accounts: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
struct Stored {
    name: Box<str>,
    parent: Arc<str>,
    status: AccountStatus,
    joined: Timestamp,
}

impl Organization {
    pub(crate) fn new(management: &str, partition: Partition, now: Timestamp) -> Self {
        let root: Arc<str> = root_id(management).into();
        let mut organization = Self {
            id: organization_id(management),
            management: management.into(),
            partition,
            root: Arc::clone(&root),
            parents: HashMap::from([(Arc::clone(&root), Parent::new(&root, "Root", None))]),
            accounts: BTreeMap::new(),
            delegates: BTreeSet::new(),
            policies: HashMap::new(),
        };
        organization.add(&Arc::from(management), "management", &root, now);
        organization
    }

    /// Creates a unit, the same one every time; `None` when there is no such parent.
    pub(crate) fn add_unit(&mut self, parent: &str, name: &str) -> Option<Arc<str>> {
        let id: Arc<str> = unit_id(&self.management, parent, name).into();
        let parent = self.parents.get_mut(parent)?;
        parent.units.insert(Arc::clone(&id));
        let above = Arc::clone(&parent.id);
        self.parents.entry(Arc::clone(&id)).or_insert_with(|| Parent::new(&id, name, Some(above)));
        Some(id)
    }

    /// Takes an account in, or renames and moves one it has; `None` when there is no such parent.
    pub(crate) fn add(&mut self, account: &Arc<str>, name: &str, parent: &str, now: Timestamp) -> Option<()> {
        let below = self.parents.get_mut(parent)?;
        below.accounts.insert(Arc::clone(account));
        let parent = Arc::clone(&below.id);
        let (status, joined) = self.leave_parent(account, &parent).unwrap_or((AccountStatus::Active, now));
        self.accounts.insert(Arc::clone(account), Stored { name: name.into(), parent, status, joined });
        Some(())
    }

    /// Takes a known account out of its parent, unless it is to stay there.
    fn leave_parent(&mut self, account: &str, unless: &str) -> Option<(AccountStatus, Timestamp)> {
        let stored = self.accounts.get(account)?;
        if &*stored.parent != unless
            && let Some(parent) = self.parents.get_mut(&stored.parent)
        {
            parent.accounts.remove(account);
        }
        Some((stored.status, stored.joined))
    }

    /// Moves an account; `None` when there is no such account or parent.
    pub(crate) fn move_to(&mut self, account: &str, parent: &str) -> Option<()> {
        let (id, stored) = self.accounts.get_key_value(account)?;
        let (id, name, joined) = (Arc::clone(id), stored.name.clone(), stored.joined);
        self.add(&id, &name, parent, joined)
    }

    /// `None` when there is no such account.
    pub(crate) fn set_status(&mut self, account: &str, status: AccountStatus) -> Option<()> {
        self.accounts.get_mut(account)?.status = status;
        Some(())
    }

    /// Lets an account go; `None` when there is none, or when it is the management account, which cannot leave.
    pub(crate) fn remove(&mut self, account: &str) -> Option<()> {
        if account == &*self.management {
            return None;
        }
        self.leave_parent(account, "")?;
        self.accounts.remove(account);
        self.delegates.remove(account);
        Some(())
    }

    /// `None` when there is no such account.
    pub(crate) fn delegate(&mut self, account: &str) -> Option<()> {
        let (id, _) = self.accounts.get_key_value(account)?;
        self.delegates.insert(Arc::clone(id));
        Some(())
    }

    pub(crate) fn revoke(&mut self, account: &str) {
        self.delegates.remove(account);
    }

    /// Attaches a service control policy; `None` when there is no such root, unit or account.
    pub(crate) fn attach(&mut self, target: &str, policy: Policy) -> Option<()> {
        if !self.parents.contains_key(target) && !self.accounts.contains_key(target) {
            return None;
        }
        self.policies.entry(target.to_owned()).or_default().push(policy);
        Some(())
    }

    /// Takes every service control policy away again.
    pub(crate) fn detach_all(&mut self) {
        self.policies.clear();
    }

    /// The service control policies that bind an account: its own and those of everything above it. None bind the
    /// management account.
    pub(crate) fn binding(&self, account: &str) -> Vec<&Policy> {
        let Some(stored) = self.accounts.get(account).filter(|_| *account != *self.management) else {
            return Vec::new();
        };
        let mut binding: Vec<&Policy> = self.policies.get(account).into_iter().flatten().collect();
        let mut above = Some(&stored.parent);
        while let Some(parent) = above {
            binding.extend(self.policies.get(&**parent).into_iter().flatten());
            above = self.parents.get(parent).and_then(|parent| parent.above.as_ref());
        }
        binding
    }

    /// Whether an account may ask about the others.
    pub(crate) fn is_trusted(&self, account: &str) -> bool {
        account == &*self.management || self.delegates.contains(account)
    }

    pub(crate) fn parent(&self, id: &str) -> Option<&Parent> {
        self.parents.get(id)
    }

    pub(crate) fn account(&self, id: &str) -> Option<Member> {
        let (id, stored) = self.accounts.get_key_value(id)?;
        Some(self.member(id, stored))
    }

    /// Every account behind an id, by id.
    pub(crate) fn accounts(&self, after: &str) -> impl Iterator<Item = Member> {
        let rest = self.accounts.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        rest.map(|(id, stored)| self.member(id, stored))
    }

    /// The accounts right below a parent, behind an id, by id.
    pub(crate) fn accounts_below(&self, parent: &Parent, after: &str) -> impl Iterator<Item = Member> {
        let rest = parent.accounts.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        rest.filter_map(|id| self.account(id))
    }

    /// The units right below a parent, behind an id, by id.
    pub(crate) fn units_below(&self, parent: &Parent, after: &str) -> impl Iterator<Item = &Parent> {
        let rest = parent.units.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        rest.filter_map(|id| self.parents.get(id))
    }

    /// From the organization down to a parent: `o-…/r-…/ou-…/`.
    pub(crate) fn path(&self, parent: &str) -> String {
        let Some(parent) = self.parents.get(parent) else {
            return format!("{}/", self.id);
        };
        let above = match &parent.above {
            Some(above) => self.path(above),
            None => format!("{}/", self.id),
        };
        format!("{above}{}/", parent.id)
    }

    /// `arn:{partition}:organizations::{management}:{kind}/{organization}{rest}`.
    pub(crate) fn arn(&self, kind: &str, rest: &str) -> String {
        format!("arn:{}:organizations::{}:{kind}/{}{rest}", self.partition.as_str(), self.management, self.id)
    }

    fn member(&self, id: &Arc<str>, stored: &Stored) -> Member {
        Member {
            id: id.to_string(),
            name: stored.name.to_string(),
            email: format!("aws+{id}@example.com"),
            parent_id: stored.parent.to_string(),
            status: stored.status,
            joined: stored.joined,
            delegated: self.delegates.contains(id),
        }
    }
}

impl Parent {
    fn new(id: &Arc<str>, name: &str, above: Option<Arc<str>>) -> Self {
        let id = Arc::clone(id);
        Self { id, name: name.to_owned(), above, units: BTreeSet::new(), accounts: BTreeSet::new() }
    }
}

/// The organization's id follows from the management account.
pub(super) fn organization_id(management: &str) -> String {
    format!("o-{}", short(&format!("organization {management}"), 10))
}

/// The root's id follows from the management account.
pub(super) fn root_id(management: &str) -> String {
    format!("r-{}", short(&format!("root {management}"), 4))
}

/// The id of a unit: the root's letters, then what follows from its parent and name.
pub(super) fn unit_id(management: &str, parent: &str, name: &str) -> String {
    let root = root_id(management);
    format!("ou-{}-{}", root.trim_start_matches("r-"), short(&format!("unit {parent} {name}"), 8))
}

/// Small letters and digits, always the same for the same text.
fn short(text: &str, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = Sha256::digest(text);
    hash.iter().take(length).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization() -> Organization {
        Organization::new("111122223333", Partition::Aws, Timestamp::UNIX_EPOCH)
    }

    fn ids_below(organization: &Organization, parent: &str) -> Vec<String> {
        let parent = organization.parent(parent).unwrap();
        organization.accounts_below(parent, "").map(|account| account.id).collect()
    }

    #[test]
    fn ids_have_the_shape_of_aws_and_are_the_same_every_time() {
        let mut organization = organization();
        let root = organization.root.to_string();
        assert!(organization.id.starts_with("o-") && organization.id.len() == 12);
        let unit = organization.add_unit(&root, "prod").unwrap();
        let (start, end) = unit.rsplit_once('-').unwrap();
        assert_eq!((start, end.len()), (root.replace("r-", "ou-").as_str(), 8));
        assert_eq!(organization.add_unit(&root, "prod"), Some(Arc::clone(&unit)));
        assert_eq!(organization.path(&unit), format!("{}/{root}/{unit}/", organization.id));
    }

    #[test]
    fn an_account_is_below_one_parent_at_a_time() {
        let mut organization = organization();
        let root = organization.root.to_string();
        let unit = organization.add_unit(&root, "prod").unwrap();
        organization.add(&Arc::from("222233334444"), "member", &root, Timestamp::UNIX_EPOCH).unwrap();
        organization.move_to("222233334444", &unit).unwrap();
        assert_eq!(ids_below(&organization, &root), ["111122223333"]);
        assert_eq!(ids_below(&organization, &unit), ["222233334444"]);
        organization.move_to("222233334444", &unit).unwrap();
        assert_eq!(ids_below(&organization, &unit), ["222233334444"]);
        organization.remove("222233334444").unwrap();
        assert!(ids_below(&organization, &unit).is_empty());
        assert_eq!(organization.accounts("").count(), 1);
    }

    #[test]
    fn an_account_is_bound_by_the_policies_above_it_and_the_management_account_by_none() {
        let policy = || Policy::read(r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#).unwrap();
        let mut organization = organization();
        let root = organization.root.to_string();
        let unit = organization.add_unit(&root, "prod").unwrap();
        let nested = organization.add_unit(&unit, "payments").unwrap();
        for (account, parent) in [("222233334444", &*nested), ("333344445555", root.as_str())] {
            organization.add(&Arc::from(account), "member", parent, Timestamp::UNIX_EPOCH).unwrap();
        }
        for target in [root.as_str(), &*unit, "222233334444"] {
            organization.attach(target, policy()).unwrap();
        }
        let bound = |organization: &Organization, account: &str| organization.binding(account).len();
        assert_eq!(bound(&organization, "222233334444"), 3);
        assert_eq!(bound(&organization, "333344445555"), 1);
        assert_eq!(bound(&organization, "111122223333"), 0);
        organization.move_to("222233334444", &root).unwrap();
        assert_eq!(bound(&organization, "222233334444"), 2);
        organization.detach_all();
        assert_eq!(bound(&organization, "222233334444"), 0);
    }

    #[test]
    fn what_does_not_exist_cannot_be_used() {
        let mut organization = organization();
        assert_eq!(
            organization
                .attach("ou-none", Policy::read(r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#).unwrap()),
            None
        );
        assert_eq!(organization.add_unit("r-none", "prod"), None);
        assert_eq!(organization.add(&Arc::from("222233334444"), "member", "r-none", Timestamp::UNIX_EPOCH), None);
        assert_eq!(organization.delegate("222233334444"), None);
        assert_eq!(organization.remove("111122223333"), None);
    }
}
