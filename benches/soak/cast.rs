//! The accounts, their regions, and what is wanted of them in the end.

use aws_sandbox::{AccountHandle, Sandbox};

/// The account of the controller's own credentials.
pub(crate) const OWN: &str = "111122223333";
/// Accounts where it assumes a role.
pub(crate) const MEMBERS: [&str; 4] = ["222233334444", "333344445555", "444455556666", "555566667777"];
/// The role that it assumes there.
pub(crate) const ACCESS_ROLE: &str = "dhmc-controller";
/// A dozen, in each account.
pub(crate) const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
];
/// The last of them is wanted disabled in the end.
pub(crate) const DISABLED: &str = REGIONS[11];
/// The default role.
pub(crate) const ROLE: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
/// A setting that names it.
pub(crate) const VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";

/// The accounts of a sandbox.
pub(crate) struct Cast {
    pub(crate) accounts: Vec<AccountHandle>,
}

impl Cast {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let accounts: Vec<AccountHandle> = [OWN].iter().chain(&MEMBERS).map(|id| sandbox.account(id)).collect();
        let cast = Self { accounts };
        cast.members().iter().for_each(let_in);
        cast
    }

    pub(crate) fn members(&self) -> &[AccountHandle] {
        &self.accounts[1..]
    }

    /// What AWS has other than what the last document wants.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        for account in &self.accounts {
            for region in REGIONS {
                let (has, wants) = (account.setting(region).value, (region != DISABLED).then_some(VALUE));
                if has.as_deref() != wants {
                    found.push(format!("{} {region} has {has:?}", account.id()));
                }
            }
            let role = account.role(ROLE);
            if !role.is_some_and(|role| role.trust_policy.contains("ssm.amazonaws.com") && !role.attached.is_empty()) {
                found.push(format!("{} has no role that works", account.id()));
            }
        }
        found
    }
}

/// Lets the controller into an account.
pub(crate) fn let_in(account: &AccountHandle) {
    account.trust(ACCESS_ROLE, "/", OWN, None);
}
