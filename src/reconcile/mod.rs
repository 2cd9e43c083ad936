//! From one target to its outcome: observe, plan, apply, read back.
//!
//! One code path for roles and settings (`reconcile`); each says in a small file of its own how it is read, compared and
//! written. The queue decides when, `fleet` decides what, nothing here knows about either.

pub mod account;
pub mod aim;
pub mod expand;
pub mod fleet;
mod flights;
mod guard;
mod job;
mod ledger;
mod membership;
mod organization;
pub mod queue;
mod report;
pub mod rivals;
pub mod role;
pub mod schedule;
pub mod setting;
mod shares;
mod sightings;

use std::fmt;

use tokio_util::sync::CancellationToken;

use crate::cloud::{ASSUME_ROLE, CloudError, ErrorKind, LEADERSHIP, Retry};
use crate::observed::Change;
use crate::outcome::{Correction, Judgement, Next, Outcome, Progress, SessionNeed};
use crate::plan::{Drift, Plan};
use crate::target::State;

/// Something that is read, compared and written: a role, or a setting.
pub(crate) trait Subject: Sync {
    /// What AWS says of it.
    type Observed: Send + Sync;
    /// A write to it.
    type Action: Send + Sync + fmt::Debug + fmt::Display;

    /// Reads it.
    fn observe(&self) -> impl Future<Output = Result<Self::Observed, CloudError>> + Send;
    /// Compares it. Pure.
    fn plan(&self, observed: &Self::Observed) -> Plan<Self::Action>;
    /// Writes to it.
    fn apply(&self, action: &Self::Action) -> impl Future<Output = Result<(), CloudError>> + Send;
    /// Whether an action is the one that mends a drift.
    fn mends(action: &Self::Action, drift: &Drift) -> bool;
    /// Whether the actions after this one build on it, so that they make no sense without it.
    fn is_foundation(action: &Self::Action) -> bool;
    /// What is wanted, for people.
    fn desired(&self) -> String;
    /// What AWS has, for people.
    fn describe(observed: &Self::Observed) -> String;
    /// Who changed it last, where AWS tells.
    fn changed(observed: &Self::Observed) -> Option<Change>;
}

/// Whether plans are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intent {
    /// They are.
    #[default]
    Correct,
    /// Nothing is written; what would be is told.
    Look,
}

/// One look at a subject, and what was last seen of it. `None`: stopped before anything was written.
///
/// Reads are given up when `stop` is cancelled; once a write has begun, it and its read-back are finished.
pub(crate) async fn reconcile<S: Subject>(
    subject: &S,
    intent: Intent,
    stop: &CancellationToken,
) -> Option<(Outcome, Option<S::Observed>)> {
    let observed = match stop.run_until_cancelled(subject.observe()).await? {
        Ok(observed) => observed,
        Err(error) => return Some((Outcome::unread(&error, subject.desired()), None)),
    };
    let plan = subject.plan(&observed);
    if plan.actions.is_empty() || intent == Intent::Look {
        let outcome = Outcome::of_plan(&plan, subject.desired(), S::describe(&observed), S::changed(&observed));
        let intended = plan.actions.iter().map(ToString::to_string).collect();
        return Some((Outcome { intended, ..outcome }, Some(observed)));
    }
    if stop.is_cancelled() {
        return None;
    }
    Some(correct(subject, observed, &plan, stop).await)
}

/// How far one action of a plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Written,
    Unanswered,
    Refused,
    NotTried,
}

/// Applies a plan in its order and looks at what became of it. A refusal by policy stops only what builds on it; anything
/// else stops the rest, which the next look takes up again.
async fn correct<S: Subject>(
    subject: &S,
    before: S::Observed,
    plan: &Plan<S::Action>,
    stop: &CancellationToken,
) -> (Outcome, Option<S::Observed>) {
    let mut done = vec![Done::NotTried; plan.actions.len()];
    let mut refused: Option<CloudError> = None;
    let mut foundation_is_laid = false;
    for (action, done) in plan.actions.iter().zip(&mut done) {
        if stop.is_cancelled() {
            break;
        }
        match subject.apply(action).await {
            Ok(()) => {
                *done = Done::Written;
                foundation_is_laid |= S::is_foundation(action);
            }
            Err(error) => {
                *done = what_became_of(&error);
                let goes_on = error.kind.retry() == Retry::Slow && !S::is_foundation(action);
                // What does not exist right after what it belongs to was created may only not have spread yet.
                let kind = if foundation_is_laid && error.kind == ErrorKind::Missing { ErrorKind::Conflict } else { error.kind };
                refused.get_or_insert(CloudError { kind, ..error });
                if !goes_on {
                    break;
                }
            }
        }
    }
    let changed_before = S::changed(&before);
    let untouched = done.iter().all(|done| matches!(done, Done::Refused | Done::NotTried));
    let after = if untouched { Ok(before) } else { subject.observe().await };
    let outcome = match &after {
        Ok(after) => read_back(subject, plan, &done, after, refused),
        Err(error) => unverified(subject, plan, &done, refused.as_ref(), error),
    };
    (Outcome { changed_before, ..outcome }, after.ok())
}

