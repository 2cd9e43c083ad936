//! `organization`: which of its accounts, and what applies to some of them. Called by [`super::Spec`].

use std::str::FromStr;

use super::account::AssumeRoleBlock;
use super::level::LevelBlock;
use crate::desired::fields::{Field, Fields, Written};
use crate::desired::names::{AccountId, InvalidName, UnitId};
use crate::desired::problems::{Place, Problem};

/// `organization`
#[derive(Debug)]
pub struct OrganizationBlock {
    /// Where it begins.
    pub place: Place,
    /// `assumeRole`
    pub assume_role: AssumeRoleBlock,
    /// `include`
    pub include: Option<SelectionBlock>,
    /// `exclude`
    pub exclude: Option<SelectionBlock>,
    /// `overrides`; those that failed are missing.
    pub overrides: Vec<OverrideBlock>,
}

/// Accounts, by themselves or by the units they are in.
#[derive(Debug)]
pub struct SelectionBlock {
    /// Where it begins.
    pub place: Place,
    /// `organizationalUnits`; those that failed are missing.
    pub units: Vec<Written<UnitId>>,
    /// `accounts`; those that failed are missing.
    pub accounts: Vec<Written<AccountId>>,
    /// Whether all of it could be read: what is missing then was not written.
    pub is_sound: bool,
}

/// An entry of `overrides`.
#[derive(Debug)]
pub struct OverrideBlock {
    /// Whom it is about.
    pub whom: SelectionBlock,
    /// What applies to them.
    pub level: LevelBlock,
}

impl OrganizationBlock {
    /// What fails is missing, not the whole: that this is about an organization has been said.
    pub(super) fn read(organization: &Field<'_>, problems: &mut Vec<Problem>) -> Self {
        let place = organization.key_place();
        let Some(mut fields) = organization.fields(problems) else {
            return Self { place, assume_role: AssumeRoleBlock::default(), include: None, exclude: None, overrides: Vec::new() };
        };
        let assume_role = fields.require("assumeRole", "{ name: dhmc-controller }", problems);
        let read = Self {
            place,
            assume_role: assume_role.map(|field| AssumeRoleBlock::read(&field, problems)).unwrap_or_default(),
            include: fields.take("include").and_then(|field| SelectionBlock::read(&field, problems)),
            exclude: fields.take("exclude").and_then(|field| SelectionBlock::read(&field, problems)),
            overrides: fields.take("overrides").map_or_else(Vec::new, |field| read_overrides(&field, problems)),
        };
        fields.close(problems);
        read
    }
}

fn read_overrides(overrides: &Field<'_>, problems: &mut Vec<Problem>) -> Vec<OverrideBlock> {
    let Some(items) = overrides.list(problems) else { return Vec::new() };
    items.iter().filter_map(|item| OverrideBlock::read(item, problems)).collect()
}

impl OverrideBlock {
    fn read(one: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = one.fields(problems)?;
        let mut read = Self { whom: SelectionBlock::take(&mut fields, problems), level: LevelBlock::take(&mut fields, problems) };
        // A key with a slip of the finger may be any of these.
        if !fields.close(problems) {
            (read.whom.is_sound, read.level.is_sound) = (false, false);
        }
        Some(read)
    }
}

impl SelectionBlock {
    fn read(selection: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut fields = selection.fields(problems)?;
        let read = Self::take(&mut fields, problems);
        fields.close(problems);
        Some(Self { is_sound: problems.len() == before, ..read })
    }

    /// Takes the keys of a selection from a mapping that may have others.
    fn take(fields: &mut Fields<'_>, problems: &mut Vec<Problem>) -> Self {
        let before = problems.len();
        let read = Self {
            place: fields.place().clone(),
            units: fields.take("organizationalUnits").map_or_else(Vec::new, |field| read_names(&field, problems)),
            accounts: fields.take("accounts").map_or_else(Vec::new, |field| read_names(&field, problems)),
            is_sound: false,
        };
        Self { is_sound: problems.len() == before, ..read }
    }

    /// Whether nothing is written in it.
    pub(in crate::desired) fn is_blank(&self) -> bool {
        self.is_sound && self.units.is_empty() && self.accounts.is_empty()
    }
}

fn read_names<T: FromStr<Err = InvalidName>>(list: &Field<'_>, problems: &mut Vec<Problem>) -> Vec<Written<T>> {
    let items = list.list(problems).unwrap_or_default();
    items.iter().filter_map(|item| item.name(problems)).collect()
}
