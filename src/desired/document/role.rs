//! `role`, as it is written at any level, and tags wherever they are written. Called by [`super::level`].

use super::switch;
use crate::desired::fields::{Field, Word, Written};
use crate::desired::names::{PolicyRef, RoleName, RolePath, ServicePrincipal};
use crate::desired::problems::Problem;
use crate::desired::{Management, Mode, OtherPolicies};

/// `role`
#[derive(Debug, Default)]
pub struct RoleBlock {
    /// `name`
    pub name: Option<Written<RoleName>>,
    /// `path`
    pub path: Option<Written<RolePath>>,
    /// `management`
    pub management: Option<Written<Management>>,
    /// `trustPrincipal`
    pub trust_principal: Option<Written<ServicePrincipal>>,
    /// `policies`
    pub policies: Option<Written<Vec<Written<PolicyRef>>>>,
    /// `exclusivePolicies`
    pub other_policies: Option<Written<OtherPolicies>>,
    /// `tags`, in the order of the text.
    pub tags: Option<Written<Vec<Tag>>>,
    /// `description`
    pub description: Option<Written<String>>,
    /// `permissionsBoundary`
    pub permissions_boundary: Option<Written<PolicyRef>>,
    /// `mode`
    pub mode: Option<Written<Mode>>,
}

/// An entry of `tags` or `sessionTags`.
#[derive(Debug)]
pub struct Tag {
    /// Its key.
    pub key: Written<String>,
    /// Its value.
    pub value: Written<String>,
}

impl Word for Management {
    const WORDS: &'static [(&'static str, Self)] = &[("managed", Self::Managed), ("external", Self::External)];
}

/// `exclusivePolicies` is a boolean in YAML, and says what it does in here.
impl Word for OtherPolicies {
    const WORDS: &'static [(&'static str, Self)] = &[("false", Self::Leave), ("true", Self::Detach)];

    fn meant_by(text: &str) -> Option<&'static str> {
        switch(text, "true", "false")
    }
}

impl RoleBlock {
    pub(super) fn read(role: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = role.fields(problems)?;
        let read = Self {
            name: fields.take("name").and_then(|field| field.name(problems)),
            path: fields.take("path").and_then(|field| field.name(problems)),
            management: fields.take("management").and_then(|field| field.word(problems)),
            trust_principal: fields.take("trustPrincipal").and_then(|field| field.name(problems)),
            policies: fields.take("policies").and_then(|field| read_policies(&field, problems)),
            other_policies: fields.take("exclusivePolicies").and_then(|field| field.word(problems)),
            tags: fields.take("tags").and_then(|field| read_tags(&field, problems)),
            description: fields.take("description").and_then(|field| field.text(problems)),
            permissions_boundary: fields.take("permissionsBoundary").and_then(|field| field.name(problems)),
            mode: fields.take("mode").and_then(|field| field.word(problems)),
        };
        fields.close(problems);
        Some(read)
    }
}

fn read_policies(policies: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Written<Vec<Written<PolicyRef>>>> {
    let items = policies.list(problems)?;
    let value = items.iter().filter_map(|item| item.name(problems)).collect();
    Some(Written { value, place: policies.key_place() })
}

pub(super) fn read_tags(tags: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Written<Vec<Tag>>> {
    let entries = tags.entries(problems)?;
    let tag = |(key, field): &(Written<&str>, Field<'_>)| {
        let key = Written { value: key.value.to_owned(), place: key.place.clone() };
        field.text(problems).map(|value| Tag { key, value })
    };
    let value = entries.iter().filter_map(tag).collect();
    Some(Written { value, place: tags.key_place() })
}
