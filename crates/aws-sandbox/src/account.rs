//! One account, as tests see and sabotage it: credentials, settings, roles, regions, denials, policies. No rules of AWS
//! apply to what is done here, no fault hits it, and the journal does not tell of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::InvalidPolicy;
use crate::identity::{Credentials, DEFAULT_IDENTITY, Denial, DeniedBy};
use crate::partition::{Partition, RegionStatus};
use crate::role::Role;
use crate::sandbox::Sandbox;
use crate::setting::Setting;
use crate::upkeep::{Association, ConfigurationManager, Upkeep};
use crate::world::{Account, World};

/// An account of a sandbox. Keeps the sandbox running.
#[derive(Debug, Clone)]
pub struct AccountHandle {
    sandbox: Sandbox,
    account: Arc<Account>,
}

impl AccountHandle {
    pub(crate) fn new(sandbox: Sandbox, account: Arc<Account>) -> Self {
        Self { sandbox, account }
    }

    fn world(&self) -> &World {
        self.sandbox.world()
    }

    /// The twelve digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.account.id
    }

    /// Where the account lives.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.account.partition
    }

    /// Credentials of the session `assumed-role/dhmc-controller/dhmc-sandbox`.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.identity(DEFAULT_IDENTITY)
    }

    /// Credentials of a principal, e.g. `assumed-role/Administrator/alice` or `user/bob`: the same every time.
    #[must_use]
    pub fn identity(&self, arn_suffix: &str) -> Credentials {
        self.world().keys.issue(&self.account, arn_suffix)
    }

    /// Lets a session run out: its calls get `ExpiredToken` until [`renew`](Self::renew).
    pub fn expire(&self, credentials: &Credentials) {
        if let Some(identity) = self.world().keys.find(&credentials.access_key_id) {
            identity.expire();
        }
    }

    /// Undoes [`expire`](Self::expire); a session that ended by itself stays ended.
    pub fn renew(&self, credentials: &Credentials) {
        if let Some(identity) = self.world().keys.find(&credentials.access_key_id) {
            identity.renew();
        }
    }

    /// The setting of a region as `GetServiceSetting` would show it now.
    #[must_use]
    pub fn setting(&self, region: &str) -> Setting {
        let knobs = self.world().knobs();
        self.account.state.lock().settings.show(region, &knobs)
    }

    /// Sets the setting as if `by` (an ARN) had: at once and without any check.
    pub fn set_setting(&self, region: &str, value: &str, by: &str) {
        self.world().write_setting(&self.account, region, Some(value), by);
    }

    /// Resets the setting as if `by` (an ARN) had.
    pub fn reset_setting(&self, region: &str, by: &str) {
        self.world().write_setting(&self.account, region, None, by);
    }

    /// The role as it truly is, even while calls do not see it yet.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        self.account.state.lock().roles.truth(name).cloned()
    }

    /// Puts a role in place of any other of its name, visible and usable at once. Fills in its ARN, and its id and
    /// creation date unless they are given.
    pub fn put_role(&self, role: Role) {
        self.world().put_role(&self.account, role);
    }

    /// Puts a role that another account may assume: the [`Role::trusting`] of these.
    pub fn trust(&self, role_name: &str, path: &str, principal: &str, external_id: Option<&str>) {
        self.put_role(Role::trusting(path, role_name, principal, external_id));
    }

    /// Edits a role behind everybody's back; does nothing when there is none. Name and path must stay.
    pub fn edit_role(&self, name: &str, edit: impl FnOnce(&mut Role)) {
        let _ = self.world().edit_role(&self.account, name, edit);
    }

    /// Deletes a role with all that hangs on it; does nothing when there is none.
    pub fn delete_role(&self, name: &str) {
        self.world().delete_role(&self.account, name);
    }

    /// Puts a customer managed policy in place of any other of its name, at path `/`. Answers its ARN.
    #[expect(clippy::must_use_candidate, reason = "the ARN can be told from the name")]
    pub fn put_policy(&self, name: &str, document: &str) -> String {
        self.world().put_policy(&self.account, name, document)
    }

    /// Puts a document of Systems Manager into a region, such as `SSM-SessionManagerRunShell`.
    pub fn put_document(&self, region: &str, name: &str, content: &str) {
        let put = |upkeep: &mut Upkeep| drop(upkeep.documents.insert(name.to_owned(), content.to_owned()));
        self.world().keep_up(&self.account, region, put);
    }

    /// Puts a State Manager association into a region.
    pub fn put_association(&self, region: &str, association: Association) {
        self.world().keep_up(&self.account, region, |upkeep| upkeep.associations.push(association));
    }

    /// Puts a configuration of Quick Setup into a region.
    pub fn put_configuration_manager(&self, region: &str, manager: ConfigurationManager) {
        self.world().keep_up(&self.account, region, |upkeep| upkeep.configuration_managers.push(manager));
    }

    /// Opens or closes a region, or adds one the partition's table does not know.
    pub fn set_region(&self, region: &str, status: RegionStatus) {
        self.world().set_region(&self.account, region, status);
    }

    /// Every region and its status, by name.
    #[must_use]
    pub fn regions(&self) -> BTreeMap<String, RegionStatus> {
        self.account.regions()
    }

    /// Denies an action, e.g. `ssm:UpdateServiceSetting`, `iam:PassRole` or `iam:*`, to everybody in the account.
    pub fn deny(&self, action: &str) {
        self.deny_as(Denial { action: action.to_owned(), principal: None, by: DeniedBy::MissingAllow });
    }

    /// Denies with a reason, or to one principal only.
    pub fn deny_as(&self, denial: Denial) {
        self.world().deny(&self.account, denial);
    }

    /// Takes back every denial of exactly this action.
    pub fn allow(&self, action: &str) {
        let same = |denial: &Denial| denial.action == action;
        self.world().allow(&self.account, same);
    }

    /// Gives every principal of the account this permission policy, besides those it has. A principal with a policy may
    /// do what its policies allow; one without any may do everything.
    pub fn authorize(&self, document: &str) -> Result<(), InvalidPolicy> {
        self.world().grant(&self.account, None, document)
    }

    /// Gives a role (or a user, by its ARN) this permission policy, besides those it has.
    pub fn authorize_role(&self, role_arn: &str, document: &str) -> Result<(), InvalidPolicy> {
        self.world().grant(&self.account, Some(role_arn), document)
    }

    /// Takes every permission policy of the account back.
    pub fn forget_policies(&self) {
        self.world().forget_policies(&self.account);
    }
}
