//! `PATCH /api/webhooks/{webhook-id}`, also as PUT

use axum::Json;
use axum::extract::State;
use store::{SecretChange, WebhookPatch};
use wire::webhook::{UpdateWebhookRequest, Webhook};

use super::target::checked_url;
use super::{Subscriber, fields, shown};
use crate::error::ApiResult;
use crate::extract::{Json as JsonBody, WebhookPath, Write};
use crate::openapi::{ItemWriteFailures, Tenant, WebhookInPath};
use crate::state::AppState;

/// Changes a webhook; what is omitted or null stays. An empty `secret` removes it.
#[utoipa::path(
    patch,
    path = "/api/webhooks/{webhook-id}",
    operation_id = "webhooks-update-webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, Tenant),
    request_body = UpdateWebhookRequest,
    responses((status = 200, description = "The webhook", body = Webhook), ItemWriteFailures),
)]
pub(crate) async fn update_webhook(
    caller: Subscriber,
    State(state): State<AppState>,
    path: WebhookPath,
    write: Write<JsonBody<UpdateWebhookRequest>>,
) -> ApiResult<Json<Webhook>> {
    let changes = changes(&caller, &state, write.body.0).await?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    let webhook = tx.update_webhook(path.webhook_id, &changes).await?;
    tx.commit().await?;
    Ok(Json(shown(&caller, webhook)))
}

async fn changes(
    caller: &Subscriber,
    state: &AppState,
    request: UpdateWebhookRequest,
) -> ApiResult<WebhookPatch> {
    let patience = state.settings().timeouts.resolve();
    Ok(WebhookPatch {
        method: fields::method(request.method.as_deref())?,
        events: match request.events {
            Some(names) => Some(fields::events(&names, caller.scopes())?),
            None => None,
        },
        active: request.active,
        secret: match fields::secret(request.secret)? {
            None => SecretChange::Keep,
            Some(secret) if secret.is_empty() => SecretChange::Remove,
            Some(secret) => SecretChange::Set(secret),
        },
        url: match request.url {
            Some(url) => Some(checked_url(&url, state.targets(), patience).await?),
            None => None,
        },
    })
}
