//! The document as it is written: a mirror of the YAML, field by field, with the place of every value.
//!
//! Reading checks each value on its own: its type, its spelling, its key. What several values mean together, and what
//! applies where nothing is written, is `validate`'s. A field that fails is `None` here, and a problem by then.

use super::fields::{Field, Word, Written};
use super::names::{AccountId, PolicyRef, Region, RoleName, RolePath, ServicePrincipal};
use super::problems::{Place, Problem};
use super::{Management, Mode, OtherPolicies, regions};

/// A whole document.
#[derive(Debug)]
pub struct Document {
    /// `apiVersion`
    pub api_version: Option<Written<ApiVersion>>,
    /// `kind`
    pub kind: Option<Written<Kind>>,
    /// `metadata.name`
    pub name: Option<Written<String>>,
    /// `spec`
    pub spec: Option<Spec>,
}

/// The versions of the document that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// `dhmc.dev/v1alpha1`
    V1Alpha1,
}

/// The kinds of document that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `HostManagement`
    HostManagement,
}

/// `spec`
#[derive(Debug)]
pub struct Spec {
    /// Where it begins.
    pub place: Place,
    /// `account`
    pub account: Option<Written<AccountId>>,
    /// `mode`
    pub mode: Option<Written<Mode>>,
    /// `role`
    pub role: RoleBlock,
    /// `regions`, in the order of the text. Those that failed are missing; `None` if there was none at all.
    pub regions: Option<Vec<(Written<Region>, RegionBlock)>>,
    /// `otherRegions`
    pub other_regions: Option<RegionBlock>,
}

/// `spec.role`
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

/// An entry of `spec.role.tags`.
#[derive(Debug)]
pub struct Tag {
    /// Its key.
    pub key: Written<String>,
    /// Its value.
    pub value: Written<String>,
}

/// An entry of `spec.regions`, or `spec.otherRegions`: a word, or the word with its mode.
#[derive(Debug)]
pub struct RegionBlock {
    /// `state`
    pub state: Option<Written<RegionState>>,
    /// `mode`
    pub mode: Option<Written<Mode>>,
}

/// What may be said of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionState {
    /// The setting names the role.
    Enabled,
    /// The setting is reset.
    Disabled,
    /// Neither read nor written.
    Unmanaged,
}

impl Word for ApiVersion {
    const WORDS: &'static [(&'static str, Self)] = &[("dhmc.dev/v1alpha1", Self::V1Alpha1)];
}

impl Word for Kind {
    const WORDS: &'static [(&'static str, Self)] = &[("HostManagement", Self::HostManagement)];
}

impl Word for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[("enforce", Self::Enforce), ("observe", Self::Observe)];
}

impl Word for Management {
    const WORDS: &'static [(&'static str, Self)] = &[("managed", Self::Managed), ("external", Self::External)];
}

impl Word for RegionState {
    const WORDS: &'static [(&'static str, Self)] =
        &[("enabled", Self::Enabled), ("disabled", Self::Disabled), ("unmanaged", Self::Unmanaged)];

    fn meant_by(text: &str) -> Option<&'static str> {
        switch(text, "enabled", "disabled")
    }
}

/// `exclusivePolicies` is a boolean in YAML, and says what it does in here.
impl Word for OtherPolicies {
    const WORDS: &'static [(&'static str, Self)] = &[("false", Self::Leave), ("true", Self::Detach)];

    fn meant_by(text: &str) -> Option<&'static str> {
        switch(text, "true", "false")
    }
}

/// The words that some YAML parser or other takes for a boolean.
fn switch(text: &str, on: &'static str, off: &'static str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "y" | "enable" => Some(on),
        "off" | "no" | "false" | "n" | "disable" => Some(off),
        _ => None,
    }
}

impl Document {
    /// Reads a document from its root. What is missing or wrong is a problem and `None`.
    pub(super) fn read(root: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = root.fields(problems)?;
        let document = Self {
            api_version: fields.require("apiVersion", "dhmc.dev/v1alpha1", problems).and_then(|field| field.word(problems)),
            kind: fields.require("kind", "HostManagement", problems).and_then(|field| field.word(problems)),
            name: fields.take("metadata").and_then(|field| read_name(&field, problems)),
            spec: fields
                .require("spec", "{ regions: { eu-west-1: enabled } }", problems)
                .and_then(|field| Spec::read(&field, problems)),
        };
        fields.close(problems);
        Some(document)
    }
}

fn read_name(metadata: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Written<String>> {
    let mut fields = metadata.fields(problems)?;
    let name = fields.take("name").and_then(|field| field.text(problems));
    fields.close(problems);
    name
}

impl Spec {
    fn read(spec: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = spec.fields(problems)?;
        let read = Self {
            place: fields.place().clone(),
            account: fields.take("account").and_then(|field| field.name(problems)),
            mode: fields.take("mode").and_then(|field| field.word(problems)),
            role: fields.take("role").and_then(|field| RoleBlock::read(&field, problems)).unwrap_or_default(),
            regions: fields.take("regions").and_then(|field| read_regions(&field, problems)),
            other_regions: fields.take("otherRegions").map(|field| RegionBlock::read(&field, problems)),
        };
        fields.close(problems);
        Some(read)
    }
}

impl RoleBlock {
    fn read(role: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
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

fn read_tags(tags: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Written<Vec<Tag>>> {
    let entries = tags.entries(problems)?;
    let tag = |(key, field): &(Written<&str>, Field<'_>)| {
        let key = Written { value: key.value.to_owned(), place: key.place.clone() };
        field.text(problems).map(|value| Tag { key, value })
    };
    let value = entries.iter().filter_map(tag).collect();
    Some(Written { value, place: tags.key_place() })
}

fn read_regions(regions: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Vec<(Written<Region>, RegionBlock)>> {
    let Some(entries) = regions.entries(problems) else { return Some(Vec::new()) };
    let mut read = Vec::with_capacity(entries.len());
    for (key, field) in &entries {
        let region = read_region(key, problems);
        let block = RegionBlock::read(field, problems);
        read.extend(region.map(|region| (region, block)));
    }
    (!entries.is_empty()).then_some(read)
}

fn read_region(key: &Written<&str>, problems: &mut Vec<Problem>) -> Option<Written<Region>> {
    let region: Option<Region> = key.value.parse().ok();
    if let Some(value) = region.filter(|region| regions::partition_of(region).is_some()) {
        return Some(Written { value, place: key.place.clone() });
    }
    let help = match regions::nearest(key.value) {
        Some(near) => format!("did you mean {near}?"),
        None => "regions are named like eu-west-1".to_owned(),
    };
    problems.push(Problem::new(&key.place, "no such region").help(help));
    None
}

impl RegionBlock {
    fn read(region: &Field<'_>, problems: &mut Vec<Problem>) -> Self {
        if !region.is_mapping() {
            return Self { state: region.word(problems), mode: None };
        }
        let Some(mut fields) = region.fields(problems) else { return Self { state: None, mode: None } };
        let read = Self {
            state: fields.require("state", "enabled", problems).and_then(|field| field.word(problems)),
            mode: fields.take("mode").and_then(|field| field.word(problems)),
        };
        fields.close(problems);
        read
    }
}
