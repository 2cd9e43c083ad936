//! IAM: roles, their policies and tags. awsQuery, botocore's `iam` model of 2010-05-08.
//! This file is the table of operations and what they share; the operations are in the files beside it.

mod attachments;
mod inline;
mod managed;
mod names;
mod page;
mod roles;
mod tags;
mod view;

use parking_lot::{MappedMutexGuard, MutexGuard};

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
        on_role("CreateRole", Write, roles::create),
        on_role("GetRole", Read, roles::get),
        on_role("DeleteRole", Write, roles::delete),
        on_role("UpdateRole", Write, roles::update),
        on_role("UpdateRoleDescription", Write, roles::update_description),
        on_role("UpdateAssumeRolePolicy", Write, roles::update_trust),
        on_role("PutRolePermissionsBoundary", Write, roles::put_boundary),
        on_role("DeleteRolePermissionsBoundary", Write, roles::delete_boundary),
        on_all_roles("ListRoles", Read, roles::list),
        on_role("AttachRolePolicy", Write, attachments::attach),
        on_role("DetachRolePolicy", Write, attachments::detach),
        on_role("ListAttachedRolePolicies", Read, attachments::list),
        on_role("PutRolePolicy", Write, inline::put),
        on_role("GetRolePolicy", Read, inline::get),
        on_role("DeleteRolePolicy", Write, inline::delete),
        on_role("ListRolePolicies", Read, inline::list),
        on_role("TagRole", Write, tags::tag),
        on_role("UntagRole", Write, tags::untag),
        on_role("ListRoleTags", Read, tags::list),
        on_policy("CreatePolicy", Write, managed::create),
        on_policy("GetPolicy", Read, managed::get),
    ],
};

type Run = fn(&Context<'_>) -> Result<Answer, ServiceError>;

const fn on_role(name: &'static str, effect: Effect, run: Run) -> Operation {
    Operation { name, effect, resource: role_resource, run }
}

const fn on_all_roles(name: &'static str, effect: Effect, run: Run) -> Operation {
    Operation { name, effect, resource: |call| call.account.iam_arn("role/"), run }
}

const fn on_policy(name: &'static str, effect: Effect, run: Run) -> Operation {
    Operation {
        name,
        effect,
        resource: |call| {
            let arn = call.params.text("PolicyArn");
            format!("policy {}", arn.or(call.params.text("PolicyName")).unwrap_or_default())
        },
        run,
    }
}

/// IAM's denials name a role that exists `role NAME`, and one to be created by its ARN.
fn role_resource(call: &Context<'_>) -> String {
    let name = call.params.text("RoleName").unwrap_or_default();
    match call.params.text("AssumeRolePolicyDocument") {
        Some(_) => {
            let path = call.params.text("Path").unwrap_or("/");
            call.account.iam_arn(&format!("role{path}{name}"))
        }
        None => format!("role {name}"),
    }
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
