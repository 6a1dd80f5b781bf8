use std::time::Duration;

use domain::{Classify as _, ErrorKind, Sensitive};
use store::{Remembered, StoredAnswer};

use crate::world::{World, new_user};
use domain::Clock as _;

fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        headers: vec![("location".to_owned(), "/api/users/1".to_owned())],
        body: Sensitive::from("{\"signingSecret\":\"whsec_open\"}"),
    }
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_is_told_apart() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    let fresh = tx.remembered("add-user", "key", &[1; 32]).await;
    assert_eq!(fresh.expect("asked"), Remembered::Fresh);
    tx.remember("add-user", "key", None, &answer())
        .await
        .expect("kept");
    tx.commit().await.expect("committed");

    let mut tx = world.begin().await;
    let same = tx.remembered("add-user", "key", &[1; 32]).await;
    assert_eq!(same.expect("asked"), Remembered::Same(answer()));
    let different = tx.remembered("add-user", "key", &[2; 32]).await;
    assert_eq!(different.expect("asked"), Remembered::Different);
    for (operation, key) in [("add-webhook", "key"), ("add-user", "key2")] {
        let fresh = tx.remembered(operation, key, &[1; 32]).await;
        assert_eq!(
            fresh.expect("asked"),
            Remembered::Fresh,
            "{operation} {key}"
        );
    }
    drop(tx);
    let mut tx = world.store.begin(world.stranger).await.expect("begun");
    let stranger = tx.remembered("add-user", "key", &[1; 32]).await;
    assert_eq!(stranger.expect("asked"), Remembered::Fresh);
    let long = "k".repeat(257);
    let error = tx
        .remembered("add-user", &long, &[1; 32])
        .await
        .expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn answers_are_not_readable_in_the_database() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    tx.remembered("add", "key", &[1; 32]).await.expect("asked");
    tx.remember("add", "key", None, &answer())
        .await
        .expect("kept");
    tx.commit().await.expect("committed");
    let places = store::audit::find_text(world.database.admin_url(), "whsec_")
        .await
        .expect("searched");
    assert_eq!(places, []);
}

#[tokio::test]
async fn a_concurrent_retry_waits_for_the_first_request() {
    let world = World::new().await;
    let mut first = world.begin().await;
    first
        .remembered("add", "key", &[1; 32])
        .await
        .expect("asked");
    let retry = async {
        let mut second = world.begin().await;
        second.remembered("add", "key", &[1; 32]).await
    };
    let finish = async {
        let user = new_user(world.clock.now());
        first.add_user(&user).await.expect("added");
        first
            .remember("add", "key", Some(user.id), &answer())
            .await
            .expect("kept");
        first.commit().await.expect("committed");
    };
    let (retried, ()) = tokio::join!(retry, finish);
    assert_eq!(retried.expect("asked"), Remembered::Same(answer()));
}

#[tokio::test]
async fn a_request_that_was_rolled_back_leaves_its_key_free() {
    let world = World::new().await;
    let mut first = world.begin().await;
    first
        .remembered("add", "key", &[1; 32])
        .await
        .expect("asked");
    let retry = async {
        let mut second = world.begin().await;
        second.remembered("add", "key", &[1; 32]).await
    };
    let rollback = async {
        tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>())
            .await
            .expect_err("a while");
        drop(first);
    };
    let (retried, ()) = tokio::join!(retry, rollback);
    assert_eq!(retried.expect("asked"), Remembered::Fresh);
}
