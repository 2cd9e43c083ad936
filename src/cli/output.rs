//! How a command reports: `--output`.

use clap::{Args, ValueEnum};

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people; coloured on a terminal, unless `NO_COLOR` is set.
    #[default]
    Text,
    /// One JSON value, for programs.
    Json,
}

/// The flag of every command that reports.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// How the report looks.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}
