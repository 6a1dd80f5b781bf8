//! The in-process transport over the real outbox: the same promises as RabbitMQ's.

use std::sync::Arc;
use std::time::Duration;

use queue::{
    ATTEMPTS_MAX, Backoff, DeadReason, FailureKind, InProcess, Relay, RelayPolicy, Surroundings,
    Worker,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::database::{Database, database};
use crate::support::{Act, Actor, DEADLINE, hurried, surroundings, until};

/// Relay and worker of one process.
struct Process {
    surroundings: Surroundings,
    shutdown: CancellationToken,
    task: JoinSet<()>,
}

fn process(database: &Database, actor: &Actor) -> Process {
    let (surroundings, shutdown) = (surroundings(), CancellationToken::new());
    let worker = Worker::new(
        actor.clone(),
        database.system.clone(),
        surroundings.clone(),
        hurried(),
        shutdown.clone(),
    );
    let policy = RelayPolicy {
        in_flight_max: 2,
        poll: Duration::from_millis(20),
        retry: Backoff::new(Duration::from_millis(1), Duration::from_millis(5)),
        ..RelayPolicy::default()
    };
    let relay = Relay::new(
        database.system.clone(),
        Arc::new(InProcess::new(Arc::new(worker))),
        surroundings.clone(),
        policy,
    );
    let mut task = JoinSet::new();
    task.spawn(relay.run(shutdown.clone()));
    Process {
        surroundings,
        shutdown,
        task,
    }
}

impl Process {
    async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(DEADLINE, self.task.join_next()).await;
        assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
    }
}

fn attempts(actor: &Actor) -> Vec<u32> {
    actor
        .seen()
        .iter()
        .map(|delivery| delivery.attempt)
        .collect()
}

#[tokio::test]
async fn a_message_is_published_when_it_is_handled() {
    let database = database().await;
    let actor = Actor::new(|_, _| Act::WaitForGate);
    let process = process(&database, &actor);
    for _ in 0..5 {
        database.request_run().await;
    }
    until("as many in work as allowed", async || {
        actor.seen().len() == 2
    })
    .await;
    assert!(actor.handled().is_empty());
    actor.open_gate();
    until("all are handled", async || actor.handled().len() == 5).await;
    until("all are marked", async || database.waiting().await == 0).await;
    process.stop().await;
    assert_eq!(attempts(&actor), [1; 5]);
}

#[tokio::test]
async fn failed_attempts_are_counted_until_one_succeeds() {
    let database = database().await;
    let actor = Actor::new(|call, _| match call {
        0 => Act::Fail(FailureKind::Retry),
        1 => Act::Panic,
        2..50 => Act::Fail(FailureKind::Unavailable),
        _ => Act::Succeed,
    });
    let process = process(&database, &actor);
    database.request_run().await;
    until("handled", async || actor.handled().len() == 1).await;
    process.stop().await;
    // Whoever only waited for the database did not use up attempts.
    let seen = attempts(&actor);
    assert_eq!((seen[..3].to_vec(), seen[50]), (vec![1, 2, 3], 3));
    assert!(database.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_message_that_always_fails_dies_after_as_many_attempts_as_in_rabbitmq() {
    let database = database().await;
    let actor = Actor::new(|_, _| Act::Fail(FailureKind::Retry));
    let process = process(&database, &actor);
    database.request_run().await;
    until("recorded", async || {
        database.dead_letters().await.len() == 1
    })
    .await;
    until("settled", async || database.waiting().await == 0).await;
    assert_eq!(attempts(&actor), (1..=ATTEMPTS_MAX).collect::<Vec<_>>());
    let id = actor.seen()[0].message.message_id;
    assert_eq!(actor.dead(), [(id, DeadReason::AttemptsExhausted)]);
    let figures = process.surroundings.metrics.figures();
    assert_eq!(figures.dead_letters_total, 1);
    process.stop().await;
}

#[tokio::test]
async fn a_dead_letter_can_be_replayed() {
    let database = database().await;
    let actor = Actor::new(|call, _| match call {
        0 => Act::Fail(FailureKind::Poison),
        _ => Act::Succeed,
    });
    let process = process(&database, &actor);
    database.request_run().await;
    until("recorded", async || {
        database.dead_letters().await.len() == 1
    })
    .await;
    let (id, error) = database.dead_letters().await.remove(0);
    assert_eq!(actor.dead(), [(id, DeadReason::Poison)]);
    assert_eq!(error, "the handler refused it for good: as scripted");
    let again = database
        .system
        .replay_dead_letter(id)
        .await
        .expect("replayed");
    until("handled", async || actor.handled() == [again.message_id]).await;
    process.stop().await;
    assert!(database.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_handler_that_cannot_take_notice_holds_up_no_letter() {
    for (kind, notices) in [(FailureKind::Poison, 1), (FailureKind::Retry, 5)] {
        let database = database().await;
        let actor = Actor::new(|_, _| Act::Fail(FailureKind::Poison));
        actor.take_no_notice(kind);
        let process = process(&database, &actor);
        database.request_run().await;
        until("recorded", async || {
            database.dead_letters().await.len() == 1
        })
        .await;
        process.stop().await;
        assert_eq!(actor.dead().len(), notices, "{kind:?}");
        let (_, error) = database.dead_letters().await.remove(0);
        assert!(error.ends_with("deaf as scripted"), "{error}");
    }
}
