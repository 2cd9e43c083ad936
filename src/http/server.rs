//! Accepts connections and serves them, within limits: whoever holds a connection without asking for anything loses it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Far more than scrapers and probes need, and few enough to be held in memory and file descriptors.
const MOST_CONNECTIONS: usize = 512;
/// From the first moment of a connection, or the end of an answer, to the end of the next request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Of a request's head, all in all.
const LARGEST_HEAD: usize = 16 << 10;
/// After a failed accept: out of file descriptors, most likely, until a connection ends.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until stopped, then lets answers under way finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let (connections, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    let next = async || -> io::Result<_> {
        let place = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
        let (socket, _) = listener.accept().await?;
        Ok((socket, place))
    };
    while let Some(accepted) = stop.run_until_cancelled(next()).await {
        let (socket, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = connections.watch(connection(socket, router.clone()));
        tokio::spawn(async move {
            // An error is a client that went away, or took too long: both are over.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    connections.shutdown().await;
    Ok(())
}

fn connection(socket: TcpStream, router: Router) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
}
