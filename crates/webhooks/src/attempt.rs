//! One attempt of one delivery: render, send, record.

use std::sync::Arc;

use domain::{Classify, ErrorKind};
use store::{DueDelivery, Outcome, StoreError, SystemStore};
use tokio::time::Instant;

use crate::counters::Count;
use crate::dispatcher::{SETTLE_UNTIL, Surroundings, backoff};
use crate::error::SendError;
use crate::http::HttpSender;
use crate::request::build_request;
use crate::schedule::{Failure, Next};

/// What attempts need besides their delivery.
pub(crate) struct Attempts<S> {
    pub(crate) store: SystemStore,
    pub(crate) sender: S,
    pub(crate) surroundings: Surroundings,
}

/// What an attempt tells about its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    Accepts,
    Fails,
}

impl<S: HttpSender> Attempts<S> {
    /// Makes an attempt and records its outcome; `leased` is when the lease began.
    pub(crate) async fn make(&self, due: DueDelivery, leased: Instant) -> Receiver {
        let due = Arc::new(due);
        self.count(Count::Attempt);
        let answer = self.send(Arc::clone(&due)).await;
        let outcome = self.outcome(&due, answer);
        self.settle(&due, &outcome, leased).await;
        match outcome {
            Outcome::Delivered { .. } => Receiver::Accepts,
            Outcome::Retry { .. } | Outcome::Exhausted { .. } => Receiver::Fails,
        }
    }

    async fn send(&self, due: Arc<DueDelivery>) -> Result<u16, SendError> {
        let now = self.surroundings.clock.now();
        // Bodies may have megabytes; reading and signing them does not belong on an I/O thread.
        let request = tokio::task::spawn_blocking(move || build_request(&due, now))
            .await
            .unwrap_or(Err(SendError::InvalidData))?;
        self.sender.send(request).await
    }

    fn outcome(&self, due: &DueDelivery, answer: Result<u16, SendError>) -> Outcome {
        let (status, error) = match answer {
            Ok(status @ 200..=299) => return Outcome::Delivered { status },
            Ok(status @ 300..=399) => (
                Some(status),
                format!("answered with redirect {status}, which is not followed"),
            ),
            Ok(status) => (Some(status), format!("answered with status {status}")),
            Err(error) => (None, error.to_string()),
        };
        let failure = Failure {
            attempts: u32::try_from(due.attempts).unwrap_or(0).saturating_add(1),
            event_at: due.created_at,
            failed_at: self.surroundings.clock.now(),
        };
        // The second half of a version 4 UUID is random but for its two variant bits.
        let (_, random) = self.surroundings.ids.uuid().as_u64_pair();
        match failure.next(random) {
            Next::RetryAt(at) => Outcome::Retry { at, status, error },
            Next::Exhausted => Outcome::Exhausted { status, error },
        }
    }

    /// Records the outcome. While the database is away it is offered again until the lease gets
    /// short; then the delivery is left to its lease and attempted once more.
    async fn settle(&self, due: &DueDelivery, outcome: &Outcome, leased: Instant) {
        let mut failures = 0u32;
        loop {
            let error = match self.store.settle_delivery(due, outcome).await {
                Ok(true) => return self.tell(due, outcome),
                Ok(false) => return self.tell_lost(due),
                Err(error) => error,
            };
            self.count(Count::StoreFailure);
            failures = failures.saturating_add(1);
            let pause = backoff(failures);
            let too_late = leased.elapsed().saturating_add(pause) > SETTLE_UNTIL;
            if error.kind() != ErrorKind::Unavailable || too_late {
                return self.tell_unrecorded(due, &error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn tell(&self, due: &DueDelivery, outcome: &Outcome) {
        match outcome {
            Outcome::Delivered { status } => {
                self.count(Count::Delivered);
                tracing::debug!(
                    delivery.id = %due.delivery_id, webhook.id = %due.webhook_id,
                    tenant.id = %due.tenant_id, event = due.event, status, "event delivered"
                );
            }
            Outcome::Retry { at, error, .. } => {
                self.count(Count::Retried);
                tracing::info!(
                    delivery.id = %due.delivery_id, webhook.id = %due.webhook_id,
                    tenant.id = %due.tenant_id, event = due.event, attempts = due.attempts + 1,
                    next_attempt_at = %at, error, "event not delivered, will be tried again"
                );
            }
            Outcome::Exhausted { error, .. } => {
                self.count(Count::Exhausted);
                tracing::warn!(
                    delivery.id = %due.delivery_id, webhook.id = %due.webhook_id,
                    tenant.id = %due.tenant_id, event = due.event, attempts = due.attempts + 1,
                    error, "event not delivered, given up"
                );
            }
        }
    }

    fn tell_lost(&self, due: &DueDelivery) {
        self.count(Count::Unsettled);
        tracing::info!(
            delivery.id = %due.delivery_id, webhook.id = %due.webhook_id,
            tenant.id = %due.tenant_id, "delivery was cancelled, replayed or leased anew meanwhile"
        );
    }

    fn tell_unrecorded(&self, due: &DueDelivery, error: &StoreError) {
        self.count(Count::Unsettled);
        tracing::error!(
            delivery.id = %due.delivery_id, webhook.id = %due.webhook_id,
            tenant.id = %due.tenant_id, error = error as &dyn std::error::Error,
            "outcome of a delivery could not be recorded, it will be attempted again"
        );
    }

    fn count(&self, what: Count) {
        self.surroundings.counters.count(what);
    }
}
