//! Finds due deliveries, makes their attempts side by side, and records what came of them.
//!
//! **Invariant:** a delivery is attempted only under a lease that outlives the attempt, and only
//! the holder of the lease settles it. A crash in between lets the lease run out: the delivery is
//! attempted again, with the same ids, never lost. The database hands out only the oldest pending
//! delivery of each webhook and user, which keeps their order.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, IdSource};
use store::listen::Channel;
use store::{DueDelivery, StoreError, SystemStore};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempts;
use crate::counters::{Count, Counters};
use crate::error::WebhooksError;
use crate::held::Held;
use crate::http::{HttpSender, TIMEOUT};

/// Deliveries worked on at the same time.
pub const IN_FLIGHT_MAX: usize = 64;
/// Deliveries of one webhook worked on at the same time.
pub const IN_FLIGHT_PER_WEBHOOK_MAX: usize = 16;
/// The same while the webhook's newest attempt failed: many receivers that answer nothing until
/// the timeout must not take every slot.
pub const IN_FLIGHT_PER_FAILING_MAX: usize = 2;
/// Webhooks remembered as failing.
pub const FAILING_MAX: usize = 10_000;
/// Leased deliveries of one webhook that are kept waiting for a slot.
pub const PARKED_PER_WEBHOOK_MAX: usize = 512;
/// Leased deliveries that are kept waiting for a slot.
pub const PARKED_MAX: usize = 8_192;
/// Looks into the database in a row while only parked deliveries come out.
pub const LOOKS_MAX: usize = 8;
/// How long a delivery is reserved: the attempt, and time to record its outcome although the
/// database is away for a while.
pub const LEASE: Duration = Duration::from_mins(1);
/// The outcome of an attempt is offered to the database for so long after the lease began. What
/// is left of the lease keeps two attempts apart.
pub const SETTLE_UNTIL: Duration = Duration::from_secs(45);
/// How often due deliveries are looked for without being woken; retries become due by time alone.
pub const POLL: Duration = Duration::from_secs(1);
/// At shutdown attempts under way have so long to end. It covers a whole attempt.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(14);
/// First pause after the database failed; doubles up to [`BACKOFF_MAX`].
pub const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest pause after the database failed.
pub const BACKOFF_MAX: Duration = Duration::from_secs(15);

// A lease that ended before its attempt could would lead to two attempts at once.
const _: () = assert!(TIMEOUT.as_secs() < SETTLE_UNTIL.as_secs());
const _: () = assert!(SETTLE_UNTIL.as_secs() < LEASE.as_secs());
const _: () = assert!(TIMEOUT.as_secs() < DRAIN_TIMEOUT.as_secs());

/// What is a parameter of the dispatcher.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the time of attempts.
    pub clock: Arc<dyn Clock>,
    /// Source of the jitter's randomness.
    pub ids: Arc<dyn IdSource>,
    /// Where attempts are counted.
    pub counters: Arc<Counters>,
}

/// Delivers events to webhooks.
pub struct Dispatcher<S> {
    attempts: Arc<Attempts<S>>,
}

impl<S: HttpSender> Dispatcher<S> {
    /// Makes a dispatcher; several may run over one database.
    pub fn new(store: SystemStore, sender: S, surroundings: Surroundings) -> Self {
        Self {
            attempts: Arc::new(Attempts {
                store,
                sender,
                surroundings,
            }),
        }
    }

    /// Delivers until `stop`, then lets the attempts under way end.
    ///
    /// A database that does not answer is waited for, with growing pauses.
    pub async fn run(&self, stop: &CancellationToken) {
        let added = Arc::new(Notify::new());
        let mut listening = JoinSet::new();
        listening.spawn(listen(self.attempts.store.clone(), Arc::clone(&added)));
        let mut held = Held::default();
        let mut failures = 0u32;
        loop {
            // Cancelled in a look, what it leased waits for the lease's end.
            let filled = tokio::select! {
                () = stop.cancelled() => break,
                filled = self.fill(&mut held) => filled,
            };
            failures = self.note(filled, failures);
            let pause = if failures == 0 {
                POLL
            } else {
                backoff(failures)
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
                () = added.notified(), if failures == 0 => {}
                Some(()) = held.ended(), if failures == 0 => {}
            }
            self.give_back(held.unpark()).await;
        }
        listening.shutdown().await;
        self.drain(held).await;
    }

