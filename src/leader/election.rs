//! Takes part in the election: looks at the lease, takes and renews it, and opens and shuts the fence.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Config};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Fence;
use super::fence::Gatekeeper;
use super::herald::{Cause, Herald, Standing};
use super::lease::{CallError, LeaseAccess};
use super::terms::{Move, Presence, Sighting, Timing, TimingError, next_move};

/// How long a goodbye may take. Without it, others wait for the lease to end.
const GOODBYE: Duration = Duration::from_secs(2);

/// What an election is about.
#[derive(Clone)]
pub struct ElectionOptions {
    /// The lease.
    pub name: String,
    /// Where it is. `None`: the namespace of the pod, or of the current context.
    pub namespace: Option<String>,
    /// What this replica calls itself. No other one may call itself the same.
    pub identity: String,
    /// How long each thing may take.
    pub timing: Timing,
    /// The API server. `None`: that of the pod's cluster, or of the current context.
    pub cluster: Option<Config>,
    /// The time of day, for people who read the lease.
    pub clock: fn() -> Timestamp,
    /// Random in 0..1, so that replicas do not ask in step.
    pub random: fn() -> f64,
}

/// Without what is said of the API server: there may be credentials in it.
impl fmt::Debug for ElectionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, namespace, identity, timing, .. } = self;
        let mut shown = f.debug_struct("ElectionOptions");
        shown.field("name", name).field("namespace", namespace).field("identity", identity).field("timing", timing);
        shown.finish_non_exhaustive()
    }
}

/// There can be no election.
#[derive(Debug, thiserror::Error)]
pub enum ElectionError {
    /// The times do not go together.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// Nobody says where the API server is.
    #[error(
        "--leader-elect needs the API of a Kubernetes cluster: {0}; run in a pod with a service account, set KUBECONFIG, or leave --leader-elect \
         out where there is one replica"
    )]
    Cluster(#[from] kube::config::InferConfigError),
    /// What is said of the API server is of no use.
    #[error("the API of the Kubernetes cluster cannot be called as the configuration says: {0}")]
    Client(kube::Error),
}

/// One replica's part in the election.
#[derive(Debug)]
pub struct Election {
    lease: LeaseAccess,
    options: ElectionOptions,
    gate: Gatekeeper,
    fence: Fence,
    seen: Option<Sighting>,
    /// As it was last read or written, for the next write.
    object: Option<Lease>,
    /// Whether this replica ever tried to hold the lease.
    has_run: bool,
    /// How many attempts in a row somebody else was faster.
    overtaken: u32,
    herald: Herald,
}

/// How one attempt ended.
enum Attempt {
    /// The lease is this replica's, by a write that was begun then.
    Leads(Instant),
    /// It is another's, and may be taken then at the earliest.
    Follows(Instant),
    /// Somebody else wrote at the same time.
    Overtaken,
}

impl Election {
    /// Sets up. Calls nobody yet.
    pub async fn new(options: ElectionOptions) -> Result<(Self, Fence), ElectionError> {
        let timing = options.timing.check()?;
        let mut config = match options.cluster.clone() {
            Some(config) => config,
            None => Config::infer().await?,
        };
        config.connect_timeout = Some(timing.retry_period);
        // The next attempt is due soon enough.
        config.default_retry = false;
        let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(ElectionError::Client)?;
        let (gate, fence) = Gatekeeper::new();
        let election = Self {
            lease: LeaseAccess::new(client, &namespace, options.name.clone(), timing.call_time()),
            herald: Herald::new(options.name.clone(), namespace, options.identity.clone()),
            options,
            gate,
            fence: fence.clone(),
            seen: None,
            object: None,
            has_run: false,
            overtaken: 0,
        };
        Ok((election, fence))
    }

