//! The workers: what each is at work on, since when, and how to call it off. A bounded number at a time.
//!
//! A look that AWS keeps waiting gives its worker to another after a while, and goes on beside: then it is no work. There is
//! room for a bounded number of those too.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::Report;
use crate::target::Target;

/// How long a look may keep its worker waiting. AWS answers within a fraction of this; a look that makes many calls and takes
/// longer loses nothing by it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// So many looks may go on beside those that have a worker, or as many as there are workers if that is more. Each is a task
/// and a connection.
pub(super) const BESIDE: usize = 192;

/// Work under way.
#[derive(Debug)]
pub(super) struct Flights {
    most: usize,
    workers: JoinSet<Option<Report>>,
    running: HashMap<Id, Flight>,
    /// In the order in which they began; those that are back leave when it is their turn.
    by_age: VecDeque<(Instant, Id)>,
    /// How many of the running have been waiting for longer than anybody's patience.
    waiting: usize,
}

#[derive(Debug)]
struct Flight {
    target: Target,
    began: Instant,
    stop: CancellationToken,
    errand: Errand,
    keeps_waiting: bool,
}

/// Whether anybody still wants what a worker brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// It is about the declaration in force.
    Current,
    /// It was called off: it is about a declaration that is not in force any more.
    CalledOff,
}

/// A worker that is back.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) target: Target,
    pub(super) took: Duration,
    pub(super) errand: Errand,
    /// `None`: it was called off before it wrote anything.
    pub(super) report: Option<Report>,
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self { most, workers: JoinSet::new(), running: HashMap::new(), by_age: VecDeque::new(), waiting: 0 }
    }

    pub(super) fn has_room(&self) -> bool {
        self.workers.len() - self.waiting.min(self.most.max(BESIDE)) < self.most
    }

    pub(super) fn count(&self) -> usize {
        self.workers.len()
    }

    /// Begins work that ends early when `stop` is cancelled.
    pub(super) fn start(
        &mut self,
        target: Target,
        stop: CancellationToken,
        work: impl Future<Output = Option<Report>> + Send + 'static,
    ) {
        let handle = self.workers.spawn(work);
        let began = Instant::now();
        self.by_age.push_back((began, handle.id()));
        self.running.insert(handle.id(), Flight { target, began, stop, errand: Errand::Current, keeps_waiting: false });
    }

    /// When somebody's patience ends next, if nothing comes back before.
    pub(super) fn next_impatience(&mut self) -> Option<Instant> {
        while self.by_age.front().is_some_and(|(_, id)| !self.running.contains_key(id)) {
            self.by_age.pop_front();
        }
        self.by_age.front().map(|(began, _)| *began + PATIENCE)
    }

    /// What has been kept waiting for too long since this was last asked. It does not count as a worker's any more.
    pub(super) fn give_up_waiting(&mut self, now: Instant) -> Vec<Target> {
        let mut targets = Vec::new();
        while self.next_impatience().is_some_and(|at| at <= now) {
            let Some(flight) = self.by_age.pop_front().and_then(|(_, id)| self.running.get_mut(&id)) else { break };
            flight.keeps_waiting = true;
            self.waiting += 1;
            targets.push(flight.target.clone());
        }
        targets
    }

    /// Calls off work that nobody wants any more. A write that has begun is finished all the same.
    pub(super) fn call_off(&mut self, target: &Target) {
        for flight in self.running.values_mut().filter(|flight| flight.target == *target) {
            flight.stop.cancel();
            flight.errand = Errand::CalledOff;
        }
    }

    /// Waits for the next worker to come back; `None` when there is none. Cancel-safe.
    pub(super) async fn land(&mut self) -> Option<Landing> {
        let (id, report) = match self.workers.join_next_with_id().await? {
            Ok((id, report)) => (id, report),
            Err(failed) => (failed.id(), Some(Report::broken(&failed))),
        };
        let Flight { target, began, errand, keeps_waiting, .. } = self.running.remove(&id)?;
        self.waiting -= usize::from(keeps_waiting);
        Some(Landing { target, took: began.elapsed(), errand, report })
    }

    /// Ends everything at once.
    pub(super) async fn abort(&mut self) {
        self.workers.shutdown().await;
    }
}
