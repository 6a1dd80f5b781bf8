use std::time::Duration;

use chrono::TimeDelta;
use domain::{Classify as _, Clock as _, ErrorKind, MessageId};
use store::{Claimed, NewDeadLetter, OutboxMessage, RunStatus, SystemStore};

use crate::world::{World, connect, run_request};
use domain::{CorrelationId, IdSource as _, SystemIds};

const LEASE: Duration = Duration::from_secs(30);

async fn lease(system: &SystemStore) -> Vec<OutboxMessage> {
    system.lease_outbox(10, LEASE).await.expect("leased")
}

#[tokio::test]
async fn a_message_is_leased_by_one_relay_until_it_is_published() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    world.request(user).await;
    world.request(user).await;
    let (one, two) = tokio::join!(lease(&world.system), lease(&world.system));
    assert_eq!(one.len() + two.len(), 2, "nobody gets what another holds");
    assert!(lease(&world.system).await.is_empty());

    world.clock.advance(LEASE);
    let again = lease(&world.system).await;
    assert_eq!(again.len(), 2, "a relay that died loses its lease");
    assert_eq!(again[0].attempts, 2);
    let keys: Vec<_> = again.iter().map(OutboxMessage::key).collect();
    world.clock.advance(LEASE / 2);
    world
        .system
        .renew_lease(&keys, LEASE)
        .await
        .expect("renewed");
    world.clock.advance(LEASE / 2);
    assert!(lease(&world.system).await.is_empty());
    world
        .system
        .mark_published(&keys[..1])
        .await
        .expect("marked");
    let later = world.clock.now() + TimeDelta::minutes(5);
    world
        .system
        .release(keys[1], later)
        .await
        .expect("released");
    assert!(lease(&world.system).await.is_empty());
    world.clock.advance(Duration::from_mins(5));
    let last = lease(&world.system).await;
    assert_eq!(last.len(), 1);
    assert_eq!(last[0].key(), keys[1]);
}

#[tokio::test]
async fn a_message_waits_for_its_moment() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut request = run_request(CorrelationId::new(SystemIds.uuid()));
    request.not_before = Some(world.clock.now() + TimeDelta::seconds(5));
    let mut tx = world.begin().await;
    tx.request_run(user, &request).await.expect("requested");
    tx.commit().await.expect("committed");
    assert!(lease(&world.system).await.is_empty());
    let backlog = world.system.backlog().await.expect("counted");
    assert_eq!((backlog.outbox_waiting, backlog.runs_open), (0, 1));
    world.clock.advance(Duration::from_secs(5));
    let backlog = world.system.backlog().await.expect("counted");
    assert_eq!(backlog.outbox_waiting, 1);
    assert_eq!(lease(&world.system).await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_can_be_inspected_and_replayed_once() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let run = world.request(user).await;
    let message = lease(&world.system).await.remove(0);
    world
        .system
        .mark_published(&[message.key()])
        .await
        .expect("marked");
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.fail_batch(&batch, "poison").await.expect("failed");
    tx.commit().await.expect("committed");
    let letter = NewDeadLetter {
        tenant_id: message.tenant_id,
        message_id: message.message_id,
        user_id: message.user_id,
        topic: message.topic.clone(),
        payload: message.payload.clone(),
        traceparent: message.traceparent.clone(),
        error: "poi\0son".to_owned(),
    };
    for _ in 0..2 {
        let recorded = world.system.record_dead_letter(&letter).await;
        recorded.expect("recorded, and once more is no error");
    }
    let listed = world.system.dead_letters(10).await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].message.error, "poison");
    let read = world.system.dead_letter(message.message_id).await;
    assert_eq!(read.expect("read"), Some(listed[0].clone()));

    let replayed = world.system.replay_dead_letter(message.message_id).await;
    let key = replayed.expect("replayed");
    assert_ne!(key.message_id, message.message_id);
    let again = lease(&world.system).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].payload, message.payload);
    let found = world.system.find_run(run).await.expect("found");
    assert_eq!(found.expect("there").run.status, RunStatus::Queued);
    assert!(matches!(world.claim(user, run).await, Claimed::Batch(_)));
    assert!(
        world
            .system
            .dead_letters(10)
            .await
            .expect("listed")
            .is_empty()
    );
    for (id, kind) in [
        (message.message_id, ErrorKind::Conflict),
        (MessageId::new(SystemIds.uuid()), ErrorKind::NotFound),
    ] {
        let error = world
            .system
            .replay_dead_letter(id)
            .await
            .expect_err("refused");
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test]
async fn a_poisoned_payload_is_recorded_whatever_it_holds() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let id = MessageId::new(SystemIds.uuid());
    let letter = NewDeadLetter {
        tenant_id: world.tenant,
        message_id: id,
        user_id: user,
        topic: "analysis.requested.v1".to_owned(),
        payload: serde_json::json!({"\0": ["\0", 1]}),
        traceparent: None,
        error: String::new(),
    };
    let recorded = world.system.record_dead_letter(&letter).await;
    recorded.expect("recorded");
    let read = world.system.dead_letter(id).await.expect("read");
    assert_eq!(read.expect("there").message, letter);
    let error = world
        .system
        .replay_dead_letter(id)
        .await
        .expect_err("unreadable");
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_lease_keeps_its_limit_whatever_the_planner_believes() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    world.request(user).await;
    // A busy moment after a quiet time: the statistics know one row.
    let mut admin = connect(world.database.admin_url()).await;
    sqlx::raw_sql("analyze outbox")
        .execute(&mut admin)
        .await
        .expect("analysed");
    for _ in 0..20 {
        world.request(user).await;
    }
    let leased = world.system.lease_outbox(4, Duration::from_secs(1)).await;
    assert_eq!(leased.expect("leased").len(), 4);
}
