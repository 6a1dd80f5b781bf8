use std::time::Duration;

use domain::{AutomaticAnalysis, Classify as _, Clock as _, ErrorKind, Sensitive, UserId};
use store::{Page, UserPatch};

use crate::world::{World, new_user, nobody};

#[tokio::test]
async fn users_are_stored_read_changed_and_deleted() {
    let world = World::new().await;
    let new = new_user(world.clock.now());
    let mut tx = world.begin().await;
    let added = tx.add_user(&new).await.expect("added");
    assert_eq!(tx.user(new.id).await.expect("read"), added);
    assert_eq!(added.created_at, new.created_at);
    tx.commit().await.expect("committed");

    let mut tx = world.begin().await;
    let error = tx.add_user(&new).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(tx);

    let mut tx = world.begin().await;
    let unchanged = tx.update_user(new.id, &UserPatch::default()).await;
    assert_eq!(unchanged.expect("read"), added);
    let patch = UserPatch {
        automatic_analysis: Some(AutomaticAnalysis::Suspended),
        name: Some(Sensitive::from("Max")),
        custom_user_id: None,
    };
    let changed = tx.update_user(new.id, &patch).await.expect("changed");
    assert_eq!(changed.automatic_analysis, AutomaticAnalysis::Suspended);
    assert_eq!(changed.name.as_ref().map(Sensitive::as_str), Some("Max"));
    assert_eq!(changed.custom_user_id, added.custom_user_id);
    tx.delete_user(new.id).await.expect("deleted");
    for error in [
        tx.user(new.id).await.expect_err("gone"),
        tx.lock_user(new.id).await.expect_err("gone"),
        tx.update_user(new.id, &patch).await.expect_err("gone"),
        tx.delete_user(new.id).await.expect_err("gone"),
        tx.user(nobody()).await.expect_err("never there"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn pages_of_users_are_in_order_of_age() {
    let world = World::new().await;
    let mut expected: Vec<UserId> = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1));
        expected.push(world.user(&[]).await);
    }
    let mut tx = world.begin().await;
    let mut found = Vec::new();
    for number in 1..=4 {
        let page = Page::try_new(number, 2).expect("a page");
        let page = tx.users(page).await.expect("read");
        assert_eq!(page.total, 5);
        found.extend(page.users.into_iter().map(|user| user.id));
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_locked_user_keeps_others_waiting() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut first = world.begin().await;
    first.lock_user(user).await.expect("locked");
    let mut second = world.begin().await;
    let blocked = tokio::time::timeout(Duration::from_millis(200), second.lock_user(user)).await;
    assert!(blocked.is_err(), "the second one waits");
    drop(second);
    first.commit().await.expect("committed");
    let mut third = world.begin().await;
    third.lock_user(user).await.expect("free again");
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_others_commit() {
    let world = World::new().await;
    world.store.ping().await.expect("alive");
    let user = world.user(&[]).await;
    let mut snapshot = world
        .store
        .begin_snapshot(world.tenant)
        .await
        .expect("begun");
    let mut ordinary = world.begin().await;
    let before = snapshot.user(user).await.expect("read");
    let patch = UserPatch {
        name: Some(Sensitive::from("Max")),
        ..UserPatch::default()
    };
    let mut tx = world.begin().await;
    let changed = tx.update_user(user, &patch).await.expect("changed");
    tx.commit().await.expect("committed");
    assert_eq!(snapshot.user(user).await.expect("read"), before);
    assert_eq!(ordinary.user(user).await.expect("read"), changed);
    let error = snapshot.lock_user(user).await.expect_err("changed since");
    assert!(error.is_retryable(), "{error}");
}
