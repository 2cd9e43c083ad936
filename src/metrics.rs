//! Every metric, once. Events are counted where they happen; state is computed when somebody scrapes.
//!
//! A struct that is handed in, never a global. Labels come from closed sets or from the desired state: never error text,
//! ARNs or user names. `docs/METRICS.md` is held against [`CATALOGUE`] and against a live scrape by a test.

mod series;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
    process_collector::ProcessCollector,
};

use crate::plan::DriftKind;
use crate::target::{ResourceKind, State, Target};
use crate::version::COMMIT;
pub use series::{AUTO_LIMIT, TargetMetrics, TargetSeries};

/// One metric as documented.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its HELP line.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
}

impl Metric {
    /// How the client library is told of it.
    pub fn description(self) -> prometheus::Result<Desc> {
        let labels = self.labels.iter().map(|label| (*label).to_owned()).collect();
        Desc::new(self.name.to_owned(), self.help.trim().to_owned(), labels, HashMap::new())
    }
}

const TARGET: &[&str] = &["account", "region", "resource"];

macro_rules! catalogue {
    ($($(#[doc = $help:literal])+ $constant:ident = $name:literal $labels:expr;)+) => {
        $($(#[doc = $help])+ pub const $constant: Metric = Metric { name: $name, help: concat!($($help),+), labels: $labels };)+
        /// Every metric of this program's own. `process_*` come from the `prometheus` crate.
        pub const CATALOGUE: &[Metric] = &[$($constant),+];
    };
}

catalogue! {
    /// 1 while this replica leads and may write, or where there is no election; 0 while another one leads.
    LEADER = "dhmc_leader" &[];
    /// 1 while each target has series of its own, 0 while only the organization has (--target-metrics).
    TARGET_SERIES = "dhmc_target_series_enabled" &[];
    /// 1 for the state a target is in, 0 for the others.
    TARGET_STATE = "dhmc_target_state" &["account", "region", "resource", "state"];
    /// When AWS was last read successfully for this target, in seconds since the epoch; absent before the first time.
    LAST_OBSERVED = "dhmc_target_last_observed_timestamp_seconds" TARGET;
    /// Targets by account and state.
    TARGETS = "dhmc_targets" &["account", "state"];
    /// The oldest of the times at which the targets of this account were last read; those never read have none.
    ACCOUNT_OLDEST = "dhmc_account_oldest_observed_timestamp_seconds" &["account"];
    /// All targets by state.
    FLEET_TARGETS = "dhmc_fleet_targets" &["state"];
    /// The oldest of the times at which all targets were last read; those never read have none.
    FLEET_OLDEST = "dhmc_fleet_oldest_observed_timestamp_seconds" &[];
    /// Accounts of the organization: managed as such, listed by themselves, excluded, or suspended.
    ORGANIZATION_ACCOUNTS = "dhmc_organization_accounts" &["status"];
    /// When the accounts of the organization were last listed, in seconds since the epoch; absent before the first time.
    ORGANIZATION_LISTED = "dhmc_organization_last_listed_timestamp_seconds" &[];
    /// Drift found, each drift counted once however long it lasts.
    DRIFT_DETECTED = "dhmc_drift_detected_total" &["account", "region", "resource", "kind"];
    /// Corrections by result: corrected when a read-back showed it, failed when AWS refused or the drift stayed.
    CORRECTIONS = "dhmc_corrections_total" &["account", "region", "resource", "kind", "result"];
    /// Drift that is not there any more and was not corrected, by reason.
    DRIFT_GONE = "dhmc_drift_gone_total" &["kind", "reason"];
    /// Drift that was detected and is neither corrected nor gone: held, blocked, or still to be corrected.
    DRIFT_OPEN = "dhmc_drift_open" &["kind"];
    /// Corrections that were put off because somebody changes the target back each time.
    CONTENTIONS = "dhmc_contentions_total" &["account", "region", "resource"];
    /// What the blast-radius guard holds: settings that would be reset, policies that would be detached.
    GUARD_HELD = "dhmc_guard_held" &["removal"];
    /// Reconciles by the state they ended in.
    RECONCILES = "dhmc_reconciles_total" &["resource", "state"];
    /// How long one reconcile takes, with its reads, writes and read-backs.
    RECONCILE_DURATION = "dhmc_reconcile_duration_seconds" &["resource"];
    /// Targets that are due and not yet taken up.
    QUEUE_DEPTH = "dhmc_queue_depth" &[];
    /// Targets being reconciled right now.
    QUEUE_IN_FLIGHT = "dhmc_queue_in_flight" &[];
    /// Calls to AWS by result, after the SDK's own retries.
    AWS_REQUESTS = "dhmc_aws_requests_total" &["aws_service", "operation", "result"];
    /// How long a call to AWS takes, with the SDK's own retries.
    AWS_REQUEST_DURATION = "dhmc_aws_request_duration_seconds" &["aws_service", "operation", "result"];
    /// Requests sent to AWS, each of the SDK's own retries counted.
    AWS_ATTEMPTS = "dhmc_aws_attempts_total" &["aws_service", "operation"];
    /// How long a call to AWS waited for the controller's own limit before it began (--aws-rps); 0 for those that did not.
    AWS_LIMIT_WAIT = "dhmc_aws_rate_limiter_wait_seconds" &["aws_service"];
    /// 1 when the desired state as it is on disk is in force, 0 when it was rejected or cannot be read.
    CONFIG_RELOAD_SUCCESSFUL = "dhmc_config_last_reload_successful" &[];
    /// When a desired state was last taken into force, in seconds since the epoch.
    CONFIG_RELOAD_TIME = "dhmc_config_last_reload_success_timestamp_seconds" &[];
    /// The first 48 bits of the SHA-256 of the desired state in force.
    CONFIG_HASH = "dhmc_config_hash" &[];
    /// Always 1; the labels tell which build this is.
    BUILD_INFO = "dhmc_build_info" &["version", "commit"];
}

/// All counters and histograms, and the registry they are in.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    drift_detected: IntCounterVec,
    corrections: IntCounterVec,
    contentions: IntCounterVec,
    drift_gone: IntCounterVec,
    drift_open: IntGaugeVec,
    reconciles: IntCounterVec,
    reconcile_duration: HistogramVec,
    series: TargetSeries,
    /// What the calls to AWS are counted in.
    pub aws: AwsMetrics,
}

/// How a correction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionResult {
    /// A read-back shows what was wanted.
    Corrected,
    /// AWS refused, or the drift stayed.
    Failed,
}

impl CorrectionResult {
    /// The word in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Failed => "failed",
        }
    }
}

