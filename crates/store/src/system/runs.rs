//! Runs over all tenants: finding them for the operator, and waking those that hang.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{CorrelationId, TenantId, UserId};
use uuid::Uuid;

use super::SystemStore;
use crate::error::StoreError;
use crate::events::{AnalysisRequestedV1, Message};
use crate::listen::Channel;
use crate::run::{Run, RunRow};

/// Most hanging runs that one call wakes.
pub const STALE_RUNS_MAX: i64 = 1_000;
/// Most runs of one list.
pub const RUNS_PAGE_MAX: u32 = 1_000;

/// A run and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOverview {
    /// Whose.
    pub tenant_id: TenantId,
    /// Name of the tenant.
    pub tenant_name: String,
    /// The client that the tenant belongs to.
    pub client_id: String,
    /// The user.
    pub user_id: UserId,
    /// The run.
    pub run: Run,
}

struct OverviewRow {
    tenant_id: Uuid,
    tenant_name: String,
    client_id: String,
    user_id: Uuid,
    correlation_id: Uuid,
    status: String,
    cause: String,
    requested_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    leader: Option<Uuid>,
    attempts: i32,
    snapshot: Option<i64>,
    result_of: Option<Uuid>,
    as_of: Option<NaiveDate>,
    engine_version: Option<String>,
    rule_pack_hash: Option<String>,
    tenant_rules_hash: Option<String>,
    taxonomy_hash: Option<String>,
    findings: Option<String>,
    error: Option<String>,
    traceparent: Option<String>,
    request_id: Option<String>,
}

impl TryFrom<OverviewRow> for RunOverview {
    type Error = StoreError;

    fn try_from(row: OverviewRow) -> Result<Self, StoreError> {
        let run = RunRow {
            correlation_id: row.correlation_id,
            status: row.status,
            cause: row.cause,
            requested_at: row.requested_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            leader: row.leader,
            attempts: row.attempts,
            snapshot: row.snapshot,
            result_of: row.result_of,
            as_of: row.as_of,
            engine_version: row.engine_version,
            rule_pack_hash: row.rule_pack_hash,
            tenant_rules_hash: row.tenant_rules_hash,
            taxonomy_hash: row.taxonomy_hash,
            findings: row.findings,
            error: row.error,
            traceparent: row.traceparent,
            request_id: row.request_id,
        };
        Ok(Self {
            tenant_id: TenantId::new(row.tenant_id),
            tenant_name: row.tenant_name,
            client_id: row.client_id,
            user_id: UserId::new(row.user_id),
            run: run.try_into()?,
        })
    }
}

impl SystemStore {
    /// Finds a run, whosever it is.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn find_run(&self, id: CorrelationId) -> Result<Option<RunOverview>, StoreError> {
        sqlx::query_as!(
            OverviewRow,
            "select r.tenant_id, t.name as tenant_name, t.client_id, r.user_id, r.correlation_id,
                    r.status, r.cause, r.requested_at, r.started_at, r.finished_at, r.leader,
                    r.attempts, r.snapshot, r.result_of, r.as_of, r.engine_version,
                    r.rule_pack_hash, r.tenant_rules_hash, r.taxonomy_hash, r.findings, r.error,
                    r.traceparent, r.request_id
             from analysis_run r join tenant t on t.tenant_id = r.tenant_id
             where r.correlation_id = $1 limit 1",
            id.as_uuid()
        )
        .fetch_optional(self.pool())
        .await?
        .map(RunOverview::try_from)
        .transpose()
    }

    /// Lists the runs that were given up, newest first.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn failed_runs(&self, limit: u32) -> Result<Vec<RunOverview>, StoreError> {
        let limit = i64::from(limit.min(RUNS_PAGE_MAX));
        let rows = sqlx::query_as!(
            OverviewRow,
            "select r.tenant_id, t.name as tenant_name, t.client_id, r.user_id, r.correlation_id,
                    r.status, r.cause, r.requested_at, r.started_at, r.finished_at, r.leader,
                    r.attempts, r.snapshot, r.result_of, r.as_of, r.engine_version,
                    r.rule_pack_hash, r.tenant_rules_hash, r.taxonomy_hash, r.findings, r.error,
                    r.traceparent, r.request_id
             from analysis_run r join tenant t on t.tenant_id = r.tenant_id
             where r.status = 'failed'
             order by r.finished_at desc, r.correlation_id limit $1",
            limit
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(RunOverview::try_from).collect()
    }

    /// Puts runs that nobody has moved for a while back into the outbox, and returns how many.
    ///
    /// A run's message can only be lost when the broker loses its disk; this makes even that a
    /// delay. A message too many is harmless, because claiming decides.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn stale_runs(&self, older_than: Duration) -> Result<u64, StoreError> {
        let (now, before) = (self.now(), self.before(older_than));
        let mut tx = self.begin().await?;
        let rows = sqlx::query_file!("src/queries/stale_runs.sql", now, before, STALE_RUNS_MAX)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let message = Message::AnalysisRequested(AnalysisRequestedV1 {
                tenant_id: TenantId::new(row.tenant_id),
                user_id: UserId::new(row.user_id),
                correlation_id: CorrelationId::new(row.correlation_id),
            });
            let (id, payload) = (self.shared.ids.uuid(), message.payload());
            sqlx::query!(
                "insert into outbox (tenant_id, message_id, user_id, topic, payload, traceparent,
                                     created_at, not_before)
                 values ($1, $2, $3, $4, $5, $6, $7, $7)",
                row.tenant_id,
                id,
                row.user_id,
                message.topic(),
                payload,
                row.traceparent,
                now
            )
            .execute(&mut *tx)
            .await?;
        }
        if !rows.is_empty() {
            sqlx::query!(
                "select pg_notify($1, '') as notified",
                Channel::Outbox.as_str()
            )
            .fetch_one(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(u64::try_from(rows.len()).unwrap_or(0))
    }
}
