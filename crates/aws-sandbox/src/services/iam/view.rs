//! What IAM's answers look like: the elements of a role and of lists. Documents are URL-encoded by RFC 3986.

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::page::Page;
use crate::role::Role;
use crate::wire::signature::UNRESERVED;

/// A list as awsQuery writes it.
#[derive(Debug, Serialize)]
pub(super) struct Members<T> {
    pub(super) member: Vec<T>,
}

/// One tag.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

/// The end of every paged answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Paging {
    pub(super) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marker: Option<String>,
}

impl<T> From<&Page<T>> for Paging {
    fn from(page: &Page<T>) -> Self {
        Self { is_truncated: page.marker.is_some(), marker: page.marker.clone() }
    }
}

/// How much of a role an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// `GetRole`: everything.
    Full,
    /// `ListRoles`: no tags, boundary or last use, says the model.
    Listed,
}

/// A role in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleView {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    max_session_duration: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Members<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<LastUsed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl RoleView {
    pub(super) fn new(role: &Role, detail: Detail) -> Self {
        let full = detail == Detail::Full;
        let last_used = role
            .last_used
            .as_ref()
            .map(|used| LastUsed { last_used_date: Some(date(used.at)), region: Some(used.region.clone()) });
        let boundary = role.permissions_boundary.clone();
        Self {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn: role.arn.clone(),
            create_date: date(role.created),
            assume_role_policy_document: url_encoded(&role.trust_policy),
            description: role.description.clone(),
            max_session_duration: role.max_session_duration,
            permissions_boundary: boundary
                .filter(|_| full)
                .map(|arn| Boundary { permissions_boundary_type: "Policy", permissions_boundary_arn: arn }),
            tags: (full && !role.tags.is_empty()).then(|| Members { member: tags(role) }),
            role_last_used: full.then(|| last_used.unwrap_or_default()),
        }
    }
}

/// The tags of a role.
pub(super) fn tags(role: &Role) -> Vec<Tag> {
    let tags = role.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    tags.collect()
}

/// A date as awsQuery writes it, in whole seconds.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A document as IAM answers it.
pub(super) fn url_encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}
