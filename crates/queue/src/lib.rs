//! From the outbox to a handler: relay, transports, consumers, dead letters.
//!
//! A [`Relay`] leases rows of the outbox, hands them to a [`Broker`] and marks them published. With
//! RabbitMQ a [`RabbitConsumer`] in any process takes them from there to a [`Handler`]; the
//! [`InProcess`] transport calls the handler in place, so "published" means "handled".
//!
//! **Invariant:** a message is delivered at least once. Every step may be repeated, none is
//! skipped: rows are marked after the broker's confirm, messages are acknowledged after the
//! handler's transaction, dead letters are acknowledged after they are recorded.

mod backoff;
mod broker;
mod error;
mod handler;
mod in_process;
mod message;
mod metrics;
mod policy;
mod rabbit;
mod relay;
mod worker;

pub use backoff::Backoff;
pub use broker::Broker;
pub use error::QueueError;
pub use handler::{Cause, FailureKind, Handler, HandlerError};
pub use in_process::InProcess;
pub use message::{DeadReason, Delivery, Message};
pub use metrics::{QueueFigures, QueueMetrics};
pub use policy::{ATTEMPTS_MAX, ConsumerPolicy, RelayPolicy, WorkerPolicy};
pub use rabbit::{
    ANSWER_MAX, HEARTBEAT_SECONDS, REDELIVERIES_MAX, Rabbit, RabbitConsumer, RabbitPublisher,
};
pub use relay::Relay;
pub use worker::{Surroundings, Worker};
