//! Messages that could not be handled, for the operator to inspect and replay.

use chrono::{DateTime, Utc};
use domain::{MessageId, TenantId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::{MessageKey, SystemStore};
use crate::error::{StoreError, violates};
use crate::events::Message;
use crate::listen::Channel;
use crate::text::{clean, clean_opt, error_text};

/// Most dead letters of one list.
pub const DEAD_LETTERS_PAGE_MAX: u32 = 1_000;

const UNKNOWN_LETTER: StoreError = StoreError::NotFound {
    what: "dead letter",
};

/// A message that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// Whose.
    pub tenant_id: TenantId,
    /// Identifier of the message.
    pub message_id: MessageId,
    /// The user it is about.
    pub user_id: UserId,
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Value,
    /// W3C trace context of the request behind it.
    pub traceparent: Option<String>,
    /// Why it could not be handled, without personal data.
    pub error: String,
}

/// A stored dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: NewDeadLetter,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// When it was last replayed.
    pub replayed_at: Option<DateTime<Utc>>,
}

struct DeadLetterRow {
    tenant_id: Uuid,
    message_id: Uuid,
    user_id: Uuid,
    topic: String,
    payload: Value,
    traceparent: Option<String>,
    error: String,
    died_at: DateTime<Utc>,
    replayed_at: Option<DateTime<Utc>>,
}

impl From<DeadLetterRow> for DeadLetter {
    fn from(row: DeadLetterRow) -> Self {
        Self {
            message: NewDeadLetter {
                tenant_id: TenantId::new(row.tenant_id),
                message_id: MessageId::new(row.message_id),
                user_id: UserId::new(row.user_id),
                topic: row.topic,
                payload: row.payload,
                traceparent: row.traceparent,
                error: row.error,
            },
            died_at: row.died_at,
            replayed_at: row.replayed_at,
        }
    }
}

impl SystemStore {
    /// Records that a message could not be handled; once more when a replay failed too.
    ///
    /// # Errors
    /// `NotFound` when the tenant is gone.
    pub async fn record_dead_letter(&self, letter: &NewDeadLetter) -> Result<(), StoreError> {
        let now = self.now();
        let (topic, error) = (clean(&letter.topic), error_text(&letter.error));
        let traceparent = clean_opt(letter.traceparent.as_deref());
        // As text: the driver would send `jsonb`, which refuses some payloads.
        let payload = letter.payload.to_string();
        sqlx::query!(
            "insert into dead_letter (tenant_id, message_id, user_id, topic, payload, traceparent,
                                      error, died_at)
             values ($1, $2, $3, $4, $5::text::json, $6, $7, $8)
             on conflict (tenant_id, message_id) do update set
                 error = excluded.error, died_at = excluded.died_at, replayed_at = null",
            letter.tenant_id.as_uuid(),
            letter.message_id.as_uuid(),
            letter.user_id.as_uuid(),
            &*topic,
            payload,
            traceparent.as_deref(),
            error,
            now
        )
        .execute(self.pool())
        .await
        .map_err(|error| {
            if violates(&error, "dead_letter_tenant_id_fkey") {
                StoreError::NotFound { what: "tenant" }
            } else {
                error.into()
            }
        })?;
        Ok(())
    }

    /// Lists the dead letters that nobody has replayed, newest first.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let limit = i64::from(limit.min(DEAD_LETTERS_PAGE_MAX));
        let rows = sqlx::query_as!(
            DeadLetterRow,
            "select tenant_id, message_id, user_id, topic, payload, traceparent, error, died_at,
                    replayed_at
             from dead_letter where replayed_at is null
             order by died_at desc, message_id limit $1",
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(DeadLetter::from).collect())
    }

    /// Reads a dead letter by the id of its message.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn dead_letter(&self, id: MessageId) -> Result<Option<DeadLetter>, StoreError> {
        let row = sqlx::query_as!(
            DeadLetterRow,
            "select tenant_id, message_id, user_id, topic, payload, traceparent, error, died_at,
                    replayed_at
             from dead_letter where message_id = $1 limit 1",
            id.as_uuid()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(DeadLetter::from))
    }

    /// Puts a dead letter's message back into the outbox, under a new id, and makes the runs that
    /// failed with it wait again. Returns the new message.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was replayed already or cannot be read.
    pub async fn replay_dead_letter(&self, id: MessageId) -> Result<MessageKey, StoreError> {
        let (now, new_id) = (self.now(), self.shared.ids.uuid());
        let mut tx = self.begin().await?;
        let row = sqlx::query_as!(
            DeadLetterRow,
            "select tenant_id, message_id, user_id, topic, payload, traceparent, error, died_at,
                    replayed_at
             from dead_letter where message_id = $1 limit 1 for update",
            id.as_uuid()
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(UNKNOWN_LETTER)?;
        if row.replayed_at.is_some() {
            return Err(StoreError::Conflict {
                reason: "this dead letter was replayed already",
            });
        }
        sqlx::query!(
            "update dead_letter set replayed_at = $3 where tenant_id = $1 and message_id = $2",
            row.tenant_id,
            row.message_id,
            now
        )
        .execute(&mut *tx)
        .await?;
        let message =
            Message::decode(&row.topic, &row.payload).map_err(|_| StoreError::Conflict {
                reason: "this version of the program cannot read the message",
            })?;
        let Message::AnalysisRequested(request) = message;
        requeue(&mut tx, row.tenant_id, row.user_id, request.correlation_id).await?;
        sqlx::query!(
            "insert into outbox (tenant_id, message_id, user_id, topic, payload, traceparent,
                                 created_at, not_before)
             values ($1, $2, $3, $4, $5, $6, $7, $7)",
            row.tenant_id,
            new_id,
            row.user_id,
            row.topic,
            row.payload,
            row.traceparent,
            now
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "select pg_notify($1, '') as notified",
            Channel::Outbox.as_str()
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(MessageKey {
            tenant_id: TenantId::new(row.tenant_id),
            message_id: MessageId::new(new_id),
        })
    }
}

/// Makes a failed run, and those that failed under its lead, wait again.
async fn requeue(
    tx: &mut sqlx::Transaction<'static, sqlx::Postgres>,
    tenant: Uuid,
    user: Uuid,
    run: domain::CorrelationId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update analysis_run
         set status = 'queued', leader = null, claim = null, finished_at = null, started_at = null,
             snapshot = null, error = null
         where tenant_id = $1 and user_id = $2 and status = 'failed'
           and (correlation_id = $3 or leader = $3)",
        tenant,
        user,
        run.as_uuid()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
