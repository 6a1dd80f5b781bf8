//! `GET /api/webhooks/{webhook-id}`

use axum::Json;
use axum::extract::State;
use store::Store;
use wire::webhook::Webhook;

use super::{Subscriber, shown};
use crate::error::ApiResult;
use crate::extract::WebhookPath;
use crate::openapi::{ItemFailures, Tenant, WebhookInPath};

/// Returns a webhook.
#[utoipa::path(
    get,
    path = "/api/webhooks/{webhook-id}",
    operation_id = "webhooks-get-webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, Tenant),
    responses((status = 200, description = "The webhook", body = Webhook), ItemFailures),
)]
pub(crate) async fn get_webhook(
    caller: Subscriber,
    State(store): State<Store>,
    path: WebhookPath,
) -> ApiResult<Json<Webhook>> {
    let mut tx = store.begin(caller.tenant()).await?;
    let webhook = tx.webhook(path.webhook_id).await?;
    Ok(Json(shown(&caller, webhook)))
}