/// What the calls to AWS are counted in.
#[derive(Debug, Clone)]
pub struct AwsMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    attempts: IntCounterVec,
    limit_wait: HistogramVec,
}

impl AwsMetrics {
    /// One call has got its turn.
    pub fn waited(&self, operation: &str, waited: Duration) {
        let service = operation.split_once(':').map_or("", |(service, _)| service);
        self.limit_wait.with_label_values(&[service]).observe(waited.as_secs_f64());
    }

    /// One call, after the SDK's own retries. `operation` is written `service:Operation`.
    pub fn request(&self, operation: &str, result: &str, took: Duration) {
        let (service, operation) = operation.split_once(':').unwrap_or(("", operation));
        self.requests.with_label_values(&[service, operation, result]).inc();
        self.duration.with_label_values(&[service, operation, result]).observe(took.as_secs_f64());
    }

    /// One request on the wire. The SDK writes services in capitals; one word per idea.
    pub fn attempt(&self, service: &str, operation: &str) {
        self.attempts.with_label_values(&[service.to_ascii_lowercase().as_str(), operation]).inc();
    }
}

impl Metrics {
    /// Registers everything in a registry of its own.
    pub fn new(version: &str) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |metric: Metric| registered(&registry, IntCounterVec::new(opts(metric), metric.labels)?);
        let histogram = |metric: Metric, buckets: &[f64]| {
            let opts = HistogramOpts { common_opts: opts(metric), buckets: buckets.to_vec() };
            registered(&registry, HistogramVec::new(opts, metric.labels)?)
        };
        // A call takes 5 ms in the same region and up to 10 s before it is given up; a reconcile makes up to a dozen.
        let seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let metrics = Self {
            drift_detected: counter(DRIFT_DETECTED)?,
            corrections: counter(CORRECTIONS)?,
            contentions: counter(CONTENTIONS)?,
            drift_gone: counter(DRIFT_GONE)?,
            drift_open: registered(&registry, IntGaugeVec::new(opts(DRIFT_OPEN), DRIFT_OPEN.labels)?)?,
            reconciles: counter(RECONCILES)?,
            reconcile_duration: histogram(RECONCILE_DURATION, &seconds)?,
            series: TargetSeries::new(TargetMetrics::Always, Arc::default()),
            aws: AwsMetrics {
                requests: counter(AWS_REQUESTS)?,
                duration: histogram(AWS_REQUEST_DURATION, &seconds)?,
                attempts: counter(AWS_ATTEMPTS)?,
                limit_wait: histogram(AWS_LIMIT_WAIT, &[0.01, 0.1, 1.0, 10.0])?,
            },
            registry: registry.clone(),
        };
        let build = IntGaugeVec::new(opts(BUILD_INFO), BUILD_INFO.labels)?;
        build.with_label_values(&[version, COMMIT]).set(1);
        registry.register(Box::new(build))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// The same, with events of single targets counted as was chosen. Without this, each target's are counted by themselves.
    #[must_use]
    pub fn with_series(self, series: TargetSeries) -> Self {
        Self { series, ..self }
    }

