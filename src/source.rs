//! Watches the desired state, a file or a directory of files, keeps the last good one, and publishes every change of it.
//!
//! Looks at the content, not at file events: a mounted `ConfigMap` swaps a link far above the file, and an editor puts
//! another file in its place. A file that cannot be read or used changes nothing but the status. What the content means is
//! for `desired` to say. Called by `app`.

mod directory;
mod file;
mod look;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::desired::{DesiredState, Problems};
pub use look::{Content, EntryError, ReadError, read};

/// From one look to the next. Two looks have to agree, so an edit is in force after a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How many problems of one document the log and the status tell. The rest is only counted.
const MOST_PROBLEMS_TOLD: usize = 50;

/// The first problems, one a line, and how many more there are.
fn told(problems: &Problems, config: &str) -> String {
    let mut lines: Vec<String> =
        problems.iter().take(MOST_PROBLEMS_TOLD).map(|problem| problem.in_file(config).to_string()).collect();
    let rest = problems.iter().count().saturating_sub(MOST_PROBLEMS_TOLD);
    if rest > 0 {
        lines.push(format!("{config}: and {rest} more"));
    }
    lines.join("\n")
}

/// A desired state in force.
#[derive(Debug)]
pub struct Loaded {
    /// What is wanted.
    pub state: Arc<DesiredState>,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
    /// When it was taken.
    pub at: Timestamp,
}

/// How the file is doing: for the status API and the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// SHA-256 of the content in force.
    pub hash: [u8; 32],
    /// When a content was last taken, be it the same one again.
    pub loaded_at: Timestamp,
    /// When the file was last judged, with whatever result.
    pub judged_at: Timestamp,
    /// Why what is there now is not in force: one problem a line. `None`: it is in force.
    pub problem: Option<String>,
}

impl SourceStatus {
    /// Whether the file as it is now is in force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.problem.is_none()
    }
}

/// The first reading failed: there is no last good state to go on with.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file could not be read.
    #[error("cannot read the desired state {}: {reason}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not, and what to do.
        reason: ReadError,
    },
    /// The file was read and is no desired state.
    #[error("the desired state cannot be used:\n{}", told(problems, &path.display().to_string()))]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// All that is wrong with it.
        problems: Problems,
    },
}

/// What made us look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// The time: what is new has to be seen twice, because a file that is being written may be half there.
    Poll,
    /// Somebody who says that the file is ready.
    Reload,
}

/// What tells one look from another.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    Content([u8; 32]),
    Nothing(String),
}

/// The watched file.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    clock: fn() -> Timestamp,
    interval: Duration,
    /// What the status speaks of.
    judged: Sight,
    /// What was seen once.
    seen: Option<Sight>,
    loaded: watch::Sender<Arc<Loaded>>,
    status: watch::Sender<SourceStatus>,
}

impl Source {
    /// Reads the file for the first time.
    pub async fn open(path: PathBuf, clock: fn() -> Timestamp) -> Result<Self, SourceError> {
        let content = match look::look(&path).await {
            Ok(content) => content,
            Err(reason) => return Err(SourceError::Unreadable { path, reason }),
        };
        let hash = content.hash;
        let state = match content.load() {
            Ok(state) => Arc::new(state),
            Err(problems) => return Err(SourceError::Unusable { path, problems }),
        };
        let now = clock();
        Ok(Self {
            path,
            clock,
            interval: POLL_INTERVAL,
            judged: Sight::Content(hash),
            seen: None,
            loaded: watch::Sender::new(Arc::new(Loaded { state, hash, at: now })),
            status: watch::Sender::new(SourceStatus { hash, loaded_at: now, judged_at: now, problem: None }),
        })
    }

    /// The same, looking at another interval.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// The desired state in force. Notified when what is wanted changes; a changed comment is no such change, though the
    /// hash that is to be seen here follows it.
    #[must_use]
    pub fn loaded(&self) -> watch::Receiver<Arc<Loaded>> {
        self.loaded.subscribe()
    }

    /// How the file is doing.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<SourceStatus> {
        self.status.subscribe()
    }

    /// Keeps looking until stopped. A reload is a look at once, and one that is believed.
    pub async fn run(mut self, reload: Arc<Notify>, stop: CancellationToken) {
        let mut poll = time::interval(self.interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Cancel-safe: a notification that is not awaited in time stays a permit, and a tick comes again.
            let trigger = tokio::select! {
                () = stop.cancelled() => return,
                () = reload.notified() => Trigger::Reload,
                _ = poll.tick() => Trigger::Poll,
            };
            // A file system that hangs does not keep the process from stopping.
            let Some(look) = stop.run_until_cancelled(look::look(&self.path)).await else { return };
            self.consider(look, trigger);
        }
    }

    /// Decides whether what was seen is worth judging.
    fn consider(&mut self, look: Result<Content, ReadError>, trigger: Trigger) {
        let sight = match &look {
            Ok(content) => Sight::Content(content.hash),
            Err(reason) => Sight::Nothing(reason.to_string()),
        };
        if trigger == Trigger::Poll {
            if sight == self.judged {
                self.seen = None;
                return;
            }
            if self.seen.as_ref() != Some(&sight) {
                self.seen = Some(sight);
                return;
            }
        }
        self.seen = None;
        self.judged = sight;
        match look {
            Ok(content) => match content.load() {
                Ok(state) => self.take(state, content.hash),
                Err(problems) => self.refuse(&problems),
            },
            Err(reason) => self.miss(&reason),
        }
    }

    /// Puts a state into force.
    fn take(&self, state: DesiredState, hash: [u8; 32]) {
        let now = (self.clock)();
        let changed = self.loaded.send_if_modified(|loaded| {
            let changed = *loaded.state != state;
            // The old state stays the same allocation if it is still what is wanted: comparing it again is cheap.
            let state = if changed { Arc::new(state) } else { Arc::clone(&loaded.state) };
            *loaded = Arc::new(Loaded { state, hash, at: now });
            changed
        });
        let before = self.status.send_replace(SourceStatus { hash, loaded_at: now, judged_at: now, problem: None });
        let (config, hash) = (self.path.display(), hex(&hash));
        if changed {
            info!(%config, hash, "the desired state changed");
        } else if before.problem.is_some() {
            info!(%config, hash, "the desired state is in force again, unchanged");
        } else {
            info!(%config, hash, "the desired state was read again and is unchanged");
        }
    }

    /// Tells what is wrong with a content.
    fn refuse(&self, problems: &Problems) {
        let config = self.path.display().to_string();
        let count = problems.iter().count();
        for problem in problems.iter().take(MOST_PROBLEMS_TOLD) {
            error!(
                config,
                file = problem.file.as_deref(),
                line = problem.line,
                column = problem.column,
                path = problem.path,
                "{}",
                problem.in_file(&config)
            );
        }
        error!(config, problems = count, "the edit is not in force; the last good desired state is kept");
        self.out_of_force(told(problems, &config));
    }

    /// Tells that there is no content.
    fn miss(&self, reason: &ReadError) {
        error!(config = %self.path.display(), %reason, "the desired state cannot be read; the last good one is kept");
        self.out_of_force(reason.told(&self.path));
    }

    fn out_of_force(&self, problem: String) {
        let now = (self.clock)();
        self.status.send_modify(|status| {
            status.judged_at = now;
            status.problem = Some(problem);
        });
    }
}

/// A hash as people compare it.
#[must_use]
pub fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(digit.into(), 16));
        }
        text
    })
}
