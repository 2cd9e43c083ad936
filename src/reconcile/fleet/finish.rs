//! A worker is back: its outcome goes to the queue, the board, the log and whatever stands on the target.

use std::time::Duration;

use tokio::time::Instant;

use super::Fleet;
use crate::cloud::{Cloud, Retry};
use crate::outcome::{Next, Outcome, SessionNeed};
use crate::reconcile::account::Finding;
use crate::reconcile::flights::{Errand, Landing, PATIENCE};
use crate::reconcile::job::{Found, Report};
use crate::reconcile::membership::Change;
use crate::reconcile::queue::Ending;
use crate::reconcile::report::Whose;
use crate::reconcile::rivals::News;
use crate::reconcile::sightings::{RoleSight, Sight};
use crate::status::StatusBoard;
use crate::target::{Resource, Target};

impl<C: Cloud> Fleet<C> {
    /// Enters what a worker brought back.
    pub(super) fn finish(&mut self, Landing { target, took, errand, report }: Landing) {
        let now = Instant::now();
        if errand == Errand::CalledOff {
            self.tell_what_was_written(&target, report.as_ref(), took);
        }
        let Some(Report { outcome, found }) = report.filter(|_| errand == Errand::Current) else {
            let due = self.give_back(&target, now, took);
            self.setup.board.abandon(&target);
            self.show_due(&target, due);
            return;
        };
        let ending = match outcome.next {
            Next::Interval => Ending::Well,
            Next::Soon | Next::Retry(Retry::Backoff) => Ending::Passing,
            Next::Retry(Retry::Slow) => Ending::Refused,
        };
        let failures = self.queue.failures(&target, ending);
        let delay = self.setup.schedule.delay(target.resource.kind(), outcome.next, failures, (self.setup.random)());
        let due = self.queue.finish(&target, now, delay, ending);
        if let Found::Account(Finding::Verified(facts)) = &found {
            self.setup.board.identify(target.account, facts.identity.account);
        }
        let found = match found {
            // Its accounts are on the board before the organization counts as tried.
            Found::Organization(Some(listing)) => {
                self.organization.listed(listing);
                self.adopt_accounts();
                Found::Nothing
            }
            found => found,
        };
        self.tell(&target, &outcome, due, took);
        // One that was woken meanwhile is due at once, and has not come to its end.
        let is_settled = match ending {
            Ending::Well => due != Some(now),
            Ending::Refused => true,
            Ending::Passing => self.pass.as_mut().is_none_or(|pass| !pass.waits_for(&target, now, now + delay)),
        };
        if is_settled {
            self.settle(&target);
        }
        // A single pass does not wait again for what it has given up.
        let is_waited_for = self.pass.as_ref().is_none_or(|pass| pass.expects(&target));
        let part = self.part(&target);
        self.learn(&target, &outcome, found);
        self.weigh(&target, part);
        if ending == Ending::Refused {
            // What was held until it was counted is not waited for where AWS refuses the rest: a person has to come first.
            self.settle(&target);
        }
        if outcome.session == SessionNeed::Unmet && target.resource != Resource::Account && is_waited_for {
            self.apply(vec![Change::Wake(Target::account(target.account))]);
        }
    }

    /// Puts a target back whose look was called off. A look at what is sick, or that was kept waiting, was an attempt all the
    /// same: whoever edits what hangs does not have it tried over and over.
    fn give_back(&mut self, target: &Target, now: Instant, took: Duration) -> Option<Instant> {
        if took < PATIENCE && !self.queue.is_sick(target) {
            return self.queue.give_back(target, now);
        }
        let failures = self.queue.failures(target, Ending::Passing);
        let (kind, next) = (target.resource.kind(), Next::Retry(Retry::Backoff));
        let delay = self.setup.schedule.delay(kind, next, failures, (self.setup.random)());
        self.queue.finish(target, now, delay, Ending::Passing)
    }

    /// Puts an outcome on the board, counts it and logs it.
    fn tell(&mut self, target: &Target, outcome: &Outcome, due: Option<Instant>, took: Duration) {
        let next_due = due.and_then(|due| self.time_of(due));
        let before = self.setup.board.record(target, outcome, (self.setup.clock)(), next_due);
        if let Some(pass) = &self.pass {
            pass.tell(target, outcome);
        }
        self.reporter.finished(|| whose(&self.setup.board, target), target, outcome, before, took);
        if self.rivals.looked(target, outcome, Instant::now()) == News::PutOff {
            self.reporter.put_off(&whose(&self.setup.board, target), target, outcome);
        }
    }

    /// A worker that was called off had begun to write: that is counted and logged, and says nothing about where the target
    /// stands as it is declared now.
    fn tell_what_was_written(&mut self, target: &Target, report: Option<&Report>, took: Duration) {
        let Some(Report { outcome, .. }) = report.filter(|report| !report.outcome.corrections.is_empty()) else { return };
        self.reporter.finished(|| whose(&self.setup.board, target), target, outcome, Some(outcome.state), took);
        if self.queue.contains(target) {
            self.reporter.redeclared(target);
        } else {
            self.reporter.forget(|| whose(&self.setup.board, target), target);
        }
    }

    /// Passes on what a look at an account or role means for what stands on it.
    fn learn(&mut self, target: &Target, outcome: &Outcome, found: Found) {
        let Some(memory) = self.accounts.get_mut(&target.account) else { return };
        let (account, reason) = (target.account, outcome.reason.as_deref());
        let changes = match (found, &target.resource) {
            (Found::Account(finding), _) => memory.account_was_looked_at(account, finding),
            (Found::Role(found), _) => memory.role_was_looked_at(account, found, reason),
            (Found::Broken, Resource::Role) => {
                memory.sightings.saw_role(RoleSight::Nothing);
                memory.role_is_unreadable(account, reason)
            }
            (Found::Setting(sight), resource) => {
                memory.setting_was_looked_at(resource, sight);
                Vec::new()
            }
            (Found::Broken, resource) => {
                memory.setting_was_looked_at(resource, Sight::Nothing);
                Vec::new()
            }
            (Found::Nothing | Found::Organization(_), _) => Vec::new(),
        };
        self.apply(changes);
        if target.resource == Resource::Account {
            self.tell_dependents(target, outcome);
        }
    }

    /// While an account is not usable, its role and settings are what the account is, for the same reason.
    fn tell_dependents(&mut self, account: &Target, outcome: &Outcome) {
        let Some(memory) = self.accounts.get(&account.account).filter(|memory| !memory.is_usable()) else { return };
        let reason = format!("the account cannot be used: {}", outcome.reason.as_deref().unwrap_or("unverified"));
        let time = (self.setup.clock)();
        let settled = self.pass.as_ref().is_none_or(|pass| !pass.expects(account));
        for target in memory.targets(account.account).into_iter().filter(|target| target.resource != Resource::Account) {
            self.setup.board.wait(&target, outcome.state, reason.as_str(), time);
            if settled {
                self.settle(&target);
            }
        }
    }
}

pub(super) fn whose(board: &StatusBoard, target: &Target) -> Whose {
    Whose { account: board.label(target), name: board.account_name(target.account) }
}
