//! `GET /api/webhooks/{webhook-id}/deliveries`

use axum::Json;
use axum::extract::State;
use store::{DeliveryFilter, DeliveryStatus, Store};
use wire::webhook::DeliveriesResponse;

use super::{Subscriber, shown_delivery};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Query, WebhookPath};
use crate::openapi::{ItemFailures, Tenant, WebhookInPath};

/// Deliveries a page unless asked otherwise.
const LIMIT: u32 = 50;
/// Most deliveries a page.
const LIMIT_MAX: u32 = 100;
const STATUS: &str = "must be one of: pending, delivered, exhausted, cancelled";

/// Lists what was sent to a webhook and what waits, newest first.
#[utoipa::path(
    get,
    path = "/api/webhooks/{webhook-id}/deliveries",
    operation_id = "webhooks-get-deliveries",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(
        WebhookInPath, Tenant,
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
        ("limit" = Option<u32>, Query, description = "Deliveries a page, at most 100; 50 by default"),
        ("status" = Option<String>, Query, description = "`pending`, `delivered`, `exhausted` or `cancelled`"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveriesResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_deliveries(
    caller: Subscriber,
    State(store): State<Store>,
    path: WebhookPath,
    query: Query,
) -> ApiResult<Json<DeliveriesResponse>> {
    let filter = filter(&query)?;
    let mut tx = store.begin(caller.tenant()).await?;
    let mut found = tx.deliveries(path.webhook_id, &filter).await?;
    // One more than asked for was read, which tells whether there is a next page.
    let page = usize::try_from(filter.limit.saturating_sub(1)).unwrap_or(usize::MAX);
    let more = found.len() > page;
    found.truncate(page);
    let last = found.last().map(|delivery| delivery.sequence.to_string());
    Ok(Json(DeliveriesResponse {
        next_cursor: last.filter(|_| more),
        deliveries: found.into_iter().map(shown_delivery).collect(),
    }))
}

fn filter(query: &Query) -> ApiResult<DeliveryFilter> {
    let limit = query.parsed(&["limit"], "must be a whole number")?;
    let limit = limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let reason = format!("must be a number from 1 to {LIMIT_MAX}");
        return Err(ApiError::parameter("limit", reason));
    }
    Ok(DeliveryFilter {
        before_sequence: query.parsed(&["cursor"], "must be the nextCursor of a page")?,
        limit: limit.saturating_add(1),
        status: query.parsed::<DeliveryStatus>(&["status"], STATUS)?,
    })
}
