//! Analysis runs as they are stored and handed to workers.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{CorrelationId, UserId};
use uuid::Uuid;

use crate::error::StoreError;

/// Most runs of one user that may wait at a time.
///
/// One attempt answers for all of them and tells webhooks of each with its own copy of the data,
/// which a large user makes megabytes; this bounds what that one transaction writes.
pub const OPEN_RUNS_PER_USER_MAX: usize = 100;
/// How many finished runs of a user are kept.
///
/// # Source
/// finoOS gap G-31: the last 50 correlations stay readable.
pub const RUNS_KEPT_PER_USER: i64 = 50;

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCause {
    /// New data.
    Upload,
    /// The caller's request.
    Trigger,
    /// New decisions of the user about tags.
    Patterns,
}

impl RunCause {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Trigger => "trigger",
            Self::Patterns => "patterns",
        }
    }
}

impl FromStr for RunCause {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "upload" => Ok(Self::Upload),
            "trigger" => Ok(Self::Trigger),
            "patterns" => Ok(Self::Patterns),
            _ => Err(StoreError::Corrupt {
                column: "analysis_run.cause",
            }),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Nobody works on it yet.
    Queued,
    /// A worker has claimed it.
    Running,
    /// Its results can be read.
    Done,
    /// It was given up; `error` says why.
    Failed,
}

impl RunStatus {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for RunStatus {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "queued" => Ok(Self::Queued),
            "running" => Ok(Self::Running),
            "done" => Ok(Self::Done),
            "failed" => Ok(Self::Failed),
            _ => Err(StoreError::Corrupt {
                column: "analysis_run.status",
            }),
        }
    }
}

/// Where a request came from, carried along to whatever it causes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// `X-Request-ID` of the request.
    pub request_id: Option<String>,
}

/// An analysis run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its identifier.
    pub correlation_id: CorrelationId,
    /// How far it is.
    pub status: RunStatus,
    /// Why it was started.
    pub cause: RunCause,
    /// When it was promised to the caller.
    pub requested_at: DateTime<Utc>,
    /// When the newest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// The run whose message led to the newest attempt.
    pub leader: Option<CorrelationId>,
    /// Attempts so far.
    pub attempts: i32,
    /// The data snapshot of the newest attempt.
    pub snapshot: Option<i64>,
    /// The run whose results answer for this one.
    pub result_of: Option<CorrelationId>,
    /// The day that the analysis took for today.
    pub as_of: Option<NaiveDate>,
    /// Version of the engine.
    pub engine_version: Option<String>,
    /// Content hash of the rule pack.
    pub rule_pack_hash: Option<String>,
    /// Content hash of the tenant's own rules.
    pub tenant_rules_hash: Option<String>,
    /// Content hash of the taxonomy.
    pub taxonomy_hash: Option<String>,
    /// Findings as JSON text.
    pub findings_json: Option<String>,
    /// The newest error.
    pub error: Option<String>,
    /// Where the request came from.
    pub trace: TraceContext,
}

/// The runs that one attempt answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBatch {
    /// Whose data.
    pub user_id: UserId,
    /// The run whose message is worked on; results are stored under it.
    pub leader: CorrelationId,
    /// The token of this attempt.
    pub claim: Uuid,
    /// Orders the data that attempts were computed from; a larger one saw newer data.
    pub snapshot: i64,
    /// The runs, oldest request first; the leader is among them.
    pub runs: Vec<ClaimedRun>,
}

/// A run within a batch, or one that was given up with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRun {
    /// Its identifier.
    pub correlation_id: CorrelationId,
    /// When it was promised to the caller.
    pub requested_at: DateTime<Utc>,
    /// Attempts so far, this one included.
    pub attempts: i32,
    /// Where the request came from.
    pub trace: TraceContext,
}

/// A row of `analysis_run`, as the queries read it.
pub(crate) struct RunRow {
    pub(crate) correlation_id: Uuid,
    pub(crate) status: String,
    pub(crate) cause: String,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) leader: Option<Uuid>,
    pub(crate) attempts: i32,
    pub(crate) snapshot: Option<i64>,
    pub(crate) result_of: Option<Uuid>,
    pub(crate) as_of: Option<NaiveDate>,
    pub(crate) engine_version: Option<String>,
    pub(crate) rule_pack_hash: Option<String>,
    pub(crate) tenant_rules_hash: Option<String>,
    pub(crate) taxonomy_hash: Option<String>,
    pub(crate) findings: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) traceparent: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            correlation_id: CorrelationId::new(row.correlation_id),
            status: row.status.parse()?,
            cause: row.cause.parse()?,
            requested_at: row.requested_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            leader: row.leader.map(CorrelationId::new),
            attempts: row.attempts,
            snapshot: row.snapshot,
            result_of: row.result_of.map(CorrelationId::new),
            as_of: row.as_of,
            engine_version: row.engine_version,
            rule_pack_hash: row.rule_pack_hash,
            tenant_rules_hash: row.tenant_rules_hash,
            taxonomy_hash: row.taxonomy_hash,
            findings_json: row.findings,
            error: row.error,
            trace: TraceContext {
                traceparent: row.traceparent,
                request_id: row.request_id,
            },
        })
    }
}

/// The columns of [`ClaimedRun`], as the queries return them.
pub(crate) struct ClaimedRow {
    pub(crate) correlation_id: Uuid,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) attempts: i32,
    pub(crate) traceparent: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// Claimed runs in the order in which they were requested.
pub(crate) fn claimed(rows: Vec<ClaimedRow>) -> Vec<ClaimedRun> {
    let mut runs: Vec<ClaimedRun> = rows
        .into_iter()
        .map(|row| ClaimedRun {
            correlation_id: CorrelationId::new(row.correlation_id),
            requested_at: row.requested_at,
            attempts: row.attempts,
            trace: TraceContext {
                traceparent: row.traceparent,
                request_id: row.request_id,
            },
        })
        .collect();
    runs.sort_by_key(|run| (run.requested_at, run.correlation_id));
    runs
}
