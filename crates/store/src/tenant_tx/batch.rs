//! Saving what an attempt computed, in one transaction:
//! [`TenantTx::hold_claim`], [`TenantTx::store_results`], [`TenantTx::store_tags`], the events,
//! then [`TenantTx::finish_batch`]; or [`TenantTx::answer_by_newer`] when a newer attempt was
//! faster.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::{AccountId, CorrelationId, MessageId, Sensitive, TransactionId, UserId};

use super::TenantTx;
use super::tags::{TagRow, TaggedTransaction};
use crate::error::StoreError;
use crate::run::{ClaimedRow, ClaimedRun, RUNS_KEPT_PER_USER, RunBatch, claimed};
use crate::text::{clean, clean_opt};

/// Certainty, as confidence is counted.
const CONFIDENCE_MAX: i16 = 10_000;

/// Whether an attempt still holds the runs that it claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It does: store the results.
    Held(Vec<ClaimedRun>),
    /// Another attempt took over, or the user is gone: roll back and forget it.
    ClaimLost,
    /// It does, but results of newer data are stored already: they answer for these runs.
    AnsweredByNewer {
        /// The run under which the newer results are stored.
        newer: CorrelationId,
        /// The runs that they answer for.
        runs: Vec<ClaimedRun>,
    },
}

/// One module's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleResult {
    /// Name of the module.
    pub module: String,
    /// JSON text, as it will be served.
    pub body: String,
}

/// The tag that an attempt gave to a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTag {
    /// The account.
    pub account_id: AccountId,
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Name of the tag.
    pub tag: String,
    /// The rule that set it.
    pub rule_id: String,
    /// Who decided: `pack`, `tenant` or `user`.
    pub origin: String,
    /// What the user's patterns add beside the tag.
    pub extra_tags: Vec<String>,
    /// What in the transaction made the rule fire; no text of the transaction itself.
    pub evidence: String,
    /// How sure the decision is, of ten thousand.
    pub confidence: u16,
    /// The payment service in between.
    pub intermediary: Option<String>,
    /// The merchant behind the payment service.
    pub merchant: Option<Sensitive<String>>,
    /// The tag of the spending that a refund gives back.
    pub refund_of: Option<String>,
    /// Place in the list of all tagged transactions.
    pub position: i64,
}

impl NewTag {
    fn is_among(&self, ids: &BTreeSet<(String, String)>) -> bool {
        ids.contains(&(
            self.account_id.as_str().to_owned(),
            self.transaction_id.as_str().to_owned(),
        ))
    }
}

/// What made a result reproducible, and the message that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedBatch {
    /// The message that was worked on.
    pub message_id: MessageId,
    /// The day that the analysis took for today.
    pub as_of: NaiveDate,
    /// Version of the engine.
    pub engine_version: String,
    /// Content hash of the rule pack.
    pub rule_pack_hash: String,
    /// Content hash of the tenant's own rules, if there are any for this kind of user.
    pub tenant_rules_hash: Option<String>,
    /// Content hash of the taxonomy.
    pub taxonomy_hash: String,
    /// Findings as JSON text.
    pub findings_json: String,
}

