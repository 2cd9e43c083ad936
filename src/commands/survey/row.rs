//! What one pass came to for one target.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::observed::Change;
use crate::outcome::{Outcome, Progress};
use crate::plan::{Drift, author};
use crate::status::TargetStatus;
use crate::target::{Resource, ResourceKind, State, Target};

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) account: String,
    pub(super) account_name: Option<Arc<str>>,
    pub(super) region: String,
    pub(super) resource: ResourceKind,
    pub(super) verdict: Verdict,
    pub(super) state: State,
    pub(super) reason: Option<Arc<str>>,
    pub(super) desired: Arc<str>,
    pub(super) observed: Option<Arc<str>>,
    /// What differed when it was first looked at.
    pub(super) drift: Vec<Drift>,
    /// What would be done about it.
    pub(super) actions: Vec<String>,
    /// What was done about it.
    pub(super) corrections: Vec<Corrected>,
    /// Who had changed it last before this pass did, where AWS tells.
    pub(super) last_changed_by: Option<String>,
    pub(super) last_changed_at: Option<Timestamp>,
    /// Whether it was looked at by itself.
    #[serde(skip)]
    pub(super) was_looked_at: bool,
}

/// What came of one correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Corrected {
    pub(super) drift: Drift,
    pub(super) result: CorrectionResult,
}

/// Whether AWS shows a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CorrectionResult {
    /// It does.
    Corrected,
    /// It does not, or not yet.
    Failed,
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
    /// It differs, and nobody would change it.
    Observed,
    /// It differs or cannot be judged, and is held.
    Held,
    /// It could not be read.
    Unread,
}

/// What was seen of a target in one pass. A thousand times a thousand of them are kept, so it is only what a row tells.
#[derive(Debug, Default)]
pub(super) struct Seen {
    was_looked_at: bool,
    /// The first drift, which later looks of the same pass may have corrected.
    drift: Vec<Drift>,
    actions: Vec<String>,
    tried: Vec<(Drift, Progress)>,
    /// Who had changed it before the pass did.
    changed: Option<Change>,
}

impl Seen {
    /// One more look.
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.was_looked_at = true;
        if self.drift.is_empty() {
            self.drift = outcome.drift;
        }
        if self.tried.is_empty() {
            self.changed = outcome.changed_before;
        }
        self.actions = outcome.intended;
        let tried = outcome.corrections.into_iter().filter(|correction| correction.progress != Progress::NotTried);
        self.tried.extend(tried.map(|correction| (correction.drift, correction.progress)));
    }
}

impl Row {
    /// Without the account's name.
    pub(super) fn of(account: &str, target: &Target, status: &TargetStatus, seen: Seen) -> Self {
        let Seen { was_looked_at, drift, actions, tried, changed } = seen;
        // What AWS did not show at once it may show by now.
        let is_left = |drift: &Drift| status.drift.0.contains(drift);
        let result = |drift: &Drift, progress| match progress {
            Progress::Verified => CorrectionResult::Corrected,
            Progress::Written | Progress::Unanswered if was_read(target, status) && !is_left(drift) => {
                CorrectionResult::Corrected
            }
            _ => CorrectionResult::Failed,
        };
        let corrections: Vec<Corrected> =
            tried.into_iter().map(|(drift, progress)| Corrected { result: result(&drift, progress), drift }).collect();
        let by = author(changed.as_ref()).map(str::to_owned);
        Self {
            verdict: Verdict::of(target, status, &actions, &corrections),
            account: account.to_owned(),
            account_name: None,
            region: target.region_label().to_owned(),
            resource: target.resource.kind(),
            state: status.state,
            reason: status.reason.clone(),
            desired: Arc::clone(&status.desired),
            observed: status.observed.clone(),
            drift,
            actions,
            corrections,
            last_changed_at: changed.and_then(|change| change.at).filter(|_| by.is_some()),
            last_changed_by: by,
            was_looked_at,
        }
    }

    /// How it is called within its account.
    pub(super) fn name(&self) -> &str {
        match self.resource {
            ResourceKind::Setting => &self.region,
            other => other.label(),
        }
    }

    /// What was corrected.
    pub(super) fn corrected(&self) -> impl Iterator<Item = &Drift> {
        let corrected = self.corrections.iter().filter(|one| one.result == CorrectionResult::Corrected);
        corrected.map(|one| &one.drift)
    }

    /// What keeps it from being as declared, unless that is only that nobody has corrected it.
    pub(super) fn why(&self) -> Option<&str> {
        let is_told = match self.verdict {
            Verdict::Held | Verdict::Unread | Verdict::Failed => true,
            Verdict::Observed => self.resource == ResourceKind::Organization,
            Verdict::InSync | Verdict::Change | Verdict::Changed => false,
        };
        self.reason.as_deref().filter(|_| is_told)
    }

    /// Who changed it last, and when, where AWS tells.
    pub(super) fn last_change(&self) -> Option<String> {
        let by = self.last_changed_by.as_ref()?;
        Some(self.last_changed_at.map_or_else(|| format!("by {by}"), |at| format!("by {by} at {at:.0}")))
    }
}

/// Whoever cannot be verified has not been read, whatever was seen.
fn was_read(target: &Target, status: &TargetStatus) -> bool {
    status.last_observed.is_some() && target.resource != Resource::Account
}

impl Verdict {
    fn of(target: &Target, status: &TargetStatus, actions: &[String], corrections: &[Corrected]) -> Self {
        match status.state {
            State::InSync if corrections.is_empty() => Self::InSync,
            State::InSync => Self::Changed,
            State::Unknown if corrections.is_empty() => Self::Unread,
            State::Blocked if !was_read(target, status) => Self::Unread,
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
