//! `POST /api/users/{user-id}/trigger-analysis`

use axum::extract::State;
use axum::http::StatusCode;
use domain::CorrelationId;
use store::{RunCause, RunRequest};
use wire::correlation::TriggerAnalysisResponse;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, NoBody, UserPath, Write, requirement};
use crate::http::{Answer, RequestContext};
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, UserInPath};
use crate::state::AppState;

/// Starts an analysis of everything that is stored about a user.
#[utoipa::path(
    post,
    path = "/api/users/{user-id}/trigger-analysis",
    operation_id = "users-trigger-analysis",
    tag = "Users",
    security(("bearer" = [])),
    params(UserInPath, Tenant, IdempotencyKey),
    responses(
        (
            status = 202,
            description = "The analysis is requested",
            body = TriggerAnalysisResponse,
            headers(("Finoos-Correlation-Id" = String, description = "The run's identifier"))
        ),
        ItemWriteFailures
    ),
)]
pub(crate) async fn trigger_analysis(
    caller: Caller<requirement::Authenticated>,
    State(state): State<AppState>,
    path: UserPath,
    request: RequestContext,
    write: Write<NoBody>,
) -> ApiResult<Answer> {
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let user = caller.locked_user(&mut tx, path.user_id).await?;
    if !tx.has_accounts(user.id).await? {
        return Err(ApiError::Conflict {
            reason: "the user has no banking data to analyse",
        });
    }
    let correlation_id = CorrelationId::new(state.ids().uuid());
    let run = RunRequest {
        correlation_id,
        cause: RunCause::Trigger,
        not_before: None,
        trace: request.trace(),
    };
    tx.request_run(user.id, &run).await?;
    let response = TriggerAnalysisResponse {
        correlation_id: correlation_id.to_string(),
        user_scopes: user.scopes,
    };
    let answer = Answer::json(StatusCode::ACCEPTED, &response)?.with_correlation(correlation_id);
    write
        .idempotency
        .remember(&mut tx, Some(user.id), &answer)
        .await?;
    tx.commit().await?;
    Ok(answer)
}
