//! Answers of writes that carried an `Idempotency-Key`.

use domain::{Sensitive, UserId};
use serde::{Deserialize, Serialize};

use super::TenantTx;
use crate::error::StoreError;
use crate::text::clean;
use crate::vault::Place;

/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// Status of a write that is still under way.
const UNDER_WAY: i16 = 0;

/// An answer that a retry is to get again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the answer.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Sensitive<String>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: this transaction holds the key now and must end with
    /// [`TenantTx::remember`] before it commits.
    Fresh,
    /// The same request was answered.
    Same(StoredAnswer),
    /// The key came with another request.
    Different,
}

/// The part of an answer that is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    headers: Vec<(String, String)>,
    body: std::borrow::Cow<'a, str>,
}

impl TenantTx {
    /// Looks a key up and takes it; waits for a concurrent request with the same key to end.
    ///
    /// Use it in a transaction of [`crate::Store::begin`], first thing.
    ///
    /// # Errors
    /// `Invalid` for a key that is too long; `Contention` when the other request takes too long.
    pub async fn remembered(
        &mut self,
        operation: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Remembered, StoreError> {
        if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err(StoreError::Invalid {
                reason: "an idempotency key may be at most 256 bytes long",
            });
        }
        let (tenant, now, key) = (self.id(), self.now(), clean(key));
        let taken = sqlx::query!(
            "insert into idempotency (tenant_id, operation, key, request_hash, status,
                                      answer_sealed, created_at)
             values ($1, $2, $3, $4, $5, '', $6)
             on conflict (tenant_id, operation, key) do nothing",
            tenant,
            operation,
            &*key,
            request_hash,
            UNDER_WAY,
            now
        )
        .execute(self.conn())
        .await?;
        if taken.rows_affected() == 1 {
            return Ok(Remembered::Fresh);
        }
        self.recall(operation, &key, request_hash).await
    }

    /// Keeps the answer of a write under its key, in the transaction of that write.
    ///
    /// # Errors
    /// `NotFound` when the key was not taken by [`TenantTx::remembered`], `Vault`.
    pub async fn remember(
        &mut self,
        operation: &str,
        key: &str,
        user: Option<UserId>,
        answer: &StoredAnswer,
    ) -> Result<(), StoreError> {
        let (tenant, key) = (self.id(), clean(key));
        let sealed = self.seal_answer(operation, &key, answer)?;
        let status = i16::try_from(answer.status).map_err(|_| StoreError::Invalid {
            reason: "a status must be below 32768",
        })?;
        let stored = sqlx::query!(
            "update idempotency set status = $4, answer_sealed = $5, user_id = $6
             where tenant_id = $1 and operation = $2 and key = $3",
            tenant,
            operation,
            &*key,
            status,
            sealed,
            user.map(UserId::as_uuid)
        )
        .execute(self.conn())
        .await?;
        if stored.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "idempotency key",
            });
        }
        Ok(())
    }

    async fn recall(
        &mut self,
        operation: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Remembered, StoreError> {
        let tenant = self.id();
        let row = sqlx::query!(
            "select request_hash, status, answer_sealed from idempotency
             where tenant_id = $1 and operation = $2 and key = $3
             for update",
            tenant,
            operation,
            key
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound {
            what: "idempotency key",
        })?;
        if row.request_hash != request_hash {
            return Ok(Remembered::Different);
        }
        // Committed without an answer: whoever took the key broke the rule; take it over.
        if row.status == UNDER_WAY {
            return Ok(Remembered::Fresh);
        }
        let (headers, body) = self.open_answer(operation, key, &row.answer_sealed)?;
        Ok(Remembered::Same(StoredAnswer {
            status: u16::try_from(row.status).map_err(|_| CORRUPT)?,
            headers,
            body: Sensitive::new(body),
        }))
    }

    fn seal_answer(
        &self,
        operation: &str,
        key: &str,
        answer: &StoredAnswer,
    ) -> Result<Vec<u8>, StoreError> {
        let sealed = Sealed {
            headers: answer.headers.clone(),
            body: answer.body.as_str().into(),
        };
        let content = serde_json::to_vec(&sealed).map_err(|_| CORRUPT)?;
        let tenant = self.tenant.to_string();
        let place = Place(&["idempotency", &tenant, operation, key]);
        Ok(self.shared.vault.seal(&content, &place)?)
    }

    fn open_answer(
        &self,
        operation: &str,
        key: &str,
        sealed: &[u8],
    ) -> Result<(Vec<(String, String)>, String), StoreError> {
        let tenant = self.tenant.to_string();
        let place = Place(&["idempotency", &tenant, operation, key]);
        let content = self.shared.vault.open(sealed, &place)?;
        let sealed: Sealed<'_> = serde_json::from_slice(content.expose()).map_err(|_| CORRUPT)?;
        Ok((sealed.headers, sealed.body.into_owned()))
    }
}

const CORRUPT: StoreError = StoreError::Corrupt {
    column: "idempotency.answer_sealed",
};
