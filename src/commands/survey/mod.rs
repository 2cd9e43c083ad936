//! What a single pass came to, target by target: what `plan` and `apply` report.

mod markdown;
mod text;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::app::{App, PassResult};
use crate::observed::Change;
use crate::outcome::{Correction, Outcome};
use crate::plan::Drift;
use crate::reconcile::Intent;
use crate::reconcile::aim::{AccountPart, Aim};
use crate::reconcile::fleet::{Look, Purpose};
use crate::status::{Filter, Held, StatusBoard, TargetStatus};
use crate::target::{Resource, ResourceKind, State, Target};
use crate::terminal;

pub(super) use text::Tense;

/// What a pass came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Survey {
    /// How many targets came to what.
    pub(super) summary: Summary,
    /// What the guard holds, and how to confirm it.
    pub(super) held: Option<Held>,
    /// Every target, account by account.
    pub(super) targets: Vec<Row>,
}

/// How many targets came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Writes that would be made.
    pub(super) writes: usize,
    /// Targets that they would be made to.
    pub(super) to_change: usize,
    /// Targets that were changed.
    pub(super) changed: usize,
    /// Targets that differ and are only observed.
    pub(super) observed: usize,
    /// Targets that are held.
    pub(super) held: usize,
    /// Targets whose correction failed, or is not seen yet.
    pub(super) failed: usize,
    /// Targets that could not be read.
    pub(super) unread: usize,
    /// Targets that are as declared.
    pub(super) in_sync: usize,
}

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) account: String,
    pub(super) account_name: Option<String>,
    pub(super) region: String,
    pub(super) resource: ResourceKind,
    pub(super) verdict: Verdict,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) desired: String,
    pub(super) observed: Option<String>,
    /// What differed when it was first looked at.
    pub(super) drift: Vec<Drift>,
    /// What would be done about it.
    pub(super) actions: Vec<String>,
    pub(super) last_changed_by: Option<String>,
    pub(super) last_changed_at: Option<Timestamp>,
    /// Whether it was looked at by itself.
    #[serde(skip)]
    pub(super) was_looked_at: bool,
}

/// What a target came to, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It is as declared.
    InSync,
    /// It would be changed.
    Change,
    /// It was changed, and AWS shows it.
    Changed,
    /// It was to be changed, and AWS does not show it.
    Failed,
    /// It differs, and is only observed.
    Observed,
    /// It differs or cannot be judged, and is held.
    Held,
    /// It could not be read.
    Unread,
}

/// What was seen of a target in one pass.
#[derive(Debug, Default)]
struct Seen {
    /// The first drift, which later looks of the same pass may have corrected.
    drift: Vec<Drift>,
    corrections: Vec<Correction>,
    /// Who had changed it before the pass did.
    changed: Option<Change>,
    last: Option<Outcome>,
}

impl Seen {
    fn add(&mut self, outcome: Outcome) {
        if self.drift.is_empty() {
            self.drift.clone_from(&outcome.drift);
        }
        if self.corrections.is_empty() {
            self.changed.clone_from(&outcome.changed_before);
        }
        self.corrections.extend(outcome.corrections.iter().cloned());
        self.last = Some(outcome);
    }
}

/// How a pass ended, and what it came to.
pub(super) async fn survey(app: &App, intent: Intent, aim: &Aim) -> Result<(PassResult, Survey), NothingThere> {
    let board = Arc::new(StatusBoard::default());
    let (witness, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let progress = terminal::Progress::begin(match intent {
        Intent::Look => "reading AWS",
        Intent::Correct => "correcting",
    });
    let gather = async {
        let mut seen: HashMap<Target, Seen> = HashMap::new();
        while let Some(Look { target, outcome }) = looks.recv().await {
            seen.entry(target).or_default().add(outcome);
            progress.at(seen.len() as u64, board.len().into());
        }
        seen
    };
    let purpose = Purpose { intent, aim: aim.clone(), witness: Some(witness) };
    let (result, mut seen) = tokio::join!(app.pass(purpose, &board), gather);
    let held = board.view(&Filter::everything(0)).held;
    let mut found = Vec::new();
    board.each(|account, target, status| found.push((account.to_owned(), target.clone(), status.clone())));
    let rows: Vec<Row> = found
        .into_iter()
        .map(|(account, target, status)| {
            let name = board.account_name(target.account).filter(|_| target.resource != Resource::Organization);
            Row::of(account, name.as_deref(), &target, &status, seen.remove(&target).unwrap_or_default())
        })
        .collect();
    let is_there = rows.iter().any(|row| row.is_aimed_at(aim));
    let survey = Survey { summary: Summary::of(&rows), held, targets: rows };
    if is_there || result == PassResult::Unread { Ok((result, survey)) } else { Err(NothingThere) }
}

/// Nothing that is declared is what was aimed at.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing that is declared is the target: --target takes ACCOUNT, ACCOUNT/REGION or ACCOUNT/role, where ACCOUNT is an id or a \
     name from the desired state, or `own` for the account of the controller's own credentials"
)]
pub(super) struct NothingThere;

