//! What is known of every target right now. Feeds the status API and the gauges; decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::desired::names::{Account, AccountId};
use crate::observed::Change;
use crate::outcome::Outcome;
use crate::plan::Drift;
use crate::target::{ResourceKind, State, Target};

/// The board that reconciling writes and HTTP reads.
#[derive(Debug, Default)]
pub struct StatusBoard {
    inner: Mutex<Board>,
}

#[derive(Debug, Default)]
struct Board {
    targets: BTreeMap<Target, TargetStatus>,
    ids: HashMap<Account, AccountId>,
    /// Set once every target has been tried; targets that are added later do not take it back.
    all_were_tried: bool,
}

/// One target on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// What is wanted.
    pub desired: String,
    /// What AWS had when it was last read successfully.
    pub observed: Option<String>,
    /// Who changed it last, as of then.
    pub changed: Option<Change>,
    /// What differs, as of then.
    pub drift: Vec<Drift>,
    /// The last drift there was, corrected or not.
    pub last_drift: Option<LastDrift>,
    /// When it was last looked at, successfully or not.
    pub last_attempt: Option<Timestamp>,
    /// When AWS was last read successfully.
    pub last_observed: Option<Timestamp>,
    /// When it is due again; `None` while it waits for something other than time.
    pub next_due: Option<Timestamp>,
    /// Whether it is being looked at right now.
    pub activity: Activity,
}

/// Drift as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastDrift {
    /// What differed.
    pub drift: Vec<Drift>,
    /// Who had changed it last by then, where AWS tells.
    pub changed: Option<Change>,
    /// When it was last seen.
    pub seen_at: Timestamp,
}

/// Whether somebody is at work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nobody.
    Idle,
    /// A worker.
    InFlight,
}

/// Every target as the status API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetView {
    account: String,
    region: String,
    resource: ResourceKind,
    state: State,
    reason: Option<String>,
    since: Timestamp,
    desired: String,
    observed: Option<String>,
    drift: Vec<Drift>,
    last_drift: Option<LastDrift>,
    last_changed_by: Option<String>,
    last_changed_at: Option<Timestamp>,
    last_attempt: Option<Timestamp>,
    last_observed: Option<Timestamp>,
    next_due: Option<Timestamp>,
}

impl TargetView {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }
}

impl StatusBoard {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts up a target that has not been looked at. Does nothing to one that is there.
    pub fn add(&self, target: Target, now: Timestamp) {
        self.board().targets.entry(target).or_insert_with(|| TargetStatus::untried(now));
    }

    /// Takes a target down.
    pub fn remove(&self, target: &Target) {
        self.board().targets.remove(target);
    }

    /// The id that an account turned out to have.
    pub fn identify(&self, account: Account, id: AccountId) {
        self.board().ids.insert(account, id);
    }

    /// What people call an account.
    pub fn name_account(&self, _account: Account, _name: Option<std::sync::Arc<str>>) {}

    /// How the accounts of the organization divide up.
    pub fn set_organization(&self, _tally: Option<crate::desired::organization::Tally>) {}

    /// How an account is called in labels and logs: its id as soon as that is known.
    #[must_use]
    pub fn account_label(&self, account: Account) -> String {
        self.board().label(account)
    }

    /// A worker has taken the target.
    pub fn begin(&self, target: &Target) {
        if let Some(status) = self.board().targets.get_mut(target) {
            status.activity = Activity::InFlight;
        }
    }

    /// A worker is back without an outcome.
    pub fn abandon(&self, target: &Target) {
        if let Some(status) = self.board().targets.get_mut(target) {
            status.activity = Activity::Idle;
        }
    }

    /// A worker is back. Gives the state from before.
    pub fn record(&self, target: &Target, outcome: &Outcome, now: Timestamp, next_due: Option<Timestamp>) -> Option<State> {
        let mut board = self.board();
        let status = board.targets.get_mut(target)?;
        let before = status.last_attempt.map(|_| status.state);
        status.enter(outcome.state, outcome.reason.clone(), now);
        status.desired.clone_from(&outcome.desired);
        status.last_attempt = Some(now);
        status.next_due = next_due;
        status.activity = Activity::Idle;
        if !outcome.drift.is_empty() {
            let (drift, changed) = (outcome.drift.clone(), outcome.changed_before.clone());
            status.last_drift = Some(LastDrift { drift, changed, seen_at: now });
        }
        if outcome.was_read() {
            status.last_observed = Some(now);
            status.observed.clone_from(&outcome.observed);
            status.changed.clone_from(&outcome.changed);
            status.drift.clone_from(&outcome.left);
        }
        before
    }

    /// A target cannot be looked at, because what it stands on could not be.
    pub fn wait(&self, target: &Target, state: State, reason: String, now: Timestamp) {
        if let Some(status) = self.board().targets.get_mut(target) {
            status.enter(state, Some(reason), now);
            status.last_attempt = Some(now);
            status.next_due = None;
        }
    }

    /// A target is due at another time than was said before.
    pub fn reschedule(&self, target: &Target, next_due: Option<Timestamp>) {
        if let Some(status) = self.board().targets.get_mut(target) {
            status.next_due = next_due;
        }
    }

    /// Whether every target has been tried, successfully or not. Once true it stays so.
    #[must_use]
    pub fn all_tried(&self) -> bool {
        let mut board = self.board();
        if !board.all_were_tried {
            board.all_were_tried =
                !board.targets.is_empty() && board.targets.values().all(|status| status.last_attempt.is_some());
        }
        board.all_were_tried
    }

    /// Calls `visit` with the account's label, the target and its status, in a fixed order.
    pub fn each(&self, mut visit: impl FnMut(&str, &Target, &TargetStatus)) {
        let board = self.board();
        for (target, status) in &board.targets {
            visit(&board.label(target.account), target, status);
        }
    }

    /// How many targets are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.board().targets.values().filter(|status| status.state == state).count()
    }

    /// Every target as the status API shows it.
    #[must_use]
    pub fn view(&self) -> Vec<TargetView> {
        let mut views = Vec::new();
        self.each(|account, target, status| views.push(status.view(account, target)));
        views
    }
}

impl Board {
    fn label(&self, account: Account) -> String {
        self.ids.get(&account).map_or_else(|| account.to_string(), ToString::to_string)
    }
}

impl TargetStatus {
    fn untried(now: Timestamp) -> Self {
        Self {
            state: State::Unknown,
            reason: Some("not looked at yet".to_owned()),
            since: now,
            desired: String::new(),
            observed: None,
            changed: None,
            drift: Vec::new(),
            last_drift: None,
            last_attempt: None,
            last_observed: None,
            next_due: None,
            activity: Activity::Idle,
        }
    }

    fn enter(&mut self, state: State, reason: Option<String>, now: Timestamp) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        self.reason = reason;
    }

    fn view(&self, account: &str, target: &Target) -> TargetView {
        TargetView {
            account: account.to_owned(),
            region: target.region_label().to_owned(),
            resource: target.resource.kind(),
            state: self.state,
            reason: self.reason.clone(),
            since: self.since,
            desired: self.desired.clone(),
            observed: self.observed.clone(),
            drift: self.drift.clone(),
            last_drift: self.last_drift.clone(),
            last_changed_by: self.changed.as_ref().map(|change| change.by.clone()),
            last_changed_at: self.changed.as_ref().and_then(|change| change.at),
            last_attempt: self.last_attempt,
            last_observed: self.last_observed,
            next_due: self.next_due,
        }
    }
}