impl TenantTx {
    /// Locks the user and the runs of a batch, and says whether its results still count.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn hold_claim(&mut self, batch: &RunBatch) -> Result<Hold, StoreError> {
        let user = match self.lock_user(batch.user_id).await {
            Ok(user) => user,
            Err(StoreError::NotFound { .. }) => return Ok(Hold::ClaimLost),
            Err(error) => return Err(error),
        };
        let (tenant, user_id) = (self.id(), batch.user_id.as_uuid());
        let rows = sqlx::query_as!(
            ClaimedRow,
            "select correlation_id, requested_at, attempts, traceparent, request_id
             from analysis_run
             where tenant_id = $1 and user_id = $2 and claim = $3 and status = 'running'
             for update",
            tenant,
            user_id,
            batch.claim
        )
        .fetch_all(self.conn())
        .await?;
        if rows.is_empty() || rows.len() < batch.runs.len() {
            return Ok(Hold::ClaimLost);
        }
        let runs = claimed(rows);
        if user.current_snapshot <= batch.snapshot {
            return Ok(Hold::Held(runs));
        }
        let newer = self.stored_under(batch, user.current_snapshot).await?;
        Ok(Hold::AnsweredByNewer { newer, runs })
    }

    /// Stores the answers of the modules under the batch's leader.
    ///
    /// # Errors
    /// `Duplicate` when they are stored already.
    pub async fn store_results(
        &mut self,
        batch: &RunBatch,
        results: &[ModuleResult],
    ) -> Result<(), StoreError> {
        let (tenant, user, leader) = (self.id(), batch.user_id.as_uuid(), batch.leader.as_uuid());
        let modules: Vec<&str> = results.iter().map(|result| &*result.module).collect();
        let bodies: Vec<_> = results.iter().map(|result| clean(&result.body)).collect();
        let stored = sqlx::query!(
            "insert into analysis_result (tenant_id, user_id, correlation_id, module, body)
             select $1, $2, $3, sent.module, sent.body
             from unnest($4::text[], $5::text[]) as sent (module, body)
             on conflict (tenant_id, user_id, correlation_id, module) do nothing",
            tenant,
            user,
            leader,
            &modules as &[&str],
            &bodies as &[Cow<'_, str>]
        )
        .execute(self.conn())
        .await?;
        if usize::try_from(stored.rows_affected()).ok() == Some(results.len()) {
            Ok(())
        } else {
            Err(StoreError::Duplicate { what: "result" })
        }
    }

    /// Makes the given tags the current ones and returns those that changed, in their order.
    ///
    /// A tag counts as changed when another tag is set, beside it too, when another rule or somebody
    /// else decided, or when another spending is refunded. Transactions that were deleted since the
    /// data was loaded are left out.
    ///
    /// # Errors
    /// `Invalid` for a confidence above ten thousand, those of the connection, or `Corrupt`.
    pub async fn store_tags(
        &mut self,
        batch: &RunBatch,
        tags: &[NewTag],
    ) -> Result<Vec<TaggedTransaction>, StoreError> {
        let (tenant, user, leader) = (self.id(), batch.user_id.as_uuid(), batch.leader.as_uuid());
        let (snapshot, now) = (batch.snapshot, self.now());
        // The user is locked, so what is there now stays until this transaction ends.
        let stored = self.transaction_ids(batch.user_id).await?;
        let tags: Vec<&NewTag> = tags.iter().filter(|tag| tag.is_among(&stored)).collect();
        let columns = TagColumns::try_new(&tags)?;
        let rows = sqlx::query_file_as!(
            TagRow,
            "src/queries/store_tags.sql",
            tenant,
            user,
            leader,
            snapshot,
            now,
            &columns.account_id as &[&str],
            &columns.transaction_id as &[&str],
            &columns.tag as &[&str],
            &columns.rule_id as &[&str],
            &columns.evidence as &[Cow<'_, str>],
            &columns.position,
            &columns.origin as &[&str],
            &columns.extra_tags,
            &columns.confidence,
            &columns.intermediary as &[Option<&str>],
            &columns.merchant as &[Option<Cow<'_, str>>],
            &columns.refund_of as &[Option<&str>]
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(TaggedTransaction::try_from).collect()
    }

    /// Marks the runs of a held batch done, with the leader's results answering for all.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn finish_batch(
        &mut self,
        batch: &RunBatch,
        finished: &FinishedBatch,
    ) -> Result<(), StoreError> {
        let (tenant, user, leader) = (self.id(), batch.user_id.as_uuid(), batch.leader.as_uuid());
        let now = self.now();
        let findings = clean(&finished.findings_json);
        sqlx::query!(
            "update analysis_run
             set status = 'done', result_of = $4, finished_at = $5, as_of = $6,
                 engine_version = $7, rule_pack_hash = $8, taxonomy_hash = $9, findings = $10,
                 tenant_rules_hash = $11, error = null, claim = null
             where tenant_id = $1 and user_id = $2 and claim = $3 and status = 'running'",
            tenant,
            user,
            batch.claim,
            leader,
            now,
            finished.as_of,
            finished.engine_version,
            finished.rule_pack_hash,
            finished.taxonomy_hash,
            &*findings,
            finished.tenant_rules_hash
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "update app_user set current_snapshot = $3 where tenant_id = $1 and user_id = $2",
            tenant,
            user,
            batch.snapshot
        )
        .execute(self.conn())
        .await?;
        self.consumed(batch, finished.message_id).await?;
        self.prune_runs(batch.user_id).await
    }

    /// Marks the runs of a batch done, with newer results answering for them.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn answer_by_newer(
        &mut self,
        batch: &RunBatch,
        newer: CorrelationId,
        message: MessageId,
    ) -> Result<(), StoreError> {
        let (tenant, user, now) = (self.id(), batch.user_id.as_uuid(), self.now());
        sqlx::query!(
            "update analysis_run run
             set status = 'done', result_of = $4, finished_at = $5, error = null, claim = null,
                 snapshot = newer.snapshot, as_of = newer.as_of,
                 engine_version = newer.engine_version, rule_pack_hash = newer.rule_pack_hash,
                 tenant_rules_hash = newer.tenant_rules_hash,
                 taxonomy_hash = newer.taxonomy_hash, findings = newer.findings
             from analysis_run newer
             where run.tenant_id = $1 and run.user_id = $2 and run.claim = $3
               and run.status = 'running'
               and newer.tenant_id = $1 and newer.user_id = $2 and newer.correlation_id = $4",
            tenant,
            user,
            batch.claim,
            newer.as_uuid(),
            now
        )
        .execute(self.conn())
        .await?;
        self.consumed(batch, message).await?;
        self.prune_runs(batch.user_id).await
    }

    /// The run under which the results of a finished snapshot are stored.
    async fn stored_under(
        &mut self,
        batch: &RunBatch,
        snapshot: i64,
    ) -> Result<CorrelationId, StoreError> {
        let (tenant, user) = (self.id(), batch.user_id.as_uuid());
        let found = sqlx::query_scalar!(
            r#"select result_of as "result_of!" from analysis_run
               where tenant_id = $1 and user_id = $2 and snapshot = $3 and status = 'done'
                 and result_of is not null
               limit 1"#,
            tenant,
            user,
            snapshot
        )
        .fetch_optional(self.conn())
        .await?;
        found.map(CorrelationId::new).ok_or(StoreError::Corrupt {
            column: "app_user.current_snapshot",
        })
    }

    /// Records that the effect of a message is done.
    async fn consumed(&mut self, batch: &RunBatch, message: MessageId) -> Result<(), StoreError> {
        let (tenant, user, now) = (self.id(), batch.user_id.as_uuid(), self.now());
        sqlx::query!(
            "insert into inbox (tenant_id, message_id, user_id, consumed_at)
             values ($1, $2, $3, $4)
             on conflict (tenant_id, message_id) do nothing",
            tenant,
            message.as_uuid(),
            user,
            now
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Deletes the oldest finished runs beyond those that are kept, but none whose results are
    /// the current ones or still answer for a kept run.
    pub(super) async fn prune_runs(&mut self, user: UserId) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        sqlx::query_file!(
            "src/queries/prune_runs.sql",
            tenant,
            user,
            RUNS_KEPT_PER_USER
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

/// Tags turned on their side: one array a column, as `unnest` takes them.
#[derive(Default)]
struct TagColumns<'a> {
    account_id: Vec<&'a str>,
    transaction_id: Vec<&'a str>,
    tag: Vec<&'a str>,
    rule_id: Vec<&'a str>,
    evidence: Vec<Cow<'a, str>>,
    position: Vec<i64>,
    origin: Vec<&'a str>,
    /// Each list as one text, because arrays of arrays must all have the same length.
    extra_tags: Vec<String>,
    confidence: Vec<i16>,
    intermediary: Vec<Option<&'a str>>,
    merchant: Vec<Option<Cow<'a, str>>>,
    refund_of: Vec<Option<&'a str>>,
}

impl<'a> TagColumns<'a> {
    fn try_new(tags: &[&'a NewTag]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for tag in tags {
            columns.push(tag)?;
        }
        Ok(columns)
    }

    fn push(&mut self, tag: &'a NewTag) -> Result<(), StoreError> {
        let confidence = i16::try_from(tag.confidence).ok();
        let confidence = confidence.filter(|confidence| *confidence <= CONFIDENCE_MAX);
        self.account_id.push(tag.account_id.as_str());
        self.transaction_id.push(tag.transaction_id.as_str());
        self.tag.push(&tag.tag);
        self.rule_id.push(&tag.rule_id);
        self.evidence.push(clean(&tag.evidence));
        self.position.push(tag.position);
        self.origin.push(&tag.origin);
        self.extra_tags.push(tag.extra_tags.join("\u{1}"));
        self.confidence.push(confidence.ok_or(StoreError::Invalid {
            reason: "confidence must be of ten thousand",
        })?);
        self.intermediary.push(tag.intermediary.as_deref());
        self.merchant
            .push(clean_opt(tag.merchant.as_ref().map(Sensitive::as_str)));
        self.refund_of.push(tag.refund_of.as_deref());
        Ok(())
    }
}
