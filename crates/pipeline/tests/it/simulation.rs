//! Seeded simulation of faults: a broker that drops, repeats and reorders, relays and workers that
//! die between any two steps, under a stream of uploads.
//!
//! The relay, the pipeline and the database are the real ones. The seed decides every fault; what
//! runs when is up to the machine. At the end every accepted upload has one finished run, nothing
//! was announced twice, and the announced differences add up to the stored tags.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use domain::{CorrelationId, SystemIds, UserId};
use pipeline::{Analyses, Job, PipelineError};
use queue::{
    Backoff, Broker, Delivery, QueueError, QueueMetrics, Relay, RelayPolicy, Surroundings,
};
use store::{RunStatus, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{World, purposes, until};

const SEEDS: u64 = 6;
const USERS: usize = 3;
const UPLOADS: usize = 40;
const WORKERS: usize = 3;

/// A small generator of chance (xorshift64*), shared by everything that goes wrong.
#[derive(Clone)]
struct Chance(Arc<Mutex<u64>>);

impl Chance {
    fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self(Arc::new(Mutex::new(state)))
    }

    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().expect("lock");
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn index(&self, length: usize) -> usize {
        let length = u64::try_from(length).expect("small");
        usize::try_from(self.below(length)).expect("small")
    }

    /// Whether something happens that does so in this many percent of all cases.
    fn happens(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What went wrong, so that a test in which nothing did is noticed.
#[derive(Debug, Default)]
struct Faults {
    dropped: u32,
    repeated: u32,
    unanswered: u32,
    crashed_workers: u32,
    lost_acks: u32,
    crashed_relays: u32,
}

/// The broker, and the messages that it holds.
struct FaultyBroker {
    chance: Chance,
    messages: Mutex<Vec<Job>>,
    faults: Mutex<Faults>,
}

impl FaultyBroker {
    fn put(&self, job: &Job) {
        self.messages.lock().expect("lock").push(job.clone());
    }

    /// Any message, so that order means nothing.
    fn take(&self) -> Option<Job> {
        let mut messages = self.messages.lock().expect("lock");
        if messages.is_empty() {
            return None;
        }
        let index = self.chance.index(messages.len());
        Some(messages.swap_remove(index))
    }

    fn note(&self, fault: impl FnOnce(&mut Faults)) {
        fault(&mut self.faults.lock().expect("lock"));
    }
}

impl Broker for FaultyBroker {
    async fn publish(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let job = job(delivery);
        tokio::task::yield_now().await;
        match self.chance.below(100) {
            0..15 => {
                self.note(|faults| faults.dropped += 1);
                Err(QueueError::Unavailable("dropped".into()))
            }
            15..25 => {
                self.note(|faults| faults.unanswered += 1);
                self.put(&job);
                Err(QueueError::Unavailable(
                    "taken, but the answer was lost".into(),
                ))
            }
            25..35 => {
                self.note(|faults| faults.repeated += 1);
                self.put(&job);
                self.put(&job);
                Ok(())
            }
            35..40 => {
                // Taken, and the relay hears nothing until it dies.
                self.note(|faults| faults.unanswered += 1);
                self.put(&job);
                std::future::pending().await
            }
            _ => {
                self.put(&job);
                Ok(())
            }
        }
    }
}

fn job(delivery: &Delivery) -> Job {
    let message = &delivery.message;
    Job {
        message_id: message.message_id,
        tenant_id: message.tenant_id,
        topic: message.topic.clone(),
        payload: message.payload.clone(),
        attempt: 1,
    }
}

/// A future that is dropped when it was polled so many times: a crash at any await point.
struct Mortal<F> {
    inner: Option<Pin<Box<F>>>,
    polls_left: u64,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.polls_left.checked_sub(1) else {
            self.inner = None;
            return Poll::Ready(None);
        };
        self.polls_left = left;
        match self.inner.as_mut() {
            Some(inner) => inner.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

/// Takes messages for ever; dies often, forgets acknowledgements often.
async fn work(broker: Arc<FaultyBroker>, analyses: Analyses, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let Some(job) = broker.take() else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let polls_left = if broker.chance.happens(50) {
            broker.chance.below(60)
        } else {
            u64::MAX
        };
        let attempt = Mortal {
            inner: Some(Box::pin(analyses.handle(&job))),
            polls_left,
        };
        match attempt.await {
            Some(Ok(_outcome)) if broker.chance.happens(20) => {
                broker.note(|faults| faults.lost_acks += 1);
                broker.put(&job);
            }
            Some(Ok(_outcome)) => {}
            Some(Err(failure)) => {
                // Contention is allowed; everything else would be a defect.
                let allowed = matches!(
                    failure,
                    PipelineError::Store(StoreError::Contention(_) | StoreError::Unavailable(_))
                );
                assert!(allowed, "{failure:?}");
                broker.put(&job);
            }
            None => {
                broker.note(|faults| faults.crashed_workers += 1);
                broker.put(&job);
            }
        }
    }
}

/// Runs one relay after the other, killing each after a while. A dead relay's leases run out.
async fn relay(world: Arc<World>, broker: Arc<FaultyBroker>, stop: CancellationToken) {
    let quick = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
    let policy = RelayPolicy {
        in_flight_max: 4,
        lease: Duration::from_secs(30),
        poll: Duration::from_millis(5),
        retry: quick,
        outage: quick,
        drain: Duration::from_millis(5),
    };
    while !stop.is_cancelled() {
        let surroundings = Surroundings {
            clock: world.clock.clone(),
            ids: Arc::new(SystemIds),
            metrics: Arc::new(QueueMetrics::default()),
        };
        let relay = Relay::new(
            world.system.clone(),
            Arc::clone(&broker),
            surroundings,
            policy,
        );
        let shutdown = CancellationToken::new();
        let lifetime = Duration::from_millis(20 + broker.chance.below(80));
        let mut life = JoinSet::new();
        life.spawn(relay.run(shutdown.clone()));
        tokio::time::sleep(lifetime).await;
        if broker.chance.happens(70) {
            broker.note(|faults| faults.crashed_relays += 1);
            life.shutdown().await;
            world.clock.advance(policy.lease + Duration::from_secs(1));
        } else {
            shutdown.cancel();
            life.join_next().await;
        }
    }
}

/// The uploads of a test: each run, and the texts that a user's account held in the end.
struct Accepted {
    runs: Vec<(UserId, CorrelationId)>,
    last: BTreeMap<UserId, Vec<String>>,
}

/// Uploads growing and changing data for users in turn.
async fn upload(world: &World, chance: &Chance) -> Accepted {
    let mut users = Vec::new();
    for _ in 0..USERS {
        users.push(world.add_user(&["categorization"]).await);
    }
    let mut accepted = Accepted {
        runs: Vec::new(),
        last: users.iter().map(|user| (*user, purposes(1))).collect(),
    };
    for number in 0..UPLOADS {
        let user = users[chance.index(USERS)];
        let texts = accepted.last.get_mut(&user).expect("known");
        let changed = chance.index(texts.len());
        texts[changed] = if texts[changed].starts_with("LOHN") {
            format!("MIETE WOHNUNG {number}")
        } else {
            format!("LOHN GEHALT {number}")
        };
        texts.push(format!("LOHN GEHALT {number}"));
        accepted.runs.push((user, world.upload(user, texts).await));
        tokio::time::sleep(Duration::from_millis(chance.below(12))).await;
    }
    accepted
}

async fn simulate(seed: u64) {
    let world = Arc::new(World::new().await);
    let chance = Chance::new(seed);
    let broker = Arc::new(FaultyBroker {
        chance: chance.clone(),
        messages: Mutex::default(),
        faults: Mutex::default(),
    });
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for _ in 0..WORKERS {
        tasks.spawn(work(Arc::clone(&broker), world.analyses(), stop.clone()));
    }
    tasks.spawn(relay(Arc::clone(&world), Arc::clone(&broker), stop.clone()));

    let accepted = upload(&world, &chance).await;
    until("every run is finished", async || {
        world.system.backlog().await.expect("backlog").runs_open == 0
    })
    .await;
    stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panicked");
    }
    check(&world, &accepted).await;
    let faults = broker.faults.lock().expect("lock");
    println!("seed {seed}: {faults:?}");
    assert!(
        faults.crashed_workers > 0 && faults.crashed_relays > 0,
        "{faults:?}"
    );
    assert!(
        faults.dropped + faults.unanswered + faults.repeated > 0,
        "{faults:?}"
    );
}

async fn check(world: &World, accepted: &Accepted) {
    let told = world.told();
    assert_eq!(
        told.len(),
        accepted.runs.len() * 4,
        "four events for each run"
    );
    for (user, id) in &accepted.runs {
        let run = world.run(*user, *id).await;
        assert_eq!(run.status, RunStatus::Done, "{run:?}");
        let events: Vec<_> = told
            .iter()
            .filter(|told| told.run == id.to_string())
            .collect();
        let names: Vec<&str> = events.iter().map(|told| told.event.as_str()).collect();
        assert_eq!(
            names,
            [
                "categorization",
                "categorization.notification",
                "analysis.finished",
                "analysis.finished.notification"
            ]
        );
        // What was announced is what is served.
        assert_eq!(events[0].data, world.body(*user, *id).await);
    }
    for (user, texts) in &accepted.last {
        check_user(world, *user, texts);
    }
    let doubled = world.query(
        "select count(*) from (select 1 from analysis_result
         group by tenant_id, user_id, correlation_id, module having count(*) > 1) doubled",
    );
    assert_eq!(doubled, "0");
}

/// The differences, applied in the order of their announcement, give the tags of the last upload.
fn check_user(world: &World, user: UserId, texts: &[String]) {
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for told in world.told() {
        if told.user != user.to_string() || told.event != "categorization" {
            continue;
        }
        let body = told.data.expect("data");
        for item in body["categorization"].as_array().expect("a list") {
            let text = |name: &str| item[name].as_str().expect("a text").to_owned();
            tags.insert(text("transactionId"), text("descriptiveTag"));
        }
    }
    let stored = world.query(&format!(
        "select coalesce(json_object_agg(transaction_id, tag), '{{}}') from transaction_tag
         where user_id = '{user}'"
    ));
    let stored: BTreeMap<String, String> = serde_json::from_str(&stored).expect("JSON");
    assert_eq!(tags, stored);
    assert_eq!(tags.len(), texts.len());
    for (number, text) in texts.iter().enumerate() {
        let tag = &tags[&format!("t{number}")];
        assert_eq!(
            tag == "salary_wage",
            text.starts_with("LOHN"),
            "{text}: {tag}"
        );
    }
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_is_doubled() {
    for seed in 0..SEEDS {
        simulate(seed).await;
    }
}
