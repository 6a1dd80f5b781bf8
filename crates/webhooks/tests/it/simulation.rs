//! Seeded simulation: days pass in a moment, receivers fail and dispatchers die by seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, UserId, WebhookId};
use store::{Delivery, DeliveryStatus};
use tokio::sync::Notify;
use webhooks::http::SignedRequest;
use webhooks::schedule::{ATTEMPTS_MIN, WINDOW_SECONDS};
use webhooks::{Dispatcher, HttpSender, SendError};

use crate::receivers::{Arrival, Arrivals, Steady};
use crate::world::World;

const USERS: usize = 3;
const EVENTS: u64 = 24;
const DOWN: TimeDelta = TimeDelta::hours(30);
/// Rounds after which something hangs.
const ROUNDS_MAX: usize = 3_000;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Accepted,
    /// The receiver takes it, but its answer is lost.
    AcceptedUnheard,
    Refused(u16),
    Unreachable,
    /// The dispatcher dies before it hears the answer.
    Death,
}

/// Splitmix64: the same numbers for the same seed on every machine.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Receivers that are in trouble for thirty hours and well afterwards.
#[derive(Clone)]
struct Troubled {
    seed: u64,
    clock: Arc<dyn Clock>,
    up_at: DateTime<Utc>,
    arrivals: Arrivals,
    attempts: Arc<Mutex<BTreeMap<(String, u64), u64>>>,
    accepted: Arc<Mutex<BTreeSet<(String, u64)>>>,
    death: Arc<Notify>,
}

impl Troubled {
    /// Depends on event and attempt alone, so that neither threads nor ids change it.
    fn fate(&self, arrival: &Arrival) -> Fate {
        let key = (arrival.url.clone(), arrival.number);
        let mut attempts = self.attempts.lock().expect("not poisoned");
        let attempt = attempts.entry(key).or_default();
        *attempt += 1;
        let host = u64::try_from(arrival.url.len()).expect("short");
        let dice = mix(self.seed ^ mix(arrival.number ^ mix(*attempt ^ mix(host))));
        match dice % 20 {
            // Dispatchers also die while the receivers are well.
            0 => Fate::Death,
            _ if arrival.at >= self.up_at => Fate::Accepted,
            1 => Fate::AcceptedUnheard,
            2 => Fate::Accepted,
            3..=6 => Fate::Unreachable,
            7..=9 => Fate::Refused(302),
            10..=13 => Fate::Refused(404),
            _ => Fate::Refused(503),
        }
    }
}

