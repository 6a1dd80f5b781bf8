//! `PUT /api/users/{user-id}/categorization/patterns`, also as POST

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{CorrelationId, PatternSet, UserType};
use rules::patterns::PATTERNS_MAX;
use rules::{RulePack, UserPatterns};
use store::{RunCause, RunRequest};
use wire::InvalidInput;
use wire::correlation::PatternsAcceptedResponse;
use wire::json::{self, Object};
use wire::patterns::PatternsRequest;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, PatternsBody, UserPath, Write, requirement};
use crate::http::{Answer, RequestContext};
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, UserInPath};
use crate::state::AppState;

/// Replaces all patterns of a user, then categorizes the transactions again.
///
/// What is not in the body is gone. Tags by identifier go before those by creditor identifier, and
/// those before those by name; of equals, the later one decides about the category, and every one
/// that matches adds its other tags. A pattern goes before every rule. The header
/// `Finoos-Correlation-Id` names the run that sets the tags.
#[utoipa::path(
    put,
    path = "/api/users/{user-id}/categorization/patterns",
    operation_id = "categorization-set-patterns",
    tag = "Categorization",
    security(("bearer" = [])),
    params(UserInPath, Tenant, IdempotencyKey),
    request_body = PatternsRequest,
    responses(
        (
            status = 202,
            description = "The patterns are stored, the analysis is requested",
            body = PatternsAcceptedResponse,
            headers(("Finoos-Correlation-Id" = String, description = "The run's identifier"))
        ),
        ItemWriteFailures
    ),
)]
pub(crate) async fn set_patterns(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: UserPath,
    request: RequestContext,
    write: Write<PatternsBody>,
) -> ApiResult<Answer> {
    let PatternsBody { bytes, room } = write.body;
    let turn = state.compile_turn().await?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let user_type = caller.user(&mut tx, path.user_id).await?.user_type;
    // No connection waits while everything is compiled. A user's type never changes.
    drop(tx);
    let rules = Arc::clone(state.rules());
    let set = turn
        .computed(move || checked(&rules, user_type, read(&bytes)?))
        .await??;
    let mut tx = state.store().begin(caller.tenant()).await?;
    // The same request may have been answered meanwhile.
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let user = caller.user(&mut tx, path.user_id).await?;
    tx.set_patterns(user.id, &set).await?;
    let correlation_id = CorrelationId::new(state.ids().uuid());
    let run = RunRequest {
        correlation_id,
        cause: RunCause::Patterns,
        not_before: None,
        trace: request.trace(),
    };
    tx.request_run(user.id, &run).await?;
    tracing::Span::current().record("correlation.id", tracing::field::display(correlation_id));
    let response = PatternsAcceptedResponse {
        correlation_id: correlation_id.to_string(),
    };
    let answer = Answer::json(StatusCode::ACCEPTED, &response)?.with_correlation(correlation_id);
    write
        .idempotency
        .remember(&mut tx, Some(user.id), &answer)
        .await?;
    tx.commit().await?;
    drop(room);
    Ok(answer)
}

fn read(body: &Bytes) -> ApiResult<PatternSet> {
    json::check_nesting(body)?;
    let Object(request) = json::read::<Object<PatternsRequest<'_>>>(body)?;
    Ok(request.into_set()?)
}

/// The set, if it can be used: what the analysis would refuse is refused here.
fn checked(rules: &RulePack, tree: UserType, set: PatternSet) -> ApiResult<PatternSet> {
    if set.len() > PATTERNS_MAX {
        return Err(InvalidInput::too_many("patterns", "patterns and ids", PATTERNS_MAX).into());
    }
    match UserPatterns::compile(rules.taxonomy(), tree, &set) {
        Ok(_) => Ok(set),
        Err(problem) => Err(ApiError::field(problem.path.as_str(), problem.message)),
    }
}
