//! What a dispatcher holds: attempts under way, and leased deliveries that wait for a slot.
//!
//! The database hands out the longest due deliveries first, whoever they are for. A receiver with
//! a long queue would get every slot. So each webhook has a share of the slots, a small one while
//! its receiver fails, and what exceeds the share is parked: it keeps its lease, and the next look
//! into the database sees past it. When a slot of the webhook gets free, a parked delivery is
//! given back and found again.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::Future;

use domain::WebhookId;
use store::DueDelivery;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::attempt::Receiver;
use crate::dispatcher::{
    FAILING_MAX, IN_FLIGHT_MAX, IN_FLIGHT_PER_FAILING_MAX, IN_FLIGHT_PER_WEBHOOK_MAX, LEASE,
    PARKED_MAX, PARKED_PER_WEBHOOK_MAX,
};

/// Attempts under way and deliveries that wait for them.
#[derive(Default)]
pub(crate) struct Held {
    tasks: JoinSet<Receiver>,
    webhooks: HashMap<Id, WebhookId>,
    in_flight: BTreeMap<WebhookId, usize>,
    failing: BTreeSet<WebhookId>,
    parked: BTreeMap<WebhookId, VecDeque<Parked>>,
    parked_total: usize,
}

struct Parked {
    delivery: DueDelivery,
    leased: Instant,
}

impl Held {
    pub(crate) fn in_flight(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn free_slots(&self) -> usize {
        IN_FLIGHT_MAX.saturating_sub(self.tasks.len())
    }

    /// Slots that a webhook may still take.
    pub(crate) fn room(&self, webhook: WebhookId) -> usize {
        let share = if self.failing.contains(&webhook) {
            IN_FLIGHT_PER_FAILING_MAX
        } else {
            IN_FLIGHT_PER_WEBHOOK_MAX
        };
        let taken = self.in_flight.get(&webhook).copied().unwrap_or(0);
        share.saturating_sub(taken).min(self.free_slots())
    }

    pub(crate) fn start(
        &mut self,
        webhook: WebhookId,
        attempt: impl Future<Output = Receiver> + Send + 'static,
    ) {
        let task = self.tasks.spawn(attempt);
        self.webhooks.insert(task.id(), webhook);
        let taken = self.in_flight.entry(webhook).or_default();
        *taken = taken.saturating_add(1);
    }

    /// Keeps a delivery without its data, or leaves it to its lease when too many are kept.
    pub(crate) fn park(&mut self, mut delivery: DueDelivery, leased: Instant) {
        let waiting = self.parked.entry(delivery.webhook_id).or_default();
        if waiting.len() < PARKED_PER_WEBHOOK_MAX && self.parked_total < PARKED_MAX {
            delivery.data = None;
            waiting.push_back(Parked { delivery, leased });
            self.parked_total = self.parked_total.saturating_add(1);
        }
    }

    /// Takes out the parked deliveries for which there is room now.
    pub(crate) fn unpark(&mut self) -> Vec<DueDelivery> {
        let webhooks = self.parked.keys().copied().collect::<Vec<_>>();
        let mut taken = vec![];
        for webhook in webhooks {
            let mut room = self.room(webhook);
            while room > 0 {
                let Some(delivery) = self.take_parked(webhook) else {
                    break;
                };
                taken.push(delivery);
                room = room.saturating_sub(1);
            }
        }
        taken
    }

    /// Takes out everything parked.
    pub(crate) fn unpark_all(&mut self) -> Vec<DueDelivery> {
        let webhooks = self.parked.keys().copied().collect::<Vec<_>>();
        let mut taken = vec![];
        for webhook in webhooks {
            while let Some(delivery) = self.take_parked(webhook) {
                taken.push(delivery);
            }
        }
        taken
    }

    /// The longest parked delivery of a webhook whose lease has not ended by itself.
    fn take_parked(&mut self, webhook: WebhookId) -> Option<DueDelivery> {
        let waiting = self.parked.get_mut(&webhook)?;
        while let Some(parked) = waiting.pop_front() {
            self.parked_total = self.parked_total.saturating_sub(1);
            if parked.leased.elapsed() < LEASE {
                return Some(parked.delivery);
            }
        }
        self.parked.remove(&webhook);
        None
    }

    /// Waits for an attempt to end; `None` at once when none is under way.
    ///
    /// Cancelling the wait loses nothing.
    pub(crate) async fn ended(&mut self) -> Option<()> {
        let ended = self.tasks.join_next_with_id().await?;
        self.forget(ended);
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
        Some(())
    }

    /// Ends every attempt where it stands.
    pub(crate) fn abort(&mut self) {
        self.tasks.abort_all();
    }

    fn forget(&mut self, ended: Result<(Id, Receiver), JoinError>) {
        let (id, receiver) = match ended {
            Ok((id, receiver)) => (id, receiver),
            Err(error) => {
                tracing::error!(%error, "attempt of a delivery did not end properly");
                (error.id(), Receiver::Fails)
            }
        };
        let Some(webhook) = self.webhooks.remove(&id) else {
            return;
        };
        if let Some(taken) = self.in_flight.get_mut(&webhook) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                self.in_flight.remove(&webhook);
            }
        }
        match receiver {
            Receiver::Accepts => {
                self.failing.remove(&webhook);
            }
            Receiver::Fails => {
                if self.failing.len() >= FAILING_MAX {
                    self.failing.pop_first();
                }
                self.failing.insert(webhook);
            }
        }
    }
}
