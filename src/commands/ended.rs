//! How a command of an operator ends when there is nothing (more) to report, and how it begins.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::failed;
use crate::app::{App, Options, StartError};
use crate::shutdown;

/// Why a command of an operator has nothing (more) to report.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
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
    #[error("interrupted before there was anything to report")]
    InterruptedEarly,
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
    pub(super) fn tell(&self) -> ExitCode {
        failed(&self.to_string())
    }
}

/// What work comes to, unless Ctrl-C ends it.
pub(super) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Ended> {
    let stop = CancellationToken::new();
    shutdown::listen(stop.clone(), Arc::default()).map_err(StartError::Signals)?;
    Box::pin(stop.run_until_cancelled(work)).await.ok_or(Ended::InterruptedEarly)
}

/// Reads the desired state and sets everything up, and listens to Ctrl-C.
pub(super) async fn ready(options: Options, stop: &CancellationToken) -> Result<App, Ended> {
    shutdown::listen(stop.clone(), Arc::default()).map_err(StartError::Signals)?;
    let app = Box::pin(stop.run_until_cancelled(App::new(options, stop.clone()))).await;
    Ok(app.ok_or(Ended::Interrupted)??)
}
