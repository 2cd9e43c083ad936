//! What a single pass came to, target by target: what `plan` and `apply` report.

mod markdown;
mod row;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::ended::Ended;
use crate::app::{App, PassResult};
use crate::desired::names::Account;
use crate::reconcile::Intent;
use crate::reconcile::aim::{AccountPart, Aim, AimedAccount};
use crate::reconcile::fleet::{Look, Purpose};
use crate::status::{Filter, Held, StatusBoard};
use crate::target::{Resource, ResourceKind, Target};
use crate::terminal;
use row::{Row, Seen, Verdict};

pub(super) use text::Tense;

/// What a pass came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Survey {
    /// Whether every target was looked at. Not when it was interrupted.
    pub(super) complete: bool,
    /// How many targets came to what.
    pub(super) summary: Summary,
    /// What the guard holds, and how to confirm it.
    pub(super) held: Option<Held>,
    /// Every target, account by account.
    targets: Vec<Row>,
}

/// How many targets came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Writes that would be made.
    pub(super) writes: usize,
    /// Targets that they would be made to.
    pub(super) to_change: usize,
    /// Targets that were changed, wholly or in part.
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

/// One pass, and what it came to.
pub(super) async fn survey(app: &App, intent: Intent, aim: &Aim, stop: &CancellationToken) -> Result<Survey, Ended> {
    let board = Arc::new(StatusBoard::default());
    let (witness, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let progress = terminal::Progress::begin(match intent {
        Intent::Look => "reading AWS",
        Intent::Correct => "correcting",
    });
    let aim = stop.run_until_cancelled(app.resolve(aim)).await.ok_or(Ended::Interrupted)?;
    let gather = async {
        let mut seen: HashMap<Target, Seen> = HashMap::new();
        while let Some(Look { target, outcome }) = looks.recv().await {
            seen.entry(target).or_default().add(outcome);
            progress.at(seen.len() as u64, board.len().into());
        }
        seen
    };
    let purpose = Purpose { intent, aim: aim.clone(), witness: Some(witness) };
    let (_, seen) = tokio::join!(app.pass(purpose, &board), gather);
    let survey = Survey::of(&board, seen, &aim, stop);
    survey.check(&aim)?;
    Ok(survey)
}

impl Survey {
    fn of(board: &StatusBoard, mut seen: HashMap<Target, Seen>, aim: &Aim, stop: &CancellationToken) -> Self {
        let mut found = Vec::new();
        board.each(|account, target, status| {
            let row = Row::of(account, target, status, seen.remove(target).unwrap_or_default());
            // That a document names more than the organization has is not about one account.
            if target.resource != Resource::Organization || *aim == Aim::Everything || row.verdict == Verdict::Unread {
                found.push((target.account, row));
            }
        });
        let mut names: BTreeMap<Account, Option<Arc<str>>> = BTreeMap::new();
        for (account, row) in found.iter_mut().filter(|(_, row)| row.resource != ResourceKind::Organization) {
            let name = names.entry(*account).or_insert_with(|| board.account_name(*account));
            row.account_name.clone_from(name);
        }
        let targets: Vec<Row> = found.into_iter().map(|(_, row)| row).collect();
        let held = board.view(&Filter::everything(0)).held;
        Self { complete: !stop.is_cancelled(), summary: Summary::of(&targets), held, targets }
    }

    /// How it ended, for the exit code.
    pub(super) fn result(&self) -> PassResult {
        let is = |verdict| self.targets.iter().any(|row| row.verdict == verdict);
        if is(Verdict::Unread) {
            PassResult::Unread
        } else if self.targets.iter().all(|row| matches!(row.verdict, Verdict::InSync | Verdict::Changed)) {
            PassResult::InSync
        } else {
            PassResult::DriftRemains
        }
    }

    /// What was aimed at has to be there, once, unless nobody can tell because something could not be read.
    fn check(&self, aim: &Aim) -> Result<(), Ended> {
        let Aim::Account { account, part } = aim else { return Ok(()) };
        let accounts: BTreeSet<&str> = self
            .targets
            .iter()
            .filter(|row| row.resource != ResourceKind::Organization)
            .map(|row| row.account.as_str())
            .collect();
        let is_there = self.targets.iter().any(|row| match part {
            AccountPart::Whole => row.resource == ResourceKind::Account,
            AccountPart::Role => row.resource == ResourceKind::Role,
            AccountPart::Region(region) => row.region == region.as_str(),
        });
        if accounts.len() > 1 && matches!(account, AimedAccount::Named(_)) {
            let ids = accounts.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Ended::Ambiguous { aim: aim.to_string(), ids });
        }
        if is_there || self.result() == PassResult::Unread {
            return Ok(());
        }
        let what = match (accounts.is_empty(), part) {
            (false, AccountPart::Role) => "the desired state needs no role in that account",
            (false, _) => "the desired state says nothing of that region in that account, or it is not open to it",
            (true, _) => "no account that is declared is called that",
        };
        Err(Ended::NothingThere { aim: aim.to_string(), what })
    }
}

impl Summary {
    fn of(rows: &[Row]) -> Self {
        let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        Self {
            writes: rows.iter().map(|row| row.actions.len()).sum(),
            to_change: rows.iter().filter(|row| !row.actions.is_empty()).count(),
            changed: rows.iter().filter(|row| row.corrected().next().is_some()).count(),
            observed: count(Verdict::Observed),
            held: count(Verdict::Held),
            failed: count(Verdict::Failed),
            unread: count(Verdict::Unread),
            in_sync: count(Verdict::InSync),
        }
    }
}
