//! Wiring: the only file that knows all the others.

mod lead;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::aws::{AwsCloud, AwsOptions, OpenError};
use crate::cloud::{Caller, Cloud};
use crate::desired::access::Access;
use crate::desired::names::{Account, Partition};
use crate::desired::{DesiredState, regions};
use crate::gauges::StateGauges;
use crate::http::{self, Pages};
use crate::leader::election::ElectionError;
use crate::leader::{Election, ElectionOptions, Fence, Fenced};
use crate::metrics::{Metrics, TargetMetrics, TargetSeries};
use crate::reconcile::aim::{Aim, AimedAccount};
use crate::reconcile::fleet::{Fleet, Purpose, Setup};
use crate::reconcile::rivals::Rivalry;
use crate::reconcile::schedule::{Schedule, Waits};
use crate::source::{Loaded, Source, SourceError};
use crate::status::StatusBoard;
use crate::target::{Resource, State};
use crate::version::VERSION;

/// How long answers under way may take when everything else has stopped.
const HTTP_DRAIN: Duration = Duration::from_secs(2);

/// Everything that a flag can set.
#[derive(Debug, Clone)]
pub struct Options {
    /// The desired state.
    pub config: PathBuf,
    /// From one look at a target to the next.
    pub interval: Duration,
    /// From one list of the organization's accounts to the next.
    pub organization_interval: Duration,
    /// How many targets are worked on at a time.
    pub workers: usize,
    /// When a target counts as fought over.
    pub rivalry: Rivalry,
    /// Whether each target has series of its own.
    pub target_metrics: TargetMetrics,
    /// How replicas agree which of them writes. `None`: there is one.
    pub election: Option<ElectionOptions>,
    /// How to reach AWS.
    pub aws: AwsOptions,
}

