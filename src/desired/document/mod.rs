//! The document as it is written: a mirror of the YAML, field by field, with the place of every value.
//!
//! Reading checks each value on its own: its type, its spelling, its key. What several values mean together, and what
//! applies where nothing is written, is `validate`'s. A field that fails is `None` here, and a problem by then.

mod account;
mod guard;
mod level;
mod organization;
mod role;

use super::Mode;
use super::fields::{Field, Word, Written};
use super::names::AccountId;
use super::problems::{Place, Problem};
pub use account::{AccountBlock, AssumeRoleBlock};
pub use guard::GuardBlock;
pub use level::{LevelBlock, RegionBlock, RegionState};
pub use organization::{OrganizationBlock, OverrideBlock, SelectionBlock};
pub use role::{RoleBlock, Tag};

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
    /// What applies to every account.
    pub level: LevelBlock,
    /// `accounts`; those that failed are missing.
    pub accounts: Option<Vec<AccountBlock>>,
    /// `organization`
    pub organization: Option<OrganizationBlock>,
    /// `guard`
    pub guard: Option<GuardBlock>,
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
            level: LevelBlock::take(&mut fields, problems),
            accounts: fields.take("accounts").map(|field| account::read_accounts(&field, problems)),
            organization: fields.take("organization").map(|field| OrganizationBlock::read(&field, problems)),
            guard: fields.take("guard").and_then(|field| GuardBlock::read(&field, problems)),
        };
        fields.close(problems);
        Some(read)
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
