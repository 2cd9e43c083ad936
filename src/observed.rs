//! What AWS says: plain values, free of SDK types.
//!
//! Filled in by `aws`, compared by `plan`, shown by `status`. Nothing here decides anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::desired::names::{AccountId, Partition, Region};

/// One region's service setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedSetting {
    /// The role that the setting names, as path + name without the leading slash. `None`: unset, which AWS spells `$None`
    /// (turbot/steampipe-plugin-aws PR 2611).
    pub value: Option<String>,
    /// Whether AWS is still applying an earlier update (`PendingUpdate`). Other words of `Status` mean nothing to us: the
    /// guide's own samples disagree about them.
    pub update: Update,
    /// Who changed it last, and when, where AWS tells.
    pub changed: Option<Change>,
}

/// Where an earlier update of a setting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Nothing is under way.
    Settled,
    /// AWS says `PendingUpdate`: the value may still change by itself.
    Pending,
}

/// A change as AWS attributes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `LastModifiedUser`: the caller's ARN, session name included, or `System`.
    pub by: String,
    /// `LastModifiedDate`.
    pub at: Option<Timestamp>,
}

/// The role that settings point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRole {
    /// Its path, with both slashes.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The trust policy, as JSON text. IAM sends it URL-encoded; this is decoded.
    pub trust_policy: String,
    /// ARNs of the attached managed policies.
    pub attached: BTreeSet<String>,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
    /// Its description; IAM drops an empty one.
    pub description: Option<String>,
    /// ARN of its permissions boundary.
    pub permissions_boundary: Option<String>,
}

impl ObservedRole {
    /// What a setting must hold to name this role: path + name without the leading slash.
    ///
    /// Derived from the role's real path: `service-role/NAME` in AWS's guide, a bare `NAME` for a role at `/` (Quick Setup).
    #[must_use]
    pub fn setting_value(&self) -> String {
        format!("{}{}", self.path.trim_start_matches('/'), self.name)
    }
}

/// Whose credentials these are (sts:GetCallerIdentity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// Its partition, read off the ARN and never guessed.
    pub partition: Partition,
    /// The principal.
    pub arn: String,
}

/// One region as account:ListRegions tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRegion {
    /// Its name.
    pub region: Region,
    /// Whether the account may use it.
    pub access: RegionAccess,
}

/// A region's opt-in status. Only what AWS calls enabled counts as open: services answer some calls and not others for hours
/// while a region is being enabled or disabled (AWS Account Management reference guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionAccess {
    /// `ENABLED` or `ENABLED_BY_DEFAULT`.
    Open,
    /// `ENABLING`
    Opening,
    /// `DISABLING`
    Closing,
    /// `DISABLED`, or a word we do not know.
    Closed,
}

/// What is known of an account before anything in it is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The verified identity.
    pub identity: Identity,
    /// The regions open to it; `None` while the document does not ask for `otherRegions`.
    pub open_regions: Option<BTreeSet<Region>>,
}

/// Whether settings may point to the account's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleReadiness {
    /// It has not been read yet; the text says why.
    Unknown(String),
    /// It cannot serve Systems Manager; the text says why.
    NotReady(String),
    /// It exists and trusts Systems Manager; settings hold this value.
    Ready(String),
}
