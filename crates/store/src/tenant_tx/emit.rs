//! What a change sends out: messages for workers, events for webhooks.

use chrono::{DateTime, Utc};
use domain::{CorrelationId, Sensitive, UserId};

use super::TenantTx;
use crate::error::StoreError;
use crate::events::Message;
use crate::listen::Channel;
use crate::run::TraceContext;
use crate::text::{clean, clean_opt};

/// Something that happened to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The user.
    pub user_id: UserId,
    /// The client's own identifier of the user.
    pub custom_user_id: Option<Sensitive<String>>,
    /// Documented name of the event.
    pub event: String,
    /// The run it belongs to, and when that was requested.
    pub correlation: Option<(CorrelationId, DateTime<Utc>)>,
    /// JSON text that webhooks are sent.
    pub data: Option<Sensitive<String>>,
    /// W3C trace context of the request behind it.
    pub traceparent: Option<String>,
}

impl TenantTx {
    /// Writes a message into the outbox; it leaves when this transaction is committed.
    ///
    /// # Errors
    /// `Conflict` when the tenant is gone.
    pub async fn emit(
        &mut self,
        message: &Message,
        trace: &TraceContext,
        not_before: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let (tenant, id, now) = (self.id(), self.shared.ids.uuid(), self.now());
        let (user, topic, payload) = (
            message.user_id().as_uuid(),
            message.topic(),
            message.payload(),
        );
        let traceparent = clean_opt(trace.traceparent.as_deref());
        sqlx::query!(
            "insert into outbox (tenant_id, message_id, user_id, topic, payload, traceparent,
                                 created_at, not_before)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant,
            id,
            user,
            topic,
            payload,
            traceparent.as_deref(),
            now,
            not_before.unwrap_or(now)
        )
        .execute(self.conn())
        .await?;
        self.notify(Channel::Outbox).await
    }

    /// Records an event for every active webhook of the tenant that wants to hear of it.
    ///
    /// Takes the user's lock, because the order of events per user is the order of these calls.
    /// Returns how many webhooks will be told.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn emit_event(&mut self, event: &NewEvent) -> Result<u64, StoreError> {
        let (tenant, id, now) = (self.id(), self.shared.ids.uuid(), self.now());
        let user = event.user_id.as_uuid();
        let name = clean(&event.event);
        let custom = clean_opt(event.custom_user_id.as_ref().map(Sensitive::as_str));
        let data = clean_opt(event.data.as_ref().map(Sensitive::as_str));
        let traceparent = clean_opt(event.traceparent.as_deref());
        let (run, requested_at) = event.correlation.unzip();
        sqlx::query!(
            "select 1 as one from app_user where tenant_id = $1 and user_id = $2
             for no key update",
            tenant,
            user
        )
        .fetch_optional(self.conn())
        .await?;
        let inserted = sqlx::query!(
            "insert into webhook_event (tenant_id, event_id, user_id, custom_user_id, event,
                                        correlation_id, correlation_timestamp, data, traceparent,
                                        created_at)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
             where exists (select 1 from webhook
                           where tenant_id = $1 and active and $5 = any(events))",
            tenant,
            id,
            user,
            custom.as_deref(),
            &*name,
            run.map(CorrelationId::as_uuid),
            requested_at,
            data.as_deref(),
            traceparent.as_deref(),
            now
        )
        .execute(self.conn())
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(0);
        }
        self.address_event(id, event.user_id, &name).await
    }

    /// Makes one delivery per webhook that wants to hear of a recorded event.
    async fn address_event(
        &mut self,
        event: uuid::Uuid,
        user: UserId,
        name: &str,
    ) -> Result<u64, StoreError> {
        let (tenant, user, now) = (self.id(), user.as_uuid(), self.now());
        // Locked against deletion, which would otherwise fail us at the foreign key.
        let webhooks = sqlx::query_scalar!(
            "select webhook_id from webhook
             where tenant_id = $1 and active and $2 = any(events)
             order by webhook_id
             for key share",
            tenant,
            name
        )
        .fetch_all(self.conn())
        .await?;
        let ids: Vec<_> = webhooks.iter().map(|_| self.shared.ids.uuid()).collect();
        let made = sqlx::query!(
            "insert into webhook_delivery (tenant_id, delivery_id, webhook_id, event_id, user_id,
                                           event, status, next_attempt_at, created_at)
             select $1, sent.delivery_id, sent.webhook_id, $2, $3, $4, 'pending', $5, $5
             from unnest($6::uuid[], $7::uuid[]) as sent (delivery_id, webhook_id)",
            tenant,
            event,
            user,
            name,
            now,
            &ids,
            &webhooks
        )
        .execute(self.conn())
        .await?;
        self.notify(Channel::Delivery).await?;
        Ok(made.rows_affected())
    }

    /// Wakes whoever listens, once this transaction is committed.
    pub(super) async fn notify(&mut self, channel: Channel) -> Result<(), StoreError> {
        sqlx::query!("select pg_notify($1, '') as notified", channel.as_str())
            .fetch_one(self.conn())
            .await?;
        Ok(())
    }
}
