//! Carries messages from the outbox to the broker.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::MessageId;
use futures_util::FutureExt;
use store::listen::Channel;
use store::{MessageKey, OUTBOX_LEASE_MAX, OutboxMessage, StoreError, SystemStore};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::broker::Broker;
use crate::error::QueueError;
use crate::handler::Chain;
use crate::message::{Delivery, Message};
use crate::metrics::age;
use crate::policy::RelayPolicy;
use crate::worker::Surroundings;

/// Leases due rows of the outbox, publishes them and marks them.
///
/// Any number of relays may run: a row belongs to one of them for the time of its lease. A relay
/// that dies leaves its rows to the others; they are then published again, which is allowed.
pub struct Relay<B> {
    store: SystemStore,
    broker: Arc<B>,
    surroundings: Surroundings,
    policy: RelayPolicy,
}

/// What one run of the relay has in its hands.
struct Shift {
    /// Publications under way.
    publishing: JoinSet<(MessageId, Result<(), QueueError>)>,
    /// Every row whose lease is ours, in flight or waiting to be settled.
    leased: BTreeMap<MessageId, Leased>,
    /// Settled as far as the broker is concerned, not yet in the database.
    published: Vec<MessageKey>,
    /// To be given back, with the wait before the next attempt.
    refused: Vec<(MessageKey, Duration)>,
    /// Failures of the broker in a row, and of the database.
    broker_failures: u32,
    database_failures: u32,
    /// No new work before this moment.
    paused_until: Instant,
    /// When leases are renewed next.
    renew_at: Instant,
    /// Whether the last lease found as many rows as it asked for.
    more: bool,
}

#[derive(Clone, Copy)]
struct Leased {
    key: MessageKey,
    attempt: u32,
}

impl<B: Broker> Relay<B> {
    /// A relay.
    pub fn new(
        store: SystemStore,
        broker: Arc<B>,
        surroundings: Surroundings,
        policy: RelayPolicy,
    ) -> Self {
        Self {
            store,
            broker,
            surroundings,
            policy,
        }
    }

    /// Works until the shutdown, then finishes what is in flight within [`RelayPolicy::drain`].
    /// Failures of the database and the broker are waited out.
    pub async fn run(self, shutdown: CancellationToken) {
        let call = Notify::new();
        tokio::join!(self.relay(&call, &shutdown), self.listen(&call, &shutdown),);
    }

    async fn relay(&self, call: &Notify, shutdown: &CancellationToken) {
        let mut shift = Shift::new(self.policy);
        info!("the relay is running");
        while !shutdown.is_cancelled() {
            match self.step(&mut shift).await {
                Ok(()) => shift.database_failures = 0,
                Err(failure) => {
                    shift.database_failures = shift.database_failures.saturating_add(1);
                    let failures = shift.database_failures;
                    self.pause(&mut shift, failures, &failure);
                }
            }
            self.rest(&mut shift, call, shutdown).await;
        }
        self.drain(&mut shift).await;
        info!("the relay has ended");
    }

    /// Everything that does not wait: settle, renew, lease.
    async fn step(&self, shift: &mut Shift) -> Result<(), StoreError> {
        while let Some(finished) = shift.publishing.try_join_next() {
            self.sort(shift, finished);
        }
        self.settle(shift).await?;
        let now = Instant::now();
        if now >= shift.renew_at {
            self.renew(shift).await?;
            shift.renew_at = now + self.policy.lease / 3;
        }
        if now >= shift.paused_until {
            self.lease(shift).await?;
        }
        Ok(())
    }

    /// Waits for the next thing to do.
    async fn rest(&self, shift: &mut Shift, call: &Notify, shutdown: &CancellationToken) {
        let now = Instant::now();
        let paused = now < shift.paused_until;
        let full = shift.leased.len() >= self.policy.in_flight_max;
        if shift.more && !paused && !full {
            return;
        }
        let next_look = if paused {
            shift.paused_until
        } else {
            shift.renew_at.min(now + self.policy.poll)
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(finished) = shift.publishing.join_next() => self.sort(shift, finished),
            () = call.notified(), if !paused && !full => {}
            () = tokio::time::sleep_until(next_look) => {}
        }
    }

