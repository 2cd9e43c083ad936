//! The workers: what each is at work on, since when, and how to call it off. A bounded number at a time.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::Report;
use crate::target::Target;

/// Work under way.
#[derive(Debug)]
pub(super) struct Flights {
    most: usize,
    workers: JoinSet<Option<Report>>,
    running: HashMap<Id, Flight>,
}

#[derive(Debug)]
struct Flight {
    target: Target,
    began: Instant,
    stop: CancellationToken,
    errand: Errand,
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
        Self { most, workers: JoinSet::new(), running: HashMap::new() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.workers.len() < self.most
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
        self.running.insert(handle.id(), Flight { target, began: Instant::now(), stop, errand: Errand::Current });
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
        let Flight { target, began, errand, .. } = self.running.remove(&id)?;
        Some(Landing { target, took: began.elapsed(), errand, report })
    }

    /// Ends everything at once.
    pub(super) async fn abort(&mut self) {
        self.workers.shutdown().await;
    }
}
