//! Webhook deliveries that are due, over all tenants.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ClientId, CorrelationId, DeliveryId, EventId, Sensitive, TenantId, UserId, WebhookId,
};
use uuid::Uuid;

use super::SystemStore;
use crate::error::StoreError;
use crate::tenant_tx::{Kind, SealedPlace, WebhookMethod};
use crate::text::error_text;
use crate::vault::Vault;

/// Most deliveries of one lease; each can hold a user's whole answer.
pub const DELIVERY_LEASE_MAX: u32 = 100;

/// How long a delivery waits that cannot be read, which only an operator can mend.
const UNREADABLE_RETRY: TimeDelta = TimeDelta::hours(1);

/// How long a delivery is put off that is blocked by an older one or by an inactive webhook.
///
/// Whatever takes the obstacle away ends the wait; this bounds it where the two miss each other.
pub(crate) const BLOCKED_WAIT: TimeDelta = TimeDelta::minutes(5);

/// Most due deliveries that one look takes into account.
const LOOK_ROWS_MAX: i64 = 1_000;

/// Most looks of one lease: so many times all that was looked at may turn out blocked.
const LOOKS_MAX: u32 = 20;

/// A delivery that is to be attempted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// Whose.
    pub tenant_id: TenantId,
    /// Name of the tenant.
    pub tenant_name: String,
    /// The client that the tenant belongs to.
    pub client_id: ClientId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The token of this attempt.
    pub lease: Uuid,
    /// Attempts before this one.
    pub attempts: i32,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Where to.
    pub url: String,
    /// How.
    pub method: WebhookMethod,
    /// The secret that travels in the body.
    pub secret: Option<Sensitive<String>>,
    /// The keys that sign: the present one, then the previous one while it is valid.
    pub signing_keys: Vec<Sensitive<Vec<u8>>>,
    /// The event.
    pub event_id: EventId,
    /// Name of the event.
    pub event: String,
    /// The user it is about.
    pub user_id: UserId,
    /// The client's own identifier of the user.
    pub custom_user_id: Option<Sensitive<String>>,
    /// The run it belongs to, and when that was requested.
    pub correlation: Option<(CorrelationId, DateTime<Utc>)>,
    /// JSON text to send.
    pub data: Option<Sensitive<String>>,
    /// W3C trace context of the request behind it.
    pub traceparent: Option<String>,
    /// When the event happened.
    pub created_at: DateTime<Utc>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered {
        /// HTTP status.
        status: u16,
    },
    /// Try again.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why it failed, without personal data.
        error: String,
    },
    /// Give up.
    Exhausted {
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why it failed, without personal data.
        error: String,
    },
}

struct DueRow {
    tenant_id: Uuid,
    tenant_name: String,
    client_id: String,
    delivery_id: Uuid,
    lease: Uuid,
    attempts: i32,
    sequence: i64,
    webhook_id: Uuid,
    url: String,
    method: String,
    secret_sealed: Option<Vec<u8>>,
    signing_sealed: Vec<u8>,
    previous_sealed: Option<Vec<u8>>,
    previous_until: Option<DateTime<Utc>>,
    event_id: Uuid,
    event: String,
    user_id: Uuid,
    custom_user_id: Option<String>,
    correlation_id: Option<Uuid>,
    correlation_timestamp: Option<DateTime<Utc>>,
    data: Option<String>,
    traceparent: Option<String>,
    created_at: DateTime<Utc>,
}

