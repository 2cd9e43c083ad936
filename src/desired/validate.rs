//! Document -> desired state: what the values mean together, and what applies where nothing is written.
//!
//! Finds every problem rather than the first. A value that fails is replaced by its default, so that the rest is still
//! judged; no such state leaves [`super::load`], because the problem is there. The role has a file of its own.

mod role;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::Access;
use super::document::{Document, RegionBlock, RegionState, Spec};
use super::fields::Written;
use super::levels::{Level, RegionLevel, settle};
use super::names::{Account, Partition, Region};
use super::problems::{Place, Problem, Quoted};
use super::{DesiredAccount, DesiredState, SettingState, regions};

/// The name of a document that does not say its own.
const DEFAULT_NAME: &str = "default";
/// As long as the name of a Kubernetes object may be.
const LONGEST_NAME: usize = 253;

/// The desired state that a document declares. Of use only if no problem was found.
pub(super) fn validate(document: Document, problems: &mut Vec<Problem>) -> Option<DesiredState> {
    let name = document.name.map_or_else(|| DEFAULT_NAME.to_owned(), |name| checked_name(name, problems));
    let spec = document.spec?;
    if spec.regions.is_none() && spec.other_regions.is_none() {
        problems.push(nothing_wanted(&spec.place));
    }
    let account = spec.account.as_ref().map_or(Account::Own, |account| Account::Id(account.value));
    let desired = account_state(spec, problems);
    Some(DesiredState { name, accounts: BTreeMap::from([(account, Arc::new(desired))]), organization: None })
}

fn checked_name(name: Written<String>, problems: &mut Vec<Problem>) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let closed = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let text = &name.value;
    let well_formed = text.chars().all(allowed) && closed(text.chars().next()) && closed(text.chars().last());
    if !well_formed || text.len() > LONGEST_NAME {
        let message = format!("{} is not a name", Quoted(text));
        problems.push(Problem::new(&name.place, message).help("use lower-case letters, digits, `-` and `.`, such as production"));
    }
    name.value
}

fn nothing_wanted(spec: &Place) -> Problem {
    Problem::new(spec, "nothing is declared").help("add regions, such as `regions: { eu-west-1: enabled }`, or otherRegions")
}

fn account_state(spec: Spec, problems: &mut Vec<Problem>) -> DesiredAccount {
    let named = spec.regions.unwrap_or_default();
    let partition = one_partition(&named, problems);
    let owner = spec.account.map(|account| account.value);
    let level = Level {
        mode: spec.mode.map(|mode| mode.value),
        role: role::validate(spec.role, &role::Surroundings { partition, owner }, problems),
        regions: named.into_iter().map(|(region, block)| (region.value, region_level(&block, problems))).collect(),
        other_regions: spec.other_regions.map(|block| region_level(&block, problems)),
    };
    DesiredAccount::new(None, Access::Own, settle(&[&level]))
}

/// The partition that all regions are in. An account lives in one, so those in another cannot be of the same account.
fn one_partition(named: &[(Written<Region>, RegionBlock)], problems: &mut Vec<Problem>) -> Option<Partition> {
    let mut regions = named.iter().filter_map(|(region, _)| Some((region, regions::partition_of(&region.value)?)));
    let (first, partition) = regions.next()?;
    for (region, other) in regions.filter(|(_, other)| *other != partition) {
        let message = format!("partition {other}, while {} is in partition {partition}", first.value);
        problems.push(Problem::new(&region.place, message).help("an account is in one partition: give each its own document"));
    }
    Some(partition)
}

fn region_level(block: &RegionBlock, problems: &mut Vec<Problem>) -> RegionLevel {
    let state = match block.state.as_ref().map(|state| state.value) {
        Some(RegionState::Enabled) => Some(SettingState::Enabled),
        Some(RegionState::Disabled) => Some(SettingState::Disabled),
        Some(RegionState::Unmanaged) => {
            if let Some(mode) = &block.mode {
                let message = "an unmanaged region is neither read nor written, so it has no mode";
                problems.push(Problem::new(&mode.place, message).help("leave mode out"));
            }
            None
        }
        None => None,
    };
    RegionLevel { state, mode: block.mode.as_ref().map(|mode| mode.value) }
}
