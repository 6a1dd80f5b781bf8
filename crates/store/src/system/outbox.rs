//! The outbox, as the relay works it off for all tenants.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{MessageId, TenantId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::SystemStore;
use crate::error::StoreError;

/// Most messages of one lease.
pub const OUTBOX_LEASE_MAX: u32 = 500;

/// A message of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Whose.
    pub tenant_id: TenantId,
    /// Identifier; the same through all publications.
    pub message_id: MessageId,
    /// The user it is about.
    pub user_id: UserId,
    /// Names the payload's shape and version.
    pub topic: String,
    /// Identifiers, never personal data.
    pub payload: Value,
    /// W3C trace context of the request behind it.
    pub traceparent: Option<String>,
    /// How often it was leased, this time included.
    pub attempts: i32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// What names a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageKey {
    /// Whose.
    pub tenant_id: TenantId,
    /// Identifier.
    pub message_id: MessageId,
}

impl OutboxMessage {
    /// What names it.
    pub const fn key(&self) -> MessageKey {
        MessageKey {
            tenant_id: self.tenant_id,
            message_id: self.message_id,
        }
    }
}

struct OutboxRow {
    tenant_id: Uuid,
    message_id: Uuid,
    user_id: Uuid,
    topic: String,
    payload: Value,
    traceparent: Option<String>,
    attempts: i32,
    created_at: DateTime<Utc>,
}

fn columns(keys: &[MessageKey]) -> (Vec<Uuid>, Vec<Uuid>) {
    keys.iter()
        .map(|key| (key.tenant_id.as_uuid(), key.message_id.as_uuid()))
        .unzip()
}

impl SystemStore {
    /// Takes messages that are due, oldest first; nobody else gets them until the lease ends.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn lease_outbox(
        &self,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxMessage>, StoreError> {
        let (now, until) = (self.now(), self.after(lease));
        let limit = i64::from(limit.min(OUTBOX_LEASE_MAX));
        // `with`, because a subquery behind `in` may be run once a row, each time up to the limit.
        let mut rows = sqlx::query_as!(
            OutboxRow,
            "with due as materialized (
                 select tenant_id, message_id from outbox
                 where published_at is null and not_before <= $1
                   and (leased_until is null or leased_until <= $1)
                 order by not_before limit $3
                 for update skip locked)
             update outbox o set leased_until = $2, attempts = o.attempts + 1
             from due where o.tenant_id = due.tenant_id and o.message_id = due.message_id
             returning o.tenant_id, o.message_id, o.user_id, o.topic, o.payload, o.traceparent,
                       o.attempts, o.created_at",
            now,
            until,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        rows.sort_by_key(|row| (row.created_at, row.message_id));
        Ok(rows
            .into_iter()
            .map(|row| OutboxMessage {
                tenant_id: TenantId::new(row.tenant_id),
                message_id: MessageId::new(row.message_id),
                user_id: UserId::new(row.user_id),
                topic: row.topic,
                payload: row.payload,
                traceparent: row.traceparent,
                attempts: row.attempts,
                created_at: row.created_at,
            })
            .collect())
    }

    /// Keeps leased messages for longer.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn renew_lease(
        &self,
        keys: &[MessageKey],
        lease: Duration,
    ) -> Result<(), StoreError> {
        let until = self.after(lease);
        let (tenants, messages) = columns(keys);
        sqlx::query!(
            "update outbox set leased_until = $3
             where published_at is null and (tenant_id, message_id) in (
                 select * from unnest($1::uuid[], $2::uuid[]))",
            &tenants,
            &messages,
            until
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Marks messages published; they are never leased again.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn mark_published(&self, keys: &[MessageKey]) -> Result<(), StoreError> {
        let now = self.now();
        let (tenants, messages) = columns(keys);
        sqlx::query!(
            "update outbox set published_at = $3, leased_until = null
             where published_at is null and (tenant_id, message_id) in (
                 select * from unnest($1::uuid[], $2::uuid[]))",
            &tenants,
            &messages,
            now
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Gives a leased message back, to be leased again from the given moment on.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn release(
        &self,
        key: MessageKey,
        retry_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, message) = (key.tenant_id.as_uuid(), key.message_id.as_uuid());
        sqlx::query!(
            "update outbox set leased_until = null, not_before = greatest(not_before, $3)
             where tenant_id = $1 and message_id = $2 and published_at is null",
            tenant,
            message,
            retry_at
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
