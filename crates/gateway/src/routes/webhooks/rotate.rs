//! `POST /api/webhooks/{webhook-id}/rotate-signing-secret`

use axum::extract::State;
use axum::http::StatusCode;
use wire::time::UtcMillis;
use wire::webhook::RotateSigningSecretResponse;

use super::Subscriber;
use crate::error::ApiResult;
use crate::extract::{NoBody, WebhookPath, Write};
use crate::http::Answer;
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, WebhookInPath};
use crate::state::AppState;

/// Gives a webhook a new signing secret, shown in this answer and never again.
///
/// Deliveries are signed with the former secret too until `previousValidUntil`.
#[utoipa::path(
    post,
    path = "/api/webhooks/{webhook-id}/rotate-signing-secret",
    operation_id = "webhooks-rotate-signing-secret",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, Tenant, IdempotencyKey),
    responses(
        (status = 200, description = "The new secret", body = RotateSigningSecretResponse),
        ItemWriteFailures
    ),
)]
pub(crate) async fn rotate_signing_secret(
    caller: Subscriber,
    State(state): State<AppState>,
    path: WebhookPath,
    write: Write<NoBody>,
) -> ApiResult<Answer> {
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let overlap = state.settings().timeouts.signing_overlap();
    let rotated = tx.rotate_signing_secret(path.webhook_id, overlap).await?;
    let until = rotated.webhook.previous_key_until;
    let response = RotateSigningSecretResponse {
        webhook_id: rotated.webhook.id.to_string(),
        signing_secret: rotated.signing_secret.into_inner(),
        previous_valid_until: UtcMillis(until.unwrap_or(rotated.webhook.updated_at)),
    };
    let answer = Answer::json(StatusCode::OK, &response)?;
    write.idempotency.remember(&mut tx, None, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
