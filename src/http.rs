//! What is served: metrics, probes, status. Nothing here changes anything.

mod query;
mod server;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tracing::error;

use crate::metrics::{self, Metrics};
use crate::source::{self, SourceStatus};
use crate::status::{StatusBoard, View};
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
    /// Which build this is.
    pub version: &'static str,
}

/// The answer of `/api/v1/status`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusPage {
    version: &'static str,
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

/// The routes.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/api/v1/status", get(status_page))
        .with_state(pages)
}

async fn metrics_page(State(pages): State<Pages>) -> Response {
    aside(move || match pages.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            error!(%error, "metrics could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
    .await
}

/// Makes an answer beside the workers that reconcile: with a whole organization, one takes a tenth of a second.
async fn aside(make: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(make).await.unwrap_or_else(|error| {
        error!(%error, "an answer could not be made");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// Ready once every target has been tried. What AWS answered does not matter: an outage of AWS is no reason to restart.
async fn readyz(State(pages): State<Pages>) -> (StatusCode, &'static str) {
    if pages.board.all_tried() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first look at every target is under way\n")
    }
}

async fn status_page(State(pages): State<Pages>, RawQuery(query): RawQuery) -> Response {
    let filter = match query::read(query.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let configuration = {
        let status = pages.source.borrow();
        ConfigurationView {
            in_force: status.is_in_force(),
            hash: source::hex(&status.hash),
            loaded_at: status.loaded_at,
            problem: status.problem.clone(),
        }
    };
    aside(move || Json(StatusPage { version: pages.version, configuration, view: pages.board.view(&filter) }).into_response())
        .await
}
