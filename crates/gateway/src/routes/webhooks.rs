//! Webhooks: where events are sent, what was sent, and sending it again.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod deliveries;
pub(super) mod get;
pub(super) mod list;
pub(super) mod replay;
pub(super) mod replay_one;
pub(super) mod rotate;
pub(super) mod update;

mod fields;
mod target;

use store::Webhook;
use wire::time::UtcMillis;

use crate::extract::{Caller, requirement};

/// A client that holds the scope `webhooks`.
type Subscriber = Caller<requirement::Webhooks>;

/// A webhook as answered.
fn shown(caller: &Subscriber, webhook: Webhook) -> wire::webhook::Webhook {
    wire::webhook::Webhook {
        webhook_id: webhook.id.to_string(),
        url: webhook.url,
        method: webhook.method.as_str().to_owned(),
        events: webhook.events,
        has_secret: webhook.has_secret,
        active: webhook.active,
        tenant_id: caller.tenant_name().to_owned(),
        created_at: UtcMillis(webhook.created_at),
    }
}

/// A delivery as answered.
fn shown_delivery(delivery: store::Delivery) -> wire::webhook::Delivery {
    use wire::webhook::DeliveryStatus;

    let status = match delivery.status {
        store::DeliveryStatus::Pending => DeliveryStatus::Pending,
        store::DeliveryStatus::Delivered => DeliveryStatus::Delivered,
        store::DeliveryStatus::Exhausted => DeliveryStatus::Exhausted,
        store::DeliveryStatus::Cancelled => DeliveryStatus::Cancelled,
    };
    let pending = status == DeliveryStatus::Pending;
    wire::webhook::Delivery {
        delivery_id: delivery.id.to_string(),
        event_id: delivery.event_id.to_string(),
        event: delivery.event,
        user_id: delivery.user_id.to_string(),
        status,
        attempts: u32::try_from(delivery.attempts).unwrap_or(0),
        response_status: delivery.response_status,
        error: delivery.error,
        created_at: UtcMillis(delivery.created_at),
        next_attempt_at: pending.then_some(UtcMillis(delivery.next_attempt_at)),
        settled_at: delivery.settled_at.map(UtcMillis),
    }
}
