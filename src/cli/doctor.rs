//! Flags of `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::aws::AwsArgs;
use super::output::OutputArgs;
use crate::doctor::sample::Extent;

const MORE: &str = "\
Each finding is ok, a note, a warning, a problem, or could not be checked (unchecked), and says what to do.
Whatever can be read is shown, also where other things cannot. Nothing is ever written.

What is read besides what `run` reads: account:ListRegions whatever the document says, iam:GetPolicy, iam:GetPolicyVersion,
iam:GetRolePolicy, iam:ListRolePolicies, iam:SimulatePrincipalPolicy, ssm:GetDocument, ssm:ListAssociations and
ssm-quicksetup:ListConfigurationManagers, which `policy --with-doctor` allows, and iam:GetRole of the credentials' own role,
for its path, which it does not. Where one of them is not allowed, that is unchecked, and no problem.

Examples:
  dhmc-controller doctor --config dhmc.yaml
  dhmc-controller doctor --config dhmc.yaml --accounts all
  dhmc-controller doctor --config dhmc.yaml --output json | jq '.accounts[].findings[] | select(.level == \"problem\")'

Exit codes:
  0  nothing is wrong; there may be notes, warnings, and what could not be checked
  1  there is a problem, or something that the controller needs could not be read";

/// Flags of `doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct DoctorArgs {
    /// The desired state: a YAML file, or a directory of them (docs/CONFIG.md).
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH")]
    pub config: PathBuf,
    /// How many accounts of the organization to look into, spread evenly over those that the document comes to, or `all`.
    /// Accounts that the document lists for themselves are all looked into.
    #[arg(long, default_value = "10", value_name = "COUNT")]
    pub accounts: Extent,
    /// How the report looks.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: AwsArgs,
}
