//! All targets of the desired state, and the one loop that works on them.
//!
//! The loop owns everything: the queue, what is known of each account, the workers. It adds and removes targets as the
//! desired state changes, gives due targets to a bounded number of workers, and enters what comes back. Order within an
//! account is by waiting: the role waits for the account, settings wait for the role; nothing locks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::account::Finding;
use super::flights::{Errand, Flights, Landing};
use super::job::{Found, Job, Report};
use super::membership::{AccountMemory, Change};
use super::organization::OrganizationMemory;
use super::queue::{Ending, Queue, Wake};
use super::report::Reporter;
use super::schedule::{Schedule, next_delay};
use crate::cloud::{Caller, Cloud, Retry};
use crate::desired::DesiredState;
use crate::desired::access::Access;
use crate::desired::names::Account;
use crate::metrics::Metrics;
use crate::outcome::{Next, Outcome};
use crate::status::StatusBoard;
use crate::target::{Resource, State, Target};

/// How long a shutdown waits for writes in flight, with their read-backs. Kubernetes kills after 30 seconds by default.
pub const DRAIN: Duration = Duration::from_secs(25);
/// How long a single pass keeps trying what fails in a way that passes by itself. A new role takes seconds until Systems
/// Manager takes it; nobody promises how many.
pub const PATIENCE_OF_ONE_PASS: Duration = Duration::from_mins(1);

/// What the loop is given.
#[derive(Debug)]
pub struct Setup<C> {
    /// AWS.
    pub cloud: Arc<C>,
    /// Where states are shown.
    pub board: Arc<StatusBoard>,
    /// Where events are counted.
    pub metrics: Metrics,
    /// How often targets are looked at.
    pub schedule: Schedule,
    /// How many targets are worked on at a time.
    pub workers: usize,
    /// The time of day, for people; due times use the monotonic clock.
    pub clock: fn() -> Timestamp,
    /// Random in 0..1, for jitter.
    pub random: fn() -> f64,
    /// Cancelled to stop.
    pub stop: CancellationToken,
}

/// All targets and the loop that works on them.
#[derive(Debug)]
pub struct Fleet<C> {
    setup: Setup<C>,
    queue: Queue,
    desired: Arc<DesiredState>,
    organization: OrganizationMemory,
    accounts: HashMap<Account, AccountMemory>,
    flights: Flights,
    reporter: Reporter,
    /// `None`: there is no end.
    pass: Option<Pass>,
}

/// A single pass.
#[derive(Debug)]
struct Pass {
    /// The targets that have not come to an end.
    unsettled: HashSet<Target>,
    /// When what fails counts as failed.
    deadline: Instant,
}

impl<C: Cloud> Fleet<C> {
    /// A fleet without targets.
    #[must_use]
    pub fn new(setup: Setup<C>) -> Self {
        Self {
            reporter: Reporter::new(setup.metrics.clone()),
            flights: Flights::new(setup.workers),
            setup,
            queue: Queue::default(),
            desired: Arc::default(),
            organization: OrganizationMemory::default(),
            accounts: HashMap::new(),
            pass: None,
        }
    }

    /// Keeps all targets as the newest desired state wants them, until stopped; then lets writes in flight finish.
    pub async fn run(mut self, mut desired: watch::Receiver<Arc<DesiredState>>) {
        let state = Arc::clone(&desired.borrow_and_update());
        self.adopt(state);
        let mut publisher_is_there = true;
        while !self.setup.stop.is_cancelled() {
            self.dispatch();
            let due = self.next_start();
            tokio::select! {
                () = self.setup.stop.cancelled() => break,
                changed = desired.changed(), if publisher_is_there => match changed {
                    Ok(()) => {
                        let state = Arc::clone(&desired.borrow_and_update());
                        self.adopt(state);
                    }
                    Err(_) => publisher_is_there = false,
                },
                Some(landing) = self.flights.land() => self.finish(landing),
                () = wait_until(due) => {}
            }
        }
        self.drain().await;
    }

