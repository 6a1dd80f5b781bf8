//! Confirms, redelivery, the delivery limit, dead letters and shutdown on a broker that stays up.

use queue::{ATTEMPTS_MAX, Broker, DeadReason, FailureKind, QueueError};

use crate::database::database;
use crate::support::{Act, Actor, Scene, first, message, shared_broker, until};

const TOPIC: &str = "analysis.requested.v1";

#[tokio::test]
async fn a_confirmed_message_arrives_whole_and_once() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let actor = Actor::new(|_, _| Act::Succeed);
    let sent = message(TOPIC);
    scene
        .publisher
        .publish(&first(&sent))
        .await
        .expect("confirmed");
    assert_eq!(scene.waiting("analysis").await, 1);
    let worker = scene.work(&actor);
    until("handled", async || actor.handled().len() == 1).await;
    worker.stop().await;
    assert_eq!(actor.seen(), [first(&sent)]);
    assert_eq!(scene.waiting("analysis").await, 0);
    let figures = scene.surroundings.metrics.figures();
    assert_eq!((figures.handled_total, figures.in_flight), (1, 0));
    scene.clear().await;
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_refused() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let stray = message("nobody.listens.v1");
    let refused = scene.publisher.publish(&first(&stray)).await;
    let Err(QueueError::Refused { reason }) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("NO_ROUTE"), "{reason}");
    // The channel that carried the refusal is still good.
    let fine = message(TOPIC);
    scene
        .publisher
        .publish(&first(&fine))
        .await
        .expect("confirmed");
    scene.clear().await;
}

#[tokio::test]
async fn many_messages_at_once_are_each_confirmed() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let deliveries: Vec<_> = (0..100)
        .map(|number| {
            let topic = if number % 10 == 3 {
                "nobody.listens.v1"
            } else {
                TOPIC
            };
            first(&message(topic))
        })
        .collect();
    let published = deliveries
        .iter()
        .map(|delivery| scene.publisher.publish(delivery));
    let results = futures_util::future::join_all(published).await;
    for (delivery, result) in deliveries.iter().zip(&results) {
        assert_eq!(
            delivery.message.topic == TOPIC,
            result.is_ok(),
            "{result:?}"
        );
    }
    assert_eq!(scene.waiting("analysis").await, 90);
    scene.clear().await;
}

#[tokio::test]
async fn what_a_dead_worker_held_goes_to_another() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let (lost, survivor) = (
        Actor::new(|_, _| Act::Hang),
        Actor::new(|_, _| Act::Succeed),
    );
    let sent = message(TOPIC);
    scene
        .publisher
        .publish(&first(&sent))
        .await
        .expect("confirmed");
    let first_worker = scene.work(&lost);
    until("taken", async || lost.seen().len() == 1).await;
    first_worker.kill().await;
    let second_worker = scene.work(&survivor);
    until("handled", async || survivor.handled() == [sent.message_id]).await;
    assert_eq!(survivor.seen()[0].attempt, 2);
    second_worker.stop().await;
    scene.clear().await;
}

#[tokio::test]
async fn a_message_that_always_fails_dies_at_the_limit() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let actor = Actor::new(|call, _| match call % 2 {
        0 => Act::Fail(FailureKind::Retry),
        _ => Act::Panic,
    });
    let sent = database.message(TOPIC);
    scene
        .publisher
        .publish(&first(&sent))
        .await
        .expect("confirmed");
    let worker = scene.work(&actor);
    until("recorded", async || {
        database.dead_letters().await.len() == 1
    })
    .await;
    let attempts: Vec<u32> = actor
        .seen()
        .iter()
        .map(|delivery| delivery.attempt)
        .collect();
    assert_eq!(attempts, (1..=ATTEMPTS_MAX).collect::<Vec<_>>());
    assert_eq!(
        actor.dead(),
        [(sent.message_id, DeadReason::AttemptsExhausted)]
    );
    let letters = database.dead_letters().await;
    assert_eq!(letters[0].0, sent.message_id);
    assert_eq!(letters[0].1, "every attempt failed: as scripted");
    worker.stop().await;
    assert_eq!(scene.waiting("dead").await, 0);
    assert_eq!(scene.surroundings.metrics.figures().dead_letters_total, 1);
    scene.clear().await;
}

#[tokio::test]
async fn poison_dies_at_once() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let actor = Actor::new(|_, _| Act::Fail(FailureKind::Poison));
    let sent = database.message(TOPIC);
    scene
        .publisher
        .publish(&first(&sent))
        .await
        .expect("confirmed");
    let worker = scene.work(&actor);
    until("recorded", async || {
        database.dead_letters().await.len() == 1
    })
    .await;
    assert_eq!(actor.seen().len(), 1);
    assert_eq!(actor.dead(), [(sent.message_id, DeadReason::Poison)]);
    worker.stop().await;
    scene.clear().await;
}

#[tokio::test]
async fn waiting_for_the_database_is_no_attempt() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let outages = usize::try_from(ATTEMPTS_MAX).expect("small") * 2;
    let actor = Actor::new(move |call, _| {
        if call < outages {
            Act::Fail(FailureKind::Unavailable)
        } else {
            Act::Succeed
        }
    });
    let sent = message(TOPIC);
    scene
        .publisher
        .publish(&first(&sent))
        .await
        .expect("confirmed");
    let worker = scene.work(&actor);
    until("handled", async || actor.handled() == [sent.message_id]).await;
    assert!(actor.seen().iter().all(|delivery| delivery.attempt == 1));
    worker.stop().await;
    assert_eq!(scene.waiting("dead").await, 0);
    scene.clear().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_work_and_returns_the_rest() {
    let database = database().await;
    let scene = Scene::new(&shared_broker(), database.system.clone());
    let actor = Actor::new(|_, _| Act::WaitForGate);
    for _ in 0..8 {
        scene
            .publisher
            .publish(&first(&message(TOPIC)))
            .await
            .expect("confirmed");
    }
    let worker = scene.work(&actor);
    until("four in work", async || {
        scene.surroundings.metrics.figures().in_flight == 4
    })
    .await;
    // The gate opens only once the worker has been told to stop.
    worker.tell_to_stop();
    actor.open_gate();
    worker.stop().await;
    assert_eq!(actor.handled().len(), 4);
    until("four returned", async || {
        scene.waiting("analysis").await == 4
    })
    .await;
    scene.clear().await;
}
