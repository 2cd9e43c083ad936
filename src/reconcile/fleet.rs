//! All targets of the desired state, and the one loop that works on them.
//!
//! The loop owns everything: the queue, what is known of each account, the workers. It adds and removes targets as the
//! desired state changes, gives due targets to a bounded number of workers, and enters what comes back. Order within an
//! account is by waiting: the role waits for the account, settings wait for the role; nothing locks.

mod adopt;
mod finish;
mod guarded;
mod pass;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::Intent;
use super::flights::Flights;
use super::guard::Guard;
use super::job::Job;
use super::membership::AccountMemory;
use super::organization::OrganizationMemory;
use super::queue::Queue;
use super::report::Reporter;
use super::rivals::{Rivalry, Rivals};
use super::schedule::Schedule;
use crate::cloud::{Caller, Cloud};
use crate::desired::DesiredState;
use crate::desired::access::Access;
use crate::desired::names::Account;
use crate::metrics::Metrics;
use crate::plan::Restraint;
use crate::status::StatusBoard;
use crate::target::{Resource, Target};
use pass::Pass;
pub use pass::{Look, PATIENCE_OF_ONE_PASS, Purpose};

/// How long a shutdown waits for writes in flight, with their read-backs. Kubernetes kills after 30 seconds by default.
pub const DRAIN: Duration = Duration::from_secs(25);
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
    /// When a target counts as fought over.
    pub rivalry: Rivalry,
    /// The time of day, for people; due times use the monotonic clock.
    pub clock: fn() -> Timestamp,
    /// Random in 0..1, for jitter.
    pub random: fn() -> f64,
    /// Cancelled to stop.
    pub stop: CancellationToken,
}

impl<C> Setup<C> {
    /// The same, until another stop.
    #[must_use]
    pub fn until(&self, stop: CancellationToken) -> Self {
        let Self { cloud, board, metrics, schedule, workers, rivalry, clock, random, stop: _ } = self;
        Self {
            cloud: Arc::clone(cloud),
            board: Arc::clone(board),
            metrics: metrics.clone(),
            schedule: *schedule,
            workers: *workers,
            rivalry: *rivalry,
            clock: *clock,
            random: *random,
            stop,
        }
    }
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
    guard: Guard,
    rivals: Rivals,
    /// `None`: there is no end.
    pass: Option<Pass>,
}

impl<C: Cloud> Fleet<C> {
    /// A fleet without targets.
    #[must_use]
    pub fn new(setup: Setup<C>) -> Self {
        Self {
            reporter: Reporter::new(setup.metrics.clone()),
            flights: Flights::new(setup.workers),
            queue: Queue::of(setup.workers),
            desired: Arc::default(),
            organization: OrganizationMemory::default(),
            accounts: HashMap::new(),
            guard: Guard::default(),
            rivals: Rivals::new(setup.rivalry),
            pass: None,
            setup,
        }
    }

    /// Keeps all targets as the newest desired state wants them, until stopped; then lets writes in flight finish.
    pub async fn run(mut self, desired: watch::Receiver<Arc<DesiredState>>) {
        self.keep(desired).await;
    }

    /// The same, for who hands over then.
    pub async fn keep(&mut self, mut desired: watch::Receiver<Arc<DesiredState>>) {
        let state = Arc::clone(&desired.borrow_and_update());
        self.adopt(state);
        let mut publisher_is_there = true;
        while !self.setup.stop.is_cancelled() {
            self.dispatch();
            let due = self.next_turn();
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
    pub async fn run_once(mut self, desired: Arc<DesiredState>, purpose: Purpose) {
        self.guard = Guard::aimed_at(purpose.aim.clone());
        self.pass = Some(Pass::new(purpose));
        self.adopt(desired);
        while self.pass.as_ref().is_some_and(|pass| !pass.is_over()) && !self.setup.stop.is_cancelled() {
            self.dispatch();
            let due = self.next_turn();
            tokio::select! {
                () = self.setup.stop.cancelled() => break,
                Some(landing) = self.flights.land() => self.finish(landing),
                () = wait_until(due) => {}
            }
        }
        self.drain().await;
    }

    /// Another replica works on all of it from now on: takes everything down, and leaves what drift is open to that one.
    pub fn hand_over(mut self) {
        self.reporter.hands_over();
        self.guard.hands_over();
        self.adopt(Arc::default());
    }

    /// A single pass has to look at this target before it ends.
    fn expect(&mut self, target: &Target) {
        if let Some(pass) = &mut self.pass {
            pass.expect(target);
        }
    }

    /// A single pass need not look at this target any more.
    fn settle(&mut self, target: &Target) {
        if let Some(pass) = &mut self.pass {
            pass.settle(target);
        }
    }

    /// Gives due targets to free workers, of which some may have waited for AWS for long enough.
    fn dispatch(&mut self) {
        let now = Instant::now();
        for target in self.flights.give_up_waiting(now) {
            self.queue.keeps_waiting(&target);
        }
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
            let (stopped, intent) = (stop.clone(), self.pass.as_ref().map_or(Intent::Correct, Pass::intent));
            self.flights.start(target, stop, async move { job.run(&*cloud, caller, intent, &stopped).await });
        }
    }

    /// The work on a target and as whom it is done, or `None` while it waits for what it stands on.
    fn job(&self, target: &Target) -> Option<(Job, Caller)> {
        if target.resource == Resource::Organization {
            let look = self.organization.look(&self.desired)?;
            return Some((Job::Organization(look), Caller { account: Account::Own, access: Access::Own }));
        }
        let memory = self.accounts.get(&target.account)?;
        let removals = self.guard.removals(memory.sightings.part(&target.resource));
        let contention = self.rivals.contention(target, Instant::now(), (self.setup.clock)());
        let job = memory.job(&target.resource)?.under(Restraint { removals, contention });
        Some((job, memory.caller(target.account)))
    }

    /// When a target can be started next, or a worker is to be freed; `None` while there is nothing to wait for but what is in
    /// flight.
    fn next_turn(&mut self) -> Option<Instant> {
        let start = self.queue.next_due().filter(|_| self.flights.has_room());
        start.into_iter().chain(self.flights.next_impatience()).min()
    }

    /// Lets writes in flight finish. Reads have been given up by the stop signal already.
    async fn drain(&mut self) {
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