impl HttpSender for Troubled {
    async fn send(&self, request: SignedRequest) -> Result<u16, SendError> {
        let arrival = Arrival::read(&request, self.clock.now());
        let fate = self.fate(&arrival);
        let key = (arrival.url.clone(), arrival.number);
        if fate != Fate::Unreachable {
            self.arrivals.push(arrival);
        }
        match fate {
            Fate::Accepted => {
                self.accepted.lock().expect("not poisoned").insert(key);
                Ok(200)
            }
            Fate::AcceptedUnheard => Err(SendError::Timeout { seconds: 10 }),
            Fate::Refused(status) => Ok(status),
            Fate::Unreachable => Err(SendError::ConnectionFailed),
            Fate::Death => {
                self.death.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// When the oldest pending delivery of some user of the webhooks is due.
async fn next_due(world: &World, webhooks: &[WebhookId]) -> Result<Option<DateTime<Utc>>> {
    let mut due = None::<DateTime<Utc>>;
    for webhook in webhooks {
        let mut users = BTreeSet::new();
        let pending = |one: &Delivery| one.status == DeliveryStatus::Pending;
        for delivery in world
            .deliveries(*webhook)
            .await?
            .into_iter()
            .filter(pending)
        {
            if users.insert(delivery.user_id) {
                let at = delivery.next_attempt_at;
                due = Some(due.map_or(at, |earliest| earliest.min(at)));
            }
        }
    }
    Ok(due)
}

/// Emits all events at seeded moments of the bad hours and delivers until nothing is pending.
async fn live_through(
    world: &World,
    dispatcher: &Dispatcher<Troubled>,
    sender: &Troubled,
    webhooks: &[WebhookId],
    users: &[UserId],
) -> Result<()> {
    let start = world.clock.now();
    let gap = DOWN / i32::try_from(EVENTS)?;
    let mut emitted = 0u64;
    for _ in 0..ROUNDS_MAX {
        let emit_at =
            (emitted < EVENTS).then(|| start + gap * i32::try_from(emitted).expect("few"));
        let due = next_due(world, webhooks).await?;
        let Some(next) = emit_at.into_iter().chain(due).min() else {
            return Ok(());
        };
        // What is due already and not delivered is under the lease of a dispatcher that died.
        let floor = world.clock.now() + TimeDelta::seconds(1);
        world
            .clock
            .advance_to(if due.is_some_and(|due| due < floor) {
                floor
            } else {
                next
            });
        if emit_at.is_some_and(|at| at <= world.clock.now()) {
            let user = mix(sender.seed ^ emitted) % u64::try_from(users.len())?;
            world.event(users[usize::try_from(user)?], emitted).await?;
            emitted += 1;
        }
        tokio::select! {
            delivered = dispatcher.deliver_due() => delivered?,
            () = sender.death.notified() => {}
        }
    }
    anyhow::bail!("deliveries hang after {ROUNDS_MAX} rounds")
}

fn check_order(arrivals: &[Arrival]) -> Result<()> {
    let mut newest = BTreeMap::new();
    for arrival in arrivals {
        let last = newest
            .entry((&arrival.url, &arrival.user))
            .or_insert(arrival.number);
        ensure!(
            *last <= arrival.number,
            "{} came after {last}",
            arrival.number
        );
        *last = arrival.number;
    }
    Ok(())
}

fn check_ids(arrivals: &[Arrival], secrets: &BTreeMap<String, String>) -> Result<()> {
    let mut first = BTreeMap::new();
    for arrival in arrivals {
        let same = first
            .entry((&arrival.url, arrival.number))
            .or_insert(arrival);
        ensure!(
            same.delivery == arrival.delivery,
            "another id for {}",
            arrival.number
        );
        ensure!(
            same.body == arrival.body,
            "another body for {}",
            arrival.number
        );
        ensure!(
            arrival.request_id == arrival.delivery,
            "two ids for {}",
            arrival.number
        );
        ensure!(
            arrival.is_signed_by(&secrets[&arrival.url]),
            "unsigned {}",
            arrival.number
        );
    }
    Ok(())
}

async fn simulate(seed: u64) -> Result<()> {
    let world = World::create().await?;
    let mut secrets = BTreeMap::new();
    let mut webhooks = vec![];
    for url in ["https://a.example.com/", "https://second.example.com/"] {
        let created = world.webhook(url).await?;
        webhooks.push(created.webhook.id);
        secrets.insert(url.to_owned(), created.signing_secret.into_inner());
    }
    let mut users = vec![];
    for _ in 0..USERS {
        users.push(world.user().await?);
    }
    let sender = Troubled {
        seed,
        clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
        up_at: world.clock.now() + DOWN,
        arrivals: Arrivals::default(),
        attempts: Arc::default(),
        accepted: Arc::default(),
        death: Arc::default(),
    };
    let dispatcher = world.dispatcher(sender.clone());
    live_through(&world, &dispatcher, &sender, &webhooks, &users).await?;

    let arrivals = sender.arrivals.all();
    check_order(&arrivals)?;
    check_ids(&arrivals, &secrets)?;
    // No gap: each event was heard by each receiver and answered with success.
    let accepted = sender.accepted.lock().expect("not poisoned").clone();
    let all = secrets
        .keys()
        .flat_map(|url| (0..EVENTS).map(|number| (url.clone(), number)));
    assert_eq!(accepted, all.collect());
    for webhook in webhooks {
        let deliveries = world.deliveries(webhook).await?;
        assert_eq!(deliveries.len(), usize::try_from(EVENTS)?);
        assert!(
            deliveries
                .iter()
                .all(|one| one.status == DeliveryStatus::Delivered)
        );
    }
    Ok(())
}

#[tokio::test]
async fn thirty_bad_hours_lose_nothing_and_reorder_nothing() -> Result<()> {
    for seed in [1, 2, 3, 4] {
        simulate(seed)
            .await
            .map_err(|error| error.context(format!("seed {seed}")))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_stays_away_is_given_up_after_five_days() -> Result<()> {
    let world = World::create().await?;
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let sender = Steady::answering(clock, Ok(500));
    let webhook = world.webhook("https://gone.example.com/").await?.webhook.id;
    let user = world.user().await?;
    let start = world.clock.now();
    world.event(user, 1).await?;
    world.event(user, 2).await?;
    let dispatcher = world.dispatcher(sender.clone());
    while let Some(due) = next_due(&world, &[webhook]).await? {
        world.clock.advance_to(due);
        dispatcher.deliver_due().await?;
    }
    let numbers = sender.arrivals.numbers();
    let of = |number: u64| numbers.iter().filter(|one| **one == number).count();
    assert_eq!(of(1), 18);
    // It waited behind the first until the window's last hours, and still had its quick attempts.
    assert!(
        (usize::try_from(ATTEMPTS_MIN)?..=6).contains(&of(2)),
        "{}",
        of(2)
    );
    assert!(numbers.is_sorted());
    let last = sender.arrivals.all()[17].at - start;
    assert!(
        last > TimeDelta::hours(110) && last.num_seconds() <= WINDOW_SECONDS,
        "{last}"
    );
    for delivery in world.deliveries(webhook).await? {
        assert_eq!(delivery.status, DeliveryStatus::Exhausted);
        assert_eq!(delivery.error.as_deref(), Some("answered with status 500"));
    }
    assert_eq!(world.counters.values().exhausted, 2);
    Ok(())
}
