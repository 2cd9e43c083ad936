//! A single pass: what it is for, who follows it, which targets have not come to an end, and how long each may take.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::desired::DesiredAccount;
use crate::desired::names::Account;
use crate::outcome::Outcome;
use crate::reconcile::Intent;
use crate::reconcile::aim::{AccountPart, Aim};
use crate::target::Target;

/// How long a single pass keeps trying what fails in a way that passes by itself, from its first failure. A new role takes
/// seconds until Systems Manager takes it; nobody promises how many.
pub const PATIENCE_OF_ONE_PASS: Duration = Duration::from_mins(1);

/// How long a person who only wants to see is kept waiting for the same.
const PATIENCE_OF_ONE_LOOK: Duration = Duration::from_secs(10);

/// What a single pass is for.
#[derive(Debug, Default)]
pub struct Purpose {
    /// Whether it corrects.
    pub intent: Intent,
    /// What it looks at.
    pub aim: Aim,
    /// Who is told of every look as it ends.
    pub witness: Option<UnboundedSender<Look>>,
}

/// A look that has ended.
#[derive(Debug, Clone)]
pub struct Look {
    /// At what.
    pub target: Target,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is left of a single pass.
#[derive(Debug, Default)]
pub(super) struct Pass {
    purpose: Purpose,
    /// The targets that have not come to an end, each with when it counts as failed once it has failed at all.
    unsettled: HashMap<Target, Option<Instant>>,
}

impl Pass {
    /// One that has not begun.
    pub(super) fn new(purpose: Purpose) -> Self {
        Self { purpose, unsettled: HashMap::new() }
    }

    /// Whether it corrects.
    pub(super) fn intent(&self) -> Intent {
        self.purpose.intent
    }

    /// What of an account it looks at; `None`: nothing.
    pub(super) fn part(&self, account: Account, declared: &DesiredAccount) -> Option<&AccountPart> {
        self.purpose.aim.part(account, declared.name.as_deref())
    }

    /// A look has ended.
    pub(super) fn tell(&self, target: &Target, outcome: &Outcome) {
        if let Some(witness) = &self.purpose.witness {
            // Nobody has to stay to the end.
            let _ = witness.send(Look { target: target.clone(), outcome: outcome.clone() });
        }
    }

    /// It has to look at this target before it ends.
    pub(super) fn expect(&mut self, target: &Target) {
        self.unsettled.entry(target.clone()).or_default();
    }

    /// It need not look at this target any more.
    pub(super) fn settle(&mut self, target: &Target) {
        self.unsettled.remove(target);
    }

    /// Whether this target has not come to an end.
    pub(super) fn expects(&self, target: &Target) -> bool {
        self.unsettled.contains_key(target)
    }

    /// Whether every target has come to an end.
    pub(super) fn is_over(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Whether to try a target that has failed again at this time.
    pub(super) fn waits_for(&mut self, target: &Target, now: Instant, again: Instant) -> bool {
        let Some(deadline) = self.unsettled.get_mut(target) else { return false };
        let patience = match self.purpose.intent {
            Intent::Correct => PATIENCE_OF_ONE_PASS,
            Intent::Look => PATIENCE_OF_ONE_LOOK,
        };
        again <= *deadline.get_or_insert(now + patience)
    }
}
