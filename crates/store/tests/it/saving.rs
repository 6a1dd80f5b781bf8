use domain::{Classify as _, ErrorKind, IdSource as _, MessageId, SystemIds};
use store::{Claimed, Hold, RUNS_KEPT_PER_USER, RunStatus};

use crate::world::{World, account, finish, module, tag};

#[tokio::test]
async fn a_batch_is_answered_by_one_set_of_results() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let first = world.request(user).await;
    let second = world.request(user).await;
    let batch = world.batch(user, first).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    tx.store_results(&batch, &[module("{\"a\":1.10}")])
        .await
        .expect("stored");
    let error = tx
        .store_results(&batch, &[module("{}")])
        .await
        .expect_err("twice");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let finished = finish();
    tx.finish_batch(&batch, &finished).await.expect("finished");
    tx.commit().await.expect("committed");

    let mut tx = world.begin().await;
    for run in [first, second] {
        let stored = tx.run(user, run).await.expect("read").expect("there");
        assert_eq!(stored.status, RunStatus::Done);
        assert_eq!(stored.result_of, Some(first));
        assert_eq!(stored.as_of, Some(finished.as_of));
        assert_eq!(stored.rule_pack_hash.as_deref(), Some("pack"));
        assert_eq!(stored.tenant_rules_hash.as_deref(), Some("tenant"));
        assert_eq!(stored.snapshot, Some(batch.snapshot));
        let body = tx.result_body(user, run, "categorization").await;
        assert_eq!(body.expect("read").as_deref(), Some("{\"a\":1.10}"));
        let none = tx.result_body(user, run, "contracts").await.expect("read");
        assert_eq!(none, None);
    }
    let newest = tx.newest_finished_run(user).await.expect("read");
    assert_eq!(newest.expect("there").correlation_id, second);
    let current = tx.user(user).await.expect("read").current_snapshot;
    assert_eq!(current, batch.snapshot);
    drop(tx);
    assert_eq!(world.count("select count(*) from inbox").await, 1);
    assert_eq!(world.count("select count(*) from analysis_result").await, 1);
}

#[tokio::test]
async fn results_of_newer_data_answer_for_a_slower_attempt() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let slow = world.request(user).await;
    let slow_batch = world.batch(user, slow).await;
    let fast = world.finished(user).await;

    let mut tx = world.begin().await;
    let hold = tx.hold_claim(&slow_batch).await.expect("asked");
    let Hold::AnsweredByNewer { newer, runs } = hold else {
        panic!("{hold:?}");
    };
    assert_eq!(newer, fast);
    assert_eq!(runs.len(), 1);
    tx.answer_by_newer(&slow_batch, newer, MessageId::new(SystemIds.uuid()))
        .await
        .expect("answered");
    tx.commit().await.expect("committed");

    let mut tx = world.begin().await;
    let stored = tx.run(user, slow).await.expect("read").expect("there");
    assert_eq!(stored.status, RunStatus::Done);
    assert_eq!(stored.result_of, Some(fast));
    assert_eq!(stored.engine_version.as_deref(), Some("0.1.0"));
    assert_eq!(stored.tenant_rules_hash.as_deref(), Some("tenant"));
    let body = tx.result_body(user, slow, "categorization").await;
    assert_eq!(body.expect("read").as_deref(), Some("body"));
    drop(tx);
    assert_eq!(world.claim(user, slow).await, Claimed::AlreadyFinished);
}

#[tokio::test]
async fn a_rolled_back_save_leaves_the_runs_to_be_taken_over() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    tx.store_results(&batch, &[module("{}")])
        .await
        .expect("stored");
    tx.store_tags(&batch, &[tag("a", "1", "rent")])
        .await
        .expect("stored");
    tx.finish_batch(&batch, &finish()).await.expect("finished");
    drop(tx);
    for table in ["analysis_result", "transaction_tag", "tag_history", "inbox"] {
        let rows = world.count(&format!("select count(*) from {table}")).await;
        assert_eq!(rows, 0, "{table}");
    }
    assert!(matches!(world.claim(user, run).await, Claimed::Batch(_)));
}

#[tokio::test]
async fn a_deleted_user_s_attempt_is_lost() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.delete_user(user).await.expect("deleted");
    tx.commit().await.expect("committed");
    let mut tx = world.begin().await;
    let hold = tx.hold_claim(&batch).await.expect("asked");
    assert_eq!(hold, Hold::ClaimLost);
    let failed = tx.fail_batch(&batch, "late").await.expect("asked");
    assert!(failed.is_empty());
}

#[tokio::test]
async fn the_newest_runs_are_kept_and_so_are_the_current_results() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let kept = usize::try_from(RUNS_KEPT_PER_USER).expect("small");
    let oldest = world.finished(user).await;
    for _ in 0..kept {
        world.finished(user).await;
    }
    let mut tx = world.begin().await;
    assert_eq!(tx.run(user, oldest).await.expect("read"), None);
    let current = tx.newest_finished_run(user).await.expect("read");
    let current = current.expect("there").correlation_id;
    drop(tx);
    for _ in 0..kept {
        let run = world.request(user).await;
        let batch = world.batch(user, run).await;
        let mut tx = world.begin().await;
        tx.fail_batch(&batch, "poison").await.expect("failed");
        tx.commit().await.expect("committed");
    }
    let mut tx = world.begin().await;
    let body = tx.result_body(user, current, "categorization").await;
    assert_eq!(body.expect("read").as_deref(), Some("body"));
    drop(tx);
    let rows = world.count("select count(*) from analysis_run").await;
    assert_eq!(rows, RUNS_KEPT_PER_USER + 1);
    assert_eq!(world.count("select count(*) from analysis_result").await, 1);
}

#[tokio::test]
async fn results_stay_while_a_kept_run_is_answered_by_them() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let leader = world.request(user).await;
    let follower = world.request(user).await;
    let batch = world.batch(user, leader).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    tx.store_results(&batch, &[module("old")])
        .await
        .expect("stored");
    tx.finish_batch(&batch, &finish()).await.expect("finished");
    tx.commit().await.expect("committed");
    // The follower is the oldest run that is kept, its leader would be the first to go.
    for _ in 1..RUNS_KEPT_PER_USER {
        world.finished(user).await;
    }
    let mut tx = world.begin().await;
    let body = tx.result_body(user, follower, "categorization").await;
    assert_eq!(body.expect("read").as_deref(), Some("old"));
    drop(tx);
    world.finished(user).await;
    let mut tx = world.begin().await;
    assert_eq!(tx.run(user, leader).await.expect("read"), None);
    assert_eq!(tx.run(user, follower).await.expect("read"), None);
}
