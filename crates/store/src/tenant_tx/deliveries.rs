//! The log of a webhook's deliveries, and sending them again.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::{CorrelationId, DeliveryId, EventId, UserId, WebhookId};
use uuid::Uuid;

use super::TenantTx;
use crate::error::StoreError;
use crate::listen::Channel;

/// Most deliveries of one page.
pub const DELIVERIES_PAGE_MAX: u32 = 200;
/// Most deliveries that one call sends again.
pub const REPLAY_RANGE_MAX: i64 = 10_000;

/// The event that says its user is gone: the only one of a deleted user that is sent again.
const USER_DELETED: &str = "user.deleted";

const USER_GONE: StoreError = StoreError::Conflict {
    reason: "the user of this delivery was deleted",
};

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Waiting for its next attempt, or for an earlier one of the same user.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up after the last attempt.
    Exhausted,
    /// Its user was deleted first.
    Cancelled,
}

impl DeliveryStatus {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FromStr for DeliveryStatus {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "pending" => Ok(Self::Pending),
            "delivered" => Ok(Self::Delivered),
            "exhausted" => Ok(Self::Exhausted),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err(StoreError::Invalid {
                reason: "status must be one of: pending, delivered, exhausted, cancelled",
            }),
        }
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Identifier; the same through all attempts.
    pub id: DeliveryId,
    /// Place in the webhook's order.
    pub sequence: i64,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event.
    pub event_id: EventId,
    /// The user it is about.
    pub user_id: UserId,
    /// Name of the event.
    pub event: String,
    /// The run it belongs to.
    pub correlation_id: Option<CorrelationId>,
    /// How far it is.
    pub status: DeliveryStatus,
    /// Attempts since it was made or sent again.
    pub attempts: i32,
    /// When the next attempt is due.
    pub next_attempt_at: DateTime<Utc>,
    /// HTTP status of the newest attempt.
    pub response_status: Option<u16>,
    /// Why the newest attempt failed.
    pub error: Option<String>,
    /// When the event happened.
    pub created_at: DateTime<Utc>,
    /// When it was delivered, given up or cancelled.
    pub settled_at: Option<DateTime<Utc>>,
}

/// Which deliveries to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only those before this place in the order.
    pub before_sequence: Option<i64>,
    /// How many; [`DELIVERIES_PAGE_MAX`] at most are given.
    pub limit: u32,
    /// Only those that are this far.
    pub status: Option<DeliveryStatus>,
}

/// Which deliveries to send again: events from `since` until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayRange {
    /// First moment.
    pub since: DateTime<Utc>,
    /// First moment after the range.
    pub until: DateTime<Utc>,
    /// Only those that are this far; both delivered and exhausted ones without it.
    pub status: Option<DeliveryStatus>,
}

struct DeliveryRow {
    delivery_id: Uuid,
    sequence: i64,
    webhook_id: Uuid,
    event_id: Uuid,
    user_id: Uuid,
    event: String,
    correlation_id: Option<Uuid>,
    status: String,
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    response_status: Option<i16>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: DeliveryId::new(row.delivery_id),
            sequence: row.sequence,
            webhook_id: WebhookId::new(row.webhook_id),
            event_id: EventId::new(row.event_id),
            user_id: UserId::new(row.user_id),
            event: row.event,
            correlation_id: row.correlation_id.map(CorrelationId::new),
            status: row.status.parse().map_err(|_| StoreError::Corrupt {
                column: "webhook_delivery.status",
            })?,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            response_status: row
                .response_status
                .and_then(|code| u16::try_from(code).ok()),
            error: row.error,
            created_at: row.created_at,
            settled_at: row.settled_at,
        })
    }
}

