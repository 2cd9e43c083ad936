//! Accepts connections and serves them, within limits: whoever holds a connection without asking for anything, or without
//! taking the answer, loses it.
//!
//! hyper's own limits are good enough for the rest: 100 headers a request, and a body is not read where nobody wants one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

/// What clients may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at a time; others wait to be accepted.
    connections: usize,
    /// From the first moment of a connection, or the end of an answer, to the end of the next request's head.
    head: Duration,
    /// Of a connection; then the answer under way is its last.
    life: Duration,
    /// For that answer.
    last_answer: Duration,
}

const LIMITS: Limits = Limits {
    // Far more than scrapers and probes need, and few enough to be held in memory and file descriptors.
    connections: 512,
    head: Duration::from_secs(5),
    life: Duration::from_secs(30),
    last_answer: Duration::from_secs(10),
};
/// Of a request's head, all in all.
const LARGEST_HEAD: usize = 16 << 10;
/// After a failed accept: out of file descriptors, most likely, until a connection ends.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until stopped, then lets answers under way finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    serve_within(LIMITS, listener, router, stop).await
}

async fn serve_within(limits: Limits, listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let (connections, room) = (TaskTracker::new(), Arc::new(Semaphore::new(limits.connections)));
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
                sleep(PAUSE).await;
                continue;
            }
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            hold(limits, socket, router, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Serves one connection to its end. An error is a client that went away, or took too long: both are over.
async fn hold(limits: Limits, socket: TcpStream, router: Router, stop: CancellationToken) {
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = sleep(limits.life) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.last_answer, connection).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;

    /// Far longer than the limits of these tests.
    const DEADLINE: Duration = Duration::from_secs(20);
    const TIGHT: Limits = Limits {
        connections: 2,
        head: Duration::from_mins(1),
        life: Duration::from_millis(200),
        last_answer: Duration::from_millis(100),
    };

    async fn server(limits: Limits) -> (String, CancellationToken, JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // No socket has room for this.
        let large = || async { vec![b'a'; 64 << 20] };
        let router = Router::new().route("/small", get(|| async { "ok" })).route("/large", get(large));
        let stop = CancellationToken::new();
        (address, stop.clone(), tokio::spawn(serve_within(limits, listener, router, stop)))
    }

    async fn ask(address: &str, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        client
    }

    async fn answer(address: &str) -> String {
        let mut text = String::new();
        let mut client = ask(address, "/small").await;
        timeout(DEADLINE, client.read_to_string(&mut text)).await.expect("an answer, and the end").unwrap();
        text
    }

    #[tokio::test]
    async fn whoever_does_not_take_the_answer_loses_the_connection() {
        let (address, _stop, _server) = server(TIGHT).await;
        let slow = [ask(&address, "/large").await, ask(&address, "/large").await];
        // Both places are taken, until they are taken away.
        assert!(answer(&address).await.ends_with("ok"));
        for mut client in slow {
            let mut taken = Vec::new();
            let _ = timeout(DEADLINE, client.read_to_end(&mut taken)).await.expect("it is closed");
            assert!(taken.len() < 64 << 20, "all of it was sent");
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_old_is_closed_between_two_answers() {
        let (address, _stop, _server) = server(TIGHT).await;
        let answer = answer(&address).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    }

    #[tokio::test]
    async fn a_stop_ends_what_waits_and_not_what_is_being_answered() {
        let patient = Limits { life: DEADLINE, last_answer: DEADLINE, ..TIGHT };
        let (address, stop, server) = server(patient).await;
        let (mut idle, mut busy) = (TcpStream::connect(&address).await.unwrap(), ask(&address, "/large").await);
        busy.read_exact(&mut [0]).await.unwrap();
        stop.cancel();
        let mut rest = Vec::new();
        timeout(DEADLINE, busy.read_to_end(&mut rest)).await.expect("it is sent").unwrap();
        assert!(rest.len() > 64 << 20);
        assert_eq!(timeout(DEADLINE, idle.read(&mut [0])).await.expect("it is closed").unwrap(), 0);
        timeout(DEADLINE, server).await.expect("it ends").unwrap().unwrap();
    }
}
