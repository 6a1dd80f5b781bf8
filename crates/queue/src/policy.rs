//! Every limit and wait between the outbox and a handler, by name.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::rabbit::REDELIVERIES_MAX;

/// How often a message is tried before it is dead: the first time and every redelivery.
pub const ATTEMPTS_MAX: u32 = REDELIVERIES_MAX + 1;

/// How long to wait before connecting to the broker again.
pub(crate) const RECONNECT: Backoff =
    Backoff::new(Duration::from_millis(200), Duration::from_secs(10));

/// How handlers are run, whatever the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerPolicy {
    /// Longest time of one attempt; what takes longer is given up and tried again. RabbitMQ takes
    /// a message back after 30 minutes.
    pub attempt_max: Duration,
    /// Waits after a failed attempt.
    pub retry: Backoff,
    /// Waits while something that the handler needs does not answer; these are not counted.
    pub outage: Backoff,
}

impl Default for WorkerPolicy {
    fn default() -> Self {
        Self {
            attempt_max: Duration::from_mins(10),
            retry: Backoff::new(Duration::from_millis(200), Duration::from_secs(30)),
            outage: Backoff::new(Duration::from_millis(100), Duration::from_secs(5)),
        }
    }
}

/// How the relay empties the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayPolicy {
    /// Most messages that are being published at once. With the in-process transport this is the
    /// number of jobs that run at once.
    pub in_flight_max: usize,
    /// How long a leased row belongs to this relay; leases of what is in flight are renewed after
    /// a third of it.
    pub lease: Duration,
    /// How often the outbox is looked at when nobody calls.
    pub poll: Duration,
    /// Waits before a refused message, or a failed in-process attempt, is tried again.
    pub retry: Backoff,
    /// Waits while the broker or the database does not answer.
    pub outage: Backoff,
    /// How long a shutdown waits for what is in flight.
    pub drain: Duration,
}

impl Default for RelayPolicy {
    fn default() -> Self {
        Self {
            in_flight_max: 32,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            retry: Backoff::new(Duration::from_millis(200), Duration::from_secs(30)),
            outage: Backoff::new(Duration::from_millis(100), Duration::from_secs(5)),
            drain: Duration::from_secs(10),
        }
    }
}

/// How a worker consumes from RabbitMQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerPolicy {
    /// Handlers that run at once.
    pub concurrency: u16,
    /// Messages that the broker hands out ahead, those in work included. More than `concurrency`,
    /// because a message that waits for its next attempt is still held.
    pub prefetch: u16,
    /// How long a shutdown waits for what is in work.
    pub drain: Duration,
}

impl ConsumerPolicy {
    /// The policy for a number of handlers at once.
    pub const fn with_concurrency(concurrency: u16) -> Self {
        Self {
            concurrency,
            prefetch: concurrency.saturating_mul(4),
            drain: Duration::from_secs(10),
        }
    }
}
