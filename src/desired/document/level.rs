//! What can be written at every level: in `spec`, for a listed account, in an override. Called by whoever reads these.

use super::role::RoleBlock;
use super::switch;
use crate::desired::fields::{Field, Fields, Word, Written};
use crate::desired::names::Region;
use crate::desired::problems::Problem;
use crate::desired::{Mode, regions};

/// The keys that every level has.
#[derive(Debug, Default)]
pub struct LevelBlock {
    /// `mode`
    pub mode: Option<Written<Mode>>,
    /// `role`
    pub role: RoleBlock,
    /// `regions`, in the order of the text. Those that failed are missing; `None` if there was none at all.
    pub regions: Option<Vec<(Written<Region>, RegionBlock)>>,
    /// `otherRegions`
    pub other_regions: Option<RegionBlock>,
    /// Whether all of it could be read: what is missing then was not written.
    pub is_sound: bool,
}

/// An entry of `spec.regions`, or `spec.otherRegions`: a word, or the word with its mode.
#[derive(Debug)]
pub struct RegionBlock {
    /// `state`
    pub state: Option<Written<RegionState>>,
    /// `mode`
    pub mode: Option<Written<Mode>>,
}

/// What may be said of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionState {
    /// The setting names the role.
    Enabled,
    /// The setting is reset.
    Disabled,
    /// Neither read nor written.
    Unmanaged,
}

impl Word for RegionState {
    const WORDS: &'static [(&'static str, Self)] =
        &[("enabled", Self::Enabled), ("disabled", Self::Disabled), ("unmanaged", Self::Unmanaged)];

    fn meant_by(text: &str) -> Option<&'static str> {
        switch(text, "enabled", "disabled")
    }
}

impl LevelBlock {
    /// Takes the keys of a level from a mapping that may have others.
    pub(super) fn take(fields: &mut Fields<'_>, problems: &mut Vec<Problem>) -> Self {
        let before = problems.len();
        let read = Self {
            mode: fields.take("mode").and_then(|field| field.word(problems)),
            role: fields.take("role").and_then(|field| RoleBlock::read(&field, problems)).unwrap_or_default(),
            regions: fields.take("regions").and_then(|field| read_regions(&field, problems)),
            other_regions: fields.take("otherRegions").map(|field| RegionBlock::read(&field, problems)),
            is_sound: false,
        };
        Self { is_sound: problems.len() == before, ..read }
    }

    /// Whether it says anything of any region.
    pub(in crate::desired) fn declares_regions(&self) -> bool {
        self.regions.is_some() || self.other_regions.is_some()
    }
}

fn read_regions(regions: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Vec<(Written<Region>, RegionBlock)>> {
    let Some(entries) = regions.entries(problems) else { return Some(Vec::new()) };
    let mut read = Vec::with_capacity(entries.len());
    for (key, field) in &entries {
        let region = read_region(key, problems);
        let block = RegionBlock::read(field, problems);
        read.extend(region.map(|region| (region, block)));
    }
    (!entries.is_empty()).then_some(read)
}

fn read_region(key: &Written<&str>, problems: &mut Vec<Problem>) -> Option<Written<Region>> {
    let region: Option<Region> = key.value.parse().ok();
    if let Some(value) = region.filter(|region| regions::partition_of(region).is_some()) {
        return Some(Written { value, place: key.place.clone() });
    }
    let help = match regions::nearest(key.value) {
        Some(near) => format!("did you mean {near}?"),
        None => "regions are named like eu-west-1".to_owned(),
    };
    problems.push(Problem::new(&key.place, "no such region").help(help));
    None
}

impl RegionBlock {
    fn read(region: &Field<'_>, problems: &mut Vec<Problem>) -> Self {
        if !region.is_mapping() {
            return Self { state: region.word(problems), mode: None };
        }
        let Some(mut fields) = region.fields(problems) else { return Self { state: None, mode: None } };
        let read = Self {
            state: fields.require("state", "enabled", problems).and_then(|field| field.word(problems)),
            mode: fields.take("mode").and_then(|field| field.word(problems)),
        };
        fields.close(problems);
        read
    }
}
