//! Receivers that answer nothing must not hold up the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use store::DeliveryStatus;
use tokio::sync::{Notify, watch};
use webhooks::dispatcher::{IN_FLIGHT_MAX, IN_FLIGHT_PER_WEBHOOK_MAX};
use webhooks::http::SignedRequest;
use webhooks::{HttpSender, SendError};

use crate::world::{World, run_while};

const SLOW: &str = "https://slow.example.com/";
const FAST: &str = "https://fast.example.com/";
/// More than every slot and than what one look finds.
const SLOW_USERS: u64 = 120;
/// A test that waits for it fails.
const ARRIVAL: Duration = Duration::from_secs(20);

/// Answers the fast at once, and the slow when the gate opens.
#[derive(Clone)]
struct Gate {
    open: watch::Receiver<bool>,
    waiting: Arc<AtomicUsize>,
    waiting_most: Arc<AtomicUsize>,
    fast: Arc<Notify>,
}

impl HttpSender for Gate {
    async fn send(&self, request: SignedRequest) -> Result<u16, SendError> {
        if request.url == FAST {
            self.fast.notify_one();
            return Ok(200);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.waiting_most.fetch_max(waiting, Ordering::SeqCst);
        let opened = self.open.clone().wait_for(|open| *open).await.is_ok();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if opened {
            Ok(200)
        } else {
            Err(SendError::ConnectionBroken)
        }
    }
}

#[tokio::test]
async fn a_slow_receiver_does_not_block_the_others() -> Result<()> {
    let world = World::create().await?;
    let slow = world.webhook(SLOW).await?.webhook.id;
    for number in 0..SLOW_USERS {
        world.event(world.user().await?, number).await?;
    }
    // The newest event of all is the only one that the fast receiver hears of.
    let fast = world.webhook(FAST).await?.webhook.id;
    world.event(world.user().await?, SLOW_USERS).await?;

    let (opening, open) = watch::channel(false);
    let gate = Gate {
        open,
        waiting: Arc::default(),
        waiting_most: Arc::default(),
        fast: Arc::default(),
    };
    let held_up = run_while(&world.dispatcher(gate.clone()), async {
        tokio::time::timeout(ARRIVAL, gate.fast.notified()).await?;
        let held_up = gate.waiting.load(Ordering::SeqCst);
        opening.send_replace(true);
        world
            .counted(|counted| counted.delivered >= SLOW_USERS + 2)
            .await?;
        Ok(held_up)
    })
    .await?;
    assert!(held_up > 0, "the slow ones were still under way");
    let most = gate.waiting_most.load(Ordering::SeqCst);
    assert!(
        most <= IN_FLIGHT_PER_WEBHOOK_MAX,
        "{most} of {IN_FLIGHT_MAX} slots"
    );
    for webhook in [slow, fast] {
        let deliveries = world.deliveries(webhook).await?;
        assert!(
            deliveries
                .iter()
                .all(|one| one.status == DeliveryStatus::Delivered)
        );
    }
    Ok(())
}
