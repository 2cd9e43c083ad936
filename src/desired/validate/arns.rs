//! Policies by their ARN: a role can only have those of its own account and of its own partition.
//!
//! Judged where they are written, against everybody who gets them. Called by [`super::role`].

use std::collections::BTreeSet;

use crate::desired::document::RoleBlock;
use crate::desired::fields::Written;
use crate::desired::names::{AccountId, Partition, PolicyRef};
use crate::desired::problems::{Place, Problem};

/// Which accounts have roles with a policy that is written at one place.
pub(super) enum Recipients {
    /// One account, whose id the document does not tell: all its ARNs are of the same.
    Unknown,
    /// These.
    These(BTreeSet<AccountId>),
    /// Accounts that only the organization tells.
    Many,
}

impl Recipients {
    pub(super) fn one(id: AccountId) -> Self {
        Self::These(BTreeSet::from([id]))
    }
}

/// Who gets what is written in a role block.
pub(super) struct Owners {
    /// Its `policies`
    pub(super) policies: Recipients,
    /// Its `permissionsBoundary`
    pub(super) boundary: Recipients,
}

impl Owners {
    /// The same accounts get both.
    pub(super) fn alike(recipients: Recipients) -> Self {
        let boundary = match &recipients {
            Recipients::Unknown => Recipients::Unknown,
            Recipients::These(ids) => Recipients::These(ids.clone()),
            Recipients::Many => Recipients::Many,
        };
        Self { policies: recipients, boundary }
    }
}

/// Checks the ARNs of a role block. Where the document does not tell the account, they have to be of the same.
pub(super) fn check(role: &RoleBlock, partition: Option<Partition>, owners: &Owners, problems: &mut Vec<Problem>) {
    let policies = role.policies.iter().flat_map(|policies| &policies.value).map(|policy| (policy, &owners.policies));
    let boundary = role.permissions_boundary.iter().map(|boundary| (boundary, &owners.boundary));
    let mut first_owner = None;
    for (policy, recipients) in policies.chain(boundary) {
        let Some((arn_partition, owner)) = parts(&policy.value) else { continue };
        if let Some(expected) = partition.filter(|expected| *expected != arn_partition) {
            let message =
                format!("an ARN of partition {arn_partition}, while the rest of the document is in partition {expected}");
            let problem = Problem::new(&policy.place, message);
            problems.push(problem.help("the bare name of an AWS managed policy fits every partition"));
        }
        if let Some(owner) = owner {
            check_owner(policy, owner, recipients, &mut first_owner, problems);
        }
    }
}

fn check_owner(
    policy: &Written<PolicyRef>,
    owner: AccountId,
    recipients: &Recipients,
    first_owner: &mut Option<AccountId>,
    problems: &mut Vec<Problem>,
) {
    let cannot_have = match recipients {
        Recipients::Unknown => Some(*first_owner.get_or_insert(owner)).filter(|expected| *expected != owner),
        Recipients::These(ids) => ids.iter().copied().find(|id| *id != owner),
        Recipients::Many => {
            let message = format!("a policy of account {owner}, which roles of the organization's other accounts cannot have");
            let help = format!("name an AWS managed policy, or declare it where it is for account {owner} alone");
            problems.push(Problem::new(&policy.place, message).help(help));
            return;
        }
    };
    let Some(other) = cannot_have else { return };
    let problem =
        Problem::new(&policy.place, format!("a policy of account {owner}, which a role of account {other} cannot have"));
    let shared = matches!(recipients, Recipients::These(ids) if ids.len() > 1);
    problems.push(if shared { problem.help(format!("declare it where it is for account {owner} alone")) } else { problem });
}

/// The partition of the first ARN of a role block, and where that is.
pub(super) fn first_partition(role: &RoleBlock) -> Option<(Partition, Place)> {
    let policies = role.policies.iter().flat_map(|policies| &policies.value).chain(&role.permissions_boundary);
    policies.into_iter().find_map(|policy| Some((parts(&policy.value)?.0, policy.place.clone())))
}

/// The partition of a policy's ARN, and the account if it is not AWS's own.
fn parts(policy: &PolicyRef) -> Option<(Partition, Option<AccountId>)> {
    let PolicyRef::Arn(arn) = policy else { return None };
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next()?.parse().ok()?;
    Some((partition, parts.nth(2)?.parse().ok()))
}
