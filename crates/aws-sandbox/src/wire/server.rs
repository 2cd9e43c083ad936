//! Accepts connections and serves HTTP/1 on them until the sandbox stops. A call that is to be dropped is an error of
//! the service here: hyper then closes the socket without having written a byte, which no HTTP framework above allows.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::route;
use crate::world::World;

/// No request of these services comes near: the largest document is 10 kB.
const BODY_LIMIT: usize = 1 << 20;
/// After a failed accept.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("connection dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// Runs until `stop` changes or its sender is gone; then closes the listener and every connection.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, control: Router, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            // Finished connections are taken out, or the set would grow with every one of them.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                match accepted {
                    Ok((socket, _)) => drop(connections.spawn(connection(socket, Arc::clone(&world), control.clone()))),
                    // Out of file descriptors, most likely: the next accept fails as well until a connection ends.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn connection(socket: TcpStream, world: Arc<World>, control: Router) {
    // Answers are one small write each: waiting for more would only add latency.
    let _ = socket.set_nodelay(true);
    let service = service_fn(|request| answer(request, &world, &control));
    // An error here is a client that went away or a drop on purpose: both are over.
    let _ = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(socket), service).await;
}

async fn answer(request: Request<Incoming>, world: &Arc<World>, control: &Router) -> Result<Response<Body>, Dropped> {
    if request.uri().path().starts_with("/_sandbox") {
        let request = request.map(Body::new);
        let Ok(response) = control.clone().oneshot(request).await;
        return Ok(response);
    }
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body.map_err(|_| Dropped)?.to_bytes();
    route::call(world, &head, &body).await
}
