//! The steps of an analysis job.

use std::sync::Arc;

use domain::date::berlin_today;
use domain::{Clock, CorrelationId, IdSource, MessageId, TenantId};
use serde_json::Value;
use store::events::{AnalysisRequestedV1, Message};
use store::{
    Claimed, ClaimedRun, FinishedBatch, Hold, Include, ModuleResult, RunBatch, Store, TenantTx,
};
use tracing::{Instrument, error, info, info_span, warn};
use wire::scope::{Scope, ScopeSet};

use crate::compute::{CATEGORIZATION, Computed, Engine, Input};
use crate::cpu::{Cpu, Permit};
use crate::error::{Disposition, PipelineError};
use crate::events::Addressee;

/// A message as the queue hands it over.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its identifier, recorded with its effect.
    pub message_id: MessageId,
    /// Whose data it speaks of.
    pub tenant_id: TenantId,
    /// Name and version of the payload.
    pub topic: String,
    /// The payload.
    pub payload: Value,
    /// Which attempt this is, counted from one.
    pub attempt: u32,
}

/// What came of a job that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Results were computed and stored; they answer for this many runs.
    Finished {
        /// How many runs.
        runs: usize,
    },
    /// Results of newer data were stored already; they answer for this many runs.
    AnsweredByNewer {
        /// How many runs.
        runs: usize,
    },
    /// The run was done or given up before.
    AlreadyFinished,
    /// The attempt of another run answers for it.
    CoveredBy(CorrelationId),
    /// There is no such run (any more).
    UnknownRun,
    /// Another attempt took the run over while this one was computing.
    Overtaken,
}

/// Handles analysis jobs.
#[derive(Clone)]
pub struct Analyses {
    store: Store,
    engine: Engine,
    cpu: Cpu,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

struct Work {
    batch: RunBatch,
    input: Arc<Input>,
}

impl Analyses {
    /// A handler of analysis jobs.
    pub fn new(
        store: Store,
        engine: Engine,
        cpu: Cpu,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self {
            store,
            engine,
            cpu,
            clock,
            ids,
        }
    }

    /// Does a job. Doing it again changes nothing, and so does dropping the future midway.
    ///
    /// # Errors
    /// [`PipelineError::disposition`] says what the failure asks for. Its cause stands in the
    /// run's record then.
    pub async fn handle(&self, job: &Job) -> Result<Outcome, PipelineError> {
        let request = job.request()?;
        let span = info_span!(
            "analysis",
            tenant.id = %request.tenant_id,
            user.id = %request.user_id,
            correlation.id = %request.correlation_id,
            attempt = job.attempt,
        );
        async {
            let outcome = self.attempt(job, &request).await;
            match &outcome {
                Ok(outcome) => info!(?outcome, "the job is done"),
                Err(failure) => self.note(&request, job.attempt, failure).await,
            }
            outcome
        }
        .instrument(span)
        .await
    }

    /// Gives up the run of a job that will not be tried again, with the runs that rely on it, and
    /// returns the cause. `reason` counts when no attempt has left one.
    ///
    /// # Errors
    /// The database did not do its part; the call has to be repeated.
    pub async fn dead(&self, job: &Job, reason: &str) -> Result<String, PipelineError> {
        let request = match job.request() {
            Ok(request) => request,
            Err(unreadable) => return Ok(unreadable.chain()),
        };
        let (user_id, correlation_id) = (request.user_id, request.correlation_id);
        let mut tx = self.store.begin(request.tenant_id).await?;
        let Some(run) = tx.run(user_id, correlation_id).await? else {
            return Ok("the run is gone".to_owned());
        };
        let cause = run.error.unwrap_or_else(|| reason.to_owned());
        let failed = tx.fail_abandoned(user_id, correlation_id, &cause).await?;
        if !failed.is_empty() {
            let addressee = Addressee::of(&tx.user(user_id).await?);
            for run in &failed {
                addressee.failed(&mut tx, run).await?;
            }
        }
        tx.commit().await?;
        for run in &failed {
            error!(
                tenant.id = %request.tenant_id,
                user.id = %user_id,
                correlation.id = %run.correlation_id,
                error = cause,
                "the run failed"
            );
        }
        Ok(cause)
    }

    async fn attempt(
        &self,
        job: &Job,
        request: &AnalysisRequestedV1,
    ) -> Result<Outcome, PipelineError> {
        let work = match self.load(request).await? {
            Ok(work) => work,
            Err(nothing_to_do) => return Ok(nothing_to_do),
        };
        let (engine, input) = (self.engine.clone(), Arc::clone(&work.input));
        let computed = self.cpu.run(move || engine.compute(&input)).await??;
        self.save(job, &work, computed).await
    }

    /// Claims the run and every other one that waits, and loads the data that answers for them.
    async fn load(
        &self,
        request: &AnalysisRequestedV1,
    ) -> Result<Result<Work, Outcome>, PipelineError> {
        let (user_id, run) = (request.user_id, request.correlation_id);
        let mut tx = self.store.begin(request.tenant_id).await?;
        let batch = match tx.claim_runs(user_id, run, self.ids.uuid()).await? {
            Claimed::Batch(batch) => batch,
            Claimed::AlreadyFinished => return Ok(Err(Outcome::AlreadyFinished)),
            Claimed::CoveredBy(leader) => return Ok(Err(Outcome::CoveredBy(leader))),
            Claimed::UnknownRun => return Ok(Err(Outcome::UnknownRun)),
        };
        let user = tx.user(user_id).await?;
        let scopes = ScopeSet::of_known(&user.scopes);
        let decisions = self.engine.decisions(&mut tx, &user, scopes).await?;
        let accounts = tx.accounts(user_id, Include::Transactions).await?;
        tx.commit().await?;
        let input = Input {
            user_type: user.user_type,
            scopes,
            accounts,
            decisions,
            as_of: berlin_today(self.clock.now()),
        };
        Ok(Ok(Work {
            batch,
            input: Arc::new(input),
        }))
    }

