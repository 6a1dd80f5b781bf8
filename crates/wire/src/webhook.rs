//! Webhooks, their deliveries, and the body that is delivered.

use domain::Sensitive;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::time::{BerlinSeconds, UtcMillis};

/// Registers a webhook. Unknown fields are ignored, null equals omitted.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CreateWebhookRequest {
    /// Where events are sent; required.
    #[serde(default)]
    #[schema(value_type = String, example = "https://yourapp.com/finoos-hook")]
    pub url: Option<String>,
    /// `POST` (default), `PUT` or `PATCH`.
    #[serde(default)]
    #[schema(example = "POST")]
    pub method: Option<String>,
    /// Names of events; required, not empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["categorization", "analysis.finished"]))]
    pub events: Option<Vec<String>>,
    /// Sent along in the body, unchanged; signs nothing.
    #[serde(default, deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Sensitive<String>>,
    /// Whether events are delivered; true by default.
    #[serde(default)]
    pub active: Option<bool>,
}

/// Changes a webhook; what is omitted or null stays. An empty `secret` removes it.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct UpdateWebhookRequest {
    /// Where events are sent.
    #[serde(default)]
    pub url: Option<String>,
    /// `POST`, `PUT` or `PATCH`.
    #[serde(default)]
    pub method: Option<String>,
    /// Names of events, not empty.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// Sent along in the body, unchanged; empty removes it.
    #[serde(default, deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Sensitive<String>>,
    /// Whether events are delivered.
    #[serde(default)]
    pub active: Option<bool>,
}

/// A webhook. The secret is never shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Identifier, a UUID.
    #[serde(rename = "webhookID")]
    pub webhook_id: String,
    /// Where events are sent.
    pub url: String,
    /// HTTP method of the deliveries.
    pub method: String,
    /// Names of events.
    pub events: Vec<String>,
    /// Whether a secret is sent along in the body.
    pub has_secret: bool,
    /// Whether events are delivered.
    pub active: bool,
    /// The tenant's name.
    #[serde(rename = "tenantID")]
    pub tenant_id: String,
    /// When it was registered.
    pub created_at: UtcMillis,
}

/// The registered webhook with its signing secret, which is shown this once (G-10).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateWebhookResponse {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// Verifies the `webhook-signature` header (Standard Webhooks): `whsec_…`.
    pub signing_secret: String,
}

/// Webhooks of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhooksResponse {
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
}

/// A fresh signing secret, shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotateSigningSecretResponse {
    /// The webhook's identifier.
    #[serde(rename = "webhookID")]
    pub webhook_id: String,
    /// Verifies deliveries from now on.
    pub signing_secret: String,
    /// Until when deliveries are signed with the former secret too.
    pub previous_valid_until: UtcMillis,
}

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// Waits for its next attempt.
    Pending,
    /// Accepted by the receiver.
    Delivered,
    /// Given up after the last attempt.
    Exhausted,
    /// Withdrawn, because the user or the webhook is gone.
    Cancelled,
}

impl DeliveryStatus {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Identifier; the header `webhook-id` of every attempt.
    #[serde(rename = "deliveryID")]
    pub delivery_id: String,
    /// Identifier of the event, the same for every webhook that hears of it.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// Name of the event.
    pub event: String,
    /// The user it is about.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// State.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// HTTP status of the last answer; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// Why the last attempt failed; absent unless it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the event happened.
    pub created_at: UtcMillis,
    /// When the next attempt is due; absent unless one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<UtcMillis>,
    /// When it was delivered, given up or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<UtcMillis>,
}

/// Deliveries of a webhook, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveriesResponse {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Sends deliveries again: single ones, or all that were settled in a period.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayRequest {
    /// Identifiers of deliveries.
    #[serde(default, rename = "deliveryIDs", alias = "deliveryIds")]
    pub delivery_ids: Option<Vec<String>>,
    /// First moment of the period, RFC 3339, inclusive.
    #[serde(default)]
    pub since: Option<String>,
    /// Last moment of the period, RFC 3339, inclusive.
    #[serde(default)]
    pub until: Option<String>,
}

/// How many deliveries were scheduled again.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ReplayResponse {
    /// Deliveries that will be sent again.
    pub replayed: u64,
}

/// The body that is delivered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookPayload<'a> {
    /// The run's identifier; the event's own for events outside a run.
    #[serde(rename = "correlationID")]
    pub correlation_id: &'a str,
    /// When the run was asked for, or the event happened; RFC 3339 with offset.
    pub correlation_timestamp: BerlinSeconds,
    /// The caller's own identifier of the user; absent when none was given.
    #[serde(rename = "customUserID", skip_serializing_if = "Option::is_none")]
    pub custom_user_id: Option<&'a str>,
    /// What the event carries; absent for notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<&'a RawValue>,
    /// Name of the event.
    pub event: &'a str,
    /// The secret as configured; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<&'a str>,
    /// The tenant's name.
    #[serde(rename = "tenantID")]
    pub tenant_id: &'a str,
    /// The user's identifier.
    #[serde(rename = "userID")]
    pub user_id: &'a str,
    /// The webhook's identifier.
    #[serde(rename = "webhookID")]
    pub webhook_id: &'a str,
}
