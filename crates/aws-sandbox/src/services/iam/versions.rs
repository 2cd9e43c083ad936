//! Managed policies of an account get other versions, or go.

use parking_lot::{MappedMutexGuard, MutexGuard};

use super::managed::{OneVersion, VersionView, name_of_version};
use super::view::url_encoded;
use super::{malformed, names, no_entity};
use crate::policy_document;
use crate::role_store::Policy;
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

/// How many versions a policy has at most (IAM user guide, "IAM and STS quotas").
const MOST: usize = 5;

pub(super) fn create(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let document = call.params.required("PolicyDocument")?;
    policy_document::check_permissions(document).map_err(malformed)?;
    let in_force = call.params.text("SetAsDefault") == Some("true");
    let mut policy = policy(call)?;
    if policy.versions.documents.len() >= MOST {
        let message =
            format!("A managed policy can have up to {MOST} versions. Before you create a new version, you must delete one.");
        return Err(ServiceError::new(409, "LimitExceeded", message));
    }
    let number = policy.versions.add(document.to_owned(), in_force);
    let version_id = name_of_version(number);
    let policy_version = VersionView { document: url_encoded(document), version_id, is_default_version: in_force };
    Answer::xml("CreatePolicyVersionResult", &OneVersion { policy_version })
}

pub(super) fn set_default(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let mut policy = policy(call)?;
    policy.versions.default = version(call, &policy)?;
    Ok(Answer::empty_xml())
}

pub(super) fn delete(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let mut policy = policy(call)?;
    let number = version(call, &policy)?;
    if number == policy.versions.default {
        return conflict("Cannot delete the default version of a policy.");
    }
    policy.versions.documents.remove(&number);
    Ok(Answer::empty_xml())
}

pub(super) fn delete_policy(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let policy = policy(call)?;
    let (arn, versions) = (policy.arn.clone(), policy.versions.documents.len());
    drop(policy);
    let mut state = call.account.state.lock();
    let used = |arn: &str| {
        let mut roles = state.roles.all_visible();
        roles.any(|role| role.permissions_boundary.as_deref() == Some(arn) || role.attached.iter().any(|own| own == arn))
    };
    if used(&arn) {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if versions > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
        );
    }
    state.roles.policies.remove(&arn);
    Ok(Answer::empty_xml())
}

/// The policy that a call names, locked with its account. Those of AWS are not to be changed, and not found here.
fn policy<'a>(call: &'a Context<'_>) -> Result<MappedMutexGuard<'a, Policy>, ServiceError> {
    let arn = names::policy_arn(call, "PolicyArn")?;
    let found = MutexGuard::try_map(call.account.state.lock(), |state| state.roles.policies.get_mut(arn));
    found.map_err(|_| no_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

fn version(call: &Context<'_>, policy: &Policy) -> Result<u32, ServiceError> {
    let name = call.params.required("VersionId")?;
    let found = policy.versions.documents.keys().copied().find(|number| name_of_version(*number) == name);
    found.ok_or_else(|| no_entity(format!("Policy {} version {name} does not exist or is not attachable.", policy.arn)))
}

fn conflict<T>(message: &str) -> Result<T, ServiceError> {
    Err(ServiceError::new(409, "DeleteConflict", message.to_owned()))
}
