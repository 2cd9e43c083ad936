//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Starts to listen. The token is cancelled at the first SIGTERM or SIGINT; a second one changes nothing, since what is
/// waited for then is a write to AWS.
pub fn listen(stop: CancellationToken, reload: Arc<Notify>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = terminate.recv() => info!(signal = "SIGTERM", "stopping"),
                Some(()) = interrupt.recv() => info!(signal = "SIGINT", "stopping"),
                Some(()) = hangup.recv() => {
                    info!(signal = "SIGHUP", "looking at the desired state");
                    reload.notify_one();
                    continue;
                }
            }
            stop.cancel();
        }
    });
    Ok(())
}
