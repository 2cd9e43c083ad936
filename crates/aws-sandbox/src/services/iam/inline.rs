//! Inline policies of a role: put, get, delete, list.

use serde::Serialize;

use super::page::page;
use super::view::{Members, Paging, url_encoded};
use super::{malformed, names, no_entity, role, role_to_change};
use crate::policy_document;
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InlinePolicy<'a> {
    role_name: &'a str,
    policy_name: &'a str,
    policy_document: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyNames {
    policy_names: Members<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) fn put(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::policy_name(call)?;
    let document = call.params.required("PolicyDocument")?;
    policy_document::check_permissions(document).map_err(malformed)?;
    let mut role = role_to_change(call)?;
    role.inline.insert(name.to_owned(), document.to_owned());
    Ok(Answer::empty_xml())
}

pub(super) fn get(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::policy_name(call)?;
    let role = role(call)?;
    let document = role.inline.get(name).ok_or_else(|| no_policy(name))?;
    let answer = InlinePolicy { role_name: &role.name, policy_name: name, policy_document: url_encoded(document) };
    Answer::xml("GetRolePolicyResult", &answer)
}

pub(super) fn delete(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::policy_name(call)?;
    let mut role = role_to_change(call)?;
    let removed = role.inline.remove(name);
    removed.ok_or_else(|| no_policy(name))?;
    Ok(Answer::empty_xml())
}

pub(super) fn list(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let names: Vec<_> = role(call)?.inline.keys().cloned().collect();
    let page = page(call, names.into_iter().map(|name| (name.clone(), name)).collect())?;
    let answer = PolicyNames { paging: Paging::from(&page), policy_names: Members { member: page.entries } };
    Answer::xml("ListRolePoliciesResult", &answer)
}

fn no_policy(name: &str) -> ServiceError {
    no_entity(format!("The role policy with name {name} cannot be found."))
}
