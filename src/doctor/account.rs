//! One account: what was read of it, and everything that this comes to. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::examined::{Association, QuickSetup};
use super::finding::{Check, Finding, together};
use super::policies::RolePolicies;
use super::session_preferences::Place;
use super::{broad_policies, rivals, role, session_preferences, settings, writes};
use crate::cloud::CloudError;
use crate::desired::names::Region;
use crate::desired::{Declared, DesiredAccount, DesiredSetting, SettingState};
use crate::observed::{AccountFacts, Identity, ListedRegion, ObservedRole, ObservedSetting, RegionAccess};
use crate::reconcile::account::RegionList;
use crate::reconcile::expand::{Want, expand};
use crate::target::Resource;

/// What was read of an account whose credentials are the right ones.
#[derive(Debug)]
pub struct AccountSight {
    /// What is declared.
    pub desired: Arc<DesiredAccount>,
    /// Whose the credentials are.
    pub identity: Identity,
    /// The account's regions.
    pub listed: Result<Vec<ListedRegion>, CloudError>,
    /// The role, where some setting needs it.
    pub role: Option<RoleSight>,
    /// The regions that are managed and not known to be closed.
    pub regions: Vec<RegionSight>,
    /// What came of asking about writes.
    pub writes: writes::Asked,
}

/// What was read of a role.
#[derive(Debug)]
pub struct RoleSight {
    /// The role.
    pub observed: Result<Option<ObservedRole>, CloudError>,
    /// Its policies; `None` where the role could not be read.
    pub policies: Option<RolePolicies>,
}

/// What was read of a region.
#[derive(Debug)]
pub struct RegionSight {
    /// Which.
    pub region: Region,
    /// What is declared.
    pub want: DesiredSetting,
    /// Its setting.
    pub setting: Result<ObservedSetting, CloudError>,
    /// What else there is; `None` where nobody answers.
    pub more: Option<MoreOfRegion>,
}

/// What only an examination reads of a region.
#[derive(Debug)]
pub struct MoreOfRegion {
    /// Session Manager's preferences.
    pub preferences: Result<Option<String>, CloudError>,
    /// State Manager's associations.
    pub associations: Result<Vec<Association>, CloudError>,
    /// Quick Setup's configurations; `None`: there is no Quick Setup.
    pub quick_setups: Option<Result<Vec<QuickSetup>, CloudError>>,
}

/// The settings to look at, and whether a role is needed, as the controller would work it out. Regions that are known to be
/// closed are left out: nothing in them would answer.
#[must_use]
pub fn targets(
    desired: &DesiredAccount,
    identity: &Identity,
    listed: &Result<Vec<ListedRegion>, CloudError>,
) -> (Vec<(Region, DesiredSetting)>, RoleNeed) {
    let open = |listed: &Vec<ListedRegion>| -> BTreeSet<Region> {
        listed.iter().filter(|one| one.access == RegionAccess::Open).map(|one| one.region.clone()).collect()
    };
    let facts = AccountFacts { identity: identity.clone(), open_regions: listed.as_ref().ok().map(open) };
    let mut need = RoleNeed::None;
    let mut wanted = Vec::new();
    let is_open = |region: &Region| settings::access(listed, region).is_none_or(|access| access == RegionAccess::Open);
    for (resource, want) in expand(desired, Some(&facts)) {
        match (resource, want) {
            (Resource::Role, _) => need = RoleNeed::Some,
            (Resource::Setting(region), Want::Setting(want)) if is_open(&region) => wanted.push((region, want)),
            _ => {}
        }
    }
    (wanted, need)
}

/// Whether some setting may have to name a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleNeed {
    /// None does.
    None,
    /// Some does.
    Some,
}

/// Everything that was found in an account.
#[must_use]
pub fn judge(sight: &AccountSight) -> Vec<Finding> {
    let mut found = regions(sight);
    let of_settings = sight.regions.iter().map(|one| settings::judge_setting(&one.region, &one.setting));
    found.extend(together(of_settings.collect()));
    if let Some(role) = &sight.role {
        found.push(role::judge(&sight.desired.role, &role.observed, sight.identity.partition));
        found.extend(role.policies.as_ref().map(broad_policies::judge).unwrap_or_default());
        found.extend(together(sight.regions.iter().filter_map(|region| preferences(sight, role, region)).collect()));
    }
    found.extend(together(sight.regions.iter().flat_map(|region| rivals_in(sight, region)).collect()));
    found.extend(writes::judge(&sight.writes));
    found
}

fn regions(sight: &AccountSight) -> Vec<Finding> {
    let needed = match sight.desired.other_regions {
        Declared::Managed(_) => RegionList::Needed,
        Declared::Unmanaged => RegionList::NotNeeded,
    };
    let managed = sight.desired.regions.iter().filter(|(_, declared)| **declared != Declared::Unmanaged);
    let named: Vec<&Region> = managed.map(|(region, _)| region).collect();
    together(settings::judge_regions(&sight.listed, needed, &named))
}

fn preferences(sight: &AccountSight, role: &RoleSight, region: &RegionSight) -> Option<Finding> {
    let more = region.more.as_ref().filter(|_| region.want.state == SettingState::Enabled)?;
    let Some(policies) = &role.policies else {
        let why = "the role could not be read";
        let advice = "let the controller read the role, which it needs anyway";
        return Some(Finding::not_looked_at(Check::SessionPreferences, why, advice).in_regions([&region.region]));
    };
    let Identity { partition, account, .. } = sight.identity;
    Some(session_preferences::judge(&more.preferences, policies, Place { partition, account, region: &region.region }))
}

fn rivals_in(sight: &AccountSight, region: &RegionSight) -> Vec<Finding> {
    let Some(more) = &region.more else { return Vec::new() };
    let sight_of_rivals = rivals::Sight {
        region: &region.region,
        want: region.want,
        role: &sight.desired.role.name,
        setting: region.setting.as_ref().ok(),
        associations: &more.associations,
        quick_setups: more.quick_setups.as_ref(),
    };
    rivals::judge(&sight_of_rivals, &sight.identity.arn)
}