    async fn lease(&self, shift: &mut Shift) -> Result<(), StoreError> {
        let room = self.policy.in_flight_max.saturating_sub(shift.leased.len());
        if room == 0 {
            return Ok(());
        }
        let limit = u32::try_from(room)
            .unwrap_or(OUTBOX_LEASE_MAX)
            .min(OUTBOX_LEASE_MAX);
        let rows = self.store.lease_outbox(limit, self.policy.lease).await?;
        shift.more = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
        self.observe_lag(&rows);
        for row in rows {
            self.publish(shift, row);
        }
        Ok(())
    }

    fn publish(&self, shift: &mut Shift, row: OutboxMessage) {
        let key = row.key();
        let delivery = delivery(row);
        let id = delivery.message.message_id;
        let leased = Leased {
            key,
            attempt: delivery.attempt,
        };
        if shift.leased.insert(id, leased).is_some() {
            // Our lease ran out while the database was away; the publication still runs.
            return;
        }
        let broker = Arc::clone(&self.broker);
        shift.publishing.spawn(async move {
            let publishing = AssertUnwindSafe(broker.publish(&delivery)).catch_unwind();
            (id, publishing.await.unwrap_or(Err(QueueError::Failed)))
        });
    }

    /// Puts a finished publication where [`Relay::settle`] finds it.
    fn sort(&self, shift: &mut Shift, finished: Finished) {
        // Panics are caught inside, and only a shutdown aborts.
        let Ok((id, result)) = finished else {
            return;
        };
        let Some(leased) = shift.leased.get(&id).copied() else {
            return;
        };
        let metrics = &self.surroundings.metrics;
        match result {
            Ok(()) => {
                metrics.published();
                shift.broker_failures = 0;
                shift.published.push(leased.key);
            }
            Err(failure) => {
                metrics.publish_failed();
                self.refuse(shift, leased, &failure);
            }
        }
    }

    fn refuse(&self, shift: &mut Shift, leased: Leased, failure: &QueueError) {
        let wait = match failure {
            QueueError::Unavailable(_) => {
                self.pause_for_broker(shift, failure);
                Duration::ZERO
            }
            QueueError::Interrupted => Duration::ZERO,
            // The worker has logged why.
            QueueError::Failed => self.retry_delay(leased),
            QueueError::Refused { .. } | QueueError::InvalidAddress { .. } => {
                warn!(
                    message.id = %leased.key.message_id,
                    attempt = leased.attempt,
                    error = %Chain(failure),
                    "a message was not published"
                );
                self.retry_delay(leased)
            }
        };
        shift.refused.push((leased.key, wait));
    }

    /// Tells the database what became of the rows. What it does not take stays for next time.
    async fn settle(&self, shift: &mut Shift) -> Result<(), StoreError> {
        if !shift.published.is_empty() {
            self.store.mark_published(&shift.published).await?;
            for key in shift.published.drain(..) {
                shift.leased.remove(&key.message_id);
            }
        }
        while let Some((key, wait)) = shift.refused.last().copied() {
            let retry_at = self.surroundings.clock.now() + wait;
            self.store.release(key, retry_at).await?;
            shift.refused.pop();
            shift.leased.remove(&key.message_id);
        }
        Ok(())
    }

