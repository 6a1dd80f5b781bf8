use std::time::Duration;

use store::listen::{Channel, Wake};

use crate::world::{World, connect};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn writing_wakes_whoever_listens() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    world.webhook(&["one"]).await;
    let mut outbox = world.system.listen(Channel::Outbox).await.expect("open");
    let mut delivery = world.system.listen(Channel::Delivery).await.expect("open");
    world.request(user).await;
    let woken = tokio::time::timeout(PATIENCE, outbox.wait()).await;
    assert_eq!(woken.expect("in time").expect("woken"), Wake::Notified);
    world.emit(user, "one").await;
    let woken = tokio::time::timeout(PATIENCE, delivery.wait()).await;
    assert_eq!(woken.expect("in time").expect("woken"), Wake::Notified);
}

#[tokio::test]
async fn a_listener_survives_the_loss_of_its_connection() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut listener = world.system.listen(Channel::Outbox).await.expect("open");
    let mut admin = connect(world.database.admin_url()).await;
    let ended: i64 = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and query like 'LISTEN%'",
    )
    .fetch_one(&mut admin)
    .await
    .expect("ended");
    assert_eq!(ended, 1);
    let reconnected = async {
        loop {
            // An error ends this attempt; the next one connects anew.
            if let Ok(wake) = listener.wait().await {
                return wake;
            }
        }
    };
    let wake = tokio::time::timeout(PATIENCE, reconnected).await;
    assert_eq!(wake.expect("in time"), Wake::Reconnected);
    world.request(user).await;
    let woken = tokio::time::timeout(PATIENCE, listener.wait()).await;
    assert_eq!(woken.expect("in time").expect("woken"), Wake::Notified);
}

#[tokio::test]
async fn a_lost_connection_is_reported_as_retryable_and_the_pool_recovers() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut tx = world.begin().await;
    tx.lock_user(user).await.expect("locked");
    let mut admin = connect(world.database.admin_url()).await;
    sqlx::raw_sql(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut admin)
    .await
    .expect("ended");
    let error = tx.user(user).await.expect_err("the connection is gone");
    assert!(error.is_retryable(), "{error:?}");
    drop(tx);
    let mut tx = world.begin().await;
    tx.user(user).await.expect("a new connection");
    world.system.ping().await.expect("a new connection");
}
