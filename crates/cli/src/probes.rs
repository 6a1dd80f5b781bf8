//! The small server of a worker: health and metrics, nothing else.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use store::SystemStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::ProcessMetrics;

/// What the probes look at.
#[derive(Clone)]
pub(crate) struct Probes {
    pub(crate) store: SystemStore,
    pub(crate) metrics: ProcessMetrics,
}

/// Serves the probes until the token is cancelled.
///
/// # Errors
/// The listening socket failed.
pub(crate) async fn serve(
    listener: TcpListener,
    probes: Probes,
    stop: CancellationToken,
) -> Result<()> {
    let router = Router::new()
        .route("/health/live", get(async || StatusCode::OK))
        .route("/health/ready", get(get_ready))
        .route("/metrics", get(get_metrics))
        .with_state(probes);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("the listening socket failed")
}

async fn get_ready(State(probes): State<Probes>) -> StatusCode {
    match probes.store.ping().await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn get_metrics(State(probes): State<Probes>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match probes.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
