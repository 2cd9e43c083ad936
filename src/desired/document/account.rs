//! `accounts`, and the role by which an account is reached. Called by [`super::Spec`].

use super::level::LevelBlock;
use super::role::{Tag, read_tags};
use crate::desired::access::ExternalId;
use crate::desired::fields::{Field, Written};
use crate::desired::names::{AccountId, RoleName, RolePath};
use crate::desired::problems::{Place, Problem};

/// An entry of `accounts`.
#[derive(Debug)]
pub struct AccountBlock {
    /// Where it begins.
    pub place: Place,
    /// `id`
    pub id: Option<Written<AccountId>>,
    /// `name`
    pub name: Option<Written<String>>,
    /// `assumeRole`
    pub assume_role: Option<AssumeRoleBlock>,
    /// What applies to this account.
    pub level: LevelBlock,
}

/// `assumeRole`
#[derive(Debug, Default)]
pub struct AssumeRoleBlock {
    /// `name`
    pub name: Option<Written<RoleName>>,
    /// `path`
    pub path: Option<Written<RolePath>>,
    /// `externalId`
    pub external_id: Option<Written<ExternalId>>,
    /// `sessionTags`, in the order of the text.
    pub session_tags: Option<Written<Vec<Tag>>>,
}

pub(super) fn read_accounts(accounts: &Field<'_>, problems: &mut Vec<Problem>) -> Vec<AccountBlock> {
    let Some(items) = accounts.list(problems) else { return Vec::new() };
    if items.is_empty() {
        let problem = Problem::new(&accounts.key_place(), "no account is listed");
        problems.push(problem.help("add one, such as `- id: \"111122223333\"`, or leave accounts out"));
    }
    items.iter().filter_map(|item| AccountBlock::read(item, problems)).collect()
}

impl AccountBlock {
    fn read(account: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = account.fields(problems)?;
        let mut read = Self {
            place: fields.place().clone(),
            id: fields.require("id", "\"111122223333\"", problems).and_then(|field| field.name(problems)),
            name: fields.take("name").and_then(|field| field.text(problems)),
            assume_role: fields.take("assumeRole").map(|field| AssumeRoleBlock::read(&field, problems)),
            level: LevelBlock::take(&mut fields, problems),
        };
        // A key with a slip of the finger may be one of the level's.
        read.level.is_sound &= fields.close(problems);
        Some(read)
    }
}

impl AssumeRoleBlock {
    /// What fails is missing, not the whole: that an account is reached by a role has been said.
    pub(super) fn read(role: &Field<'_>, problems: &mut Vec<Problem>) -> Self {
        let Some(mut fields) = role.fields(problems) else { return Self::default() };
        let read = Self {
            name: fields.require("name", "dhmc-controller", problems).and_then(|field| field.name(problems)),
            path: fields.take("path").and_then(|field| field.name(problems)),
            external_id: fields.take("externalId").and_then(|field| field.secret_name(problems)),
            session_tags: fields.take("sessionTags").and_then(|field| read_tags(&field, problems)),
        };
        fields.close_discreetly(problems);
        read
    }
}
