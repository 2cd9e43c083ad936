//! Who is in the demo: an organization of three accounts, and what AWS has in them when the curtain rises.

use aws_sandbox::{AccountHandle, Credentials, Role, Sandbox};

use super::sabotage;

/// What the controller is called: its sessions are `dhmc-demo`.
pub(super) const INSTANCE: &str = "demo";
/// The role that the controller assumes in the members.
const WAY_IN: &str = "dhmc-controller";
/// Who owned `acquired` before, and whom its role still lets in.
const FORMER_OWNER: &str = "999988887777";
/// The platform team's own account is listed, the others are found.
pub(super) const DESIRED: &str = "\
apiVersion: dhmc.dev/v1alpha1
kind: HostManagement
metadata: { name: demo }
spec:
  regions:
    us-east-1: enabled
    eu-west-1: enabled
    sa-east-1: disabled
    ap-southeast-2: { state: enabled, mode: observe }
  accounts:
    - { id: \"111122223333\", name: platform }
  organization:
    assumeRole: { name: dhmc-controller }
";

/// An account, as people call it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

/// The controller's own account, which the organization belongs to.
pub(super) const PLATFORM: Part = Part { id: "111122223333", name: "platform" };
/// A member that lets the controller in.
pub(super) const PAYMENTS: Part = Part { id: "222233334444", name: "payments" };
/// A member that was bought, and does not know the controller yet.
pub(super) const ACQUIRED: Part = Part { id: "333344445555", name: "acquired" };
/// All of them.
pub(super) const ALL: [&Part; 3] = [&PLATFORM, &PAYMENTS, &ACQUIRED];

/// Builds the three accounts.
pub(super) fn prepare(sandbox: &Sandbox) {
    let organization = sandbox.organization(PLATFORM.id);
    for part in ALL {
        organization.add(part.id, part.name, &organization.root());
        sabotage::prepare(&part.on(sandbox));
    }
    PAYMENTS.on(sandbox).trust(WAY_IN, "/", PLATFORM.id, None);
    ACQUIRED.on(sandbox).trust(WAY_IN, "/", FORMER_OWNER, None);
}

/// What the controller starts with.
pub(super) fn credentials(sandbox: &Sandbox) -> Credentials {
    PLATFORM.on(sandbox).identity(&format!("assumed-role/{WAY_IN}/dhmc-{INSTANCE}"))
}

/// The owner of `acquired` trusts the platform team's account.
pub(super) fn let_in(sandbox: &Sandbox) {
    let trusting = Role::trusting("/", WAY_IN, PLATFORM.id, None).trust_policy;
    ACQUIRED.on(sandbox).edit_role(WAY_IN, |role| role.trust_policy = trusting);
}

impl Part {
    /// The account itself.
    pub(super) fn on(&self, sandbox: &Sandbox) -> AccountHandle {
        sandbox.account(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_about_these_accounts_and_the_role_that_lets_the_controller_in() {
        let state = crate::desired::load(DESIRED.as_bytes()).unwrap();
        let listed: Vec<String> = state.accounts.keys().map(ToString::to_string).collect();
        assert_eq!(listed, [PLATFORM.id]);
        assert_eq!(state.organization.as_ref().unwrap().access.name.to_string(), WAY_IN);
        assert!(DESIRED.contains(&format!("name: {} }}", PLATFORM.name)));
    }
}
