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

/// What applies to an account that these levels speak of, the last one nearest to it.
#[must_use]
pub fn settle(levels: &[&Level]) -> Settled {
    let named = levels.iter().flat_map(|level| level.regions.keys());
    let regions = named.map(|region| (region.clone(), declared(levels, |level| level.regions.get(region)))).collect();
    Settled {
        role: Arc::new(role(levels)),
        regions: Arc::new(regions),
        other_regions: declared(levels, |level| level.other_regions.as_ref()),
    }
}

fn declared(levels: &[&Level], of: impl Fn(&Level) -> Option<&RegionLevel>) -> Declared {
    let Some(state) = levels.iter().rev().find_map(|level| of(level)).and_then(|region| region.state) else {
        return Declared::Unmanaged;
    };
    Declared::Managed(DesiredSetting { state, mode: mode(levels, |level| of(level)?.mode) })
}

fn mode(levels: &[&Level], own: impl Fn(&Level) -> Option<Mode>) -> Mode {
    levels.iter().rev().find_map(|level| own(level).or(level.mode)).unwrap_or_default()
}

fn role(levels: &[&Level]) -> DesiredRole {
    let management = last(levels, |role| role.management.as_ref()).unwrap_or(Management::Managed);
    // What is never written could not be kept. Where a level says `external`, what earlier levels want written is not meant.
    let written = management == Management::Managed;
    DesiredRole {
        name: last(levels, |role| role.name.as_ref()).unwrap_or_default(),
        path: last(levels, |role| role.path.as_ref()).or_else(|| written.then(RolePath::default)),
        management,
        trust_principal: last(levels, |role| role.trust_principal.as_ref()).unwrap_or_default(),
        policies: last(levels, |role| role.policies.as_ref())
            .unwrap_or_else(|| if written { vec![PolicyRef::default()] } else { Vec::new() }),
        other_policies: last(levels, |role| role.other_policies.as_ref()).filter(|_| written).unwrap_or(OtherPolicies::Leave),
        tags: last(levels, |role| role.tags.as_ref()).filter(|_| written).unwrap_or_default(),
        description: last(levels, |role| role.description.as_ref()).filter(|_| written),
        permissions_boundary: last(levels, |role| role.permissions_boundary.as_ref()).filter(|_| written),
        mode: mode(levels, |level| level.role.mode),
    }
}

fn last<T: Clone>(levels: &[&Level], of: impl Fn(&RoleLevel) -> Option<&T>) -> Option<T> {
    levels.iter().rev().find_map(|level| of(&level.role)).cloned()
}
