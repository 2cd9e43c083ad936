//! The command line: every flag of `run` is also a variable of the environment. Raw arguments in, resolved options out.

pub mod aws;
pub mod completions;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod export;
pub mod leader;
pub mod man;
pub mod output;
pub mod plan;
pub mod policy;
pub mod run;
pub mod schema;
pub mod status;
pub mod validate;

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing::Level;

use crate::telemetry::LogFormat;
use crate::version::LONG;
use completions::CompletionsArgs;
#[cfg(feature = "demo")]
use demo::DemoArgs;
use doctor::DoctorArgs;
use export::ExportArgs;
use man::ManArgs;
use plan::{ABOUT_APPLY, ABOUT_PLAN, ApplyArgs, PlanArgs};
use policy::PolicyArgs;
use run::RunArgs;
use schema::SchemaArgs;
use status::StatusArgs;
use validate::ValidateArgs;

/// Keeps AWS Systems Manager's Default Host Management Configuration in the declared state.
#[derive(Debug, Parser)]
#[command(version, long_version = LONG.as_str(), about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
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
    Run(RunArgs),
    /// Show what would be done, and write nothing.
    ///
    /// Reads AWS with the controller's own code and tells, account by account, what is, what should be, what would be done, what
    /// is held and why, and who changed it last.
    #[command(after_long_help = ABOUT_PLAN)]
    Plan(PlanArgs),
    /// Show what would be done, ask, do it once, and report.
    ///
    /// One pass of the controller: it looks again and corrects what differs by then. Nothing is written without a yes. Replicas that keep the same
    /// document are not asked.
    #[command(after_long_help = ABOUT_APPLY)]
    Apply(ApplyArgs),
    /// Check documents without AWS, and tell everything that is wrong with them.
    ///
    /// Every problem is told with its place, the line that it is on, and what to do about it; not only the first.
    Validate(ValidateArgs),
    /// Ask a running controller what is not in sync, and why.
    ///
    /// Tells how many targets are in which state, what the guard holds and how to confirm it, and every target that is not in sync
    /// with the reason, since when, and who changed it last.
    Status(StatusArgs),
    /// Write the desired state that describes what an account has now, so that to adopt it changes nothing.
    #[command(long_about = export::LONG_ABOUT, after_help = export::AFTER_HELP)]
    Export(ExportArgs),
    /// Look once at whether this can work: credentials, clock, rights, regions, the role, and who else manages the settings.
    Doctor(DoctorArgs),
    /// Print the policies that the controller needs for a document, and those that keep others away.
    ///
    /// They are worked out from the very document, by the controller's own planner: what it can never come to do is not allowed.
    /// Nothing is asked of AWS.
    Policy(PolicyArgs),
    /// Print the JSON Schema of documents, which editors check and complete with.
    Schema(SchemaArgs),
    /// Print a script by which a shell completes commands and flags.
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands.
    Man(ManArgs),
    /// Show the main job on an embedded AWS: drift is made every few seconds, and corrected.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
}

/// How logs look.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// One JSON object a line, or text for people.
    #[arg(long, help_heading = "Logs", env = "DHMC_LOG_FORMAT", value_enum, default_value = "json")]
    pub log_format: LogFormat,
    /// How much of this program's own doings to log: error, warn, info, debug, trace.
    #[arg(long, help_heading = "Logs", env = "DHMC_LOG_LEVEL", default_value = "info")]
    pub log_level: Level,
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
    fn every_flag_of_run_is_also_a_variable() {
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
