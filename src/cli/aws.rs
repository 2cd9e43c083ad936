//! How AWS is reached: flags of every command that calls it.

use std::path::PathBuf;

use clap::Args;

use crate::aws::{AwsOptions, CallRate};

/// Under which these flags stand in `--help`.
const HEADING: &str = "AWS";

/// How AWS is reached, besides what the environment says.
#[derive(Debug, Clone, Args)]
pub struct AwsArgs {
    /// What this controller is called: in accounts where it assumes a role, AWS shows its changes as made by `dhmc-INSTANCE`.
    /// Without it, the host's name (in Kubernetes the pod's).
    #[arg(long, help_heading = HEADING, env = "DHMC_INSTANCE", value_name = "INSTANCE")]
    pub instance: Option<String>,
    /// How many calls a second one service in one region of one account gets at most, beyond 50 at once; or `off`.
    #[arg(long, help_heading = HEADING, env = "DHMC_AWS_RPS", default_value = "2", value_name = "CALLS")]
    pub aws_rps: CallRate,
    /// A PEM file of certificate authorities to trust instead of the system's.
    #[arg(long, help_heading = HEADING, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
}

impl AwsArgs {
    /// What the flags mean.
    #[must_use]
    pub fn options(&self) -> AwsOptions {
        AwsOptions {
            ca_bundle: self.ca_bundle.clone(),
            instance: self.instance(),
            call_rate: self.aws_rps,
            ..AwsOptions::default()
        }
    }

    fn instance(&self) -> String {
        let host = || gethostname::gethostname().into_string().ok();
        self.instance.clone().or_else(host).filter(|name| !name.is_empty()).unwrap_or_else(|| AwsOptions::default().instance)
    }
}