/// The controller cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The desired state is of no use.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// AWS cannot even be tried.
    #[error(transparent)]
    Aws(#[from] OpenError),
    /// Replicas cannot agree which of them writes.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The metrics contradict each other: a defect.
    #[error("the metrics cannot be registered; this is a defect of the controller, please report it")]
    Metrics(#[from] prometheus::Error),
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Signals cannot be listened to.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// A controller that is set up and has not begun.
#[derive(Debug)]
pub struct App {
    cloud: Arc<AwsCloud>,
    schedule: Schedule,
    workers: usize,
    rivalry: Rivalry,
    source: Source,
    board: Arc<StatusBoard>,
    metrics: Metrics,
    election: Option<Election>,
    fence: Fence,
    stop: CancellationToken,
}

/// How a single pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassResult {
    /// Every target was read and is as declared.
    InSync,
    /// Every target was read, and some are not as declared.
    DriftRemains,
    /// Some target could not be read.
    Unread,
}

impl App {
    /// Reads the desired state and sets everything up. Calls nobody yet.
    pub async fn new(options: Options, stop: CancellationToken) -> Result<Self, StartError> {
        let source = Source::open(options.config, Timestamp::now).await?;
        let (interval, rivalry) = (options.interval, options.rivalry);
        if !rivalry.is_seen_at(interval) {
            let (corrections, window) = (rivalry.corrections, rivalry.window);
            warn!(
                ?interval,
                ?window,
                corrections,
                "looks are too far apart for so many corrections within the window: nobody who undoes them each time will be told \
                 (--interval, --rival-window, --rival-corrections)"
            );
        }
        let (election, fence) = match options.election {
            Some(options) => Box::pin(Election::new(options)).await.map(|(election, fence)| (Some(election), fence))?,
            None => (None, Fence::always_open()),
        };
        let board = Arc::new(StatusBoard::default());
        let series = TargetSeries::new(options.target_metrics, Arc::clone(&board));
        let metrics = Metrics::new(VERSION)?.with_series(series.clone());
        let gauges = StateGauges::new(Arc::clone(&board), series, source.status(), fence.clone(), Timestamp::now)?;
        metrics.register(Box::new(gauges))?;
        let partition = partition_of(&source.loaded().borrow().state).unwrap_or(options.aws.fallback_partition);
        let aws = AwsOptions { fallback_partition: partition, ..options.aws };
        let cloud = Arc::new(Box::pin(AwsCloud::open(aws, metrics.aws.clone())).await?);
        let schedule = Schedule {
            interval: options.interval,
            organization_interval: options.organization_interval,
            waits: Waits::default(),
        };
        Ok(Self { cloud, schedule, workers: options.workers, rivalry, source, board, metrics, election, fence, stop })
    }

    fn setup<C>(&self, cloud: Arc<C>, board: &Arc<StatusBoard>) -> Setup<C> {
        Setup {
            cloud,
            board: Arc::clone(board),
            metrics: self.metrics.clone(),
            schedule: self.schedule,
            workers: self.workers,
            rivalry: self.rivalry,
            clock: Timestamp::now,
            random: fastrand::f64,
            stop: self.stop.clone(),
        }
    }

    /// The states of all targets, for who runs the controller inside another program.
    #[must_use]
    pub fn board(&self) -> Arc<StatusBoard> {
        Arc::clone(&self.board)
    }

    /// Runs until stopped. HTTP comes first and goes last; the lease is given back when nothing is on its way to AWS any more.
    pub async fn run(self, listener: TcpListener, reload: Arc<Notify>) -> io::Result<()> {
        let cloud = Arc::new(Fenced::new(Arc::clone(&self.cloud), self.fence.clone()));
        let setup = self.setup(cloud, &self.board);
        let Self { source, board, metrics, election, fence, stop, .. } = self;
        let http_stop = CancellationToken::new();
        let pages = Pages { metrics, board, source: source.status(), fence: fence.clone(), version: VERSION };
        let http = tokio::spawn(http::serve(listener, http::router(pages), http_stop.clone()));

        let (publish, desired) = watch::channel(Arc::clone(&source.loaded().borrow().state));
        let tasks = TaskTracker::new();
        tasks.spawn(forward(source.loaded(), publish, stop.clone()));
        tasks.spawn(source.run(reload, stop.clone()));
        tasks.close();
        let goodbye = CancellationToken::new();
        let mut elected = tokio::spawn(take_part(election, goodbye.clone()));
        // On a worker thread like the work it gives out: from the main thread, every target would cost two changes of thread.
        let mut work = tokio::spawn(lead::whenever_open(fence, setup, desired));
        let (ended, elected) = tokio::select! {
            ended = &mut work => {
                goodbye.cancel();
                (ended, elected.await)
            }
            // Nobody would ever let this replica write again.
            elected = &mut elected => {
                stop.cancel();
                (work.await, elected)
            }
        };
        // The others end with it, whatever it ended of.
        stop.cancel();
        tasks.wait().await;
        http_stop.cancel();
        // A client that does not read its answer does not keep the process.
        let served = tokio::time::timeout(HTTP_DRAIN, http).await;
        info!("stopped");
        ended.map_err(|error| io::Error::other(format!("the work on the targets broke off: {error}")))?;
        elected.map_err(|error| io::Error::other(format!("leader election broke off: {error}")))?;
        served.map_or(Ok(()), |served| served.map_err(io::Error::other)?)
    }

    /// The same aim in the words of the desired state, which may have the own account by its id, or as its own.
    pub async fn resolve(&self, aim: &Aim) -> Aim {
        let Aim::Account { account, part } = aim else { return aim.clone() };
        let state = Arc::clone(&self.source.loaded().borrow().state);
        let declares = |account| state.accounts.contains_key(&account);
        let own = Caller { account: Account::Own, access: Access::Own };
        let account = match account {
            AimedAccount::Id(id) if declares(Account::Own) && !declares(Account::Id(*id)) => {
                // Whoever cannot be asked cannot be read either, and the pass says so.
                let is_own = self.cloud.identity(&own).await.map_or(true, |identity| identity.account == *id);
                if is_own { AimedAccount::Own } else { AimedAccount::Id(*id) }
            }
            AimedAccount::Own if !declares(Account::Own) => {
                self.cloud.identity(&own).await.map_or(AimedAccount::Own, |identity| AimedAccount::Id(identity.account))
            }
            other => other.clone(),
        };
        Aim::Account { account, part: part.clone() }
    }

    /// Looks once at what a purpose aims at, and puts every state on a board of the pass's own.
    pub async fn pass(&self, purpose: Purpose, board: &Arc<StatusBoard>) -> PassResult {
        let state = Arc::clone(&self.source.loaded().borrow().state);
        Fleet::new(self.setup(Arc::clone(&self.cloud), board)).run_once(state, purpose).await;
        let mut result = PassResult::InSync;
        board.each(|_, target, status| {
            // Whoever cannot be verified has not been read, whatever was seen.
            let was_read = status.last_observed.is_some() && target.resource != Resource::Account;
            result = match (result, status.state, was_read) {
                (PassResult::Unread, ..) | (_, State::Unknown, _) | (_, State::Blocked, false) => PassResult::Unread,
                (before, State::InSync, _) => before,
                _ => PassResult::DriftRemains,
            };
        });
        let [in_sync, drifted, held, contended, blocked, unknown] = State::ALL.map(|state| board.count(state));
        info!(in_sync, drifted, held, contended, blocked, unknown, "the pass has ended");
        result
    }
}

/// Binds the port, so that a taken one is a bad start.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

/// Takes part in the election, if there is one, until there is nothing more to write.
async fn take_part(election: Option<Election>, goodbye: CancellationToken) {
    match election {
        Some(election) => election.run(goodbye).await,
        None => goodbye.cancelled().await,
    }
}

/// Passes each newly loaded state on. A comment edit changes the bytes and not the state, and wakes nobody.
async fn forward(mut loaded: watch::Receiver<Arc<Loaded>>, publish: watch::Sender<Arc<DesiredState>>, stop: CancellationToken) {
    while let Some(Ok(())) = stop.run_until_cancelled(loaded.changed()).await {
        let state = Arc::clone(&loaded.borrow_and_update().state);
        publish.send_if_modified(|before| {
            let differs = *before != state;
            *before = state;
            differs
        });
    }
}

/// The partition of the document's regions, for STS when nothing else names a region.
pub(crate) fn partition_of(state: &DesiredState) -> Option<Partition> {
    let listed = state.accounts.values().flat_map(|account| account.regions.keys());
    let levels =
        state.organization.iter().flat_map(|one| [&one.defaults].into_iter().chain(one.overrides.iter().map(|one| &one.level)));
    listed.chain(levels.flat_map(|level| level.regions.keys())).find_map(regions::partition_of)
}
