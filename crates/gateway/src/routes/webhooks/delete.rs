//! `DELETE /api/webhooks/{webhook-id}`

use axum::extract::State;
use axum::http::StatusCode;
use store::Store;

use super::Subscriber;
use crate::error::ApiResult;
use crate::extract::WebhookPath;
use crate::openapi::{ItemFailures, Tenant, WebhookInPath};

/// Deletes a webhook with its deliveries.
#[utoipa::path(
    delete,
    path = "/api/webhooks/{webhook-id}",
    operation_id = "webhooks-delete-webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, Tenant),
    responses((status = 204, description = "The webhook is deleted"), ItemFailures),
)]
pub(crate) async fn delete_webhook(
    caller: Subscriber,
    State(store): State<Store>,
    path: WebhookPath,
) -> ApiResult<StatusCode> {
    let mut tx = store.begin(caller.tenant()).await?;
    tx.delete_webhook(path.webhook_id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