    /// Stores what was computed and announces it, all or nothing.
    ///
    /// The answer shows what the stored tags changed, so it is written in the transaction; its turn
    /// on the processor is waited for before, when nobody waits for the user yet.
    async fn save(
        &self,
        job: &Job,
        work: &Work,
        computed: Computed,
    ) -> Result<Outcome, PipelineError> {
        let rendering = if work.input.scopes.allows(Scope::Categorization) {
            Some(self.cpu.permit().await?)
        } else {
            None
        };
        let mut tx = self.store.begin(job.tenant_id).await?;
        let outcome = match tx.hold_claim(&work.batch).await? {
            Hold::ClaimLost => return Ok(Outcome::Overtaken),
            Hold::Held(runs) => {
                self.finish(&mut tx, job, work, (&runs, computed, rendering))
                    .await?
            }
            Hold::AnsweredByNewer { newer, runs } => {
                self.answer_by_newer(&mut tx, job, work, (&runs, newer))
                    .await?
            }
        };
        tx.commit().await?;
        Ok(outcome)
    }

    async fn finish(
        &self,
        tx: &mut TenantTx,
        job: &Job,
        work: &Work,
        (runs, computed, rendering): (&[ClaimedRun], Computed, Option<Permit>),
    ) -> Result<Outcome, PipelineError> {
        let batch = &work.batch;
        let body = match rendering {
            Some(permit) => Some(
                self.store_categorization(tx, work, (&computed, permit))
                    .await?,
            ),
            None => None,
        };
        let addressee = Addressee::of(&tx.user(batch.user_id).await?);
        for run in runs {
            addressee.finished(tx, run, body.as_deref()).await?;
        }
        let pack = self.engine.pack();
        tx.finish_batch(
            batch,
            &FinishedBatch {
                message_id: job.message_id,
                as_of: work.input.as_of,
                engine_version: analysis::ENGINE_VERSION.to_owned(),
                rule_pack_hash: pack.hash().to_owned(),
                tenant_rules_hash: computed.tenant_rules_hash,
                taxonomy_hash: pack.taxonomy().hash().to_owned(),
                findings_json: computed.findings_json,
            },
        )
        .await?;
        Ok(Outcome::Finished { runs: runs.len() })
    }

    /// Stores the tags and, as the module's answer, what changed among them.
    async fn store_categorization(
        &self,
        tx: &mut TenantTx,
        work: &Work,
        (computed, permit): (&Computed, Permit),
    ) -> Result<String, PipelineError> {
        let changed = tx.store_tags(&work.batch, &computed.tags).await?;
        let (engine, input) = (self.engine.clone(), Arc::clone(&work.input));
        let body = self
            .cpu
            .run_with(permit, move || engine.categorization(&input, &changed))
            .await??;
        let result = ModuleResult {
            module: CATEGORIZATION.to_owned(),
            body,
        };
        tx.store_results(&work.batch, std::slice::from_ref(&result))
            .await?;
        Ok(result.body)
    }

    async fn answer_by_newer(
        &self,
        tx: &mut TenantTx,
        job: &Job,
        work: &Work,
        (runs, newer): (&[ClaimedRun], CorrelationId),
    ) -> Result<Outcome, PipelineError> {
        let user_id = work.batch.user_id;
        let body = tx.result_body(user_id, newer, CATEGORIZATION).await?;
        let addressee = Addressee::of(&tx.user(user_id).await?);
        for run in runs {
            addressee.finished(tx, run, body.as_deref()).await?;
        }
        tx.answer_by_newer(&work.batch, newer, job.message_id)
            .await?;
        Ok(Outcome::AnsweredByNewer { runs: runs.len() })
    }

    /// Leaves the cause of a failed attempt on the run. A database that is away keeps no notes.
    async fn note(&self, request: &AnalysisRequestedV1, attempt: u32, failure: &PipelineError) {
        let cause = failure.chain();
        warn!(error = cause, "the attempt failed");
        if failure.disposition(attempt) == Disposition::Unavailable {
            return;
        }
        let noting = async {
            let mut tx = self.store.begin(request.tenant_id).await?;
            tx.note_attempt(request.user_id, request.correlation_id, &cause)
                .await?;
            tx.commit().await
        };
        if let Err(unnoted) = noting.await {
            warn!(error = %unnoted, "the cause was not noted");
        }
    }
}

impl Job {
    fn request(&self) -> Result<AnalysisRequestedV1, PipelineError> {
        let message =
            Message::decode(&self.topic, &self.payload).map_err(PipelineError::Message)?;
        let Message::AnalysisRequested(request) = message;
        if request.tenant_id == self.tenant_id {
            Ok(request)
        } else {
            Err(PipelineError::ForeignTenant)
        }
    }
}
