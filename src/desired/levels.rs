//! Which of several declarations applies: the one nearest to the account. The one place that knows the precedence.
//!
//! A document says things at levels. For an account that it lists: `spec`, then the entry in `spec.accounts`. For an account
//! that the organization tells of: `spec`, then every entry of `overrides` that the account is in, in their order. A later
//! level wins over an earlier one, field by field; lists and tags are taken as a whole.
//!
//! A mode is looked for from the last level to the first: at each level the region's (or role's) own mode comes before the
//! level's. What no level says has the default.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::{PolicyRef, Region, RoleName, RolePath, ServicePrincipal};
use super::{Declared, DesiredRole, DesiredSetting, Management, Mode, OtherPolicies, SettingState};

/// What one level says; what it does not say is `None`, or missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Level {
    /// `mode`
    pub mode: Option<Mode>,
    /// `role`
    pub role: RoleLevel,
    /// `regions`
    pub regions: BTreeMap<Region, RegionLevel>,
    /// `otherRegions`
    pub other_regions: Option<RegionLevel>,
}

/// What one level says of the role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleLevel {
    /// `name`
    pub name: Option<RoleName>,
    /// `path`
    pub path: Option<RolePath>,
    /// `management`
    pub management: Option<Management>,
    /// `trustPrincipal`
    pub trust_principal: Option<ServicePrincipal>,
    /// `policies`
    pub policies: Option<Vec<PolicyRef>>,
    /// `exclusivePolicies`
    pub other_policies: Option<OtherPolicies>,
    /// `tags`
    pub tags: Option<BTreeMap<String, String>>,
    /// `description`
    pub description: Option<String>,
    /// `permissionsBoundary`
    pub permissions_boundary: Option<PolicyRef>,
    /// `mode`
    pub mode: Option<Mode>,
}

/// What one level says of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionLevel {
    /// On, off, or `None`: `unmanaged`.
    pub state: Option<SettingState>,
    /// `mode`
    pub mode: Option<Mode>,
}

/// What applies to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The role.
    pub role: Arc<DesiredRole>,
    /// The regions that some level names.
    pub regions: Arc<BTreeMap<Region, Declared>>,
    /// Every other region.
    pub other_regions: Declared,
}

impl Level {
    /// What this level and a later one come to: a level that says what both say.
    #[must_use]
    pub fn under(&self, later: &Self) -> Self {
        let mut regions = self.regions.clone();
        for region in regions.values_mut() {
            region.mode = later.mode.or(region.mode);
        }
        for (name, region) in &later.regions {
            let earlier = self.regions.get(name);
            regions.insert(name.clone(), RegionLevel { state: region.state, mode: self.mode_under(later, earlier, region.mode) });
        }
        let other = |region: &RegionLevel| RegionLevel { mode: later.mode.or(region.mode), ..*region };
        let other_regions = match &later.other_regions {
            Some(region) => {
                Some(RegionLevel { state: region.state, mode: self.mode_under(later, self.other_regions.as_ref(), region.mode) })
            }
            None => self.other_regions.as_ref().map(other),
        };
        let mode = later.mode.or(self.mode);
        let role = RoleLevel { mode: later.role.mode.or(later.mode).or(self.role.mode), ..self.role.under(&later.role) };
        Self { mode, role, regions, other_regions }
    }

    /// The mode of a region that the later level names.
    fn mode_under(&self, later: &Self, earlier: Option<&RegionLevel>, own: Option<Mode>) -> Option<Mode> {
        own.or(later.mode).or(earlier.and_then(|region| region.mode)).or(self.mode)
    }
}

impl RoleLevel {
    /// The same of the role, but for its mode, which is not the role's alone.
    fn under(&self, later: &Self) -> Self {
        Self {
            name: later.name.clone().or_else(|| self.name.clone()),
            path: later.path.clone().or_else(|| self.path.clone()),
            management: later.management.or(self.management),
            trust_principal: later.trust_principal.clone().or_else(|| self.trust_principal.clone()),
            policies: later.policies.clone().or_else(|| self.policies.clone()),
            other_policies: later.other_policies.or(self.other_policies),
            tags: later.tags.clone().or_else(|| self.tags.clone()),
            description: later.description.clone().or_else(|| self.description.clone()),
            permissions_boundary: later.permissions_boundary.clone().or_else(|| self.permissions_boundary.clone()),
            mode: None,
        }
    }
}

/// What applies to an account that these levels speak of, the last one nearest to it.
#[must_use]
pub fn settle(levels: &[&Level]) -> Settled {
    let level = levels.iter().fold(Level::default(), |earlier, later| earlier.under(later));
    let regions = level.regions.iter().map(|(region, said)| (region.clone(), declared(&level, Some(said)))).collect();
    Settled {
        other_regions: declared(&level, level.other_regions.as_ref()),
        regions: Arc::new(regions),
        role: Arc::new(role(level)),
    }
}

fn declared(level: &Level, region: Option<&RegionLevel>) -> Declared {
    let Some(RegionLevel { state: Some(state), mode }) = region else { return Declared::Unmanaged };
    Declared::Managed(DesiredSetting { state: *state, mode: mode.or(level.mode).unwrap_or_default() })
}

fn role(level: Level) -> DesiredRole {
    let role = level.role;
    let management = role.management.unwrap_or(Management::Managed);
    // What is never written could not be kept. Where a level says `external`, what earlier levels want written is not meant.
    let written = management == Management::Managed;
    DesiredRole {
        name: role.name.unwrap_or_default(),
        path: role.path.or_else(|| written.then(RolePath::default)),
        management,
        trust_principal: role.trust_principal.unwrap_or_default(),
        policies: role.policies.unwrap_or_else(|| if written { vec![PolicyRef::default()] } else { Vec::new() }),
        other_policies: role.other_policies.filter(|_| written).unwrap_or(OtherPolicies::Leave),
        tags: role.tags.filter(|_| written).unwrap_or_default(),
        description: role.description.filter(|_| written),
        permissions_boundary: role.permissions_boundary.filter(|_| written),
        mode: role.mode.or(level.mode).unwrap_or_default(),
    }
}
