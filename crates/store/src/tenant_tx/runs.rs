//! Runs: requesting, claiming, giving up, reading.

use chrono::{DateTime, Utc};
use domain::{CorrelationId, UserId};
use uuid::Uuid;

use super::TenantTx;
use crate::error::StoreError;
use crate::events::{AnalysisRequestedV1, Message};
use crate::run::{
    ClaimedRow, ClaimedRun, OPEN_RUNS_PER_USER_MAX, Run, RunBatch, RunCause, RunRow, RunStatus,
    TraceContext, claimed,
};
use crate::text::{clean_opt, error_text};

/// A run that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// Its identifier.
    pub correlation_id: CorrelationId,
    /// Why it is started.
    pub cause: RunCause,
    /// The earliest moment at which a worker may take it.
    pub not_before: Option<DateTime<Utc>>,
    /// Where the request came from.
    pub trace: TraceContext,
}

/// What a worker is to do about a run that it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Work on it, and answer for these runs.
    Batch(RunBatch),
    /// Nothing: it is done or given up.
    AlreadyFinished,
    /// Nothing: the attempt of another run, whose message is still under way, answers for it.
    CoveredBy(CorrelationId),
    /// Nothing: there is no such run, or its user is gone.
    UnknownRun,
}

impl TenantTx {
    /// Starts a run: the run itself, and the message that makes a worker take it.
    ///
    /// # Errors
    /// `NotFound` for the user, `Duplicate` for the identifier, `TooManyOpenRuns`.
    pub async fn request_run(
        &mut self,
        user: UserId,
        request: &RunRequest,
    ) -> Result<(), StoreError> {
        self.lock_user(user).await?;
        self.check_open_runs(user).await?;
        let (tenant, user_id, now) = (self.id(), user.as_uuid(), self.now());
        let traceparent = clean_opt(request.trace.traceparent.as_deref());
        let request_id = clean_opt(request.trace.request_id.as_deref());
        let inserted = sqlx::query!(
            "insert into analysis_run (tenant_id, user_id, correlation_id, status, cause,
                                       requested_at, traceparent, request_id)
             values ($1, $2, $3, 'queued', $4, $5, $6, $7)
             on conflict (tenant_id, user_id, correlation_id) do nothing",
            tenant,
            user_id,
            request.correlation_id.as_uuid(),
            request.cause.as_str(),
            now,
            traceparent.as_deref(),
            request_id.as_deref()
        )
        .execute(self.conn())
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Duplicate { what: "run" });
        }
        let message = Message::AnalysisRequested(AnalysisRequestedV1 {
            tenant_id: self.tenant(),
            user_id: user,
            correlation_id: request.correlation_id,
        });
        self.emit(&message, &request.trace, request.not_before)
            .await
    }

    /// Claims a run for one attempt, together with every other run of the user that waits.
    ///
    /// Locks the user, so that what this transaction reads afterwards is consistent.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn claim_runs(
        &mut self,
        user: UserId,
        run: CorrelationId,
        claim: Uuid,
    ) -> Result<Claimed, StoreError> {
        if !self.lock_user_if_there(user).await? {
            return Ok(Claimed::UnknownRun);
        }
        let (tenant, user_id, run_id) = (self.id(), user.as_uuid(), run.as_uuid());
        let found = sqlx::query!(
            "select status, leader from analysis_run
             where tenant_id = $1 and user_id = $2 and correlation_id = $3",
            tenant,
            user_id,
            run_id
        )
        .fetch_optional(self.conn())
        .await?;
        let Some(found) = found else {
            return Ok(Claimed::UnknownRun);
        };
        match (found.status.parse()?, found.leader) {
            (RunStatus::Done | RunStatus::Failed, _) => Ok(Claimed::AlreadyFinished),
            (RunStatus::Running, Some(leader)) if leader != run_id => {
                Ok(Claimed::CoveredBy(CorrelationId::new(leader)))
            }
            (RunStatus::Queued | RunStatus::Running, _) => {
                self.claim_batch(user, run, claim).await.map(Claimed::Batch)
            }
        }
    }

    async fn claim_batch(
        &mut self,
        user: UserId,
        leader: CorrelationId,
        claim: Uuid,
    ) -> Result<RunBatch, StoreError> {
        let (tenant, user_id, leader_id) = (self.id(), user.as_uuid(), leader.as_uuid());
        let now = self.now();
        let snapshot = sqlx::query_scalar!(r#"select nextval('run_snapshot') as "snapshot!""#)
            .fetch_one(self.conn())
            .await?;
        let rows = sqlx::query_as!(
            ClaimedRow,
            "update analysis_run
             set status = 'running', leader = $3, claim = $4, snapshot = $5, started_at = $6,
                 attempts = attempts + 1
             where tenant_id = $1 and user_id = $2
               and (status = 'queued' or (status = 'running' and leader = $3))
             returning correlation_id, requested_at, attempts, traceparent, request_id",
            tenant,
            user_id,
            leader_id,
            claim,
            snapshot,
            now
        )
        .fetch_all(self.conn())
        .await?;
        Ok(RunBatch {
            user_id: user,
            leader,
            claim,
            snapshot,
            runs: claimed(rows),
        })
    }

    /// Notes why an attempt failed, while the run stays as it is and is tried again.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn note_attempt(
        &mut self,
        user: UserId,
        run: CorrelationId,
        error: &str,
    ) -> Result<(), StoreError> {
        let (tenant, user, run) = (self.id(), user.as_uuid(), run.as_uuid());
        let error = error_text(error);
        sqlx::query!(
            "update analysis_run set error = $4
             where tenant_id = $1 and user_id = $2 and (correlation_id = $3 or leader = $3)
               and status in ('queued', 'running')",
            tenant,
            user,
            run,
            error
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Gives up every run of a batch; returns them so that their failure can be announced.
    ///
    /// Nothing happens, and nothing is returned, when another attempt has taken the runs over.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn fail_batch(
        &mut self,
        batch: &RunBatch,
        error: &str,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        if !self.lock_user_if_there(batch.user_id).await? {
            return Ok(Vec::new());
        }
        let (tenant, user, now) = (self.id(), batch.user_id.as_uuid(), self.now());
        let error = error_text(error);
        let rows = sqlx::query_as!(
            ClaimedRow,
            "update analysis_run set status = 'failed', finished_at = $4, error = $5
             where tenant_id = $1 and user_id = $2 and claim = $3 and status = 'running'
             returning correlation_id, requested_at, attempts, traceparent, request_id",
            tenant,
            user,
            batch.claim,
            now,
            error
        )
        .fetch_all(self.conn())
        .await?;
        self.prune_runs(batch.user_id).await?;
        Ok(claimed(rows))
    }

    /// Gives up a run whose message is given up, whoever holds it, with the runs that rely on it.
    ///
    /// Returns the runs that this call gave up, so that their failure can be announced.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn fail_abandoned(
        &mut self,
        user: UserId,
        run: CorrelationId,
        error: &str,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        if !self.lock_user_if_there(user).await? {
            return Ok(Vec::new());
        }
        let (tenant, user_id, run, now) = (self.id(), user.as_uuid(), run.as_uuid(), self.now());
        let error = error_text(error);
        let rows = sqlx::query_as!(
            ClaimedRow,
            "update analysis_run set status = 'failed', finished_at = $4, error = $5, claim = null
             where tenant_id = $1 and user_id = $2
               and ((status = 'queued' and correlation_id = $3)
                    or (status = 'running' and leader = $3))
             returning correlation_id, requested_at, attempts, traceparent, request_id",
            tenant,
            user_id,
            run,
            now,
            error
        )
        .fetch_all(self.conn())
        .await?;
        self.prune_runs(user).await?;
        Ok(claimed(rows))
    }

    /// Reads a run.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn run(
        &mut self,
        user: UserId,
        run: CorrelationId,
    ) -> Result<Option<Run>, StoreError> {
        let (tenant, user, run) = (self.id(), user.as_uuid(), run.as_uuid());
        sqlx::query_as!(
            RunRow,
            "select correlation_id, status, cause, requested_at, started_at, finished_at, leader,
                    attempts, snapshot, result_of, as_of, engine_version, rule_pack_hash,
                    tenant_rules_hash, taxonomy_hash, findings, error, traceparent, request_id
             from analysis_run where tenant_id = $1 and user_id = $2 and correlation_id = $3",
            tenant,
            user,
            run
        )
        .fetch_optional(self.conn())
        .await?
        .map(Run::try_from)
        .transpose()
    }

    /// Reads the run that was requested last among those that are done.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn newest_finished_run(&mut self, user: UserId) -> Result<Option<Run>, StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        sqlx::query_as!(
            RunRow,
            "select correlation_id, status, cause, requested_at, started_at, finished_at, leader,
                    attempts, snapshot, result_of, as_of, engine_version, rule_pack_hash,
                    tenant_rules_hash, taxonomy_hash, findings, error, traceparent, request_id
             from analysis_run where tenant_id = $1 and user_id = $2 and status = 'done'
             order by requested_at desc, correlation_id desc limit 1",
            tenant,
            user
        )
        .fetch_optional(self.conn())
        .await?
        .map(Run::try_from)
        .transpose()
    }

    /// Reads a module's answer for a run, byte for byte as it was stored.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn result_body(
        &mut self,
        user: UserId,
        run: CorrelationId,
        module: &str,
    ) -> Result<Option<String>, StoreError> {
        let (tenant, user, run) = (self.id(), user.as_uuid(), run.as_uuid());
        let body = sqlx::query_scalar!(
            "select result.body
             from analysis_run run
             join analysis_result result
               on result.tenant_id = run.tenant_id and result.user_id = run.user_id
              and result.correlation_id = run.result_of
             where run.tenant_id = $1 and run.user_id = $2 and run.correlation_id = $3
               and run.status = 'done' and result.module = $4",
            tenant,
            user,
            run,
            module
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(body)
    }

    /// Locks a user; says no when it is gone.
    async fn lock_user_if_there(&mut self, user: UserId) -> Result<bool, StoreError> {
        match self.lock_user(user).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn check_open_runs(&mut self, user: UserId) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let open = sqlx::query_scalar!(
            r#"select count(*) as "count!" from analysis_run
               where tenant_id = $1 and user_id = $2 and status in ('queued', 'running')"#,
            tenant,
            user
        )
        .fetch_one(self.conn())
        .await?;
        if usize::try_from(open).unwrap_or(usize::MAX) >= OPEN_RUNS_PER_USER_MAX {
            return Err(StoreError::TooManyOpenRuns {
                max: OPEN_RUNS_PER_USER_MAX,
            });
        }
        Ok(())
    }
}
