//! Every write that a declaration may come to in an account, for whoever asks AWS whether it is allowed.

use std::sync::Arc;

use super::reach::Reach;
use super::rights::Rights;
use super::statements;
use super::text::{Place, Text, Whose};
use super::values::Values;
use crate::desired::names::{AccountId, Partition, Region};
use crate::desired::{DesiredRole, DesiredSetting};

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// In the words of an IAM policy.
    pub operation: &'static str,
    /// The ARN. Of a setting it is a pattern, for every region.
    pub resource: String,
    /// What policies may compare, where there is something.
    pub compared: Option<(&'static str, Compared)>,
}

/// What the write may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// These.
    Only(Vec<String>),
    /// Whatever else there is.
    AllBut(Vec<String>),
}

/// The writes, in the order in which policies have them.
#[must_use]
pub fn writes(
    partition: Partition,
    account: AccountId,
    settings: &[(Region, DesiredSetting)],
    role: Option<&DesiredRole>,
) -> Vec<Write> {
    let named = |region: &Region| Values::only([Text::literal(region.to_string())]);
    let reach = Reach {
        settings: settings.iter().map(|(region, setting)| (named(region), *setting)).collect(),
        lists_regions: false,
        roles: role.iter().map(|role| Arc::new((*role).clone())).collect(),
    };
    let mut rights = Rights::default();
    rights.write(&reach, &Place { partition: Some(partition), account: Whose::Id(account) });
    let mut writes: Vec<Write> = rights.into_iter().map(written).collect();
    writes.sort_by_key(|write| statements::place_of(write.operation));
    writes
}

fn written((operation, resource, values): (&'static str, Text, Values)) -> Write {
    let texts = |values: &std::collections::BTreeSet<Text>| values.iter().map(Text::plain).collect();
    let compared = statements::key_of(operation).and_then(|key| match &values {
        Values::AllBut(none) if none.is_empty() => None,
        Values::AllBut(others) => Some((key, Compared::AllBut(texts(others)))),
        Values::Only(these) => Some((key, Compared::Only(texts(these)))),
    });
    Write { operation, resource: resource.plain(), compared }
}
