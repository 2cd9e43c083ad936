//! What looks odd about an account: a closed list of kinds, each with a text for people.

use std::collections::BTreeSet;

use serde::Serialize;

use super::scalar::shown;
use super::seen::{RegionList, SeenAccount, SeenRegion, SeenRole, role_named_by};
use crate::desired::names::Region;
use crate::desired::{DEFAULT_POLICY_NAME, DEFAULT_ROLE_NAME};
use crate::observed::{ObservedRole, RegionAccess};
use crate::plan::Rival;
use crate::plan::policy_document::is_broad_by_name;

/// Something that looks odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// Where, if it is about one region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Which, if it is about a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What is odd about it, and what to do.
    pub message: String,
}

/// What can look odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OddityKind {
    /// AWS would not list the account's regions.
    RegionsNotListed,
    /// AWS did not answer when it was asked for the account's regions.
    RegionListUnread,
    /// A region could not be read.
    RegionUnread,
    /// A region is being opened or closed to the account.
    RegionChanging,
    /// A region is newer than this program.
    RegionNotKnownHere,
    /// AWS is still applying a change to a setting.
    PendingUpdate,
    /// A setting names another role than the document, and nothing worse is known of that.
    OtherRole,
    /// AWS Quick Setup keeps this setting as well.
    QuickSetup,
    /// A role that a setting names does not exist.
    RoleMissing,
    /// A role that a setting names could not be read.
    RoleUnread,
    /// A role that a setting names does not trust Systems Manager.
    TrustPolicy,
    /// A setting names a role in a way that does not mean it.
    SettingValue,
    /// AWS's default role is there, and no setting names it.
    RoleUnused,
    /// The role has a permissions boundary.
    PermissionsBoundary,
    /// AWS's default policy is not attached to the role.
    DefaultPolicyMissing,
    /// The role has policies beside AWS's default one.
    ExtraPolicies,
    /// The role has a policy that gives a lot, by its name.
    BroadPolicy,
    /// The role has something that no document can hold.
    NotInDocument,
}

impl OddityKind {
    /// Whether this is about something that could not be read, or that AWS has not decided yet: the document is not all then.
    #[must_use]
    pub fn is_unread(self) -> bool {
        matches!(self, Self::RegionListUnread | Self::RegionUnread | Self::PendingUpdate | Self::RoleUnread)
    }
}

impl Oddity {
    pub(super) fn of_account(kind: OddityKind, message: String) -> Self {
        Self { kind, region: None, role: None, message }
    }

    pub(super) fn of_region(kind: OddityKind, region: &Region, message: String) -> Self {
        Self { kind, region: Some(region.clone()), role: None, message }
    }

    pub(super) fn of_role(kind: OddityKind, role: &str, message: String) -> Self {
        Self { kind, region: None, role: Some(role.to_owned()), message }
    }

    /// Where and what, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        match (&self.region, &self.role) {
            (Some(region), _) => format!("{region} {}", self.message),
            (None, Some(role)) => format!("role {} {}", shown(role), self.message),
            (None, None) => self.message.clone(),
        }
    }
}