/// What became of a write that ended like this, as far as can be told without reading.
///
/// An answer that contradicts what was read before the write (there is such a thing already, it is being changed, it is gone)
/// tells of somebody else's. A write that was throttled was not carried out.
fn what_became_of(error: &CloudError) -> Done {
    if error.operation == LEADERSHIP {
        return Done::NotTried;
    }
    if error.has_expired() || error.refuses_the_key() || error.came_too_early() || error.operation == ASSUME_ROLE {
        return Done::Refused;
    }
    match error.kind {
        ErrorKind::Unavailable => Done::Unanswered,
        ErrorKind::Conflict | ErrorKind::Missing => Done::Written,
        ErrorKind::Throttled | ErrorKind::Denied | ErrorKind::Rejected | ErrorKind::RegionDisabled => Done::Refused,
    }
}

fn read_back<S: Subject>(
    subject: &S,
    plan: &Plan<S::Action>,
    done: &[Done],
    after: &S::Observed,
    refused: Option<CloudError>,
) -> Outcome {
    let left = subject.plan(after);
    let judged = left.is_judged();
    // Whatever the action would mend now counts, not the very drift from before: somebody else may have written since.
    let gone = |action: &S::Action| judged && !left.drift.iter().any(|drift| S::mends(action, drift));
    let outcome = Outcome {
        drift: plan.drift.clone(),
        corrections: corrections::<S>(plan, done, gone),
        judgement: Judgement::Made,
        ..Outcome::of_plan(&left, subject.desired(), S::describe(after), S::changed(after))
    };
    if outcome.state == State::InSync {
        return outcome;
    }
    if let Some(error) = refused {
        let (state, next) = refusal(&error);
        return Outcome {
            state,
            next,
            reason: Some(error.to_string()),
            error: Some(error.kind),
            session: SessionNeed::of(&error),
            ..outcome
        };
    }
    let all_tried = outcome.corrections.iter().all(|correction| correction.progress != Progress::NotTried);
    if outcome.state == State::Drifted && all_tried {
        let reason = format!("written; AWS does not show it yet: {}", crate::outcome::describe(&left.drift));
        return Outcome { reason: Some(reason), next: Next::Soon, ..outcome };
    }
    outcome
}

/// Written, or perhaps written, and nobody could look. Both calls are named: they fail for reasons of their own.
fn unverified<S: Subject>(
    subject: &S,
    plan: &Plan<S::Action>,
    done: &[Done],
    refused: Option<&CloudError>,
    unread: &CloudError,
) -> Outcome {
    let written = refused.map_or_else(|| "written".to_owned(), |error| format!("perhaps written ({error})"));
    Outcome {
        drift: plan.drift.clone(),
        left: plan.drift.clone(),
        corrections: corrections::<S>(plan, done, |_| false),
        reason: Some(format!("{written}, and the result could not be read back: {unread}")),
        ..Outcome::unread(unread, subject.desired())
    }
}

fn corrections<S: Subject>(plan: &Plan<S::Action>, done: &[Done], gone: impl Fn(&S::Action) -> bool) -> Vec<Correction> {
    let progress = |drift: &Drift| {
        let (action, done) = plan.actions.iter().zip(done).find(|(action, _)| S::mends(action, drift))?;
        Some(match done {
            Done::NotTried => Progress::NotTried,
            _ if gone(action) => Progress::Verified,
            Done::Written => Progress::Written,
            Done::Unanswered => Progress::Unanswered,
            Done::Refused => Progress::Refused,
        })
    };
    let with_progress = |drift: &Drift| progress(drift).map(|progress| Correction { drift: drift.clone(), progress });
    plan.drift.iter().filter_map(with_progress).collect()
}

/// A write that AWS refused.
fn refusal(error: &CloudError) -> (State, Next) {
    let state = match error.kind.retry() {
        Retry::Backoff => State::Drifted,
        Retry::Slow => State::Blocked,
    };
    (state, Next::Retry(error.kind.retry()))
}
