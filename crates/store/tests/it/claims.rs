use std::time::Duration;

use domain::{Classify as _, CorrelationId, ErrorKind, IdSource as _, SystemIds};
use store::{Claimed, Hold, RunStatus};

use crate::world::{World, account, finish, module, nobody, run_request};

#[tokio::test]
async fn a_run_is_requested_with_its_message() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let run = world.request(user).await;
    let mut tx = world.begin().await;
    let stored = tx.run(user, run).await.expect("read").expect("there");
    assert_eq!(stored.status, RunStatus::Queued);
    assert_eq!(stored.trace.request_id.as_deref(), Some("request"));
    let error = tx
        .request_run(user, &run_request(run))
        .await
        .expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(tx);
    let messages = world
        .system
        .lease_outbox(10, Duration::from_secs(30))
        .await
        .expect("leased");
    assert_eq!(messages.len(), 1);
    let message =
        store::events::Message::decode(&messages[0].topic, &messages[0].payload).expect("known");
    let store::events::Message::AnalysisRequested(requested) = message;
    assert_eq!(requested.correlation_id, run);
    assert_eq!(requested.tenant_id, world.tenant);
    assert_eq!(messages[0].traceparent.as_deref(), Some("00-trace-01"));
}

#[tokio::test]
async fn a_claim_takes_every_run_that_waits() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let bystander = world.user(&[]).await;
    let other = world.request(bystander).await;
    let first = world.request(user).await;
    let second = world.request(user).await;
    let third = world.request(user).await;
    // The message of the second one arrives first.
    let batch = world.batch(user, second).await;
    let runs: Vec<_> = batch.runs.iter().map(|run| run.correlation_id).collect();
    assert_eq!(runs, [first, second, third]);
    assert_eq!(batch.leader, second);
    assert_eq!(
        world.claim(user, first).await,
        Claimed::CoveredBy(second),
        "the leader's message is the one that counts"
    );
    assert!(matches!(
        world.claim(bystander, other).await,
        Claimed::Batch(_)
    ));
    let unknown = CorrelationId::new(SystemIds.uuid());
    assert_eq!(world.claim(user, unknown).await, Claimed::UnknownRun);
    assert_eq!(world.claim(nobody(), first).await, Claimed::UnknownRun);
    assert_eq!(
        world.claim(bystander, first).await,
        Claimed::UnknownRun,
        "a run of another user"
    );
}

#[tokio::test]
async fn after_a_crash_the_same_message_takes_over_and_the_dead_attempt_is_ignored() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let run = world.request(user).await;
    let crashed = world.batch(user, run).await;
    let later = world.request(user).await;
    let batch = world.batch(user, run).await;
    let runs: Vec<_> = batch.runs.iter().map(|run| run.correlation_id).collect();
    assert_eq!(
        runs,
        [run, later],
        "newer data is loaded, so it answers both"
    );
    assert_eq!(batch.runs[0].attempts, 2);
    assert!(batch.snapshot > crashed.snapshot);

    let mut tx = world.begin().await;
    let hold = tx.hold_claim(&crashed).await.expect("asked");
    assert_eq!(hold, Hold::ClaimLost);
    assert!(
        tx.fail_batch(&crashed, "late")
            .await
            .expect("asked")
            .is_empty(),
        "a lost claim fails nothing"
    );
    let hold = tx.hold_claim(&batch).await.expect("asked");
    assert!(matches!(hold, Hold::Held(runs) if runs.len() == 2));
}

#[tokio::test]
async fn a_finished_run_is_not_claimed_again() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let run = world.finished(user).await;
    assert_eq!(world.claim(user, run).await, Claimed::AlreadyFinished);
}

#[tokio::test]
async fn concurrent_workers_never_hold_the_same_run() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let runs = [
        world.request(user).await,
        world.request(user).await,
        world.request(user).await,
    ];
    let [one, two, three] = runs.map(|run| world.claim(user, run));
    let claims = [tokio::join!(one, two, three)];
    let [(one, two, three)] = claims;
    let batches = [one, two, three]
        .iter()
        .filter(|claimed| matches!(claimed, Claimed::Batch(_)))
        .count();
    assert_eq!(batches, 1);
}