/// What is odd about the account as a whole.
pub(super) fn of_account(seen: &SeenAccount) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    let mut add = |kind, message| oddities.push(Oddity::of_account(kind, message));
    match &seen.region_list {
        RegionList::OfTheAccount => {}
        RegionList::AllKnown { why } => add(
            OddityKind::RegionsNotListed,
            format!(
                "AWS would not list the account's regions, so every region that this program knows was asked ({}); those that \
                 refused credentials which others took are most likely not open to the account: {}",
                shown(why),
                names(seen, |region| matches!(region, SeenRegion::MostLikelyClosed)).unwrap_or_else(|| "none".to_owned()),
            ),
        ),
        RegionList::Unanswered { why } => add(
            OddityKind::RegionListUnread,
            format!(
                "The account's regions could not be listed, so every region that this program knows was asked ({})",
                shown(why)
            ),
        ),
    }
    for (access, how) in [(RegionAccess::Opening, "Being opened"), (RegionAccess::Closing, "Being closed")] {
        if let Some(names) = names(seen, |region| *region == SeenRegion::Changing(access)) {
            add(OddityKind::RegionChanging, format!("{how} to the account, and not read: {names}"));
        }
    }
    if let Some(names) = names(seen, |region| *region == SeenRegion::NotKnownHere) {
        add(OddityKind::RegionNotKnownHere, format!("Open to the account, and newer than this program, so not read: {names}"));
    }
    let values = || seen.regions.values().filter_map(SeenRegion::value);
    if let Some(rival) = values().find_map(Rival::of_setting) {
        add(OddityKind::QuickSetup, format!("Some settings name {rival}"));
    }
    let is_named = values().filter_map(role_named_by).any(|(_, name)| name.as_str() == DEFAULT_ROLE_NAME);
    if !is_named && matches!(seen.roles.get(DEFAULT_ROLE_NAME), Some(SeenRole::Found(_))) {
        let message = "is AWS's default, is there, and is named by no setting".to_owned();
        oddities.push(Oddity::of_role(OddityKind::RoleUnused, DEFAULT_ROLE_NAME, message));
    }
    oddities
}

/// Other roles that settings name and nobody could read: there may be more to say of their regions.
pub(super) fn of_other_roles(seen: &SeenAccount, chosen: Option<&str>) -> Vec<Oddity> {
    let named: BTreeSet<String> =
        seen.regions.values().filter_map(SeenRegion::value).filter_map(role_named_by).map(|(_, name)| name.to_string()).collect();
    let unread = seen.roles.iter().filter_map(|(name, role)| match role {
        SeenRole::Unread(why) if named.contains(name) && chosen != Some(name) => {
            Some(Oddity::of_role(OddityKind::RoleUnread, name, format!("could not be read: {}", shown(why))))
        }
        _ => None,
    });
    unread.collect()
}

/// What is odd about the role that the document names, where it is there.
pub(super) fn of_role(name: &str, role: &ObservedRole) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    let mut add = |kind, message| oddities.push(Oddity::of_role(kind, name, message));
    if let Some(boundary) = &role.permissions_boundary {
        let message =
            format!("has a permissions boundary, {}: what that does not allow as well, the role may not do", shown(boundary));
        add(OddityKind::PermissionsBoundary, message);
    }
    let is_default = |arn: &&String| policy_name(arn) == Some(DEFAULT_POLICY_NAME);
    if !role.attached.iter().any(|arn| is_default(&arn)) {
        let message =
            format!("lacks AWS's own policy for this, {DEFAULT_POLICY_NAME}: hosts are managed only if others give the same");
        add(OddityKind::DefaultPolicyMissing, message);
    }
    let extra: Vec<String> =
        role.attached.iter().filter(|arn| !is_default(arn) && !is_broad_by_name(arn)).map(|arn| shown(arn)).collect();
    if !extra.is_empty() {
        let message =
            format!("has more than AWS's own policy, and every process on an instance may use it: {}", extra.join(", "));
        add(OddityKind::ExtraPolicies, message);
    }
    let broad: Vec<String> = role.attached.iter().filter(|arn| is_broad_by_name(arn)).map(|arn| shown(arn)).collect();
    if !broad.is_empty() {
        let message = format!("has what is, by its name, far more than hosts need to be managed: {}", broad.join(", "));
        add(OddityKind::BroadPolicy, message);
    }
    oddities
}

/// The name of an AWS managed policy.
fn policy_name(arn: &str) -> Option<&str> {
    arn.split_once(":iam::aws:policy/").map(|(_, name)| name)
}

/// The names of some regions. `None`: there are none.
fn names(seen: &SeenAccount, which: impl Fn(&SeenRegion) -> bool) -> Option<String> {
    let names: Vec<&str> = seen.regions.iter().filter(|(_, state)| which(state)).map(|(region, _)| region.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
