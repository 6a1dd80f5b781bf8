//! For those who run the service: is it alive, is it ready, what does it measure.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// How long the database may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// The text format that Prometheus reads.
const METRICS_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A sign of life.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct HealthResponse {
    /// Always `ok`; anything else is an error.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: HealthResponse = HealthResponse { status: "ok" };

/// Says that the process runs.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "health-live",
    tag = "Operations",
    responses((status = 200, description = "The process runs", body = HealthResponse)),
)]
pub(crate) async fn get_liveness() -> Json<HealthResponse> {
    Json(OK)
}

/// Says whether requests can be served: the database answers.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "health-ready",
    tag = "Operations",
    responses(
        (status = 200, description = "Requests can be served", body = HealthResponse),
        (status = 503, description = "The database does not answer", body = wire::ErrorResponse),
    ),
)]
pub(crate) async fn get_readiness(
    State(state): State<AppState>,
) -> ApiResult<Json<HealthResponse>> {
    match tokio::time::timeout(READY_WITHIN, state.store().ping()).await {
        Ok(pong) => pong?,
        Err(_) => {
            return Err(ApiError::Timeout {
                limit: READY_WITHIN,
            });
        }
    }
    Ok(Json(OK))
}

/// What the process measures, in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Operations",
    responses((status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text")),
)]
pub(crate) async fn get_metrics(State(state): State<AppState>) -> ApiResult<Response> {
    let text = state
        .metrics()
        .encode()
        .map_err(|_| ApiError::Inconsistent("the metrics could not be written"))?;
    Ok(([(CONTENT_TYPE, METRICS_FORMAT)], text).into_response())
}
