//! Tags of a role: set, remove, list.

use std::collections::BTreeMap;

use serde::Serialize;

use super::page::page;
use super::view::{self, Members, Paging, Tag};
use super::{limit, role, role_to_change};
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

/// IAM's quota of tags per role.
const MOST_TAGS: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Members<Tag>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) fn tag(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let mut role = role_to_change(call)?;
    let mut tags = role.tags.clone();
    add(call, &mut tags)?;
    role.tags = tags;
    Ok(Answer::empty_xml())
}

pub(super) fn untag(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let mut role = role_to_change(call)?;
    for key in call.params.texts("TagKeys") {
        role.tags.remove(key);
    }
    Ok(Answer::empty_xml())
}

pub(super) fn list(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let tags = view::tags(&*role(call)?);
    let page = page(call, tags.into_iter().map(|tag| (tag.key.clone(), tag)).collect())?;
    let answer = Tags { paging: Paging::from(&page), tags: Members { member: page.entries } };
    Answer::xml("ListRoleTagsResult", &answer)
}

/// Adds the call's tags, if all of them may be.
pub(super) fn add(call: &Context<'_>, tags: &mut BTreeMap<String, String>) -> Result<(), ServiceError> {
    for (key, value) in call.params.tags() {
        if key.is_empty() || key.len() > 128 || key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("Tag key '{key}' is not valid.");
            return Err(ServiceError::new(400, "InvalidInput", message));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST_TAGS {
        return Err(limit("Cannot exceed quota for TagsPerRole: 50"));
    }
    Ok(())
}
