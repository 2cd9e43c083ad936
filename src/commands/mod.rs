//! One file per subcommand.

pub mod apply;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod export;
pub mod plan;
pub mod run;
mod survey;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::{App, Options, PassResult, StartError};
use crate::cli::{Cli, Command};
use crate::{shutdown, telemetry};

/// Runs the command. Errors have been told by then.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime cannot start: {error}")),
    };
    let code = match cli.command {
        Command::Run(args) => {
            if let Err(error) = telemetry::init(cli.logs.log_format, cli.logs.log_level) {
                return failed(&error.to_string());
            }
            runtime.block_on(run::run(args))
        }
        Command::Plan(args) => runtime.block_on(plan::plan(args)),
        Command::Apply(args) => runtime.block_on(apply::apply(args)),
        Command::Export(args) => runtime.block_on(export::run(args)),
        Command::Doctor(args) => runtime.block_on(doctor::doctor(args)),
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

/// Exit code of a pass after which something is not as declared.
const DRIFT_REMAINS: u8 = 2;

/// How a pass ended, for scripts.
fn exit_code(result: PassResult) -> ExitCode {
    match result {
        PassResult::InSync => ExitCode::SUCCESS,
        PassResult::DriftRemains => ExitCode::from(DRIFT_REMAINS),
        PassResult::Unread => ExitCode::FAILURE,
    }
}

/// Why a command of an operator has nothing (more) to report.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(
        "nothing that is declared is the target `{aim}`: {what}. --target takes ACCOUNT, ACCOUNT/REGION or ACCOUNT/role, where \
         ACCOUNT is an id, a name, or `own` for the account of the controller's own credentials"
    )]
    NothingThere { aim: String, what: &'static str },
    #[error("several accounts are called as in the target `{aim}`: {ids}; aim at one of them by its id")]
    Ambiguous { aim: String, ids: String },
    #[error("interrupted; what was reported is not all there is")]
    Interrupted,
    #[error("interrupted; nothing was changed")]
    InterruptedBefore,
    #[error("a report as JSON has no place for a question: add --yes, or look first with `plan`; nothing was changed")]
    NothingToAskAbout,
    #[error(
        "nobody can be asked here, because standard input is no terminal; nothing was changed. --yes makes the writes without asking"
    )]
    NobodyToAsk,
    #[error("the report cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Ended {
    /// Says why on standard error. Exit code 1.
    fn tell(&self) -> ExitCode {
        failed(&self.to_string())
    }
}

/// Reads the desired state and sets everything up, and listens to Ctrl-C.
async fn ready(options: Options, stop: &CancellationToken) -> Result<App, Ended> {
    shutdown::listen(stop.clone(), Arc::default()).map_err(StartError::Signals)?;
    let app = Box::pin(stop.run_until_cancelled(App::new(options, stop.clone()))).await;
    Ok(app.ok_or(Ended::Interrupted)??)
}

/// Shows help, or what is wrong with the command line: exit code 1, because 2 says that drift remains.
#[must_use]
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
