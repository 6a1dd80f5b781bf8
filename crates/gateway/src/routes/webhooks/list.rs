//! `GET /api/webhooks`

use axum::Json;
use axum::extract::State;
use store::Store;
use wire::webhook::WebhooksResponse;

use super::{Subscriber, shown};
use crate::error::ApiResult;
use crate::openapi::{Tenant, TenantFailures};

/// Lists the webhooks of the tenant, oldest first.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    operation_id = "webhooks-get-webhooks",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(Tenant),
    responses((status = 200, description = "The webhooks", body = WebhooksResponse), TenantFailures),
)]
pub(crate) async fn get_webhooks(
    caller: Subscriber,
    State(store): State<Store>,
) -> ApiResult<Json<WebhooksResponse>> {
    let mut tx = store.begin(caller.tenant()).await?;
    let webhooks = tx.webhooks().await?;
    Ok(Json(WebhooksResponse {
        webhooks: webhooks
            .into_iter()
            .map(|webhook| shown(&caller, webhook))
            .collect(),
    }))
}
