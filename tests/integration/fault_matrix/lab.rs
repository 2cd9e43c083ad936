//! A controller before an AWS of its own: the real fleet over the real SDK, on a schedule that tests can wait for.
//!
//! The clock is a real one: on tokio's paused clock every timeout would run out at once, because to it a task that waits for a
//! socket is idle. So the waits are short here, and a delay is told by which of the schedule's it is.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sandbox::{Call as Made, Options, Outcome, Sandbox};
use dhmc_controller::aws::{AwsCloud, AwsOptions, Patience};
use dhmc_controller::cloud::Retry;
use dhmc_controller::desired::{DesiredState, load};
use dhmc_controller::metrics::Metrics;
use dhmc_controller::outcome::Next;
use dhmc_controller::reconcile::fleet::{Fleet, Setup};
use dhmc_controller::reconcile::rivals::Rivalry;
use dhmc_controller::reconcile::schedule::{Doubling, Schedule, Waits};
use dhmc_controller::status::{Activity, StatusBoard};
use dhmc_controller::target::{ResourceKind, State};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::calls::Call;
use crate::harness::{DEADLINE, document};
use crate::referee::credentials_of;

/// How much shorter timeouts are here, where one has to run out.
const SHORTER: u32 = 4;

/// A controller and its AWS.
pub struct Lab {
    pub sandbox: Sandbox,
    board: Arc<StatusBoard>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _desired: watch::Sender<Arc<DesiredState>>,
}

/// What is told of a target once the fault has met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub state: State,
    pub reason: Option<String>,
    pub next: Delay,
}

/// Which of the schedule's delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    pub next: Next,
    pub failures: u32,
}

/// A file with one certificate. Nothing here is encrypted, and to read all that the system trusts would be half of the work.
fn certificates() -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let one = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), one.cert.pem()).unwrap();
        folder
    });
    folder.path().join("ca.pem")
}

/// What the controller does outside of tests.
pub fn real_schedule() -> Schedule {
    let interval = Duration::from_mins(5);
    Schedule { interval, organization_interval: interval, waits: Waits::default() }
}

/// The same, sooner; none of the first delays is near another.
fn short_schedule() -> Schedule {
    let real = real_schedule();
    let sooner = |wait: Doubling, millis| Doubling { first: Duration::from_millis(millis), ..wait };
    let Waits { passing, applying, refused } = real.waits;
    let waits = Waits { passing: sooner(passing, 600), applying: sooner(applying, 600), refused: sooner(refused, 1000) };
    Schedule { waits, ..real }
}

/// The SDK's pauses are skipped, and timeouts are as they are.
pub fn no_pauses(patience: Patience) -> Patience {
    Patience { first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(1), ..patience }
}

/// The same with shorter timeouts, as many of which fit into one another.
pub fn short_timeouts(patience: Patience) -> Patience {
    Patience { attempt: patience.attempt / SHORTER, call: patience.call / SHORTER, ..no_pauses(patience) }
}

/// Longer than an attempt waits where timeouts are short, and shorter than it does elsewhere.
pub fn too_slow() -> Duration {
    Patience::OF_CALLS.attempt / SHORTER * 3
}

impl Lab {
    /// Waits until a call has met its fault.
    pub async fn hit(&self, call: &Call) {
        let hits = || self.sandbox.journal().count_matching(&call.filter());
        self.until(&format!("{} has met the fault", call.name()), || hits() > 0).await;
    }

