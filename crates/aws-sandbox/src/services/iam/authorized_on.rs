//! What each call is about as policies see it: the ARN, and the condition keys that its action has (Service Authorization
//! Reference, AWS Identity and Access Management). An action has no key that the reference does not list for it.

use crate::services::Context;
use crate::services::authorize::Resource;

/// A role, where the action has no keys of its own.
pub(super) fn role(call: &Context<'_>) -> Resource {
    let name = call.params.text("RoleName").unwrap_or_default();
    let known = call.account.state.lock().roles.visible(name).map(|role| role.arn.clone());
    // Calls name no path. That a role which does not exist is asked about at the root path is a guess: no other ARN can
    // be told from the name.
    let arn = known.unwrap_or_else(|| call.account.iam_arn(&format!("role/{name}")));
    Resource::new(arn).told_as(format!("role {name}"))
}

/// A role whose boundary, the one it has or is to have, can be asked about.
pub(super) fn bounded_role(call: &Context<'_>) -> Resource {
    let name = call.params.text("RoleName").unwrap_or_default();
    let has = call.account.state.lock().roles.visible(name).and_then(|role| role.permissions_boundary.clone());
    role(call).with("iam:PermissionsBoundary", call.params.text("PermissionsBoundary").or(has.as_deref()))
}

/// A role to be created. Refusals name its ARN.
pub(super) fn new_role(call: &Context<'_>) -> Resource {
    let boundary = call.params.text("PermissionsBoundary");
    new_role_to_tag(call).with("iam:PermissionsBoundary", boundary)
}

/// The same, as the right to tag it sees it.
pub(super) fn new_role_to_tag(call: &Context<'_>) -> Resource {
    let (name, path) = (call.params.text("RoleName").unwrap_or_default(), call.params.text("Path").unwrap_or("/"));
    Resource::new(call.account.iam_arn(&format!("role{path}{name}"))).with_tags(&call.params.tags())
}

/// A role that gets or loses a policy.
pub(super) fn attachment(call: &Context<'_>) -> Resource {
    bounded_role(call).with("iam:PolicyARN", call.params.text("PolicyArn"))
}

pub(super) fn role_to_tag(call: &Context<'_>) -> Resource {
    role(call).with_tags(&call.params.tags())
}

pub(super) fn role_to_untag(call: &Context<'_>) -> Resource {
    role(call).with_tag_keys(&call.params.texts("TagKeys"))
}

pub(super) fn all_roles(call: &Context<'_>) -> Resource {
    Resource::new(call.account.iam_arn("role/"))
}

pub(super) fn policy(call: &Context<'_>) -> Resource {
    let arn = call.params.text("PolicyArn");
    let (name, path) = (call.params.text("PolicyName").unwrap_or_default(), call.params.text("Path").unwrap_or("/"));
    let new = || call.account.iam_arn(&format!("policy{path}{name}"));
    Resource::new(arn.map_or_else(new, str::to_owned)).told_as(format!("policy {}", arn.unwrap_or(name)))
}

/// The principal that a simulation is about.
pub(super) fn simulated(call: &Context<'_>) -> Resource {
    Resource::new(call.params.text("PolicySourceArn").unwrap_or("*"))
}
