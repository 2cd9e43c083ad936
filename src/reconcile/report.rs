//! Tells what happened: one place makes the log line and the count of each event, so that they cannot disagree.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::ledger::{Entry, Gone, Ledger};
use crate::metrics::{CorrectionResult, Metrics};
use crate::outcome::Outcome;
use crate::plan::Drift;
use crate::target::{State, Target};

/// How the account of a target is called.
#[derive(Debug)]
pub(super) struct Whose {
    /// In labels and logs.
    pub(super) account: String,
    /// By people.
    pub(super) name: Option<Arc<str>>,
}

/// Logs and counts outcomes.
#[derive(Debug)]
pub(super) struct Reporter {
    metrics: Metrics,
    ledger: Ledger,
    /// Why targets are forgotten.
    parting: Gone,
}

impl Reporter {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { metrics, ledger: Ledger::default(), parting: Gone::Undeclared }
    }

    /// Tells of one finished reconcile. `before` is the state the target was in.
    pub(super) fn finished(
        &mut self,
        whose: impl FnOnce() -> Whose,
        target: &Target,
        outcome: &Outcome,
        before: Option<State>,
        took: Duration,
    ) {
        self.metrics.reconcile(target.resource.kind(), outcome.state, took);
        let entries = self.ledger.enter(target, outcome);
        let is_news = before != Some(outcome.state);
        if entries.is_empty() && !is_news {
            return;
        }
        let whose = whose();
        for entry in &entries {
            self.tell(&whose, target, Some(outcome), entry);
        }
        self.metrics.drift_open(self.ledger.counts());
        if is_news {
            tell_state(&whose, target, outcome, before);
        }
    }

    /// A correction was undone, and the next is put off.
    pub(super) fn put_off(&self, whose: &Whose, target: &Target, outcome: &Outcome) {
        self.metrics.contention(&whose.account, target);
        let (account, account_name) = (whose.account.as_str(), whose.name.as_deref());
        let (region, resource) = (target.region_label(), target.resource_label());
        let changed_by = outcome.changed_before.as_ref().map(|change| change.by.as_str());
        let reason = outcome.reason.as_deref();
        error!(account, account_name, region, resource, changed_by, reason, "contended: the next correction is put off");
    }

    /// The target is declared differently from now on.
    pub(super) fn redeclared(&mut self, target: &Target) {
        self.ledger.redeclared(target);
    }

    /// Whatever is forgotten from now on is another replica's.
    pub(super) fn hands_over(&mut self) {
        self.parting = Gone::HandedOver;
    }

    /// The target is not this controller's any more.
    pub(super) fn forget(&mut self, whose: impl FnOnce() -> Whose, target: &Target) {
        let entries = self.ledger.forget(target, self.parting);
        if entries.is_empty() {
            return;
        }
        let whose = whose();
        for entry in &entries {
            self.tell(&whose, target, None, entry);
        }
        self.metrics.drift_open(self.ledger.counts());
    }

    fn tell(&self, whose: &Whose, target: &Target, outcome: Option<&Outcome>, entry: &Entry) {
        let (account, account_name) = (whose.account.as_str(), whose.name.as_deref());
        let (region, resource) = (target.region_label(), target.resource_label());
        let changed = outcome.and_then(|outcome| outcome.changed_before.as_ref());
        let changed_by = changed.map(|change| change.by.as_str());
        let changed_at = changed.and_then(|change| change.at).map(|at| at.to_string());
        let changed_at = changed_at.as_deref();
        let kind = |drift: &Drift| drift.kind.label();
        match entry {
            Entry::Detected(drift) => {
                self.metrics.drift_detected(account, target, kind(drift));
                let rival = drift.rival().map(|rival| rival.to_string());
                let rival = rival.as_deref();
                let (kind, before, after) = (kind(drift), &drift.before, &drift.after);
                warn!(
                    account,
                    account_name, region, resource, kind, before, after, changed_by, changed_at, rival, "drift detected"
                );
            }
            Entry::Corrected(drift) => {
                self.metrics.correction(account, target, kind(drift), CorrectionResult::Corrected);
                let (kind, before, after) = (kind(drift), &drift.before, &drift.after);
                info!(account, account_name, region, resource, kind, before, after, changed_by, changed_at, "drift corrected");
            }
            Entry::CorrectionFailed(drift) => {
                self.metrics.correction(account, target, kind(drift), CorrectionResult::Failed);
                let (kind, reason) = (kind(drift), outcome.and_then(|outcome| outcome.reason.as_deref()));
                error!(account, account_name, region, resource, kind, reason, "correction failed");
            }
            Entry::Gone(drift, why) => {
                self.metrics.drift_gone(kind(drift), why.label());
                tell_gone(whose, target, drift, *why);
            }
        }
    }
}

fn tell_gone(whose: &Whose, target: &Target, drift: &Drift, why: Gone) {
    let (account, account_name) = (whose.account.as_str(), whose.name.as_deref());
    let (region, resource) = (target.region_label(), target.resource_label());
    let (kind, reason) = (drift.kind.label(), why.label());
    match why {
        Gone::MendedByOthers => {
            info!(account, account_name, region, resource, kind, reason, "drift is gone, and not by this controller");
        }
        Gone::Redeclared => {
            info!(account, account_name, region, resource, kind, reason, "drift is gone; the declaration has changed since");
        }
        // The line of the drift in its place says the rest.
        Gone::Superseded => debug!(account, account_name, region, resource, kind, reason, "drift has become another"),
        Gone::HandedOver => {
            info!(account, account_name, region, resource, kind, reason, "drift is left to the replica that leads now");
        }
        Gone::Undeclared => {
            let before = &drift.before;
            info!(
                account,
                account_name, region, resource, kind, reason, before, "drift is left; the target is not declared any more"
            );
        }
    }
}

fn tell_state(whose: &Whose, target: &Target, outcome: &Outcome, before: Option<State>) {
    let (account, account_name) = (whose.account.as_str(), whose.name.as_deref());
    let (region, resource, state) = (target.region_label(), target.resource_label(), outcome.state.label());
    let reason = outcome.reason.as_deref();
    match outcome.state {
        // Of a whole organization, that is most lines of a start, and no news.
        State::InSync if before.is_none() => debug!(account, account_name, region, resource, state, "in sync"),
        State::InSync => info!(account, account_name, region, resource, state, "in sync"),
        State::Drifted | State::Held | State::Contended | State::Unknown => {
            warn!(account, account_name, region, resource, state, reason, "not in sync");
        }
        State::Blocked => error!(account, account_name, region, resource, state, reason, "not in sync"),
    }
}