    /// Adds what computes gauges when somebody scrapes.
    pub fn register(&self, collector: Box<dyn Collector>) -> prometheus::Result<()> {
        self.registry.register(collector)
    }

    /// A drift that was not there before.
    pub fn drift_detected(&self, account: &str, target: &Target, kind: &str) {
        let region = self.series.region_of_event(target);
        self.drift_detected.with_label_values(&[account, region, target.resource_label(), kind]).inc();
    }

    /// A correction that has come to an end.
    pub fn correction(&self, account: &str, target: &Target, kind: &str, result: CorrectionResult) {
        let region = self.series.region_of_event(target);
        let labels = [account, region, target.resource_label(), kind, result.label()];
        self.corrections.with_label_values(&labels).inc();
    }

    /// A correction that was put off.
    pub fn contention(&self, account: &str, target: &Target) {
        let region = self.series.region_of_event(target);
        self.contentions.with_label_values(&[account, region, target.resource_label()]).inc();
    }

    /// Drift that is not there any more, and was not corrected. Where it was, the log tells.
    pub fn drift_gone(&self, kind: &str, reason: &str) {
        self.drift_gone.with_label_values(&[kind, reason]).inc();
    }

    /// How much drift of each kind is open now.
    pub fn drift_open(&self, counts: &BTreeMap<DriftKind, u32>) {
        for (kind, count) in counts {
            self.drift_open.with_label_values(&[kind.label()]).set(i64::from(*count));
        }
    }

    /// A reconcile that has come to an end.
    pub fn reconcile(&self, resource: ResourceKind, state: State, took: Duration) {
        self.reconciles.with_label_values(&[resource.label(), state.label()]).inc();
        self.reconcile_duration.with_label_values(&[resource.label()]).observe(took.as_secs_f64());
    }

    /// The text exposition format.
    pub fn render(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

fn opts(metric: Metric) -> Opts {
    Opts::new(metric.name, metric.help.trim())
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