impl SystemStore {
    /// Takes deliveries that are due; nobody else gets them until the lease ends.
    ///
    /// Of each webhook and user only the oldest unsettled delivery can be due. What waits behind
    /// it, and deliveries of inactive webhooks, are put off, so that a backlog of them is not
    /// gone through again at every look.
    ///
    /// One that cannot be read is put off and holds up no others.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn lease_deliveries(
        &self,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let limit = limit.min(DELIVERY_LEASE_MAX);
        let mut rows = Vec::new();
        for _ in 0..LOOKS_MAX {
            rows = self.lease_due(limit, lease).await?;
            if u32::try_from(rows.len()).is_ok_and(|found| found >= limit) {
                break;
            }
            let put_off = self.put_off_blocked().await?;
            if !rows.is_empty() || put_off == 0 {
                break;
            }
        }
        let now = self.now();
        rows.sort_by_key(|row| row.sequence);
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let key = (row.tenant_id, row.delivery_id, row.lease);
            match open(&self.shared.vault, row, now) {
                Ok(delivery) => due.push(delivery),
                Err(error) => self.postpone_unreadable(key, &error).await?,
            }
        }
        Ok(due)
    }

    /// Leases what is due among the first [`LOOK_ROWS_MAX`] rows.
    async fn lease_due(&self, limit: u32, lease: Duration) -> Result<Vec<DueRow>, StoreError> {
        let (now, until, token) = (self.now(), self.after(lease), self.shared.ids.uuid());
        let limit = i64::from(limit);
        let rows = sqlx::query_file_as!(
            DueRow,
            "src/queries/lease_deliveries.sql",
            now,
            until,
            token,
            limit,
            LOOK_ROWS_MAX
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Puts off what is blocked among the first [`LOOK_ROWS_MAX`] rows; returns how many.
    async fn put_off_blocked(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let until = now + BLOCKED_WAIT;
        let put_off =
            sqlx::query_file!("src/queries/put_off_blocked.sql", now, until, LOOK_ROWS_MAX)
                .execute(self.pool())
                .await?;
        Ok(put_off.rows_affected())
    }

    /// Records how an attempt ended; says no when the lease was lost meanwhile, in which case
    /// nothing is recorded. A settled delivery makes the next one of its webhook and user due.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn settle_delivery(
        &self,
        delivery: &DueDelivery,
        outcome: &Outcome,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let (state, next, status, error) = match outcome {
            Outcome::Delivered { status } => ("delivered", None, Some(*status), None),
            Outcome::Retry { at, status, error } => ("pending", Some(*at), *status, Some(error)),
            Outcome::Exhausted { status, error } => ("exhausted", None, *status, Some(error)),
        };
        let settled_at = if next.is_some() { None } else { Some(now) };
        let error = error.map(|error| error_text(error));
        let status = status.and_then(|status| i16::try_from(status).ok());
        let waiting_until = now + BLOCKED_WAIT;
        let recorded = sqlx::query_file_scalar!(
            "src/queries/settle_delivery.sql",
            delivery.tenant_id.as_uuid(),
            delivery.delivery_id.as_uuid(),
            delivery.lease,
            state,
            status,
            error,
            next,
            settled_at,
            now,
            waiting_until
        )
        .fetch_one(self.pool())
        .await?;
        Ok(recorded == 1)
    }

    /// Gives a leased delivery back without an attempt having been made.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn release_delivery(&self, delivery: &DueDelivery) -> Result<(), StoreError> {
        sqlx::query!(
            "update webhook_delivery set leased_until = null, lease = null
             where tenant_id = $1 and delivery_id = $2 and lease = $3 and status = 'pending'",
            delivery.tenant_id.as_uuid(),
            delivery.delivery_id.as_uuid(),
            delivery.lease
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Puts a delivery off that cannot be read.
    async fn postpone_unreadable(
        &self,
        (tenant, delivery, lease): (Uuid, Uuid, Uuid),
        error: &StoreError,
    ) -> Result<(), StoreError> {
        let error = if let StoreError::Vault(cause) = error {
            cause.to_string()
        } else {
            error.to_string()
        };
        tracing::error!(delivery.id = %delivery, error, "a delivery cannot be read");
        let at = self.now() + UNREADABLE_RETRY;
        sqlx::query!(
            "update webhook_delivery
             set next_attempt_at = $4, error = $5, leased_until = null, lease = null
             where tenant_id = $1 and delivery_id = $2 and lease = $3 and status = 'pending'",
            tenant,
            delivery,
            lease,
            at,
            error
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt { column }
}

fn open(vault: &Vault, row: DueRow, now: DateTime<Utc>) -> Result<DueDelivery, StoreError> {
    let place = SealedPlace::new(row.tenant_id, row.webhook_id);
    let mut signing_keys = vec![place.open(vault, Kind::Signing, &row.signing_sealed)?];
    if let (Some(previous), Some(until)) = (&row.previous_sealed, row.previous_until)
        && until > now
    {
        signing_keys.push(place.open(vault, Kind::Signing, previous)?);
    }
    let secret = match &row.secret_sealed {
        Some(sealed) => {
            let content = place.open(vault, Kind::Body, sealed)?.into_inner();
            let text = String::from_utf8(content).map_err(|_| corrupt("webhook.secret_sealed"))?;
            Some(Sensitive::new(text))
        }
        None => None,
    };
    Ok(DueDelivery {
        tenant_id: TenantId::new(row.tenant_id),
        tenant_name: row.tenant_name,
        client_id: ClientId::try_new(row.client_id).map_err(|_| corrupt("tenant.client_id"))?,
        delivery_id: DeliveryId::new(row.delivery_id),
        lease: row.lease,
        attempts: row.attempts,
        webhook_id: WebhookId::new(row.webhook_id),
        url: row.url,
        method: row.method.parse().map_err(|_| corrupt("webhook.method"))?,
        secret,
        signing_keys,
        event_id: EventId::new(row.event_id),
        event: row.event,
        user_id: UserId::new(row.user_id),
        custom_user_id: row.custom_user_id.map(Sensitive::new),
        correlation: row
            .correlation_id
            .map(CorrelationId::new)
            .zip(row.correlation_timestamp),
        data: row.data.map(Sensitive::new),
        traceparent: row.traceparent,
        created_at: row.created_at,
    })
}
