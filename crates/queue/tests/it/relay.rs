//! The relay: nothing lost, nothing marked that was not published, nobody's lease stolen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::MessageId;
use queue::{Backoff, Broker, Delivery, QueueError, Relay, RelayPolicy};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::database::{Database, database, with_user};
use crate::support::{DEADLINE, surroundings, until};

/// How the broker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    Away,
    Refuses,
    /// Takes the message and never answers.
    Silent,
}

/// A broker in memory.
struct MemoryBroker {
    mood: Mutex<Mood>,
    taken: Mutex<BTreeMap<MessageId, u32>>,
    tried: Mutex<u32>,
}

impl MemoryBroker {
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(mood),
            taken: Mutex::default(),
            tried: Mutex::default(),
        })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().expect("lock") = mood;
    }

    fn taken(&self) -> BTreeMap<MessageId, u32> {
        self.taken.lock().expect("lock").clone()
    }

    fn tried(&self) -> u32 {
        *self.tried.lock().expect("lock")
    }

    fn take(&self, delivery: &Delivery) {
        let id = delivery.message.message_id;
        *self.taken.lock().expect("lock").entry(id).or_default() += 1;
    }
}

impl Broker for MemoryBroker {
    async fn publish(&self, delivery: &Delivery) -> Result<(), QueueError> {
        *self.tried.lock().expect("lock") += 1;
        let mood = *self.mood.lock().expect("lock");
        match mood {
            Mood::Takes => {
                self.take(delivery);
                Ok(())
            }
            Mood::Away => Err(QueueError::Unavailable("as told".into())),
            Mood::Refuses => Err(QueueError::Refused {
                reason: "as told".to_owned(),
            }),
            Mood::Silent => {
                self.take(delivery);
                std::future::pending().await
            }
        }
    }
}

fn policy() -> RelayPolicy {
    let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(50));
    RelayPolicy {
        in_flight_max: 8,
        lease: Duration::from_secs(30),
        poll: Duration::from_millis(50),
        retry: quick,
        outage: quick,
        drain: Duration::from_secs(5),
    }
}

struct RunningRelay {
    shutdown: CancellationToken,
    task: JoinSet<()>,
}

fn relay(database: &Database, broker: &Arc<MemoryBroker>, policy: RelayPolicy) -> RunningRelay {
    let shutdown = CancellationToken::new();
    let relay = Relay::new(
        database.system.clone(),
        Arc::clone(broker),
        surroundings(),
        policy,
    );
    let mut task = JoinSet::new();
    task.spawn(relay.run(shutdown.clone()));
    RunningRelay { shutdown, task }
}

impl RunningRelay {
    async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(DEADLINE, self.task.join_next()).await;
        assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
    }

    async fn kill(mut self) {
        self.task.shutdown().await;
    }
}

#[tokio::test]
async fn what_is_committed_is_published_and_marked_at_once() {
    let database = database().await;
    let broker = MemoryBroker::new(Mood::Takes);
    // Nothing but the notification can wake this relay in time.
    let patient = RelayPolicy {
        poll: Duration::from_hours(1),
        ..policy()
    };
    database.request_run().await;
    let relay = relay(&database, &broker, patient);
    until("the backlog is published", async || {
        broker.taken().len() == 1
    })
    .await;
    database.request_run_and_roll_back().await;
    for _ in 0..20 {
        database.request_run().await;
    }
    until("all are published", async || broker.taken().len() == 21).await;
    until("all are marked", async || database.waiting().await == 0).await;
    relay.stop().await;
    assert!(broker.taken().values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_broker_that_is_away_delays_and_loses_nothing() {
    let database = database().await;
    let broker = MemoryBroker::new(Mood::Away);
    let relay = relay(&database, &broker, policy());
    for _ in 0..3 {
        database.request_run().await;
    }
    until("tried in vain", async || broker.tried() >= 6).await;
    broker.turn(Mood::Refuses);
    let before = broker.tried();
    until("refused", async || broker.tried() >= before + 6).await;
    assert!(broker.taken().is_empty());
    broker.turn(Mood::Takes);
    until("all are published", async || broker.taken().len() == 3).await;
    relay.stop().await;
    assert_eq!(database.waiting().await, 0);
}

#[tokio::test]
async fn relays_share_the_outbox_without_publishing_twice() {
    let database = database().await;
    let broker = MemoryBroker::new(Mood::Takes);
    for _ in 0..50 {
        database.request_run().await;
    }
    let relays = [
        relay(&database, &broker, policy()),
        relay(&database, &broker, policy()),
    ];
    until("all are marked", async || database.waiting().await == 0).await;
    for relay in relays {
        relay.stop().await;
    }
    let taken = broker.taken();
    assert_eq!(taken.len(), 50);
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
}

#[tokio::test]
async fn a_relay_that_dies_before_it_marks_is_replaced() {
    let database = database().await;
    let (first, second) = (
        MemoryBroker::new(Mood::Silent),
        MemoryBroker::new(Mood::Takes),
    );
    let short = RelayPolicy {
        lease: Duration::from_millis(300),
        ..policy()
    };
    database.request_run().await;
    let dying = relay(&database, &first, short);
    until("taken but not marked", async || first.taken().len() == 1).await;
    dying.kill().await;
    let heir = relay(&database, &second, short);
    until("published again", async || second.taken() == first.taken()).await;
    heir.stop().await;
    assert_eq!(database.waiting().await, 0);
}

#[tokio::test]
async fn a_publication_that_takes_long_keeps_its_lease() {
    let database = database().await;
    let (slow, other) = (
        MemoryBroker::new(Mood::Silent),
        MemoryBroker::new(Mood::Takes),
    );
    let short = RelayPolicy {
        lease: Duration::from_secs(3),
        drain: Duration::from_millis(10),
        ..policy()
    };
    database.request_run().await;
    let holder = relay(&database, &slow, short);
    until("in flight", async || slow.taken().len() == 1).await;
    let rival = relay(&database, &other, short);
    let mut ends = vec![database.leased_until()];
    while ends.len() < 5 {
        let end = database.leased_until();
        if ends.last() != Some(&end) {
            ends.push(end);
        }
        tokio::task::yield_now().await;
    }
    assert!(ends.is_sorted(), "{ends:?}");
    assert!(other.taken().is_empty());
    // What a relay could not finish goes to the others when it shuts down, not a lease later.
    holder.stop().await;
    until("published by the other", async || other.taken().len() == 1).await;
    rival.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_outlives_its_database() {
    let mut node = testkit::postgres::PostgresNode::start().expect("PostgreSQL");
    let url = domain::Sensitive::new(node.url("postgres"));
    let inner = testkit::TestDatabase::create_on(&url)
        .await
        .expect("database");
    let database = with_user(inner).await;
    let broker = MemoryBroker::new(Mood::Takes);
    let relay = relay(&database, &broker, policy());
    database.request_run().await;
    until("published", async || broker.taken().len() == 1).await;
    for round in 2..4 {
        node.kill9().expect("killed");
        node.restart().expect("PostgreSQL again");
        until("the pool is back", async || {
            database.system.ping().await.is_ok()
        })
        .await;
        until("the store is back", async || {
            database.store.ping().await.is_ok()
        })
        .await;
        database.request_run().await;
        until("published again", async || broker.taken().len() == round).await;
    }
    relay.stop().await;
}