    async fn renew(&self, shift: &Shift) -> Result<(), StoreError> {
        let keys: Vec<MessageKey> = shift.leased.values().map(|leased| leased.key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        self.store.renew_lease(&keys, self.policy.lease).await
    }

    fn retry_delay(&self, leased: Leased) -> Duration {
        self.policy
            .retry
            .delay(leased.attempt, self.surroundings.ids.as_ref())
    }

    /// One failure is counted and reported, not one for each message in flight.
    fn pause_for_broker(&self, shift: &mut Shift, failure: &QueueError) {
        if Instant::now() >= shift.paused_until {
            shift.broker_failures = shift.broker_failures.saturating_add(1);
            let failures = shift.broker_failures;
            self.pause(shift, failures, failure);
        }
    }

    /// Takes no new work for a while.
    fn pause(&self, shift: &mut Shift, failures: u32, failure: &(dyn std::error::Error + 'static)) {
        let wait = self
            .policy
            .outage
            .delay(failures, self.surroundings.ids.as_ref());
        shift.paused_until = Instant::now() + wait;
        warn!(error = %Chain(failure), "the relay pauses");
    }

    fn observe_lag(&self, rows: &[OutboxMessage]) {
        let now = self.surroundings.clock.now();
        let oldest = rows.iter().map(|row| age(now, row.created_at)).max();
        self.surroundings.metrics.lag(oldest.unwrap_or_default());
    }

    /// Waits for what is in flight, gives the rest up and returns its rows to the others.
    async fn drain(&self, shift: &mut Shift) {
        let deadline = Instant::now() + self.policy.drain;
        while let Ok(Some(finished)) =
            tokio::time::timeout_at(deadline, shift.publishing.join_next()).await
        {
            self.sort(shift, finished);
        }
        shift.publishing.shutdown().await;
        let settled: Vec<MessageId> = shift
            .published
            .iter()
            .chain(shift.refused.iter().map(|(key, _)| key))
            .map(|key| key.message_id)
            .collect();
        let given_up = shift
            .leased
            .iter()
            .filter(|(id, _)| !settled.contains(id))
            .map(|(_, leased)| (leased.key, Duration::ZERO));
        shift.refused.extend(given_up);
        // Without the database the leases run out by themselves.
        if let Ok(Err(failure)) =
            tokio::time::timeout(Duration::from_secs(2), self.settle(shift)).await
        {
            warn!(error = %Chain(&failure), "the last messages were not settled");
        }
    }

    /// Turns the database's notifications into calls; the poll covers for what is missed.
    async fn listen(&self, call: &Notify, shutdown: &CancellationToken) {
        let mut failures: u32 = 0;
        while !shutdown.is_cancelled() {
            let hearing = async {
                let mut listener = self.store.listen(Channel::Outbox).await?;
                loop {
                    listener.wait().await?;
                    call.notify_one();
                }
            };
            let lost: Result<(), StoreError> = tokio::select! {
                lost = hearing => lost,
                () = shutdown.cancelled() => return,
            };
            if let Err(error) = lost {
                failures = failures.saturating_add(1);
                warn!(error = %Chain(&error), "the outbox's notifications are away, polling");
            }
            let wait = self
                .policy
                .outage
                .delay(failures, self.surroundings.ids.as_ref());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}

type Finished = Result<(MessageId, Result<(), QueueError>), tokio::task::JoinError>;

impl Shift {
    fn new(policy: RelayPolicy) -> Self {
        let now = Instant::now();
        Self {
            publishing: JoinSet::new(),
            leased: BTreeMap::new(),
            published: Vec::new(),
            refused: Vec::new(),
            broker_failures: 0,
            database_failures: 0,
            paused_until: now,
            renew_at: now + policy.lease / 3,
            more: false,
        }
    }
}

fn delivery(row: OutboxMessage) -> Delivery {
    Delivery {
        attempt: u32::try_from(row.attempts).unwrap_or(1).max(1),
        message: Message {
            message_id: row.message_id,
            tenant_id: row.tenant_id,
            user_id: row.user_id,
            topic: row.topic,
            payload: row.payload,
            traceparent: row.traceparent,
            created_at: row.created_at,
        },
    }
}