#[tokio::test]
async fn a_failed_batch_says_which_runs_and_why() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let first = world.request(user).await;
    let second = world.request(user).await;
    let batch = world.batch(user, first).await;
    let mut tx = world.begin().await;
    tx.note_attempt(user, first, "once").await.expect("noted");
    let noted = tx.run(user, second).await.expect("read").expect("there");
    assert_eq!(noted.error.as_deref(), Some("once"));
    assert_eq!(noted.status, RunStatus::Running);
    let failed = tx.fail_batch(&batch, "poison").await.expect("failed");
    tx.commit().await.expect("committed");
    let ids: Vec<_> = failed.iter().map(|run| run.correlation_id).collect();
    assert_eq!(ids, [first, second]);
    let listed = world.system.failed_runs(10).await.expect("listed");
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].run.error.as_deref(), Some("poison"));
    assert_eq!(listed[0].client_id, "acme");
    let found = world.system.find_run(first).await.expect("found");
    assert_eq!(found.expect("there").user_id, user);
    assert_eq!(world.claim(user, first).await, Claimed::AlreadyFinished);
}

#[tokio::test]
async fn an_abandoned_message_fails_what_relies_on_it_and_nothing_else() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let leader = world.request(user).await;
    let follower = world.request(user).await;
    world.batch(user, leader).await;
    let later = world.request(user).await;
    let mut tx = world.begin().await;
    let failed = tx
        .fail_abandoned(user, follower, "gone")
        .await
        .expect("asked");
    assert!(failed.is_empty(), "its leader still answers for it");
    let failed = tx
        .fail_abandoned(user, leader, "gone")
        .await
        .expect("failed");
    let ids: Vec<_> = failed.iter().map(|run| run.correlation_id).collect();
    assert_eq!(ids, [leader, follower]);
    let waiting = tx.run(user, later).await.expect("read").expect("there");
    assert_eq!(waiting.status, RunStatus::Queued);
}

#[tokio::test]
async fn hanging_runs_are_woken_once_in_a_while() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let run = world.request(user).await;
    let minute = Duration::from_mins(1);
    let lease = Duration::from_secs(1);
    world.clock.advance(minute * 2);
    let woken = world.system.stale_runs(minute).await.expect("woken");
    assert_eq!(woken, 0, "its message still waits in the outbox");
    let messages = world.system.lease_outbox(10, lease).await.expect("leased");
    let keys: Vec<_> = messages.iter().map(store::OutboxMessage::key).collect();
    world.system.mark_published(&keys).await.expect("marked");
    assert_eq!(world.system.stale_runs(minute).await.expect("woken"), 1);
    let messages = world.system.lease_outbox(10, lease).await.expect("leased");
    assert_eq!(messages.len(), 1);
    world
        .system
        .mark_published(&[messages[0].key()])
        .await
        .expect("marked");
    assert_eq!(world.system.stale_runs(minute).await.expect("woken"), 0);
    // A worker takes it and dies: it is woken through its leader, and can be taken over.
    world.batch(user, run).await;
    world.clock.advance(minute * 2);
    assert_eq!(world.system.stale_runs(minute).await.expect("woken"), 1);
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    tx.store_results(&batch, &[module("{}")])
        .await
        .expect("stored");
    tx.finish_batch(&batch, &finish()).await.expect("finished");
    tx.commit().await.expect("committed");
    world.clock.advance(minute * 2);
    assert_eq!(world.system.stale_runs(minute).await.expect("woken"), 0);
}

#[tokio::test]
async fn a_user_can_have_a_hundred_open_runs() {
    let world = World::new().await;
    let (user, other) = (world.user(&[]).await, world.user(&[]).await);
    let request = || run_request(CorrelationId::new(SystemIds.uuid()));
    let mut tx = world.begin().await;
    for _ in 0..100 {
        tx.request_run(user, &request()).await.expect("requested");
    }
    let error = tx.request_run(user, &request()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    tx.request_run(other, &request()).await.expect("requested");
}
