//! What came of one look at a target. Infallible: an error is part of the outcome.

use crate::cloud::{ASSUME_ROLE, CloudError, ErrorKind, Retry};
use crate::observed::Change;
use crate::plan::{Drift, Hold, Plan, Settling};
use crate::target::State;

/// What one reconcile saw, did and left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where the target stands now.
    pub state: State,
    /// Why, unless it is in sync.
    pub reason: Option<String>,
    /// What is wanted, for people.
    pub desired: String,
    /// What AWS has now, for people; `None` when it could not be read.
    pub observed: Option<String>,
    /// Who changed it last before this reconcile did anything, where AWS tells.
    pub changed_before: Option<Change>,
    /// Who changed it last as it is now: after a correction, the controller.
    pub changed: Option<Change>,
    /// What differed before this reconcile did anything.
    pub drift: Vec<Drift>,
    /// What differs now.
    pub left: Vec<Drift>,
    /// Whether an empty `drift` means that there is none.
    pub judgement: Judgement,
    /// What would mend it, in its order, and has not been tried: in a look that writes nothing.
    pub intended: Vec<String>,
    /// What was done about it.
    pub corrections: Vec<Correction>,
    /// How the failed call failed.
    pub error: Option<ErrorKind>,
    /// Whether it failed for want of a session in the account, which is for the look at the account to mend.
    pub session: SessionNeed,
    /// When to look again.
    pub next: Next,
}

/// Whether a call in the account had the session that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionNeed {
    /// It had, or needs none.
    Met,
    /// None could be opened.
    Unmet,
}

impl SessionNeed {
    /// By how a call failed.
    pub(crate) fn of(error: &CloudError) -> Self {
        if error.operation == ASSUME_ROLE { Self::Unmet } else { Self::Met }
    }
}

/// Whether a look could tell drift from its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It could.
    Made,
    /// It could not: AWS was not read, is still applying a change, or nobody knows yet what the value should be.
    Withheld,
}

/// What was done about one drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The drift.
    pub drift: Drift,
    /// How it went.
    pub progress: Progress,
}

/// How a correction went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The read-back shows what was wanted.
    Verified,
    /// AWS took the write, or somebody was faster, and AWS does not show it yet.
    Written,
    /// Nobody knows whether AWS took the write, and AWS does not show it.
    Unanswered,
    /// AWS refused the write.
    Refused,
    /// Something before it was refused, or the controller is stopping.
    NotTried,
}

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At the next interval.
    Interval,
    /// Soon: AWS is still applying a change.
    Soon,
    /// After a backoff.
    Retry(Retry),
}

impl Outcome {
    /// A target that needs no comparison any more: it is what the plan says it is.
    pub(crate) fn of_plan<A>(plan: &Plan<A>, desired: String, observed: String, changed: Option<Change>) -> Self {
        let (state, reason, next) = judge(plan);
        Self {
            state,
            reason,
            desired,
            observed: Some(observed),
            changed_before: changed.clone(),
            changed,
            drift: plan.drift.clone(),
            left: plan.drift.clone(),
            judgement: if plan.is_judged() { Judgement::Made } else { Judgement::Withheld },
            intended: Vec::new(),
            corrections: Vec::new(),
            error: None,
            session: SessionNeed::Met,
            next,
        }
    }

    /// A target of which nothing was seen.
    pub(crate) fn unseen(state: State, reason: String, next: Next) -> Self {
        Self {
            state,
            reason: Some(reason),
            desired: String::new(),
            observed: None,
            changed_before: None,
            changed: None,
            drift: Vec::new(),
            left: Vec::new(),
            judgement: Judgement::Withheld,
            intended: Vec::new(),
            corrections: Vec::new(),
            error: None,
            session: SessionNeed::Met,
            next,
        }
    }

    /// A target that could not be read.
    pub(crate) fn unread(error: &CloudError, desired: String) -> Self {
        let state = match error.kind.retry() {
            Retry::Backoff => State::Unknown,
            Retry::Slow => State::Blocked,
        };
        let unseen = Self::unseen(state, error.to_string(), Next::Retry(error.kind.retry()));
        Self { desired, error: Some(error.kind), session: SessionNeed::of(error), ..unseen }
    }

    /// Whether AWS was read.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.observed.is_some()
    }
}

/// What a plan means when nothing (more) is done about it.
pub(crate) fn judge<A>(plan: &Plan<A>) -> (State, Option<String>, Next) {
    if plan.settling == Settling::LookAgainSoon {
        return (State::Unknown, Some("AWS is still applying an earlier change".to_owned()), Next::Soon);
    }
    if !plan.holds.is_empty() {
        let rivals = plan.drift.iter().filter_map(Drift::rival).map(|rival| format!("it is {rival}"));
        let reasons: Vec<String> = plan.holds.iter().map(ToString::to_string).chain(rivals).collect();
        let is_contended = plan.holds.iter().any(|hold| matches!(hold, Hold::Contended(_)));
        let state = if is_contended { State::Contended } else { State::Held };
        return (state, Some(reasons.join("; ")), Next::Interval);
    }
    if !plan.drift.is_empty() {
        return (State::Drifted, Some(describe(&plan.drift)), Next::Interval);
    }
    (State::InSync, None, Next::Interval)
}

/// Drift in one line for people.
#[must_use]
pub fn describe(drift: &[Drift]) -> String {
    drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
