//! What was seen and what the document says of it, for programs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Export;
use super::oddity::Oddity;
use super::seen::{RegionList, SeenAccount, SeenRegion, SeenRole, role_named_by, trust_in_systems_manager};
use crate::desired::names::{AccountId, Region};
use crate::observed::{Change, Update};
use crate::plan::trust_policy::Trust;

/// The report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    account: AccountId,
    partition: &'static str,
    /// Whose credentials were used.
    caller: &'a str,
    /// Where the regions come from.
    region_list: &'static str,
    /// Whether everything could be read.
    complete: bool,
    /// The role that the document names, as settings name it.
    role: Option<&'a str>,
    regions: Vec<RegionRow<'a>>,
    roles: Vec<RoleRow<'a>>,
    oddities: &'a [Oddity],
    document: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionRow<'a> {
    region: &'a Region,
    /// What was seen.
    state: &'static str,
    /// What the document says; absent where it does not name the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleRow<'a> {
    name: &'a str,
    /// `found`, `missing` or `unread`
    state: &'static str,
    /// The regions whose settings name it.
    regions: Vec<&'a Region>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    details: Option<RoleDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleDetails<'a> {
    path: &'a str,
    /// Whether Systems Manager may assume it: `granted`, `absent` or `denied`.
    trust: &'static str,
    policies: &'a BTreeSet<String>,
    tags: &'a BTreeMap<String, String>,
    description: Option<&'a str>,
    permissions_boundary: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// What was seen, and what came of it.
    #[must_use]
    pub fn new(seen: &'a SeenAccount, export: &'a Export) -> Self {
        Self {
            account: seen.identity.account,
            partition: seen.identity.partition.as_str(),
            caller: &seen.identity.arn,
            region_list: match seen.region_list {
                RegionList::OfTheAccount => "of_the_account",
                RegionList::AllKnown { .. } | RegionList::Unanswered { .. } => "all_known",
            },
            complete: export.unread().next().is_none(),
            role: export.value.as_deref(),
            regions: seen.regions.iter().map(|(region, state)| RegionRow::new(region, state, export)).collect(),
            roles: seen.roles.iter().map(|(name, role)| RoleRow::new(name, role, seen)).collect(),
            oddities: &export.oddities,
            document: export.document(),
        }
    }
}

impl<'a> RegionRow<'a> {
    fn new(region: &'a Region, state: &'a SeenRegion, export: &Export) -> Self {
        let (setting, error) = match state {
            SeenRegion::Read(setting) => (Some(setting), None),
            SeenRegion::Unread(why) => (None, Some(why.as_str())),
            _ => (None, None),
        };
        let changed: Option<&Change> = setting.and_then(|setting| setting.changed.as_ref());
        Self {
            region,
            state: state.label(),
            declared: export.regions.get(region).map(|said| said.word()),
            value: setting.and_then(|setting| setting.value.as_deref()),
            status: setting.map(|setting| match setting.update {
                Update::Settled => "settled",
                Update::Pending => "pending_update",
            }),
            changed_by: changed.map(|change| change.by.as_str()),
            changed_at: changed.and_then(|change| change.at),
            error,
        }
    }
}

impl<'a> RoleRow<'a> {
    fn new(name: &'a str, role: &'a SeenRole, seen: &'a SeenAccount) -> Self {
        let names_it =
            |state: &SeenRegion| state.value().and_then(role_named_by).is_some_and(|(_, named)| named.as_str() == name);
        let (state, details, error) = match role {
            SeenRole::Found(found) => ("found", Some(found), None),
            SeenRole::Missing => ("missing", None, None),
            SeenRole::Unread(why) => ("unread", None, Some(why.as_str())),
        };
        Self {
            name,
            state,
            regions: seen.regions.iter().filter(|(_, state)| names_it(state)).map(|(region, _)| region).collect(),
            details: details.map(|role| RoleDetails {
                path: &role.path,
                trust: match trust_in_systems_manager(role, seen.identity.partition) {
                    Trust::Granted => "granted",
                    Trust::Absent => "absent",
                    Trust::Denied => "denied",
                },
                policies: &role.attached,
                tags: &role.tags,
                description: role.description.as_deref(),
                permissions_boundary: role.permissions_boundary.as_deref(),
            }),
            error,
        }
    }
}
