//! How much work waits, for metrics and alarms.

use chrono::{DateTime, Utc};

use super::SystemStore;
use crate::error::StoreError;

/// How much work waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Messages that are due and not published.
    pub outbox_waiting: i64,
    /// Since when the oldest of them is due.
    pub outbox_oldest: Option<DateTime<Utc>>,
    /// Deliveries that are not settled.
    pub deliveries_pending: i64,
    /// Runs that are queued or running.
    pub runs_open: i64,
    /// Since when the oldest of them waits.
    pub runs_oldest: Option<DateTime<Utc>>,
    /// Dead letters that nobody has replayed.
    pub dead_letters: i64,
}

impl SystemStore {
    /// Counts the work that waits, over all tenants.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let now = self.now();
        let row = sqlx::query_as!(
            Backlog,
            r#"select
                 (select count(*) from outbox
                  where published_at is null and not_before <= $1) as "outbox_waiting!",
                 (select min(not_before) from outbox
                  where published_at is null and not_before <= $1) as outbox_oldest,
                 (select count(*) from webhook_delivery
                  where status = 'pending') as "deliveries_pending!",
                 (select count(*) from analysis_run
                  where status in ('queued', 'running')) as "runs_open!",
                 (select min(requested_at) from analysis_run
                  where status in ('queued', 'running')) as runs_oldest,
                 (select count(*) from dead_letter
                  where replayed_at is null) as "dead_letters!""#,
            now
        )
        .fetch_one(self.pool())
        .await?;
        Ok(row)
    }
}