    /// Takes part until stopped, and then gives the lease back if it has it. Whoever stops it has stopped writing.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(next) = stop.run_until_cancelled(self.turn()).await {
            if stop.run_until_cancelled(sleep_until(next)).await.is_none() {
                break;
            }
        }
        self.say_goodbye().await;
    }

    /// One attempt, and when the next is due.
    async fn turn(&mut self) -> Instant {
        let Timing { renew_deadline, retry_period, .. } = self.options.timing;
        let began = Instant::now();
        // Up to a fifth sooner, never later: what was promised is kept.
        let next = began + retry_period.mul_f64(1.0 - 0.2 * (self.options.random)());
        let answer = self.attempt().await;
        self.overtaken = if matches!(answer, Ok(Attempt::Overtaken)) { self.overtaken.saturating_add(1) } else { 0 };
        match answer {
            Ok(Attempt::Leads(since)) => {
                // It may have shut while this very renewal was under way.
                if !self.gate.is_open() {
                    self.herald.forgets_that_it_leads();
                }
                self.gate.open_until(since + renew_deadline);
                self.herald.tell(Standing::Leads);
                next
            }
            Ok(Attempt::Follows(ends)) => {
                let leader = self.seen.as_ref().and_then(Sighting::holder).map(str::to_owned);
                self.gate.shut(leader.as_deref());
                self.herald.tell(Standing::StandsBy(leader));
                next.min(ends)
            }
            Ok(Attempt::Overtaken) => {
                if self.overtaken > 1 {
                    self.trouble("somebody else writes it each time, or it cannot be made", Cause::Others);
                }
                next
            }
            Err(error) => {
                self.trouble(&error.to_string(), Cause::Call);
                next
            }
        }
    }

    async fn attempt(&mut self) -> Result<Attempt, CallError> {
        // The leader knows what it wrote last: one call renews. Whoever was overtaken looks what has become of it.
        if self.gate.is_open()
            && let Some(object) = self.object.clone()
            && let Attempt::Leads(since) = self.write(object).await?
        {
            return Ok(Attempt::Leads(since));
        }
        self.look().await?;
        match next_move(&self.options.identity, self.seen.as_ref(), self.options.timing, Instant::now()) {
            Move::LeaveUntil(ends) => Ok(Attempt::Follows(ends)),
            Move::Create => {
                let (spec, began) = (self.held(None), Instant::now());
                let written = self.lease.create(spec).await?;
                Ok(self.written(written, began))
            }
            Move::Take | Move::Renew => match self.object.clone() {
                Some(object) => self.write(object).await,
                None => Ok(Attempt::Overtaken),
            },
        }
    }

    async fn look(&mut self) -> Result<(), CallError> {
        self.object = self.lease.read().await?;
        match &self.object {
            Some(lease) => {
                let spec = lease.spec.clone().unwrap_or_default();
                self.seen = Some(Sighting::of(self.seen.take(), spec, Instant::now()));
            }
            None => self.seen = self.seen.take().map(|seen| Sighting { presence: Presence::Deleted, ..seen }),
        }
        Ok(())
    }

    async fn write(&mut self, Lease { metadata, spec }: Lease) -> Result<Attempt, CallError> {
        let (spec, began) = (self.held(spec.as_ref()), Instant::now());
        let written = self.lease.replace(metadata, spec).await?;
        Ok(self.written(written, began))
    }

    fn written(&mut self, written: Option<Lease>, began: Instant) -> Attempt {
        self.object = written;
        let Some(lease) = &self.object else { return Attempt::Overtaken };
        self.seen = Some(Sighting::of(None, lease.spec.clone().unwrap_or_default(), began));
        Attempt::Leads(began)
    }

    /// The lease as this replica holds it.
    fn held(&mut self, before: Option<&LeaseSpec>) -> LeaseSpec {
        self.has_run = true;
        let now = MicroTime((self.options.clock)());
        let before = before.cloned().unwrap_or_default();
        let is_mine = before.holder_identity.as_ref() == Some(&self.options.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.options.identity.clone()),
            lease_duration_seconds: i32::try_from(self.options.timing.lease_duration.as_secs()).ok(),
            acquire_time: if is_mine { before.acquire_time } else { Some(now.clone()) },
            lease_transitions: Some(if is_mine || before.holder_identity.is_none() {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            renew_time: Some(now),
            ..before
        }
    }

    /// Gives the lease back, so that nobody has to wait for it to end. Not while a write may still be on its way to AWS: it has the time that
    /// the lease has left.
    async fn say_goodbye(mut self) {
        let leads = self.gate.is_open();
        self.gate.shut(None);
        let Timing { lease_duration, renew_deadline, .. } = self.options.timing;
        if self.fence.is_in_doubt(lease_duration.saturating_sub(renew_deadline)) {
            if leads {
                info!(
                    lease = self.options.name,
                    "a write has ended without an answer: the lease is not given back, and ends by itself"
                );
            }
            return;
        }
        if !self.has_run {
            return;
        }
        match timeout_at(Instant::now() + GOODBYE, self.give_back()).await {
            Ok(Ok(true)) => info!(lease = self.options.name, "the lease is given back"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => info!(%error, lease = self.options.name, "the lease could not be given back, and ends by itself"),
            Err(_) => info!(lease = self.options.name, "the lease could not be given back in time, and ends by itself"),
        }
    }

    /// Whether it was this replica's to give. A renewal may have been broken off: what was written is looked at first.
    async fn give_back(&mut self) -> Result<bool, CallError> {
        self.look().await?;
        let Some(Lease { metadata, spec: Some(spec) }) = self.object.take() else { return Ok(false) };
        if spec.holder_identity.as_ref() != Some(&self.options.identity) {
            return Ok(false);
        }
        let spec = LeaseSpec { holder_identity: Some(String::new()), lease_duration_seconds: Some(1), ..spec };
        Ok(self.lease.replace(metadata, spec).await?.is_some())
    }

    /// A lease that cannot be read or written. Whether it is still held, the fence knows.
    fn trouble(&mut self, error: &str, cause: Cause) {
        if !self.gate.is_open() {
            if self.seen.is_some() {
                self.gate.shut(None);
            }
            self.herald.forgets_that_it_leads();
        }
        self.herald.trouble(error, cause);
    }
}
