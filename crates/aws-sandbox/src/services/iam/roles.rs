//! Roles themselves: create, read, delete, change what may be changed. Paths and names never change.

use serde::Serialize;

use super::page::page;
use super::view::{Detail, Members, Paging, RoleView};
use super::{authorized_on, check_changeable, limit, malformed, names, no_entity, no_role, role, role_to_change, tags};
use crate::policy_document;
use crate::role::Role;
use crate::role_store::role_id;
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

/// IAM's quota for the length of a trust policy, in characters.
const LONGEST_TRUST_POLICY: usize = 2048;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OneRole {
    role: RoleView,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ManyRoles {
    roles: Members<RoleView>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) fn create(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::role_name(call)?;
    let path = names::path(call)?;
    let document = trust_policy(call, "AssumeRolePolicyDocument")?;
    let mut new = Role::new(path, name, document);
    new.description = call.params.text("Description").map(str::to_owned);
    new.max_session_duration = session_duration(call)?;
    new.permissions_boundary = call.params.text("PermissionsBoundary").map(str::to_owned);
    new.arn = call.account.iam_arn(&format!("role{path}{name}"));
    tags::add(call, &mut new.tags)?;
    if !new.tags.is_empty() {
        // Tagging while creating needs the right to tag, too.
        call.authorize("iam:TagRole", authorized_on::new_role_to_tag)?;
    }
    new.created = call.now;
    new.id = role_id(&new.arn, call.now);
    if path.starts_with("/aws-service-role/") {
        let message = "Cannot create a role below /aws-service-role/.".to_owned();
        return Err(ServiceError::new(400, "InvalidInput", message));
    }
    let mut state = call.account.state.lock();
    if state.roles.is_taken(name) {
        let message = format!("Role with name {name} already exists.");
        return Err(ServiceError::new(409, "EntityAlreadyExists", message));
    }
    if let Some(boundary) = &new.permissions_boundary
        && !state.roles.policy_exists(call.account.partition, boundary)
    {
        let message = format!("Scope ARN: {boundary} does not exist or is not attachable.");
        return Err(no_entity(message));
    }
    let answer = OneRole { role: RoleView::new(&new, Detail::Full) };
    let (invisible, unusable) = (call.knobs.role_invisible, call.knobs.role_unusable);
    state.roles.insert(new, invisible, unusable);
    drop(state);
    call.world.changes_after(invisible);
    call.world.changes_after(unusable);
    Answer::xml("CreateRoleResult", &answer)
}

pub(super) fn get(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let answer = OneRole { role: RoleView::new(&*role(call)?, Detail::Full) };
    Answer::xml("GetRoleResult", &answer)
}

pub(super) fn list(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let prefix = call.params.text("PathPrefix").unwrap_or("/");
    let state = call.account.state.lock();
    let roles = state.roles.all_visible();
    let matching = roles
        .filter(|role| role.path.starts_with(prefix))
        .map(|role| (role.name.clone(), RoleView::new(role, Detail::Listed)))
        .collect();
    drop(state);
    let page = page(call, matching)?;
    let answer = ManyRoles { paging: Paging::from(&page), roles: Members { member: page.entries } };
    Answer::xml("ListRolesResult", &answer)
}

pub(super) fn delete(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::role_name(call)?;
    // One lock from the check to the removal: a policy attached in between would vanish unseen.
    let mut state = call.account.state.lock();
    let role = state.roles.visible(name).ok_or_else(|| no_role(name))?;
    check_changeable(role)?;
    let conflict = |what: &str| {
        let message = format!("Cannot delete entity, must {what} all policies first.");
        Err(ServiceError::new(409, "DeleteConflict", message))
    };
    if !role.attached.is_empty() {
        return conflict("detach");
    }
    if !role.inline.is_empty() {
        return conflict("delete");
    }
    state.roles.remove(name);
    Ok(Answer::empty_xml())
}

/// A duration left out becomes the default again, says the API reference; a description left out stays: a guess.
pub(super) fn update(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let duration = session_duration(call)?;
    let mut role = role_to_change(call)?;
    role.max_session_duration = duration;
    if let Some(description) = call.params.text("Description") {
        role.description = Some(description.to_owned());
    }
    Answer::xml("UpdateRoleResult", &())
}

pub(super) fn update_description(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let description = call.params.text("Description").unwrap_or_default();
    let mut role = role_to_change(call)?;
    role.description = Some(description.to_owned());
    let answer = OneRole { role: RoleView::new(&role, Detail::Full) };
    drop(role);
    Answer::xml("UpdateRoleDescriptionResult", &answer)
}

pub(super) fn update_trust(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let document = trust_policy(call, "PolicyDocument")?;
    let mut role = role_to_change(call)?;
    document.clone_into(&mut role.trust_policy);
    let name = role.name.clone();
    drop(role);
    let delay = call.knobs.role_unusable;
    call.account.state.lock().roles.unusable_for(&name, delay);
    call.world.changes_after(delay);
    Ok(Answer::empty_xml())
}

pub(super) fn put_boundary(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let arn = names::policy_arn(call, "PermissionsBoundary")?;
    let known = {
        let state = call.account.state.lock();
        state.roles.policy_exists(call.account.partition, arn)
    };
    let mut role = role_to_change(call)?;
    if !known {
        let message = format!("Scope ARN: {arn} does not exist or is not attachable.");
        return Err(no_entity(message));
    }
    role.permissions_boundary = Some(arn.to_owned());
    Ok(Answer::empty_xml())
}

pub(super) fn delete_boundary(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let mut role = role_to_change(call)?;
    if role.permissions_boundary.take().is_none() {
        let message = format!("The role {} has no permissions boundary.", role.name);
        return Err(no_entity(message));
    }
    Ok(Answer::empty_xml())
}

fn trust_policy<'a>(call: &'a Context<'_>, param: &str) -> Result<&'a str, ServiceError> {
    let document = call.params.required(param)?;
    policy_document::check_trust(document).map_err(malformed)?;
    let letters = document.chars().filter(|letter| !letter.is_whitespace());
    if letters.count() > LONGEST_TRUST_POLICY {
        return Err(limit("Cannot exceed quota for ACLSizePerRole: 2048"));
    }
    Ok(document)
}

fn session_duration(call: &Context<'_>) -> Result<u32, ServiceError> {
    let seconds = call.params.number("MaxSessionDuration")?.unwrap_or(3600);
    if let Ok(seconds @ 3600..=43200) = u32::try_from(seconds) {
        return Ok(seconds);
    }
    let rule = "Member must have value between 3600 and 43200";
    Err(call.params.invalid("MaxSessionDuration", &seconds.to_string(), rule))
}