    /// Looks at every target once, and again for a minute at what may pass by itself; then every state is on the board.
    pub async fn run_once(mut self, desired: Arc<DesiredState>) {
        self.pass = Some(Pass { unsettled: HashSet::new(), deadline: Instant::now() + PATIENCE_OF_ONE_PASS });
        self.adopt(desired);
        while self.pass.as_ref().is_some_and(|pass| !pass.unsettled.is_empty()) && !self.setup.stop.is_cancelled() {
            self.dispatch();
            let due = self.next_start();
            tokio::select! {
                () = self.setup.stop.cancelled() => break,
                Some(landing) = self.flights.land() => self.finish(landing),
                () = wait_until(due) => {}
            }
        }
        self.drain().await;
    }

    /// Takes a desired state into force.
    fn adopt(&mut self, desired: Arc<DesiredState>) {
        let changes = self.organization.want(&desired);
        self.desired = desired;
        self.apply(changes);
        self.adopt_accounts();
    }

    /// Keeps the accounts that are listed and those that the organization comes to, and forgets all others.
    fn adopt_accounts(&mut self) {
        let expansion = self.organization.expansion(&self.desired);
        self.setup.board.set_organization(expansion.as_ref().map(|expansion| expansion.tally));
        let of_organization = expansion.map(|expansion| expansion.accounts).unwrap_or_default();
        let desired = Arc::clone(&self.desired);
        let is_wanted = |account: &Account| desired.accounts.contains_key(account) || of_organization.contains_key(account);
        let gone: Vec<Account> = self.accounts.keys().filter(|account| !is_wanted(account)).copied().collect();
        for account in gone {
            let targets = self.accounts.remove(&account).map(|memory| memory.targets(account)).unwrap_or_default();
            self.apply(targets.into_iter().map(Change::Remove).collect());
        }
        for (account, wanted) in desired.accounts.iter().chain(&of_organization) {
            self.setup.board.name_account(*account, wanted.name.clone());
            let changes = if let Some(memory) = self.accounts.get_mut(account) {
                memory.want(*account, wanted)
            } else {
                let (memory, changes) = AccountMemory::new(*account, wanted);
                self.accounts.insert(*account, memory);
                changes
            };
            self.apply(changes);
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        let time = (self.setup.clock)();
        for change in changes {
            match change {
                Change::Add(target) => {
                    self.setup.board.add(target.clone(), time);
                    self.expect(&target);
                    self.queue.park(target);
                }
                Change::Wake(target) => self.wake(&target, Wake::Hint),
                Change::Redeclare(target) => {
                    self.flights.call_off(&target);
                    self.reporter.redeclared(&target);
                    self.wake(&target, Wake::Redeclared);
                }
                Change::Park(target, why) => {
                    self.flights.call_off(&target);
                    self.reporter.redeclared(&target);
                    self.queue.unschedule(&target);
                    self.setup.board.wait(&target, State::Unknown, why, time);
                }
                Change::Remove(target) => {
                    self.flights.call_off(&target);
                    self.queue.remove(&target);
                    self.setup.board.remove(&target);
                    self.reporter.forget(&target);
                    self.settle(&target);
                }
            }
        }
    }

    fn wake(&mut self, target: &Target, why: Wake) {
        let due = self.queue.wake(target, Instant::now(), why);
        self.expect(target);
        self.show_due(target, due);
    }

    fn show_due(&self, target: &Target, due: Option<Instant>) {
        let time = due.and_then(|due| self.time_of(due));
        self.setup.board.reschedule(target, time);
    }

    /// The time of day of an instant to come.
    fn time_of(&self, due: Instant) -> Option<Timestamp> {
        (self.setup.clock)().checked_add(due.saturating_duration_since(Instant::now())).ok()
    }

    /// A single pass has to look at this target before it ends.
    fn expect(&mut self, target: &Target) {
        if let Some(pass) = &mut self.pass {
            pass.unsettled.insert(target.clone());
        }
    }

    /// A single pass need not look at this target any more.
    fn settle(&mut self, target: &Target) {
        if let Some(pass) = &mut self.pass {
            pass.unsettled.remove(target);
        }
    }

    /// Gives due targets to free workers.
    fn dispatch(&mut self) {
        let now = Instant::now();
        while self.flights.has_room()
            && let Some(target) = self.queue.take(now)
        {
            let Some((job, caller)) = self.job(&target) else {
                // What it stands on has gone since it was woken; it is woken again when that is back.
                let due = self.queue.give_back(&target, now);
                self.show_due(&target, due);
                self.settle(&target);
                continue;
            };
            self.setup.board.begin(&target);
            let (cloud, stop) = (Arc::clone(&self.setup.cloud), self.setup.stop.child_token());
            let stopped = stop.clone();
            self.flights.start(target, stop, async move { job.run(&*cloud, caller, &stopped).await });
        }
    }

    /// The work on a target and as whom it is done, or `None` while it waits for what it stands on.
    fn job(&self, target: &Target) -> Option<(Job, Caller)> {
        if target.resource == Resource::Organization {
            let look = self.organization.look(&self.desired)?;
            return Some((Job::Organization(look), Caller { account: Account::Own, access: Access::Own }));
        }
        let memory = self.accounts.get(&target.account)?;
        Some((memory.job(&target.resource)?, memory.caller(target.account)))
    }

    /// When a target can be started next; `None` while every worker is busy or nothing is scheduled.
    fn next_start(&self) -> Option<Instant> {
        self.queue.next_due().filter(|_| self.flights.has_room())
    }

    /// Enters what a worker brought back.
    fn finish(&mut self, Landing { target, took, errand, report }: Landing) {
        let now = Instant::now();
        if errand == Errand::CalledOff {
            self.tell_what_was_written(&target, report.as_ref(), took);
        }
        let Some(Report { outcome, found }) = report.filter(|_| errand == Errand::Current) else {
            let due = self.queue.give_back(&target, now);
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
        let interval = self.setup.schedule.interval_of(target.resource.kind());
        let delay = next_delay(interval, outcome.next, failures, (self.setup.random)());
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
            Ending::Passing => self.pass.as_ref().is_none_or(|pass| now + delay > pass.deadline),
        };
        if is_settled {
            self.settle(&target);
        }
        self.learn(&target, &outcome, found);
    }

    /// Puts an outcome on the board, counts it and logs it.
    fn tell(&mut self, target: &Target, outcome: &Outcome, due: Option<Instant>, took: Duration) {
        let next_due = due.and_then(|due| self.time_of(due));
        let before = self.setup.board.record(target, outcome, (self.setup.clock)(), next_due);
        let account = self.setup.board.account_label(target.account);
        self.reporter.finished(&account, target, outcome, before, took);
    }

    /// A worker that was called off had begun to write: that is counted and logged, and says nothing about where the target
    /// stands as it is declared now.
    fn tell_what_was_written(&mut self, target: &Target, report: Option<&Report>, took: Duration) {
        let Some(Report { outcome, .. }) = report.filter(|report| !report.outcome.corrections.is_empty()) else { return };
        let account = self.setup.board.account_label(target.account);
        self.reporter.finished(&account, target, outcome, Some(outcome.state), took);
        if self.queue.contains(target) {
            self.reporter.redeclared(target);
        } else {
            self.reporter.forget(target);
        }
    }

    /// Passes on what a look at an account or role means for what stands on it.
    fn learn(&mut self, target: &Target, outcome: &Outcome, found: Found) {
        let Some(memory) = self.accounts.get_mut(&target.account) else { return };
        let (account, reason) = (target.account, outcome.reason.as_deref());
        let changes = match (found, &target.resource) {
            (Found::Account(finding), _) => memory.account_was_looked_at(account, finding),
            (Found::Role(found), _) => memory.role_was_looked_at(account, found, reason),
            (Found::Broken, Resource::Role) => memory.role_is_unreadable(account, reason),
            (Found::Nothing | Found::Organization(_) | Found::Broken, _) => Vec::new(),
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
        let settled = self.pass.as_ref().is_none_or(|pass| !pass.unsettled.contains(account));
        for target in memory.targets(account.account).into_iter().filter(|target| target.resource != Resource::Account) {
            self.setup.board.wait(&target, outcome.state, &reason, time);
            if settled {
                self.settle(&target);
            }
        }
    }

    /// Lets writes in flight finish. Reads have been given up by the stop signal already.
    async fn drain(mut self) {
        if self.flights.count() == 0 {
            return;
        }
        info!(in_flight = self.flights.count(), "finishing what is in flight");
        let deadline = Instant::now() + DRAIN;
        while let Ok(Some(landing)) = tokio::time::timeout_at(deadline, self.flights.land()).await {
            self.finish(landing);
        }
        if self.flights.count() > 0 {
            error!(in_flight = self.flights.count(), "gave up on what is in flight; the next start reads its result from AWS");
            self.flights.abort().await;
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
