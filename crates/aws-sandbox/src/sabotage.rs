//! Edits of an account behind the backs of its callers: no rules of AWS, no faults, no journal. One place for the
//! library's handle and the control path; both only translate.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::identity::Denial;
use crate::partition::{Partition, RegionStatus};
use crate::role::Role;
use crate::role_store::{Policy, Versions, role_id};
use crate::setting::Write;
use crate::upkeep::Upkeep;
use crate::world::{Account, World};

impl World {
    /// Writes (or with `None` resets) a setting at once, in the name of `by`.
    pub(crate) fn write_setting(&self, account: &Account, region: &str, value: Option<&str>, by: &str) {
        let (knobs, at) = (self.knobs(), self.now());
        let by = Arc::from(by);
        let write = Write { value, by: &by, at };
        let mut state = account.state.lock();
        state.settings.put(account.partition, region, &write, &knobs);
        drop(state);
        self.changed();
    }

    /// Puts a role in place of any other of its name, visible and usable at once.
    pub(crate) fn put_role(&self, account: &Account, mut role: Role) {
        role.arn = account.iam_arn(&format!("role{}{}", role.path, role.name));
        if role.created == Timestamp::UNIX_EPOCH {
            role.created = self.now();
        }
        if role.id.is_empty() {
            role.id = role_id(&role.arn, role.created);
        }
        let mut state = account.state.lock();
        state.roles.insert(role, Duration::ZERO, Duration::ZERO);
        drop(state);
        self.changed();
    }

    /// Edits a role; `None` when there is no such role.
    pub(crate) fn edit_role(&self, account: &Account, name: &str, edit: impl FnOnce(&mut Role)) -> Option<()> {
        account.state.lock().roles.truth_mut(name).map(edit)?;
        self.changed();
        Some(())
    }

    /// Deletes a role with all that hangs on it; `None` when there is no such role.
    pub(crate) fn delete_role(&self, account: &Account, name: &str) -> Option<Role> {
        let deleted = account.state.lock().roles.remove(name);
        self.changed();
        deleted
    }

    /// Puts a managed policy in place of any other of its name. Answers its ARN.
    pub(crate) fn put_policy(&self, account: &Account, name: &str, document: &str) -> String {
        let arn = account.iam_arn(&format!("policy/{name}"));
        let policy = Policy {
            arn: arn.clone(),
            path: "/".to_owned(),
            name: name.to_owned(),
            description: None,
            versions: Versions::first(document.to_owned()),
            created: self.now(),
        };
        account.state.lock().roles.policies.insert(arn.clone(), policy);
        self.changed();
        arn
    }

    /// Changes what a region keeps besides its setting.
    pub(crate) fn keep_up(&self, account: &Account, region: &str, change: impl FnOnce(&mut Upkeep)) {
        change(account.state.lock().upkeep.entry(region.to_owned()).or_default());
        self.changed();
    }

    /// Gives a region a status.
    pub(crate) fn set_region(&self, account: &Account, region: &str, status: RegionStatus) {
        let mut state = account.state.lock();
        state.regions.insert(region.to_owned(), status);
        drop(state);
        self.changed();
    }

    /// The organization of a management account, which is created in `partition` if need be.
    pub(crate) fn create_organization(&self, management: &str, partition: Partition) {
        let (account, now) = (self.account(management, partition), self.now());
        self.organizations.write().create(management, account.partition, now);
        self.changed();
    }

    /// Adds a denial.
    pub(crate) fn deny(&self, account: &Account, denial: Denial) {
        account.state.lock().denials.push(denial);
        self.changed();
    }

    /// Takes denials back.
    pub(crate) fn allow(&self, account: &Account, which: impl Fn(&Denial) -> bool) {
        account.state.lock().denials.retain(|denial| !which(denial));
        self.changed();
    }
}
