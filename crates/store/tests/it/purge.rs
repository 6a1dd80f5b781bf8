use std::time::Duration;

use domain::Sensitive;
use store::{Outcome, PurgeLimits, Purged, StoredAnswer};

use crate::world::{World, account};

const DAY: Duration = Duration::from_hours(24);

async fn purge(world: &World) -> Purged {
    let purged = world.system.purge(&PurgeLimits::default()).await;
    purged.expect("purged")
}

#[tokio::test]
async fn rows_go_when_they_are_old_enough_and_have_done_their_work() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    world.webhook(&["one", "two"]).await;
    world.finished(user).await;
    world.emit(user, "one").await;
    world.emit(user, "two").await;
    let second = Duration::from_secs(1);
    let messages = world.system.lease_outbox(10, second).await.expect("leased");
    world
        .system
        .mark_published(&[messages[0].key()])
        .await
        .expect("marked");
    world.request(user).await;
    let due = world.system.lease_deliveries(1, second).await;
    let due = due.expect("leased").remove(0);
    let delivered = Outcome::Delivered { status: 200 };
    world
        .system
        .settle_delivery(&due, &delivered)
        .await
        .expect("settled");
    let mut tx = world.begin().await;
    tx.remembered("add", "key", &[1; 32]).await.expect("asked");
    let answer = StoredAnswer {
        status: 200,
        headers: Vec::new(),
        body: Sensitive::from(""),
    };
    tx.remember("add", "key", None, &answer)
        .await
        .expect("kept");
    tx.commit().await.expect("committed");

    assert_eq!(purge(&world).await, Purged::default(), "nothing is old");
    world.clock.advance(DAY + second * 2);
    let day = Purged {
        outbox: 1,
        idempotency: 1,
        ..Purged::default()
    };
    assert_eq!(purge(&world).await, day);
    world.clock.advance(DAY * 6);
    let week = Purged {
        inbox: 1,
        ..Purged::default()
    };
    assert_eq!(purge(&world).await, week);
    world.clock.advance(DAY * 23);
    let month = Purged {
        deliveries: 1,
        events: 1,
        ..Purged::default()
    };
    assert_eq!(purge(&world).await, month);
    assert!(!month.is_unfinished());
    // What still has work to do stays, however old.
    assert_eq!(world.count("select count(*) from outbox").await, 1);
    assert_eq!(
        world.count("select count(*) from webhook_delivery").await,
        1
    );
    assert_eq!(world.count("select count(*) from webhook_event").await, 1);
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_meanwhile_stays() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    world.emit(user, "one").await;
    let due = world.system.lease_deliveries(1, DAY).await;
    let due = due.expect("leased").remove(0);
    let delivered = Outcome::Delivered { status: 200 };
    let settled = world.system.settle_delivery(&due, &delivered).await;
    assert!(settled.expect("settled"));
    world.clock.advance(DAY * 31);
    let mut tx = world.begin().await;
    tx.replay_delivery(webhook, due.delivery_id)
        .await
        .expect("replayed");
    let replay = async {
        world.until_locked_out().await;
        tx.commit().await.expect("committed");
    };
    let (purged, ()) = tokio::join!(purge(&world), replay);
    assert_eq!(purged, Purged::default());
    let pending = "select count(*) from webhook_delivery where status = 'pending'";
    assert_eq!(world.count(pending).await, 1);
}