    /// Delivers what is due now, and what becomes due by that, until nothing is left.
    ///
    /// # Errors
    /// `Store` when the database fails; attempts under way are then ended where they stand.
    pub async fn deliver_due(&self) -> Result<(), WebhooksError> {
        let mut held = Held::default();
        loop {
            self.fill(&mut held).await?;
            if held.ended().await.is_none() {
                return Ok(());
            }
            self.give_back(held.unpark()).await;
        }
    }

    /// Takes due deliveries and starts their attempts while there are slots.
    async fn fill(&self, held: &mut Held) -> Result<(), StoreError> {
        for _ in 0..LOOKS_MAX {
            let free = held.free_slots();
            if free == 0 {
                break;
            }
            let leased = Instant::now();
            let limit = u32::try_from(free).unwrap_or(u32::MAX);
            let due = self.attempts.store.lease_deliveries(limit, LEASE).await?;
            let found = due.len();
            for delivery in due {
                self.start(held, delivery, leased);
            }
            if found < free {
                break;
            }
        }
        self.attempts
            .surroundings
            .counters
            .set_in_flight(held.in_flight());
        Ok(())
    }

    fn start(&self, held: &mut Held, delivery: DueDelivery, leased: Instant) {
        if held.room(delivery.webhook_id) == 0 {
            held.park(delivery, leased);
            return;
        }
        let attempts = Arc::clone(&self.attempts);
        let webhook = delivery.webhook_id;
        held.start(
            webhook,
            async move { attempts.make(delivery, leased).await },
        );
    }

    /// Gives parked deliveries back, so that the next look finds them. What cannot be given back
    /// comes back by itself when its lease ends.
    async fn give_back(&self, deliveries: Vec<DueDelivery>) {
        for delivery in deliveries {
            if let Err(error) = self.attempts.store.release_delivery(&delivery).await {
                tracing::debug!(
                    delivery.id = %delivery.delivery_id,
                    error = &error as &dyn std::error::Error,
                    "delivery could not be given back"
                );
                return;
            }
        }
    }

    /// Counts failures in a row, and logs the first of them and the end of the row.
    fn note(&self, filled: Result<(), StoreError>, failures: u32) -> u32 {
        match filled {
            Ok(()) if failures > 0 => {
                tracing::info!(failures, "database answers again, deliveries go on");
                0
            }
            Ok(()) => 0,
            Err(error) => {
                self.attempts
                    .surroundings
                    .counters
                    .count(Count::StoreFailure);
                if failures == 0 {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "due deliveries cannot be read, will be tried again"
                    );
                }
                failures.saturating_add(1)
            }
        }
    }

    /// Lets attempts under way end; after [`DRAIN_TIMEOUT`] they are left to their leases.
    async fn drain(&self, mut held: Held) {
        let parked = held.unpark_all();
        let ending = async { while held.ended().await.is_some() {} };
        let draining = async { tokio::join!(ending, self.give_back(parked)) };
        if tokio::time::timeout(DRAIN_TIMEOUT, draining).await.is_err() {
            tracing::warn!(
                in_flight = held.in_flight(),
                "deliveries under way at shutdown are left to their leases"
            );
            held.abort();
        }
        self.attempts.surroundings.counters.set_in_flight(0);
    }
}

/// Pause after so many failures in a row.
pub(crate) fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    BACKOFF_MIN.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}

/// Passes the database's wake-ups on. They are only hints, so a connection that is away is not
/// worth more than a new try at the pace of polling.
async fn listen(store: SystemStore, added: Arc<Notify>) {
    loop {
        if let Ok(mut listener) = store.listen(Channel::Delivery).await {
            while listener.wait().await.is_ok() {
                added.notify_one();
            }
        }
        tokio::time::sleep(POLL).await;
    }
}
