//! Flags of `run`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::aws::AwsArgs;
use super::leader::LeaderArgs;
use super::{LogArgs, interval};
use crate::app::Options;
use crate::metrics::TargetMetrics;
use crate::reconcile::rivals::Rivalry;

const MORE: &str = "\
Examples:
  dhmc-controller run --config dhmc.yaml
  dhmc-controller run --config /etc/dhmc --interval 10m --listen 127.0.0.1:9000
  dhmc-controller run --config dhmc.yaml --once --log-format text
  dhmc-controller run --config /etc/dhmc --leader-elect

Exit codes:
  0  it was stopped by SIGTERM or SIGINT; with --once, every target is in sync
  2  with --once: drift remains
  1  a bad start; with --once, something could not be read";

/// Flags of `run`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct RunArgs {
    /// The desired state: a YAML file, or a directory of them (docs/CONFIG.md). An edit takes effect within 3 seconds.
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH")]
    pub config: PathBuf,
    /// How often each target is looked at, such as 5m or 90s; 10% more or less, so that regions do not march in step.
    #[arg(long, env = "DHMC_INTERVAL", default_value = "5m", value_parser = interval)]
    pub interval: Duration,
    /// How often the organization's accounts are listed, where the desired state declares one.
    #[arg(long, env = "DHMC_ORGANIZATION_INTERVAL", default_value = "15m", value_parser = interval)]
    pub organization_interval: Duration,
    /// Where to serve /metrics, /livez, /readyz and /api/v1/status.
    #[arg(long, env = "DHMC_LISTEN", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// How many targets to work on at a time.
    #[arg(long, env = "DHMC_WORKERS", default_value = "64")]
    pub workers: NonZeroUsize,
    /// After how many corrections that somebody else undid the next is put off rather than fought over.
    #[arg(long, env = "DHMC_RIVAL_CORRECTIONS", default_value = "3", value_name = "COUNT")]
    pub rival_corrections: NonZeroUsize,
    /// Within how long they were undone. The next correction waits as long, and twice as long each time, up to a day.
    #[arg(long, env = "DHMC_RIVAL_WINDOW", default_value = "1h", value_parser = interval, value_name = "TIME")]
    pub rival_window: Duration,
    /// Whether each target has metric series of its own; accounts and the whole fleet have counts in any case.
    #[arg(long, env = "DHMC_TARGET_METRICS", value_enum, default_value = "auto", value_name = "WHEN")]
    pub target_metrics: TargetMetrics,
    /// Look at everything once, correct what drifted, and exit. Serves no HTTP, and asks no other replica.
    #[arg(long, env = "DHMC_ONCE", value_parser = BoolishValueParser::new())]
    pub once: bool,
    /// How replicas agree which of them writes.
    #[command(flatten)]
    pub leader: LeaderArgs,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: AwsArgs,
    /// How logs look.
    #[command(flatten)]
    pub logs: LogArgs,
}

impl RunArgs {
    /// What the flags mean.
    #[must_use]
    pub fn options(&self) -> Options {
        let aws = self.aws.options();
        Options {
            config: self.config.clone(),
            interval: self.interval,
            organization_interval: self.organization_interval,
            workers: self.workers.get(),
            rivalry: Rivalry { corrections: self.rival_corrections.get(), window: self.rival_window },
            target_metrics: self.target_metrics,
            election: self.leader.options(&aws.instance),
            aws,
        }
    }
}
