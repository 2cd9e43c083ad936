//! Flags of `demo`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::interval;

const MORE: &str = "\
Examples:
  dhmc-controller demo
  dhmc-controller demo --duration 30s --listen 127.0.0.1:8080

Exit codes:
  0  it ended by Ctrl-C or after --duration
  1  a bad start";

/// Flags of `demo`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
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
