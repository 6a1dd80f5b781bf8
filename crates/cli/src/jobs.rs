//! Hands the queue's messages to the pipeline.

use pipeline::{Analyses, Disposition, Job, PipelineError};
use queue::{DeadReason, Delivery, FailureKind, Handler, HandlerError, Message};
use tracing::Instrument as _;

/// The handler of analysis jobs.
pub(crate) struct AnalysisJobs(pub(crate) Analyses);

impl Handler for AnalysisJobs {
    async fn handle(&self, delivery: &Delivery) -> Result<(), HandlerError> {
        let job = job(&delivery.message, delivery.attempt);
        let traceparent = delivery.message.traceparent.as_deref();
        let span = tracing::info_span!("message", message.id = %job.message_id, traceparent);
        match self.0.handle(&job).instrument(span).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(error, delivery.attempt)),
        }
    }

    async fn dead(&self, message: &Message, reason: DeadReason) -> Result<String, HandlerError> {
        let job = job(message, queue::ATTEMPTS_MAX);
        self.0
            .dead(&job, reason.as_str())
            .await
            .map_err(|error| failure(error, queue::ATTEMPTS_MAX))
    }
}

fn job(message: &Message, attempt: u32) -> Job {
    Job {
        message_id: message.message_id,
        tenant_id: message.tenant_id,
        topic: message.topic.clone(),
        payload: message.payload.clone(),
        attempt,
    }
}

fn failure(error: PipelineError, attempt: u32) -> HandlerError {
    let kind = match error.disposition(attempt) {
        Disposition::Retry => FailureKind::Retry,
        Disposition::Poison => FailureKind::Poison,
        Disposition::Unavailable => FailureKind::Unavailable,
    };
    HandlerError::new(kind, error)
}
