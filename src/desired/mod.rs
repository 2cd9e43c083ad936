//! What people want: the desired state, valid by construction.
//!
//! Everything here is a plain value. [`load`] turns the bytes of a document, and [`load_all`] of several, into a
//! [`DesiredState`] or into every problem there is. No IO, no clock, no AWS; the file is watched by `source`, the comparison is made by `plan`.

pub mod access;
mod discretion;
pub mod document;
pub mod excerpt;
pub mod fields;
pub mod guard;
mod keys;
pub mod levels;
mod merge;
pub mod names;
pub mod organization;
pub mod problems;
pub mod regions;
pub mod schema;
mod second_reading;
mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod validate;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

use access::Access;
use document::Document;
use fields::Field;
use guard::DesiredGuard;
use levels::Settled;
use merge::{Claims, Part};
use names::{Account, PolicyRef, Region, RoleName, RolePath, ServicePrincipal};
use organization::DesiredOrganization;
use problems::Place;
pub use problems::{Problem, Problems};
use serde::Serialize;
pub use text::MAX_BYTES;

/// The name of the role that AWS's own set-up creates, and our default.
pub const DEFAULT_ROLE_NAME: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
/// The path of that role.
pub const DEFAULT_ROLE_PATH: &str = "/service-role/";
/// The managed policy of that role.
pub const DEFAULT_POLICY_NAME: &str = "AmazonSSMManagedEC2InstanceDefaultPolicy";

/// Everything that is declared; the default declares nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredState {
    /// `metadata.name`: tells people which document this is; of several documents, their names.
    pub name: String,
    /// The accounts that are listed, each with what is wanted of it.
    pub accounts: BTreeMap<Account, Arc<DesiredAccount>>,
    /// The accounts that the organization tells of.
    pub organization: Option<Arc<DesiredOrganization>>,
    /// How much one change may take away.
    pub guard: DesiredGuard,
}

/// What is wanted of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccount {
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// How it is reached.
    pub access: Access,
    /// The one role of the account; settings point to it.
    pub role: Arc<DesiredRole>,
    /// The regions that the document names.
    pub regions: Arc<BTreeMap<Region, Declared>>,
    /// Every other region open to the account.
    pub other_regions: Declared,
}

impl DesiredAccount {
    /// An account to which this applies.
    #[must_use]
    pub fn new(name: Option<Arc<str>>, access: Access, what: Settled) -> Self {
        let Settled { role, regions, other_regions } = what;
        Self { name, access, role, regions, other_regions }
    }
}

/// What the document says of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// Not ours: neither read nor written.
    Unmanaged,
    /// Ours to keep.
    Managed(DesiredSetting),
}

/// What is wanted of one region's service setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesiredSetting {
    /// On or off.
    pub state: SettingState,
    /// Correct it, or only tell.
    pub mode: Mode,
}

/// Whether Default Host Management Configuration is wanted in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingState {
    /// The setting names the account's role.
    Enabled,
    /// The setting is reset to its default, which is unset.
    Disabled,
}

/// Whether drift is corrected or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Correct what drifted.
    #[default]
    Enforce,
    /// Report what drifted; write nothing.
    Observe,
}

/// What is wanted of the role that settings point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRole {
    /// Name, unique within the account whatever the path.
    pub name: RoleName,
    /// Where it must be. `None`: wherever it is (an external role whose path the document leaves open).
    pub path: Option<RolePath>,
    /// Whose it is.
    pub management: Management,
    /// The service that has to be able to assume it.
    pub trust_principal: ServicePrincipal,
    /// Policies that must be attached.
    pub policies: Vec<PolicyRef>,
    /// What happens to the others.
    pub other_policies: OtherPolicies,
    /// Tags that must be there; others are left alone.
    pub tags: BTreeMap<String, String>,
    /// The description, where the document declares one.
    pub description: Option<String>,
    /// The permissions boundary, where the document declares one.
    pub permissions_boundary: Option<PolicyRef>,
    /// Correct it, or only tell.
    pub mode: Mode,
}

/// Who creates and repairs the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Management {
    /// We do.
    Managed,
    /// Somebody else does: it is verified and never written.
    External,
}

/// What happens to attached policies that the document does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherPolicies {
    /// They stay (`exclusivePolicies: false`).
    Leave,
    /// They are detached (`exclusivePolicies: true`).
    Detach,
}

/// Reads a document: bytes in, the desired state or every problem out. Pure.
pub fn load(bytes: &[u8]) -> Result<DesiredState, Problems> {
    let mut problems = Vec::new();
    let state = read(bytes, &mut problems).map(|(state, _)| state);
    finish(state, problems)
}

/// Reads several documents, each with the name of its file: together they are one desired state. Pure.
pub fn load_all<N: AsRef<str>, B: AsRef<[u8]>>(documents: &[(N, B)]) -> Result<DesiredState, Problems> {
    let mut problems = Vec::new();
    let mut parts = Vec::with_capacity(documents.len());
    for (name, bytes) in documents {
        let file: Arc<str> = name.as_ref().into();
        let mut of_this = Vec::new();
        if let Some((state, claims)) = read(bytes.as_ref(), &mut of_this) {
            parts.push(Part { file: Arc::clone(&file), state, claims });
        }
        problems.extend(of_this.into_iter().map(|problem| problem.of_file(&file)));
    }
    let state = merge::merge(parts, &mut problems);
    finish(state, problems)
}

fn finish(state: Option<DesiredState>, problems: Vec<Problem>) -> Result<DesiredState, Problems> {
    match (Problems::of(problems), state) {
        (Some(problems), _) => Err(problems),
        (None, Some(state)) => Ok(state),
        // Every way to no state goes past a problem; a state that nobody wrote must not come of it if one ever does not.
        (None, None) => Err(Problems::from(Problem::new(&Place::whole_document(), "declares nothing"))),
    }
}

fn read(bytes: &[u8], problems: &mut Vec<Problem>) -> Option<(DesiredState, Claims)> {
    let text = text::decode(bytes).map_err(|problem| problems.push(problem)).ok()?;
    let root = yaml::parse(text, problems)?;
    let document = Document::read(&Field::root(&root), problems)?;
    let read = validate::validate(document, problems)?;
    if problems.is_empty() {
        second_reading::compare(text, &root, problems);
    }
    Some(read)
}
