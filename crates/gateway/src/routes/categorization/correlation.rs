//! `GET /api/users/{user-id}/categorization/correlation`

use axum::Json;
use axum::extract::State;
use domain::{CorrelationId, UserId};
use store::{Run, RunStatus, TenantTx};
use wire::correlation::CorrelationResponse;
use wire::time::BerlinSeconds;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Query, UserPath, requirement};
use crate::openapi::{Correlation, ItemFailures, Tenant, UserInPath};
use crate::state::AppState;

/// Names this endpoint among those that are polled.
const ENDPOINT: &str = "categorization";

/// Says that an analysis is finished; 404 while it is not.
///
/// Without an identifier the newest finished run is answered. At most two requests a second may be
/// sent for one user after a burst of ten; webhooks make polling unnecessary.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization/correlation",
    operation_id = "categorization-get-correlation",
    tag = "Categorization",
    security(("bearer" = [])),
    params(UserInPath, Tenant, Correlation),
    responses(
        (status = 200, description = "The analysis is finished", body = CorrelationResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_correlation(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: UserPath,
    query: Query,
) -> ApiResult<Json<CorrelationResponse>> {
    let asked = query.correlation()?;
    let key = (caller.tenant(), path.user_id, ENDPOINT);
    state.polling_rate().take(&key)?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let run = finished_run(&mut tx, user.id, asked).await?;
    Ok(Json(CorrelationResponse {
        correlation_id: run.correlation_id.to_string(),
        correlation_timestamp: BerlinSeconds(run.requested_at),
    }))
}

/// The run asked for, or the newest one, if it is finished.
///
/// # Errors
/// `NotFound` for a run that is unknown, waits, or failed (G-32, G-33).
pub(super) async fn finished_run(
    tx: &mut TenantTx,
    user: UserId,
    asked: Option<CorrelationId>,
) -> ApiResult<Run> {
    let run = match asked {
        Some(id) => {
            tracing::Span::current().record("correlation.id", tracing::field::display(id));
            tx.run(user, id).await?
        }
        None => tx.newest_finished_run(user).await?,
    };
    run.filter(|run| run.status == RunStatus::Done)
        .ok_or(ApiError::NotFound {
            what: "finished analysis",
        })
}
