//! IAM: roles, their policies and tags. awsQuery, botocore's `iam` model of 2010-05-08.
//! This file is the table of operations and what they share; the operations are in the files beside it.

mod attachments;
mod authorized_on;
mod inline;
mod managed;
mod names;
mod page;
mod roles;
mod simulate;
mod tags;
mod versions;
mod view;

use parking_lot::{MappedMutexGuard, MutexGuard};

use super::authorize::Resource;
use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect::{self, Read, Write};
use crate::partition::Partition;
use crate::role::Role;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::ServiceError;

pub(crate) const SERVICE: Service = Service {
    name: "iam",
    protocol: Protocol::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
    signed_for: SignedFor::OneRegion(Partition::iam_region),
    operations: &[
        on("CreateRole", Write, authorized_on::new_role, roles::create),
        on("GetRole", Read, authorized_on::bounded_role, roles::get),
        on("DeleteRole", Write, authorized_on::bounded_role, roles::delete),
        on("UpdateRole", Write, authorized_on::bounded_role, roles::update),
        on("UpdateRoleDescription", Write, authorized_on::bounded_role, roles::update_description),
        on("UpdateAssumeRolePolicy", Write, authorized_on::bounded_role, roles::update_trust),
        on("PutRolePermissionsBoundary", Write, authorized_on::bounded_role, roles::put_boundary),
        on("DeleteRolePermissionsBoundary", Write, authorized_on::bounded_role, roles::delete_boundary),
        on("ListRoles", Read, authorized_on::all_roles, roles::list),
        on("AttachRolePolicy", Write, authorized_on::attachment, attachments::attach),
        on("DetachRolePolicy", Write, authorized_on::attachment, attachments::detach),
        on("ListAttachedRolePolicies", Read, authorized_on::role, attachments::list),
        on("PutRolePolicy", Write, authorized_on::bounded_role, inline::put),
        on("GetRolePolicy", Read, authorized_on::role, inline::get),
        on("DeleteRolePolicy", Write, authorized_on::bounded_role, inline::delete),
        on("ListRolePolicies", Read, authorized_on::role, inline::list),
        on("TagRole", Write, authorized_on::role_to_tag, tags::tag),
        on("UntagRole", Write, authorized_on::role_to_untag, tags::untag),
        on("ListRoleTags", Read, authorized_on::role, tags::list),
        on("CreatePolicy", Write, authorized_on::policy, managed::create),
        on("GetPolicy", Read, authorized_on::policy, managed::get),
        on("GetPolicyVersion", Read, authorized_on::policy, managed::get_version),
        on("CreatePolicyVersion", Write, authorized_on::policy, versions::create),
        on("SetDefaultPolicyVersion", Write, authorized_on::policy, versions::set_default),
        on("DeletePolicyVersion", Write, authorized_on::policy, versions::delete),
        on("DeletePolicy", Write, authorized_on::policy, versions::delete_policy),
        on("SimulatePrincipalPolicy", Read, authorized_on::simulated, simulate::simulate),
    ],
};

type Run = fn(&Context<'_>) -> Result<Answer, ServiceError>;

const fn on(name: &'static str, effect: Effect, on: fn(&Context<'_>) -> Resource, run: Run) -> Operation {
    Operation { name, effect, on, run }
}

/// The role a call names, locked with its account.
fn role<'a>(call: &'a Context<'_>) -> Result<MappedMutexGuard<'a, Role>, ServiceError> {
    let name = names::role_name(call)?;
    let state = call.account.state.lock();
    MutexGuard::try_map(state, |state| state.roles.visible(name)).map_err(|_| no_role(name))
}

/// A role that may be changed: those of service-linked paths belong to AWS.
fn role_to_change<'a>(call: &'a Context<'_>) -> Result<MappedMutexGuard<'a, Role>, ServiceError> {
    let role = role(call)?;
    check_changeable(&role)?;
    Ok(role)
}

fn check_changeable(role: &Role) -> Result<(), ServiceError> {
    if role.path.starts_with("/aws-service-role/") {
        let message =
            format!("Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS", role.name);
        return Err(ServiceError::new(400, "UnmodifiableEntity", message));
    }
    Ok(())
}

fn no_role(name: &str) -> ServiceError {
    no_entity(format!("The role with name {name} cannot be found."))
}

fn no_entity(message: String) -> ServiceError {
    ServiceError::new(404, "NoSuchEntity", message)
}

fn malformed(message: String) -> ServiceError {
    ServiceError::new(400, "MalformedPolicyDocument", message)
}

fn limit(message: &str) -> ServiceError {
    ServiceError::new(409, "LimitExceeded", message)
}
