//! What may come to be declared for the accounts that a policy is for.
//!
//! Of an account that a document lists, that is known. Of one that the organization tells of, which overrides apply depends on
//! the units it is in, which only Organizations knows: then it is everything that any units can lead to.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Unfit;
use super::text::Text;
use super::values::Values;
use crate::desired::levels::{Level, RoleLevel, settle};
use crate::desired::names::{AccountId, Region};
use crate::desired::organization::{DesiredOrganization, Override};
use crate::desired::{Declared, DesiredAccount, DesiredRole, DesiredSetting, SettingState};

/// More declarations of one role than any document means.
const MOST_WAYS: usize = 10_000;

/// What may come to be declared for an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reach {
    /// Of regions.
    pub(super) settings: Vec<(Values, DesiredSetting)>,
    /// Whether the list of its regions is asked for.
    pub(super) lists_regions: bool,
    /// Of its role, where some region may be enabled.
    pub(super) roles: Vec<Arc<DesiredRole>>,
}

impl Reach {
    /// Of an account whose declaration is known.
    pub(super) fn of(account: &DesiredAccount) -> Self {
        let mut reach = Self::default();
        for (region, declared) in &*account.regions {
            reach.add(Values::only([named(region)]), *declared);
        }
        reach.add_others(account.regions.keys(), account.other_regions);
        reach.with_roles([Arc::clone(&account.role)])
    }

    fn add(&mut self, regions: Values, declared: Declared) {
        if let Declared::Managed(setting) = declared {
            self.settings.push((regions, setting));
        }
    }

    fn add_others<'r>(&mut self, named_ones: impl Iterator<Item = &'r Region>, declared: Declared) {
        self.lists_regions |= declared != Declared::Unmanaged;
        self.add(Values::all_but(named_ones.map(named)), declared);
    }

    /// A role that no setting needs is none of ours.
    fn with_roles(mut self, roles: impl IntoIterator<Item = Arc<DesiredRole>>) -> Self {
        if self.settings.iter().any(|(_, setting)| setting.state == SettingState::Enabled) {
            self.roles.extend(roles);
        }
        self
    }
}

fn named(region: &Region) -> Text {
    Text::literal(region.to_string())
}

/// Of the accounts of an organization: of one, or of all that no document lists.
pub(super) fn of_organization(
    organization: &DesiredOrganization,
    listed: &BTreeSet<AccountId>,
    account: Option<AccountId>,
) -> Result<Vec<Reach>, Unfit> {
    if let Some(id) = account {
        return Ok(vec![of_member(organization, Some(id))?]);
    }
    let mut named: BTreeSet<AccountId> = organization
        .overrides
        .iter()
        .flat_map(|one| &one.whom.accounts)
        .copied()
        .filter(|id| selects(organization, *id))
        .collect();
    named.retain(|id| !listed.contains(id));
    let mut whom: Vec<Option<AccountId>> = named.iter().copied().map(Some).collect();
    let by_name = by_name(organization, listed);
    if by_name.is_none_or(|ids| ids.iter().any(|id| !named.contains(id))) {
        whom.push(None);
    }
    whom.into_iter().map(|id| of_member(organization, id)).collect()
}

/// The accounts of an organization, where the document includes nothing but accounts.
pub(super) fn by_name(organization: &DesiredOrganization, listed: &BTreeSet<AccountId>) -> Option<BTreeSet<AccountId>> {
    let include = organization.include.as_ref().filter(|include| include.units.is_empty())?;
    Some(include.accounts.iter().copied().filter(|id| selects(organization, *id) && !listed.contains(id)).collect())
}

/// Whether an account may be one of those that the declaration selects.
pub(super) fn selects(organization: &DesiredOrganization, id: AccountId) -> bool {
    let included =
        |include: &crate::desired::organization::Selection| !include.units.is_empty() || include.accounts.contains(&id);
    organization.include.as_ref().is_none_or(included) && !organization.exclude.accounts.contains(&id)
}

/// Whether an override applies to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applies {
    Surely,
    /// If it is in the units.
    Perhaps,
}

/// Of an account with this id, or of one whose id the declaration does not name.
fn of_member(organization: &DesiredOrganization, id: Option<AccountId>) -> Result<Reach, Unfit> {
    let applies = |one: &Override| match id {
        Some(id) if one.whom.accounts.contains(&id) => Some(Applies::Surely),
        _ => (!one.whom.units.is_empty()).then_some(Applies::Perhaps),
    };
    let overrides: Vec<(Applies, &Level)> =
        organization.overrides.iter().filter_map(|one| Some((applies(one)?, &one.level))).collect();
    let ways = |part: &dyn Fn(&Level) -> Level| {
        ways(part(&organization.defaults), overrides.iter().map(|(applies, level)| (*applies, part(level))))
    };

    let mut reach = Reach::default();
    let levels = [&organization.defaults].into_iter().chain(overrides.iter().map(|(_, level)| *level));
    let regions: BTreeSet<&Region> = levels.flat_map(|level| level.regions.keys()).collect();
    for region in &regions {
        for level in ways(&|level| of_region(level, region))? {
            let settled = settle(&[&level]);
            let declared = settled.regions.get(*region).copied().unwrap_or(settled.other_regions);
            reach.add(Values::only([named(region)]), declared);
        }
    }
    for level in ways(&|level| Level { role: RoleLevel::default(), regions: [].into(), ..level.clone() })? {
        reach.add_others(regions.iter().copied(), settle(&[&level]).other_regions);
    }
    let roles = ways(&|level| Level { regions: [].into(), other_regions: None, ..level.clone() })?;
    Ok(reach.with_roles(roles.iter().map(|level| settle(&[level]).role)))
}

/// What a level says of one region.
fn of_region(level: &Level, region: &Region) -> Level {
    let regions = level.regions.get(region).map(|said| (region.clone(), *said));
    Level { role: RoleLevel::default(), regions: regions.into_iter().collect(), ..level.clone() }
}

/// Every level that these can come to. Each part of a declaration is taken for itself, so that there are few.
fn ways(defaults: Level, overrides: impl Iterator<Item = (Applies, Level)>) -> Result<Vec<Level>, Unfit> {
    let mut found = vec![defaults];
    for (applies, level) in overrides {
        let before = match applies {
            Applies::Surely => std::mem::take(&mut found),
            Applies::Perhaps => found.clone(),
        };
        for with in before.iter().map(|earlier| earlier.under(&level)) {
            if !found.contains(&with) {
                found.push(with);
            }
        }
        if found.len() > MOST_WAYS {
            return Err(Unfit::TooManyWays);
        }
    }
    Ok(found)
}
