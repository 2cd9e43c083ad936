//! One level of a document: what it says, checked by itself and against those who get it. Called by everyone in [`super`].

use super::arns::{self, Owners};
use super::role;
use crate::desired::document::{LevelBlock, RegionBlock, RegionState};
use crate::desired::levels::{Level, RegionLevel};
use crate::desired::names::Partition;
use crate::desired::problems::{Place, Problem};
use crate::desired::{Management, SettingState, regions};

/// What the rest of the document means for a level.
pub(super) struct Surroundings {
    /// Where the document's regions are, or else its ARNs.
    pub(super) partition: Option<Partition>,
    /// What the level above says of the role's management.
    pub(super) inherited: Option<Management>,
    /// Who gets the policies.
    pub(super) owners: Owners,
}

/// What one level says.
pub(super) fn validate(block: LevelBlock, around: &Surroundings, problems: &mut Vec<Problem>) -> Level {
    let named = block.regions.unwrap_or_default();
    Level {
        mode: block.mode.map(|mode| mode.value),
        role: role::validate(block.role, around, problems),
        regions: named.into_iter().map(|(region, block)| (region.value, region_level(&block, problems))).collect(),
        other_regions: block.other_regions.map(|block| region_level(&block, problems)),
    }
}

/// The partition that a whole document is about: that of its regions, or where it names none, of its first ARN. And where that is.
///
/// One set of credentials reaches one partition, so regions in another are out of reach.
pub(super) fn one_partition<'b>(
    blocks: impl IntoIterator<Item = &'b LevelBlock> + Clone,
    problems: &mut Vec<Problem>,
) -> Option<(Partition, Place)> {
    let named = blocks.clone().into_iter().flat_map(|block| block.regions.iter().flatten());
    let mut regions = named.filter_map(|(region, _)| Some((region, regions::partition_of(&region.value)?)));
    let Some((first, partition)) = regions.next() else {
        return blocks.into_iter().find_map(|block| arns::first_partition(&block.role));
    };
    for (region, other) in regions.filter(|(_, other)| *other != partition) {
        let message = format!("partition {other}, while {} is in partition {partition}", first.value);
        problems.push(
            Problem::new(&region.place, message).help("credentials are of one partition: give each a controller of its own"),
        );
    }
    Some((partition, first.place.clone()))
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
