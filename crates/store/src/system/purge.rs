//! Housekeeping: rows that nobody needs any more.

use std::time::Duration;

use super::SystemStore;
use crate::error::StoreError;

/// Most rows that one call deletes from one table.
pub const PURGE_ROWS_MAX: i64 = 10_000;

const DAY: Duration = Duration::from_hours(24);

/// How long rows are kept after they have done their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeLimits {
    /// Published messages of the outbox.
    pub outbox: Duration,
    /// Marks of consumed messages; longer than any queue can hold a message.
    pub inbox: Duration,
    /// Answers that a retry gets again.
    pub idempotency: Duration,
    /// Settled deliveries, and events without a delivery under way.
    pub deliveries: Duration,
    /// Dead letters that were replayed.
    pub dead_letters: Duration,
}

impl Default for PurgeLimits {
    fn default() -> Self {
        Self {
            outbox: DAY,
            inbox: DAY * 7,
            idempotency: DAY,
            deliveries: DAY * 30,
            dead_letters: DAY * 30,
        }
    }
}

/// How many rows were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Published messages of the outbox.
    pub outbox: u64,
    /// Marks of consumed messages.
    pub inbox: u64,
    /// Remembered answers.
    pub idempotency: u64,
    /// Settled deliveries.
    pub deliveries: u64,
    /// Events without a delivery.
    pub events: u64,
    /// Replayed dead letters.
    pub dead_letters: u64,
}

impl Purged {
    /// Whether a table had more rows to delete than one call may.
    pub fn is_unfinished(&self) -> bool {
        let most = u64::try_from(PURGE_ROWS_MAX).unwrap_or(u64::MAX);
        [
            self.outbox,
            self.inbox,
            self.idempotency,
            self.deliveries,
            self.events,
            self.dead_letters,
        ]
        .into_iter()
        .any(|rows| rows >= most)
    }
}

impl SystemStore {
    /// Deletes what is older than the limits, [`PURGE_ROWS_MAX`] rows a table at most; call again
    /// while it is unfinished.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn purge(&self, limits: &PurgeLimits) -> Result<Purged, StoreError> {
        Ok(Purged {
            outbox: self.purge_outbox(limits.outbox).await?,
            inbox: self.purge_inbox(limits.inbox).await?,
            idempotency: self.purge_idempotency(limits.idempotency).await?,
            deliveries: self.purge_deliveries(limits.deliveries).await?,
            events: self.purge_events(limits.deliveries).await?,
            dead_letters: self.purge_dead_letters(limits.dead_letters).await?,
        })
    }

    async fn purge_outbox(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        let deleted = sqlx::query!(
            "delete from outbox where (tenant_id, message_id) in (
                 select tenant_id, message_id from outbox
                 where published_at < $1 limit $2)",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    async fn purge_inbox(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        let deleted = sqlx::query!(
            "delete from inbox where (tenant_id, message_id) in (
                 select tenant_id, message_id from inbox where consumed_at < $1 limit $2)",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    async fn purge_idempotency(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        let deleted = sqlx::query!(
            "delete from idempotency where (tenant_id, operation, key) in (
                 select tenant_id, operation, key from idempotency
                 where created_at < $1 limit $2)",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    async fn purge_deliveries(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        // Asked twice: one that is sent again while this waits for its row is settled no more.
        let deleted = sqlx::query!(
            "delete from webhook_delivery where (tenant_id, delivery_id) in (
                 select tenant_id, delivery_id from webhook_delivery
                 where settled_at < $1 limit $2)
               and settled_at < $1",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    async fn purge_events(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        let deleted = sqlx::query!(
            "delete from webhook_event where (tenant_id, event_id) in (
                 select e.tenant_id, e.event_id from webhook_event e
                 where e.created_at < $1 and not exists (
                     select 1 from webhook_delivery d
                     where d.tenant_id = e.tenant_id and d.event_id = e.event_id)
                 limit $2)",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    async fn purge_dead_letters(&self, age: Duration) -> Result<u64, StoreError> {
        let before = self.before(age);
        let deleted = sqlx::query!(
            "delete from dead_letter where (tenant_id, message_id) in (
                 select tenant_id, message_id from dead_letter
                 where replayed_at < $1 limit $2)",
            before,
            PURGE_ROWS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }
}
