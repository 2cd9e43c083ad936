//! An organization as tests build it: units, accounts, who may look. What does not exist is not touched, and no rule
//! of AWS, fault or journal applies.

use super::member::{AccountStatus, Member};
use super::registry::Organizations;
use super::tree::{Organization, organization_id, root_id, unit_id};
use crate::access::InvalidPolicy;
use crate::sandbox::Sandbox;

/// An organization of a sandbox. Keeps the sandbox running. After a reset, ask the sandbox for it anew.
#[derive(Debug, Clone)]
pub struct OrganizationHandle {
    sandbox: Sandbox,
    management: String,
}

impl OrganizationHandle {
    pub(crate) fn new(sandbox: Sandbox, management: &str) -> Self {
        Self { sandbox, management: management.to_owned() }
    }

    /// The account that owns it.
    #[must_use]
    pub fn management_account(&self) -> &str {
        &self.management
    }

    /// Its own id, `o-abcde12345`.
    #[must_use]
    pub fn id(&self) -> String {
        organization_id(&self.management)
    }

    /// The root's id, `r-ab12`.
    #[must_use]
    pub fn root(&self) -> String {
        root_id(&self.management)
    }

    /// Creates a unit below the root or another unit and gives its id, `ou-ab12-11111111`: the same for the same
    /// parent and name.
    #[expect(clippy::must_use_candidate, reason = "it creates; the id can be had again")]
    pub fn unit(&self, parent_id: &str, name: &str) -> String {
        self.edit(|organization| organization.add_unit(parent_id, name));
        unit_id(&self.management, parent_id, name)
    }

    /// Takes an account in, from any other organization, or renames and moves one that is in. Creates nothing in the
    /// account itself.
    pub fn add(&self, account_id: &str, name: &str, parent_id: &str) {
        self.add_many([(account_id, name)], parent_id);
    }

    /// Takes many accounts in, each an id and a name.
    pub fn add_many<I, N>(&self, accounts: impl IntoIterator<Item = (I, N)>, parent_id: &str)
    where
        I: AsRef<str>,
        N: AsRef<str>,
    {
        // Whoever makes them up may ask the sandbox, which is locked from here on.
        let accounts: Vec<(I, N)> = accounts.into_iter().collect();
        let now = self.sandbox.world().now();
        self.all(|organizations| {
            for (id, name) in &accounts {
                organizations.add(&self.management, id.as_ref(), name.as_ref(), parent_id, now);
            }
        });
    }

    /// Moves an account below another parent.
    pub fn move_to(&self, account_id: &str, parent_id: &str) {
        self.edit(|organization| organization.move_to(account_id, parent_id));
    }

    /// Says where an account is in its life.
    pub fn set_status(&self, account_id: &str, status: AccountStatus) {
        self.edit(|organization| organization.set_status(account_id, status));
    }

    /// Lets an account leave. The management account cannot.
    pub fn remove(&self, account_id: &str) {
        self.all(|organizations| {
            if organizations.of(account_id).is_some_and(|own| *own.management == *self.management) {
                organizations.remove(account_id);
            }
        });
    }

    /// Makes an account a delegated administrator: it may ask what the management account may ask.
    pub fn delegate(&self, account_id: &str) {
        self.edit(|organization| organization.delegate(account_id));
    }

    /// Undoes [`delegate`](Self::delegate).
    pub fn revoke(&self, account_id: &str) {
        self.edit(|organization| organization.revoke(account_id));
    }

    /// Attaches a service control policy to the root, a unit or an account: it binds every principal of the accounts below,
    /// except those of the management account. `FullAWSAccess` stays attached everywhere.
    pub fn attach_policy(&self, target_id: &str, document: &str) -> Result<(), InvalidPolicy> {
        self.sandbox.world().attach_policy(&self.management, target_id, document)
    }

    /// Takes every service control policy away again.
    pub fn detach_policies(&self) {
        self.edit(Organization::detach_all);
    }

    /// Every account, the management account included, by id.
    #[must_use]
    pub fn accounts(&self) -> Vec<Member> {
        let organizations = self.sandbox.world().organizations.read();
        let own = organizations.owned_by(&self.management);
        own.map(|organization| organization.accounts("").collect()).unwrap_or_default()
    }

    fn all(&self, change: impl FnOnce(&mut Organizations)) {
        let world = self.sandbox.world();
        change(&mut world.organizations.write());
        world.changed();
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Organization) -> T) {
        self.all(|organizations| {
            organizations.owned_by_mut(&self.management).map(change);
        });
    }
}
