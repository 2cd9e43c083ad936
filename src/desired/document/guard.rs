//! `guard`: how much one change may take away. Called by [`super::Spec`].

use crate::desired::fields::{Field, Written};
use crate::desired::guard::{ChangeId, DesiredGuard, Limit};
use crate::desired::problems::{Place, Problem};

/// `guard`
#[derive(Debug)]
pub struct GuardBlock {
    /// Where it begins.
    pub place: Place,
    /// What it says; what it leaves out has its default.
    pub guard: DesiredGuard,
}

/// More is a slip of the finger: an organization of 10,000 accounts has fewer settings.
const MOST: u32 = 1_000_000;

impl GuardBlock {
    pub(super) fn read(guard: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut fields = guard.fields(problems)?;
        let limit = |field: Option<Field<'_>>, problems: &mut Vec<Problem>| {
            field.and_then(|field| read_limit(&field, problems)).unwrap_or_default()
        };
        let read = DesiredGuard {
            resets: limit(fields.take("resets"), problems),
            detachments: limit(fields.take("detachments"), problems),
            confirm: fields
                .take("confirm")
                .and_then(|field| field.name(problems))
                .map(|Written { value, .. }: Written<ChangeId>| value),
        };
        fields.close(problems);
        Some(Self { place: guard.key_place(), guard: read })
    }
}

fn read_limit(limit: &Field<'_>, problems: &mut Vec<Problem>) -> Option<Limit> {
    let mut fields = limit.fields(problems)?;
    let mut number = |key, most, usual| {
        let read = fields.take(key).and_then(|field| field.count(most, problems));
        read.map_or(usual, |written| written.value)
    };
    let read =
        Limit { count: number("count", MOST, Limit::DEFAULT.count), percent: number("percent", 100, Limit::DEFAULT.percent) };
    fields.close(problems);
    Some(read)
}