impl TenantTx {
    /// Reads a webhook's deliveries, newest first.
    ///
    /// # Errors
    /// `NotFound` for the webhook.
    pub async fn deliveries(
        &mut self,
        webhook: WebhookId,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.webhook(webhook).await?;
        let (tenant, webhook) = (self.id(), webhook.as_uuid());
        let status = filter.status.map(DeliveryStatus::as_str);
        let limit = i64::from(filter.limit.min(DELIVERIES_PAGE_MAX));
        let rows = sqlx::query_as!(
            DeliveryRow,
            "select d.delivery_id, d.sequence, d.webhook_id, d.event_id, d.user_id, d.event,
                    e.correlation_id, d.status, d.attempts, d.next_attempt_at, d.response_status,
                    d.error, d.created_at, d.settled_at
             from webhook_delivery d
             join webhook_event e on e.tenant_id = d.tenant_id and e.event_id = d.event_id
             where d.tenant_id = $1 and d.webhook_id = $2
               and d.sequence < coalesce($3::bigint, 9223372036854775807)
               and ($4::text is null or d.status = $4)
             order by d.sequence desc limit $5",
            tenant,
            webhook,
            filter.before_sequence,
            status,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// Reads one delivery of a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delivery(
        &mut self,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> Result<Delivery, StoreError> {
        let (tenant, webhook, delivery) = (self.id(), webhook.as_uuid(), delivery.as_uuid());
        sqlx::query_as!(
            DeliveryRow,
            "select d.delivery_id, d.sequence, d.webhook_id, d.event_id, d.user_id, d.event,
                    e.correlation_id, d.status, d.attempts, d.next_attempt_at, d.response_status,
                    d.error, d.created_at, d.settled_at
             from webhook_delivery d
             join webhook_event e on e.tenant_id = d.tenant_id and e.event_id = d.event_id
             where d.tenant_id = $1 and d.webhook_id = $2 and d.delivery_id = $3",
            tenant,
            webhook,
            delivery
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "delivery" })?
        .try_into()
    }

    /// Sends a delivery again, at its old place in the order; one that waits is sent at once.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when its user was deleted.
    pub async fn replay_delivery(
        &mut self,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> Result<Delivery, StoreError> {
        let found = self.delivery(webhook, delivery).await?;
        let (tenant, id, now) = (self.id(), delivery.as_uuid(), self.now());
        match found.status {
            DeliveryStatus::Cancelled => {
                return Err(USER_GONE);
            }
            DeliveryStatus::Pending => {
                sqlx::query!(
                    "update webhook_delivery set next_attempt_at = $3
                     where tenant_id = $1 and delivery_id = $2 and status = 'pending'",
                    tenant,
                    id,
                    now
                )
                .execute(self.conn())
                .await?;
            }
            DeliveryStatus::Delivered | DeliveryStatus::Exhausted => {
                self.check_replayable(&found).await?;
                sqlx::query!(
                    "update webhook_delivery
                     set status = 'pending', attempts = 0, next_attempt_at = $3, error = null,
                         leased_until = null, lease = null, response_status = null,
                         settled_at = null
                     where tenant_id = $1 and delivery_id = $2
                       and status in ('delivered', 'exhausted')",
                    tenant,
                    id,
                    now
                )
                .execute(self.conn())
                .await?;
            }
        }
        self.notify(Channel::Delivery).await?;
        self.delivery(webhook, delivery).await
    }

    /// Refuses a delivery that has lost its content with its user; keeps the user until this
    /// transaction ends.
    async fn check_replayable(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        if delivery.event == USER_DELETED {
            return Ok(());
        }
        let (tenant, user) = (self.id(), delivery.user_id.as_uuid());
        let found = sqlx::query!(
            "select 1 as one from app_user where tenant_id = $1 and user_id = $2 for key share",
            tenant,
            user
        )
        .fetch_optional(self.conn())
        .await?;
        found.map(drop).ok_or(USER_GONE)
    }

    /// Sends a webhook's settled deliveries of a span of time again, oldest first.
    ///
    /// Returns how many; [`REPLAY_RANGE_MAX`] at most are sent in one call. Those of deleted users
    /// are left out, because their content is gone; that a user was deleted is said again.
    ///
    /// # Errors
    /// `NotFound` for the webhook.
    pub async fn replay_range(
        &mut self,
        webhook: WebhookId,
        range: &ReplayRange,
    ) -> Result<u64, StoreError> {
        self.webhook(webhook).await?;
        let (tenant, webhook, now) = (self.id(), webhook.as_uuid(), self.now());
        let status = range.status.map(DeliveryStatus::as_str);
        let replayed = sqlx::query!(
            "update webhook_delivery
             set status = 'pending', attempts = 0, next_attempt_at = $6, error = null,
                 leased_until = null, lease = null, response_status = null, settled_at = null
             where tenant_id = $1 and delivery_id in (
                 select d.delivery_id from webhook_delivery d
                 where d.tenant_id = $1 and d.webhook_id = $2
                   and d.created_at >= $3 and d.created_at < $4
                   and d.status in ('delivered', 'exhausted')
                   and ($5::text is null or d.status = $5)
                   and (d.event = $8 or exists (
                       select 1 from app_user u
                       where u.tenant_id = d.tenant_id and u.user_id = d.user_id))
                 order by d.sequence limit $7)",
            tenant,
            webhook,
            range.since,
            range.until,
            status,
            now,
            REPLAY_RANGE_MAX,
            USER_DELETED
        )
        .execute(self.conn())
        .await?;
        self.notify(Channel::Delivery).await?;
        Ok(replayed.rows_affected())
    }
}
