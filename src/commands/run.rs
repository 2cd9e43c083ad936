//! `run`: keep AWS as the desired state declares.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{exit_code, failed};
use crate::app::{self, App, StartError};
use crate::cli::run::RunArgs;
use crate::reconcile::fleet::Purpose;
use crate::shutdown;
use crate::version::{COMMIT, VERSION};

/// Runs until stopped, or once.
pub async fn run(args: RunArgs) -> ExitCode {
    if args.once && args.leader.leader_elect {
        return failed(
            "--once makes one pass and asks nobody who leads, so that it cannot go with --leader-elect (or DHMC_LEADER_ELECT): for one pass leave that out, \
             to keep replicas running leave out --once",
        );
    }
    let result = if args.once { once(&args).await } else { keep(&args).await };
    result.unwrap_or_else(|error| failed(&error.to_string()))
}

async fn keep(args: &RunArgs) -> Result<ExitCode, StartError> {
    let stop = CancellationToken::new();
    let reload = Arc::new(Notify::new());
    shutdown::listen(stop.clone(), Arc::clone(&reload)).map_err(StartError::Signals)?;
    let Some(app) = start(args, &stop).await? else { return Ok(ExitCode::SUCCESS) };
    let listener = app::bind(args.listen).await?;
    let address = listener.local_addr().map_or_else(|_| args.listen.to_string(), |address| address.to_string());
    info!(version = VERSION, commit = COMMIT, listen = address, config = %args.config.display(), "started");
    match app.run(listener, reload).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Ok(failed(&format!("ended by a defect or a broken listener: {error}"))),
    }
}

async fn once(args: &RunArgs) -> Result<ExitCode, StartError> {
    let stop = CancellationToken::new();
    shutdown::listen(stop.clone(), Arc::default()).map_err(StartError::Signals)?;
    let Some(app) = start(args, &stop).await? else { return Ok(ExitCode::FAILURE) };
    Ok(exit_code(app.pass(Purpose::default(), &Arc::default()).await))
}

/// Sets everything up, which may ask the instance for its region and take seconds. `None`: stopped meanwhile.
async fn start(args: &RunArgs, stop: &CancellationToken) -> Result<Option<App>, StartError> {
    Box::pin(stop.run_until_cancelled(App::new(args.options(), stop.clone()))).await.transpose()
}
