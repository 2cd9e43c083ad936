//! Flags of `status`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::output::OutputArgs;
use crate::target::State;

const MORE: &str = "\
Examples:
  dhmc-controller status
  dhmc-controller status --url http://dhmc.internal:8080 --account payments --all
  dhmc-controller status --state held,contended
  dhmc-controller status --output json | jq -r '.targets[] | [.account, .region, .reason] | @tsv'
  kubectl port-forward deployment/dhmc-controller 8080 & dhmc-controller status

Exit codes:
  0  every target is in sync, and the document on disk is in force
  2  some target is not in sync, or the document on disk is not in force
  1  the controller could not be asked, knows nothing of such an account or region, or is a replica that stands by";

fn state() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::label)).try_map(|word| word.parse::<State>())
}

/// Flags of `status`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct StatusArgs {
    /// Where the controller serves its API: http or https, the latter by the system's certificate authorities (or those of
    /// `SSL_CERT_FILE`).
    #[arg(long, env = "DHMC_URL", default_value = "http://127.0.0.1:8080", value_name = "URL", hide_env_values = true)]
    pub url: String,
    /// Also the targets that are in sync.
    #[arg(long, conflicts_with = "states")]
    pub all: bool,
    /// Only the account with this id or name.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Only this region; `global` is for roles and accounts, which have none.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Only targets in these states, separated by commas; without it, in all but the first.
    #[arg(long = "state", value_name = "STATES", value_delimiter = ',', value_parser = state())]
    pub states: Vec<State>,
    /// How the report looks.
    #[command(flatten)]
    pub output: OutputArgs,
}