impl Row {
    fn of(account: String, name: Option<&str>, target: &Target, status: &TargetStatus, seen: Seen) -> Self {
        let was_looked_at = seen.last.is_some();
        let actions = seen.last.map(|outcome| outcome.intended).unwrap_or_default();
        let changed = seen.changed;
        Self {
            verdict: Verdict::of(status, &actions, &seen.corrections, &target.resource),
            account,
            account_name: name.map(str::to_owned),
            region: target.region_label().to_owned(),
            resource: target.resource.kind(),
            state: status.state,
            reason: status.reason.as_deref().map(str::to_owned),
            desired: status.desired.to_string(),
            observed: status.observed.as_deref().map(str::to_owned),
            drift: seen.drift,
            actions,
            last_changed_by: changed.as_ref().map(|change| change.by.clone()),
            last_changed_at: changed.and_then(|change| change.at),
            was_looked_at,
        }
    }

    fn is_aimed_at(&self, aim: &Aim) -> bool {
        match aim {
            Aim::Everything => true,
            Aim::Account { part: AccountPart::Whole, .. } => self.resource == ResourceKind::Account,
            Aim::Account { part: AccountPart::Role, .. } => self.resource == ResourceKind::Role,
            Aim::Account { part: AccountPart::Region(region), .. } => self.region == region.as_str(),
        }
    }

    /// Whether nobody has looked at it, because its account cannot be used.
    pub(super) fn waits_for_its_account(&self) -> bool {
        self.verdict == Verdict::Unread && self.resource != ResourceKind::Account && !self.was_looked_at
    }

    /// How it is called within its account.
    pub(super) fn name(&self) -> &str {
        match self.resource {
            ResourceKind::Setting => &self.region,
            other => other.label(),
        }
    }
}

impl Verdict {
    fn of(status: &TargetStatus, actions: &[String], corrections: &[Correction], resource: &Resource) -> Self {
        // Whoever cannot be verified has not been read, whatever was seen.
        let was_read = status.last_observed.is_some() && *resource != Resource::Account;
        match status.state {
            State::InSync if corrections.is_empty() => Self::InSync,
            State::InSync => Self::Changed,
            State::Unknown if corrections.is_empty() => Self::Unread,
            State::Blocked if !was_read => Self::Unread,
            State::Held | State::Contended => Self::Held,
            _ if !actions.is_empty() => Self::Change,
            _ if !corrections.is_empty() => Self::Failed,
            State::Drifted => Self::Observed,
            State::Blocked | State::Unknown => Self::Failed,
        }
    }

    /// The word for people.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Change => "change",
            Self::Changed => "changed",
            Self::Failed => "not corrected",
            Self::Observed => "only observed",
            Self::Held => "held",
            Self::Unread => "not read",
        }
    }
}

impl Summary {
    fn of(rows: &[Row]) -> Self {
        let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        Self {
            writes: rows.iter().map(|row| row.actions.len()).sum(),
            to_change: rows.iter().filter(|row| !row.actions.is_empty()).count(),
            changed: count(Verdict::Changed),
            observed: count(Verdict::Observed),
            held: count(Verdict::Held),
            failed: count(Verdict::Failed),
            unread: count(Verdict::Unread),
            in_sync: count(Verdict::InSync),
        }
    }
}
