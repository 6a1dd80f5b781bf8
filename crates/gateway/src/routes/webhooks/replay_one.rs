//! `POST /api/webhooks/{webhook-id}/deliveries/{delivery-id}/replay`

use axum::extract::State;
use axum::http::StatusCode;
use store::Store;
use wire::webhook::Delivery;

use super::{Subscriber, shown_delivery};
use crate::error::ApiResult;
use crate::extract::{DeliveryPath, NoBody, Write};
use crate::http::Answer;
use crate::openapi::{DeliveryInPath, IdempotencyKey, ItemWriteFailures, Tenant, WebhookInPath};

/// Sends one delivery again; one that waits is sent at once.
#[utoipa::path(
    post,
    path = "/api/webhooks/{webhook-id}/deliveries/{delivery-id}/replay",
    operation_id = "webhooks-replay-delivery",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, DeliveryInPath, Tenant, IdempotencyKey),
    responses(
        (status = 202, description = "The delivery, waiting", body = Delivery),
        ItemWriteFailures
    ),
)]
pub(crate) async fn replay_delivery(
    caller: Subscriber,
    State(store): State<Store>,
    path: DeliveryPath,
    write: Write<NoBody>,
) -> ApiResult<Answer> {
    let mut tx = store.begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let delivery = tx
        .replay_delivery(path.webhook_id, path.delivery_id)
        .await?;
    let answer = Answer::json(StatusCode::ACCEPTED, &shown_delivery(delivery))?;
    write.idempotency.remember(&mut tx, None, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
