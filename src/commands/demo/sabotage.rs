//! What the saboteurs of the demo do, and how one sees that it has been undone.

use aws_sandbox::{AccountHandle, Role};

use super::cast::{ACQUIRED, PAYMENTS, PLATFORM, Part};
use crate::desired::names::ServicePrincipal;
use crate::desired::{DEFAULT_POLICY_NAME, DEFAULT_ROLE_NAME};
use crate::plan::trust_policy::{self, Trust};

const ROLE_VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
const OTHER_ROLE: &str = "QuickSetupLeftover";
const EC2_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// One act.
pub(super) struct Sabotage {
    /// In which account.
    pub(super) part: &'static Part,
    /// The person.
    pub(super) who: &'static str,
    /// What they do, after their name.
    pub(super) what: &'static str,
    /// Where: a region, or `global` for the role.
    pub(super) region: &'static str,
    /// What the controller does about it.
    pub(super) expect: Expectation,
    /// Does it, in the name of this principal.
    pub(super) spoil: fn(&AccountHandle, &str),
    /// Whether AWS is as declared again.
    pub(super) is_mended: fn(&AccountHandle) -> bool,
    /// Puts it right again where the controller does not.
    pub(super) undo: fn(&AccountHandle, &str),
}

/// What the controller does about an act.
pub(super) enum Expectation {
    /// It corrects it.
    Corrected,
    /// It tells, and touches nothing.
    Told,
}

impl Sabotage {
    /// The person as AWS names them.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/Administrator/{}", self.part.id, self.who)
    }
}

/// The acts, in order, over and over.
pub(super) const ACTS: [Sabotage; 7] = [
    Sabotage {
        part: &PLATFORM,
        who: "alice",
        what: "resets us-east-1",
        region: "us-east-1",
        expect: Expectation::Corrected,
        spoil: |account, who| account.reset_setting("us-east-1", who),
        is_mended: |account| has_role(account, "us-east-1"),
        undo: |_, _| {},
    },
    Sabotage {
        part: &PAYMENTS,
        who: "bob",
        what: "points eu-west-1 at another role",
        region: "eu-west-1",
        expect: Expectation::Corrected,
        spoil: |account, who| account.set_setting("eu-west-1", OTHER_ROLE, who),
        is_mended: |account| has_role(account, "eu-west-1"),
        undo: |_, _| {},
    },
    Sabotage {
        part: &PLATFORM,
        who: "carol",
        what: "detaches the policy from the role",
        region: "global",
        expect: Expectation::Corrected,
        spoil: |account, _| account.edit_role(DEFAULT_ROLE_NAME, |role| role.attached.clear()),
        is_mended: |account| {
            let policy = format!("/{DEFAULT_POLICY_NAME}");
            account.role(DEFAULT_ROLE_NAME).is_some_and(|role| role.attached.iter().any(|arn| arn.ends_with(&policy)))
        },
        undo: |_, _| {},
    },
    Sabotage {
        part: &PAYMENTS,
        who: "dave",
        what: "enables sa-east-1, which is declared disabled",
        region: "sa-east-1",
        expect: Expectation::Corrected,
        spoil: |account, who| account.set_setting("sa-east-1", ROLE_VALUE, who),
        is_mended: |account| account.setting("sa-east-1").value.is_none(),
        undo: |_, _| {},
    },
    Sabotage {
        part: &PLATFORM,
        who: "frank",
        what: "points ap-southeast-2, which is only observed, at another role",
        region: "ap-southeast-2",
        expect: Expectation::Told,
        spoil: |account, who| account.set_setting("ap-southeast-2", OTHER_ROLE, who),
        is_mended: |account| has_role(account, "ap-southeast-2"),
        undo: |account, who| account.set_setting("ap-southeast-2", ROLE_VALUE, who),
    },
    Sabotage {
        part: &PAYMENTS,
        who: "erin",
        what: "makes the role trust EC2 instead of Systems Manager",
        region: "global",
        expect: Expectation::Corrected,
        spoil: |account, _| account.edit_role(DEFAULT_ROLE_NAME, |role| EC2_TRUST.clone_into(&mut role.trust_policy)),
        is_mended: |account| {
            account
                .role(DEFAULT_ROLE_NAME)
                .is_some_and(|role| trust_policy::trust(&role.trust_policy, &ServicePrincipal::default()) == Trust::Granted)
        },
        undo: |_, _| {},
    },
    Sabotage {
        part: &ACQUIRED,
        who: "grace",
        what: "points us-east-1 at another role",
        region: "us-east-1",
        expect: Expectation::Corrected,
        spoil: |account, who| account.set_setting("us-east-1", OTHER_ROLE, who),
        is_mended: |account| has_role(account, "us-east-1"),
        undo: |_, _| {},
    },
];

fn has_role(account: &AccountHandle, region: &str) -> bool {
    account.setting(region).value.as_deref() == Some(ROLE_VALUE)
}

/// A role that somebody else left behind, and the region that is only observed as declared, so that drift can be seen there
/// too.
pub(super) fn prepare(account: &AccountHandle) {
    account.put_role(Role::trusting_ssm("/", OTHER_ROLE));
    account.set_setting("ap-southeast-2", ROLE_VALUE, &format!("arn:aws:iam::{}:user/frank", account.id()));
}
