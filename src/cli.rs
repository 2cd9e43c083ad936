//! The command line: every flag is also a `DHMC_*` variable. Raw arguments in, resolved options out.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, Resettable};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing::Level;

use crate::app::Options;
use crate::aws::{AwsOptions, CallRate};
use crate::metrics::TargetMetrics;
use crate::reconcile::rivals::Rivalry;
use crate::telemetry::LogFormat;

/// Keeps AWS Systems Manager's Default Host Management Configuration in the declared state.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How logs look.
    #[command(flatten)]
    pub logs: LogArgs,
}

impl Cli {
    /// Reads the arguments. A variable that is set to nothing is a variable that is not set.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = without_empty_variables(Self::command());
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|flag| {
        let empty = flag.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if empty { flag.env(Resettable::Reset) } else { flag }
    });
    command.mut_subcommands(without_empty_variables)
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keep AWS as the desired state declares, until stopped.
    ///
    /// Exit code: 0 after SIGTERM or SIGINT, 1 after a bad start. With --once: 0 all is in sync, 2 drift remains, 1 something
    /// could not be read.
    Run(RunArgs),
    /// Show the main job on an embedded AWS: drift is made every few seconds, and corrected.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
}

/// How logs look.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// One JSON object a line, or text for people.
    #[arg(long, env = "DHMC_LOG_FORMAT", value_enum, default_value = "json", global = true)]
    pub log_format: LogFormat,
    /// How much of this program's own doings to log: error, warn, info, debug, trace.
    #[arg(long, env = "DHMC_LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: Level,
}

/// Flags of `run`.
#[derive(Debug, Args)]
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
    /// What this controller is called: in accounts where it assumes a role, AWS shows its changes as made by `dhmc-INSTANCE`.
    /// Without it, the host's name (in Kubernetes the pod's).
    #[arg(long, env = "DHMC_INSTANCE", value_name = "INSTANCE")]
    pub instance: Option<String>,
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
    /// How many calls a second one service in one region of one account gets at most, beyond 50 at once; or `off`.
    #[arg(long, env = "DHMC_AWS_RPS", default_value = "2", value_name = "CALLS")]
    pub aws_rps: CallRate,
    /// Whether each target has metric series of its own; accounts and the whole fleet have counts in any case.
    #[arg(long, env = "DHMC_TARGET_METRICS", value_enum, default_value = "auto", value_name = "WHEN")]
    pub target_metrics: TargetMetrics,
    /// Look at everything once, correct what drifted, and exit. Serves no HTTP.
    #[arg(long, env = "DHMC_ONCE", value_parser = BoolishValueParser::new())]
    pub once: bool,
    /// A PEM file of certificate authorities to trust instead of the system's.
    #[arg(long, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
}

/// Flags of `demo`.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where to serve /metrics and the rest; port 0 is a free one.
    #[arg(long, env = "DHMC_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// How often each target is looked at.
    #[arg(long, env = "DHMC_INTERVAL", default_value = "2s", value_parser = interval)]
    pub interval: Duration,
    /// End by itself after so long; without it, Ctrl-C does.
    #[arg(long, value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
}

impl RunArgs {
    /// What the flags mean.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            config: self.config.clone(),
            interval: self.interval,
            organization_interval: self.organization_interval,
            workers: self.workers.get(),
            rivalry: Rivalry { corrections: self.rival_corrections.get(), window: self.rival_window },
            target_metrics: self.target_metrics,
            aws: AwsOptions {
                ca_bundle: self.ca_bundle.clone(),
                instance: self.instance(),
                call_rate: self.aws_rps,
                ..AwsOptions::default()
            },
        }
    }

    fn instance(&self) -> String {
        let host = || gethostname::gethostname().into_string().ok();
        self.instance.clone().or_else(host).filter(|name| !name.is_empty()).unwrap_or_else(|| AwsOptions::default().instance)
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval < Duration::from_secs(1) || interval > Duration::from_hours(24) {
        return Err("an interval is between 1s and 24h".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_is_also_a_variable() {
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() == "run") {
            for flag in
                command.get_arguments().filter(|flag| flag.get_long().is_some_and(|long| !["help", "version"].contains(&long)))
            {
                assert!(flag.get_env().is_some(), "--{}", flag.get_long().unwrap());
            }
        }
    }

    #[test]
    fn an_interval_out_of_bounds_is_refused() {
        assert_eq!(interval("90s"), Ok(Duration::from_secs(90)));
        for text in ["0s", "500ms", "25h", "5", "soon"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
