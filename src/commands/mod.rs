//! One file per subcommand.

pub mod apply;
pub mod completions;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
mod ended;
pub mod export;
pub mod man;
pub mod plan;
pub mod policy;
pub mod run;
pub mod schema;
pub mod status;
mod survey;
pub mod validate;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::app::PassResult;
use crate::cli::{Cli, Command};
use crate::telemetry;

/// Runs the command. Errors have been told by then.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime cannot start: {error}")),
    };
    let code = match cli.command {
        Command::Run(args) => {
            if let Err(error) = telemetry::init(args.logs.log_format, args.logs.log_level) {
                return failed(&error.to_string());
            }
            runtime.block_on(run::run(args))
        }
        Command::Plan(args) => runtime.block_on(plan::plan(args)),
        Command::Apply(args) => runtime.block_on(apply::apply(args)),
        Command::Export(args) => runtime.block_on(export::run(args)),
        Command::Doctor(args) => runtime.block_on(doctor::doctor(args)),
        Command::Validate(args) => validate::validate(&args),
        Command::Status(args) => runtime.block_on(status::status(args)),
        Command::Schema(_) => schema::schema(),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
        Command::Policy(args) => runtime.block_on(policy::policy(args)),
        #[cfg(feature = "demo")]
        Command::Demo(args) => runtime.block_on(demo::demo(args)),
    };
    // A file system or name server that hangs does not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    code
}

/// Says why on standard error. Exit code 1.
pub(crate) fn failed(message: &str) -> ExitCode {
    // Nobody can be told that nobody can be told.
    let _ = writeln!(io::stderr(), "dhmc-controller: {message}");
    ExitCode::FAILURE
}

/// Exit code where something is not as declared.
pub(crate) const DRIFT_REMAINS: u8 = 2;

/// How a pass ended, for scripts.
fn exit_code(result: PassResult) -> ExitCode {
    match result {
        PassResult::InSync => ExitCode::SUCCESS,
        PassResult::DriftRemains => ExitCode::from(DRIFT_REMAINS),
        PassResult::Unread => ExitCode::FAILURE,
    }
}

/// A number with its noun, whose plural is a regular one.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Shows help, or what is wrong with the command line: exit code 1, because 2 says that drift remains.
#[must_use]
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
