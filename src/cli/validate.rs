//! Flags of `validate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const MORE: &str = "\
Examples:
  dhmc-controller validate dhmc.yaml
  dhmc-controller validate config/production config/staging     # two directories, each a desired state by itself
  git show HEAD:dhmc.yaml | dhmc-controller validate -
  dhmc-controller validate --output github config/              # annotations of a pull request
  dhmc-controller validate --output json dhmc.yaml | jq '.documents[].problems[]'

Exit codes:
  0  every document is valid
  1  some document is not, or could not be read";

/// Flags of `validate`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct ValidateArgs {
    /// What to check: a YAML file, a directory of them, or `-` for standard input. Each is a desired state by itself.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How the report looks.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ReportFormat,
}

/// How problems are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReportFormat {
    /// For people: each problem with the line that it is on. What may be a secret is not shown.
    #[default]
    Text,
    /// One JSON value: for every problem its file, line, column, path, message and help.
    Json,
    /// Workflow commands of GitHub Actions, which puts them beside the lines of a pull request.
    Github,
}
