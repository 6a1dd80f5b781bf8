//! Runs handlers: what an attempt came to, and what happens to a message that is dead.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::Classify;
use domain::{Clock, ErrorKind, IdSource};
use futures_util::FutureExt;
use store::{NewDeadLetter, StoreError, SystemStore};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::backoff::Backoff;
use crate::handler::{Chain, FailureKind, Handler, HandlerError};
use crate::message::{DeadReason, Delivery, Message};
use crate::metrics::{QueueMetrics, age};
use crate::policy::WorkerPolicy;

/// How often a handler is asked to take notice of a dead message. One that fails at each time must
/// not hold up the letters behind it.
const NOTICES_MAX: u32 = 5;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The message is done.
    Handled,
    /// It is to be tried again after this wait.
    Retry(Duration),
    /// It is dead.
    Poison,
    /// The process shuts down; the message goes back untouched.
    Interrupted,
}

/// Time, identifiers and counters, which everything that runs shares.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Source of jitter.
    pub ids: Arc<dyn IdSource>,
    /// Where it is counted.
    pub metrics: Arc<QueueMetrics>,
}

/// Runs one handler for a transport.
pub struct Worker<H> {
    handler: H,
    store: SystemStore,
    surroundings: Surroundings,
    policy: WorkerPolicy,
    shutdown: CancellationToken,
}

impl<H: Handler> Worker<H> {
    /// A worker. `shutdown` ends waiting; attempts that run are given up by the transport.
    pub fn new(
        handler: H,
        store: SystemStore,
        surroundings: Surroundings,
        policy: WorkerPolicy,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            handler,
            store,
            surroundings,
            policy,
            shutdown,
        }
    }

    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Tries a message once, not counting attempts that only found something unavailable.
    pub(crate) async fn attempt(&self, delivery: &Delivery) -> Outcome {
        let mut outages: u32 = 0;
        loop {
            let Err(failure) = self.guarded(delivery).await else {
                let now = self.surroundings.clock.now();
                self.surroundings
                    .metrics
                    .handled(age(now, delivery.message.created_at));
                return Outcome::Handled;
            };
            log_failure(delivery, &failure);
            match failure.kind() {
                FailureKind::Poison => return Outcome::Poison,
                FailureKind::Retry => {
                    self.surroundings.metrics.retried();
                    return Outcome::Retry(self.delay(self.policy.retry, delivery.attempt));
                }
                FailureKind::Unavailable => outages = outages.saturating_add(1),
            }
            if self.pause(self.policy.outage, outages).await.is_err() {
                return Outcome::Interrupted;
            }
        }
    }

    /// Records a dead message; repeats until it is recorded or the process shuts down.
    pub(crate) async fn bury(
        &self,
        message: &Message,
        reason: DeadReason,
    ) -> Result<(), Interrupted> {
        let mut failures: u32 = 0;
        while let Err(failure) = self.try_bury(message, reason, failures).await {
            warn!(
                tenant.id = %message.tenant_id,
                message.id = %message.message_id,
                error = %Chain(&failure),
                "the dead letter cannot be recorded yet"
            );
            failures = failures.saturating_add(1);
            self.pause(self.policy.outage, failures).await?;
        }
        Ok(())
    }

    async fn try_bury(
        &self,
        message: &Message,
        reason: DeadReason,
        failures: u32,
    ) -> Result<(), HandlerError> {
        let noticed = AssertUnwindSafe(self.handler.dead(message, reason)).catch_unwind();
        // The letter must be recorded even when its handler cannot say anything about it.
        let cause = match noticed.await {
            Ok(Ok(cause)) => cause,
            Ok(Err(failure)) if asks_again(&failure, failures) => return Err(failure),
            Ok(Err(failure)) => format!("the handler could not take notice: {}", Chain(&failure)),
            Err(_panic) => "the handler panicked when it was told".to_owned(),
        };
        let text = format!("{}: {cause}", reason.as_str());
        error!(
            tenant.id = %message.tenant_id,
            user.id = %message.user_id,
            message.id = %message.message_id,
            topic = message.topic,
            error = text,
            "the message is dead"
        );
        match self.record(message, &text).await {
            Ok(()) => {
                self.surroundings.metrics.dead();
                Ok(())
            }
            Err(gone) if gone.kind() == ErrorKind::NotFound => {
                debug!(tenant.id = %message.tenant_id, "the dead letter's tenant is gone");
                Ok(())
            }
            Err(failure) => Err(HandlerError::new(FailureKind::Unavailable, failure)),
        }
    }

    async fn record(&self, message: &Message, error: &str) -> Result<(), StoreError> {
        let letter = NewDeadLetter {
            tenant_id: message.tenant_id,
            message_id: message.message_id,
            user_id: message.user_id,
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            traceparent: message.traceparent.clone(),
            error: error.to_owned(),
        };
        self.store.record_dead_letter(&letter).await
    }

    /// One guarded call: a panic or a hang is a failed attempt, not a crash.
    async fn guarded(&self, delivery: &Delivery) -> Result<(), HandlerError> {
        let _running = self.surroundings.metrics.running();
        let call = AssertUnwindSafe(self.handler.handle(delivery)).catch_unwind();
        match tokio::time::timeout(self.policy.attempt_max, call).await {
            Ok(Ok(result)) => result,
            // A panic's message may quote the data that it stumbled over, so it is not kept.
            Ok(Err(_panic)) => Err(HandlerError::new(
                FailureKind::Retry,
                "the handler panicked",
            )),
            Err(elapsed) => Err(HandlerError::new(FailureKind::Retry, elapsed)),
        }
    }

    fn delay(&self, backoff: Backoff, failures: u32) -> Duration {
        backoff.delay(failures, self.surroundings.ids.as_ref())
    }

    async fn pause(&self, backoff: Backoff, failures: u32) -> Result<(), Interrupted> {
        self.wait(self.delay(backoff, failures)).await
    }

    /// Waits, unless the process shuts down.
    pub(crate) async fn wait(&self, time: Duration) -> Result<(), Interrupted> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.shutdown.cancelled() => Err(Interrupted),
        }
    }
}

/// The process shuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

/// Whether a handler that failed to take notice is worth asking again.
fn asks_again(failure: &HandlerError, failures: u32) -> bool {
    match failure.kind() {
        FailureKind::Unavailable => true,
        FailureKind::Retry => failures.saturating_add(1) < NOTICES_MAX,
        FailureKind::Poison => false,
    }
}

fn log_failure(delivery: &Delivery, failure: &HandlerError) {
    let message = &delivery.message;
    warn!(
        tenant.id = %message.tenant_id,
        user.id = %message.user_id,
        message.id = %message.message_id,
        topic = message.topic,
        attempt = delivery.attempt,
        error = %Chain(failure),
        "a message was not handled"
    );
}