    /// Brings AWS into the state in which a call is made, and the fault with it; then starts the controller.
    pub async fn start(call: &Call, patience: fn(Patience) -> Patience, fault: impl FnOnce(&Sandbox)) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let spec = call.prepare(&sandbox);
        fault(&sandbox);
        let aws = AwsOptions {
            endpoint_url: Some(sandbox.url()),
            credentials: Some(credentials_of(&sandbox)),
            ca_bundle: Some(certificates()),
            patience: patience(Patience::OF_CALLS),
            patience_of_lists: patience(Patience::OF_LISTS),
            ..AwsOptions::default()
        };
        let (board, metrics, stop) = (Arc::new(StatusBoard::default()), Metrics::new("test").unwrap(), CancellationToken::new());
        let fleet = Fleet::new(Setup {
            rivalry: Rivalry::default(),
            cloud: Arc::new(AwsCloud::open(aws, metrics.aws.clone()).await.unwrap()),
            board: Arc::clone(&board),
            metrics,
            schedule: short_schedule(),
            workers: 8,
            clock: Timestamp::now,
            random: || 0.5,
            stop: stop.clone(),
        });
        let state = load(document(&spec).as_bytes()).unwrap_or_else(|problems| panic!("{spec}: {problems:?}"));
        let (desired, receiver) = watch::channel(Arc::new(state));
        Self { sandbox, board, stop, task: tokio::spawn(fleet.run(receiver)), _desired: desired }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("the controller stops").unwrap();
    }

    /// Waits until the call has met its fault, and its target has been told about.
    pub async fn told_of(&self, call: &Call) -> Told {
        self.hit(call).await;
        let mut told = None;
        self.until(&format!("something is told of {}", call.target), || {
            told = self.told(call.target);
            told.is_some()
        })
        .await;
        told.unwrap()
    }

    /// Waits on a condition that takes no time to look at; may be spawned.
    async fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let end = Instant::now() + DEADLINE;
        while !condition() {
            if Instant::now() > end {
                let mut board = Vec::new();
                self.board.each(|_, target, status| board.push(format!("{target}: {:?}, {:?}", status.state, status.reason)));
                panic!("not within {DEADLINE:?}: {what}; {board:#?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is told of a target that has been looked at and is waiting for its time.
    fn told(&self, name: &str) -> Option<Told> {
        let mut told = None;
        self.board.each(|_, target, status| {
            let is_it = target.region_label() == name || target.resource_label() == name;
            if let (true, Activity::Idle, Some(at), Some(due)) = (is_it, status.activity, status.last_attempt, status.next_due) {
                let wait = Duration::try_from(due.duration_since(at)).unwrap_or_default();
                let next = Delay::of(target.resource.kind(), wait);
                told = Some(Told { state: status.state, reason: status.reason.as_ref().map(ToString::to_string), next });
            }
        });
        told
    }

    /// Waits until a target is in sync.
    pub async fn in_sync(&self, name: &str) {
        self.until(&format!("{name} is in sync"), || self.told(name).is_some_and(|told| told.state == State::InSync)).await;
    }

    /// Waits until every target is in sync, and as many as there are to be.
    pub async fn all_in_sync(&self, what: &str, targets: Option<u32>) -> u32 {
        self.until(&format!("{what}: everything is in sync"), || {
            let (all, in_sync) = (self.board.len(), self.board.count(State::InSync));
            // A board with nothing but the account on it only seems well.
            all > 2 && all == in_sync && targets.is_none_or(|targets| targets == all)
        })
        .await;
        self.board.len()
    }

    /// The calls since one was first made that are about the same target.
    pub fn calls_since_first(&self, call: &Call) -> Vec<Made> {
        let calls = self.sandbox.journal().calls();
        let first = self.sandbox.journal().matching(&call.filter()).first().map_or(u64::MAX, |first| first.sequence);
        let is_related = |made: &Made| {
            let of_region = call.service != "ssm" || made.region == super::calls::REGION;
            (made.service == call.service && of_region) || (call.service == "ssm" && made.service == "account")
        };
        calls.into_iter().filter(|made| made.sequence >= first && is_related(made)).collect()
    }

    /// The writes that AWS has carried out for the controller, in order of their names.
    pub fn carried_out(&self) -> Vec<String> {
        let is_done = |made: &Made| !matches!(made.outcome, Outcome::Failed { .. } | Outcome::DroppedBeforeActing);
        let writes = self.sandbox.journal().writes().into_iter().filter(is_done);
        let told =
            |made: Made| format!("{} {} {}:{} {}", made.account, made.region, made.service, made.operation, made.parameters);
        let mut writes: Vec<String> = writes.map(told).collect();
        writes.sort();
        writes
    }
}

impl Delay {
    /// Of all delays that the schedule knows, the nearest one.
    fn of(kind: ResourceKind, wait: Duration) -> Self {
        let nexts = [Next::Interval, Next::Soon, Next::Retry(Retry::Backoff), Next::Retry(Retry::Slow)];
        let all = nexts.into_iter().flat_map(|next| (1..=4).map(move |failures| Self { next, failures }));
        let distance = |delay: &Self| {
            let expected = short_schedule().delay(kind, delay.next, delay.failures, 0.5).as_secs_f64();
            (wait.as_secs_f64() / expected).ln().abs()
        };
        all.min_by(|one, other| distance(one).total_cmp(&distance(other))).unwrap()
    }
}
