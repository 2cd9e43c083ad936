//! What is served: metrics, probes, status. Nothing here changes anything.

mod query;
mod rendering;
mod server;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tracing::error;

use crate::leader::Fence;
use crate::metrics::{self, Metrics};
use crate::source::{self, SourceStatus};
use crate::status::{StatusBoard, View};
use crate::version::COMMIT;
use rendering::Rendering;
pub use server::serve;

/// What the pages are made of.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Counters and gauges.
    pub metrics: Metrics,
    /// States of the targets.
    pub board: Arc<StatusBoard>,
    /// Where the desired state stands.
    pub source: watch::Receiver<SourceStatus>,
    /// Whether this replica leads.
    pub fence: Fence,
    /// Which build this is.
    pub version: &'static str,
}

/// The answer of `/api/v1/status`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusPage {
    version: &'static str,
    commit: &'static str,
    /// Whether this replica works on the targets; the others have none.
    leads: bool,
    /// Who does, where that is known to be another one.
    leader: Option<Arc<str>>,
    configuration: ConfigurationView,
    #[serde(flatten)]
    view: View,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigurationView {
    /// Whether what is on disk is what is in force.
    in_force: bool,
    /// SHA-256 of what is in force.
    hash: String,
    loaded_at: Timestamp,
    /// What is wrong with what is on disk.
    problem: Option<String>,
}

/// How many answers of the status API there may be at a time, to the last byte sent. One of 10,000 targets has megabytes,
/// and slow clients are not to add them up.
const MOST_STATUS_ANSWERS: usize = 8;

/// What the routes share.
#[derive(Debug, Clone)]
struct Shelf {
    pages: Pages,
    rendering: Rendering,
    /// Whoever makes an answer of the status API: one at a time.
    making: Arc<Mutex<()>>,
    status_answers: Arc<Semaphore>,
}

/// The routes.
pub fn router(pages: Pages) -> Router {
    let shelf = Shelf {
        rendering: Rendering::new(pages.metrics.clone()),
        pages,
        making: Arc::default(),
        status_answers: Arc::new(Semaphore::new(MOST_STATUS_ANSWERS)),
    };
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/api/v1/status", get(status_page))
        .fallback(|| async { (StatusCode::NOT_FOUND, "there are /metrics, /livez, /readyz and /api/v1/status\n") })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, "there are GET and HEAD\n") })
        .layer(map_response(sealed))
        .with_state(shelf)
}

/// All of it is of this moment, and nothing but what it says it is.
async fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn metrics_page(State(shelf): State<Shelf>) -> Response {
    match shelf.rendering.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => broken(&error),
    }
}

fn broken(error: &dyn std::error::Error) -> Response {
    error!(%error, "an answer could not be made");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Ready once every target has been tried, or another replica leads. What AWS answered does not matter: an outage of AWS is no reason to restart.
async fn readyz(State(Shelf { pages, .. }): State<Shelf>) -> (StatusCode, &'static str) {
    if pages.board.all_tried() {
        (StatusCode::OK, "ok\n")
    } else if !pages.fence.is_open() {
        (StatusCode::SERVICE_UNAVAILABLE, "it is not known which replica leads; the log says why\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first look at every target is under way\n")
    }
}

async fn status_page(State(shelf): State<Shelf>, RawQuery(query): RawQuery) -> Response {
    let filter = match query::read(query.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let Shelf { pages, making, status_answers, .. } = shelf;
    let place = match status_answers.acquire_owned().await {
        Ok(place) => place,
        Err(error) => return broken(&error),
    };
    let making = making.lock_owned().await;
    // Beside the workers that reconcile: of a whole organization, one takes its time.
    let made = tokio::task::spawn_blocking(move || {
        let page = StatusPage {
            version: pages.version,
            leads: pages.fence.is_open(),
            leader: pages.fence.leader(),
            commit: COMMIT,
            configuration: pages.configuration(),
            view: pages.board.view(&filter),
        };
        let text = serde_json::to_vec(&page);
        drop(making);
        text
    });
    match made.await {
        Ok(Ok(text)) => {
            let body = Bytes::from_owner(Placed { text, _place: place });
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Ok(Err(error)) => broken(&error),
        Err(error) => broken(&error),
    }
}

/// An answer that holds its place as long as it is in memory.
struct Placed {
    text: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Pages {
    fn configuration(&self) -> ConfigurationView {
        let status = self.source.borrow();
        ConfigurationView {
            in_force: status.is_in_force(),
            hash: source::hex(&status.hash),
            loaded_at: status.loaded_at,
            problem: status.problem.clone(),
        }
    }
}
