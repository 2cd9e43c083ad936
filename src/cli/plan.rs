//! Flags of `plan` and `apply`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::aws::AwsArgs;
use super::output::OutputArgs;
use crate::app::Options;
use crate::metrics::TargetMetrics;
use crate::reconcile::aim::Aim;
use crate::reconcile::rivals::Rivalry;

/// What a single pass of an operator looks at.
#[derive(Debug, Args)]
pub struct PassArgs {
    /// The desired state: a YAML file, or a directory of them (docs/CONFIG.md).
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH")]
    pub config: PathBuf,
    /// Only this: ACCOUNT, ACCOUNT/REGION or ACCOUNT/role, with what it stands on. ACCOUNT is an id, a name, or `own`.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Aim>,
    /// How many targets to work on at a time.
    #[arg(long, env = "DHMC_WORKERS", default_value = "64")]
    pub workers: NonZeroUsize,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What is looked at.
    #[command(flatten)]
    pub pass: PassArgs,
    /// How the plan looks: `markdown` is for a comment on a pull request.
    #[arg(long, short, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: PlanOutput,
}

/// How a plan looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanOutput {
    /// For people; coloured on a terminal, unless `NO_COLOR` is set.
    Text,
    /// One JSON value, for programs; it has every target, those in sync included.
    Json,
    /// A table, for a comment on a pull request.
    Markdown,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// What is looked at.
    #[command(flatten)]
    pub pass: PassArgs,
    /// How the report looks.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// Signs, examples and exit codes of `plan`.
pub const ABOUT_PLAN: &str = "\
Signs:
  +  would be created or switched on      .  differs, and is only observed
  ~  would be changed                     !  is held
  -  would be detached or switched off    ?  could not be read

Examples:
  dhmc-controller plan --config dhmc.yaml
  dhmc-controller plan --config dhmc.yaml --target 111122223333/eu-west-1
  dhmc-controller plan --config dhmc.yaml --output markdown > comment.md

Exit codes:
  0  all is as declared
  2  something differs, or is held
  1  something could not be read, or the desired state or the command line is wrong";

/// Signs, examples and exit codes of `apply`.
pub const ABOUT_APPLY: &str = "\
Signs: as those of `plan`; in the report of what was done, x is what could not be corrected.

Examples:
  dhmc-controller apply --config dhmc.yaml
  dhmc-controller apply --config dhmc.yaml --target shop/role
  dhmc-controller apply --config dhmc.yaml --yes --output json

Exit codes:
  0  all is as declared now
  2  something still differs: it is held, only observed, refused, or nobody said yes
  1  something could not be read, or the desired state or the command line is wrong";

impl PassArgs {
    /// What the flags mean. What a single pass has no use for is as usual.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            config: self.config.clone(),
            interval: Duration::from_mins(5),
            organization_interval: Duration::from_mins(15),
            workers: self.workers.get(),
            rivalry: Rivalry::NEVER,
            target_metrics: TargetMetrics::Auto,
            election: None,
            aws: self.aws.options(),
        }
    }

    /// What is aimed at.
    #[must_use]
    pub fn aim(&self) -> Aim {
        self.target.clone().unwrap_or_default()
    }
}
