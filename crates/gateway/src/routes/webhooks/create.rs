//! `POST /api/webhooks`

use axum::extract::State;
use axum::http::StatusCode;
use domain::Sensitive;
use store::NewWebhook;
use wire::webhook::{CreateWebhookRequest, CreateWebhookResponse};

use super::target::checked_url;
use super::{Subscriber, fields, shown};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Json, Write};
use crate::http::Answer;
use crate::openapi::{IdempotencyKey, Tenant, TenantWriteFailures};
use crate::state::AppState;

/// Registers a webhook. Its signing secret is shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/api/webhooks",
    operation_id = "webhooks-create-webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(Tenant, IdempotencyKey),
    request_body = CreateWebhookRequest,
    responses(
        (status = 201, description = "The webhook", body = CreateWebhookResponse),
        TenantWriteFailures
    ),
)]
pub(crate) async fn create_webhook(
    caller: Subscriber,
    State(state): State<AppState>,
    write: Write<Json<CreateWebhookRequest>>,
) -> ApiResult<Answer> {
    let webhook = new_webhook(&caller, &state, write.body.0).await?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let created = tx.add_webhook(&webhook).await?;
    let response = CreateWebhookResponse {
        webhook: shown(&caller, created.webhook),
        signing_secret: created.signing_secret.into_inner(),
    };
    let answer = Answer::json(StatusCode::CREATED, &response)?;
    write.idempotency.remember(&mut tx, None, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn new_webhook(
    caller: &Subscriber,
    state: &AppState,
    request: CreateWebhookRequest,
) -> ApiResult<NewWebhook> {
    let required = |field| ApiError::field(field, "is required");
    let url = request.url.ok_or_else(|| required("url"))?;
    let names = request.events.ok_or_else(|| required("events"))?;
    let method = fields::method(request.method.as_deref())?;
    let events = fields::events(&names, caller.scopes())?;
    let secret = fields::secret(request.secret)?.filter(|secret| !Sensitive::is_empty(secret));
    let patience = state.settings().timeouts.resolve();
    Ok(NewWebhook {
        url: checked_url(&url, state.targets(), patience).await?,
        method: method.unwrap_or_default(),
        events,
        active: request.active.unwrap_or(true),
        secret,
    })
}
