//! The transport inside one process: a message is published when it has been handled.
//!
//! It runs over the same outbox as RabbitMQ. Attempts are counted by the leases of the row, so a
//! job that takes the whole process down is counted too.

use std::sync::Arc;

use crate::broker::Broker;
use crate::error::QueueError;
use crate::handler::Handler;
use crate::message::{DeadReason, Delivery};
use crate::policy::ATTEMPTS_MAX;
use crate::worker::{Interrupted, Outcome, Worker};

/// Hands messages to a worker in this process.
pub struct InProcess<H> {
    worker: Arc<Worker<H>>,
}

impl<H: Handler> InProcess<H> {
    /// The transport to a worker.
    pub fn new(worker: Arc<Worker<H>>) -> Self {
        Self { worker }
    }

    async fn bury(&self, delivery: &Delivery, reason: DeadReason) -> Result<(), QueueError> {
        self.worker
            .bury(&delivery.message, reason)
            .await
            .map_err(|Interrupted| QueueError::Interrupted)
    }
}

impl<H: Handler> Broker for InProcess<H> {
    async fn publish(&self, delivery: &Delivery) -> Result<(), QueueError> {
        if delivery.attempt > ATTEMPTS_MAX {
            return self.bury(delivery, DeadReason::AttemptsExhausted).await;
        }
        match self.worker.attempt(delivery).await {
            Outcome::Handled => Ok(()),
            Outcome::Retry(_) if delivery.attempt == ATTEMPTS_MAX => {
                self.bury(delivery, DeadReason::AttemptsExhausted).await
            }
            Outcome::Retry(_) => Err(QueueError::Failed),
            Outcome::Poison => self.bury(delivery, DeadReason::Poison).await,
            Outcome::Interrupted => Err(QueueError::Interrupted),
        }
    }
}
