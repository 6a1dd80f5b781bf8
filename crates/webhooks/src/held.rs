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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::fixture::documented;

    #[tokio::test]
    async fn a_failing_receiver_has_a_small_share_until_it_accepts() {
        let mut held = Held::default();
        let webhook = documented().webhook_id;
        assert_eq!(held.room(webhook), IN_FLIGHT_PER_WEBHOOK_MAX);
        for (receiver, share) in [
            (Receiver::Fails, IN_FLIGHT_PER_FAILING_MAX),
            (Receiver::Accepts, IN_FLIGHT_PER_WEBHOOK_MAX),
        ] {
            held.start(webhook, async move { receiver });
            assert_eq!(held.in_flight(), 1);
            assert_eq!(held.ended().await, Some(()));
            assert_eq!(held.room(webhook), share, "{receiver:?}");
        }
        assert_eq!(held.ended().await, None);
    }

    #[tokio::test]
    async fn an_attempt_that_panics_frees_its_slot() {
        let mut held = Held::default();
        let webhook = documented().webhook_id;
        held.start(webhook, async { panic!("as a receiver's library might") });
        assert_eq!(held.ended().await, Some(()));
        assert_eq!(held.in_flight(), 0);
        assert_eq!(held.room(webhook), IN_FLIGHT_PER_FAILING_MAX);
    }

    #[tokio::test]
    async fn parked_deliveries_are_bounded_and_hold_no_data() {
        let mut held = Held::default();
        let webhook = documented().webhook_id;
        for _ in 0..IN_FLIGHT_PER_WEBHOOK_MAX {
            held.start(webhook, std::future::pending());
        }
        for _ in 0..=PARKED_PER_WEBHOOK_MAX {
            held.park(documented(), Instant::now());
        }
        // No slot is free, so nothing comes out.
        assert_eq!(held.unpark(), []);
        let parked = held.unpark_all();
        assert_eq!(parked.len(), PARKED_PER_WEBHOOK_MAX);
        assert!(parked.iter().all(|delivery| delivery.data.is_none()));
        assert_eq!(held.unpark_all(), []);
    }

    #[tokio::test]
    async fn as_many_come_out_as_slots_are_free() {
        let mut held = Held::default();
        for _ in 0..IN_FLIGHT_PER_WEBHOOK_MAX * 2 {
            held.park(documented(), Instant::now());
        }
        assert_eq!(held.unpark().len(), IN_FLIGHT_PER_WEBHOOK_MAX);
        // A lease that ended by itself needs no giving back.
        let Some(ended) = Instant::now().checked_sub(LEASE) else {
            return;
        };
        let other = DueDelivery {
            webhook_id: WebhookId::new(documented().lease),
            ..documented()
        };
        held.park(other, ended);
        assert_eq!(held.unpark_all().len(), IN_FLIGHT_PER_WEBHOOK_MAX);
    }
}
