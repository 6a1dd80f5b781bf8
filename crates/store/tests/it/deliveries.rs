use std::time::Duration;

use chrono::TimeDelta;
use domain::{Classify as _, Clock as _, ErrorKind};
use store::{DeliveryFilter, DeliveryStatus, DueDelivery, Outcome, ReplayRange, WebhookPatch};

use crate::world::{World, new_event, new_user, new_webhook};

const LEASE: Duration = Duration::from_secs(30);
const ALL: DeliveryFilter = DeliveryFilter {
    before_sequence: None,
    limit: 100,
    status: None,
};

async fn lease(world: &World) -> Vec<DueDelivery> {
    let due = world.system.lease_deliveries(10, LEASE).await;
    due.expect("leased")
}

async fn settle(world: &World, delivery: &DueDelivery, outcome: &Outcome) -> bool {
    let settled = world.system.settle_delivery(delivery, outcome).await;
    settled.expect("settled")
}

fn events(due: &[DueDelivery]) -> Vec<&str> {
    due.iter().map(|delivery| delivery.event.as_str()).collect()
}

#[tokio::test]
async fn a_delivery_carries_everything_that_sending_needs() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let created = world.webhook(&["one"]).await;
    assert_eq!(world.emit(user, "one").await, 1);
    assert_eq!(world.emit(user, "two").await, 0, "nobody asked for it");
    assert_eq!(world.count("select count(*) from webhook_event").await, 1);
    let due = lease(&world).await.remove(0);
    assert_eq!(due.tenant_id, world.tenant);
    assert_eq!(
        (due.tenant_name.as_str(), due.client_id.as_str()),
        ("acme", "acme")
    );
    assert_eq!(due.webhook_id, created.webhook.id);
    assert_eq!(due.method.as_str(), "PUT");
    assert_eq!(due.user_id, user);
    assert_eq!(due.secret.as_ref().expect("sent").as_str(), "body secret");
    assert!(
        due.data
            .as_ref()
            .expect("sent")
            .as_str()
            .starts_with("{\"owner\"")
    );
    assert_eq!(due.traceparent.as_deref(), Some("00-trace-01"));
    assert_eq!(due.signing_keys.len(), 1);
    let shown = created.signing_secret.as_str();
    assert!(shown.starts_with("whsec_"));
    assert_eq!(due.signing_keys[0].expose().len(), 32);
}

#[tokio::test]
async fn deliveries_of_a_webhook_and_user_leave_one_by_one() {
    let world = World::new().await;
    let (user, other) = (world.user(&[]).await, world.user(&[]).await);
    world.webhook(&["one", "two"]).await;
    world.webhook(&["two"]).await;
    world.emit(user, "one").await;
    world.emit(user, "two").await;
    world.emit(other, "two").await;
    let mut due = lease(&world).await;
    // The first webhook's second event of the user waits; the other webhook and user do not.
    assert_eq!(events(&due), ["one", "two", "two", "two"]);
    assert_eq!(due.iter().filter(|due| due.user_id == user).count(), 2);
    assert!(lease(&world).await.is_empty());

    let first = due.remove(0);
    let at = world.clock.now() + TimeDelta::seconds(5);
    let retry = Outcome::Retry {
        at,
        status: Some(500),
        error: "status 500".to_owned(),
    };
    assert!(settle(&world, &first, &retry).await);
    assert!(lease(&world).await.is_empty(), "the later one still waits");
    world.clock.advance(Duration::from_secs(5));
    let again = lease(&world).await.remove(0);
    assert_eq!(again.delivery_id, first.delivery_id);
    assert_eq!(again.attempts, 1);
    let exhausted = Outcome::Exhausted {
        status: None,
        error: "no answer".to_owned(),
    };
    assert!(settle(&world, &again, &exhausted).await);
    let next = lease(&world).await;
    assert_eq!(events(&next), ["two"], "a given up one holds nobody up");
}

#[tokio::test]
async fn two_senders_never_hold_the_same_delivery() {
    let world = World::new().await;
    world.webhook(&["one"]).await;
    for _ in 0..8 {
        let user = world.user(&[]).await;
        world.emit(user, "one").await;
    }
    let (one, two, three) = tokio::join!(lease(&world), lease(&world), lease(&world));
    assert_eq!(one.len() + two.len() + three.len(), 8);
}

#[tokio::test]
async fn a_sender_that_lost_its_lease_settles_nothing() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    world.emit(user, "one").await;
    let slow = lease(&world).await.remove(0);
    world.clock.advance(LEASE);
    let fast = lease(&world).await.remove(0);
    assert_eq!(fast.delivery_id, slow.delivery_id);
    let delivered = Outcome::Delivered { status: 204 };
    assert!(!settle(&world, &slow, &delivered).await);
    world
        .system
        .release_delivery(&fast)
        .await
        .expect("released");
    let third = lease(&world).await.remove(0);
    assert_eq!(third.attempts, 0, "giving back is no attempt");
    assert!(settle(&world, &third, &delivered).await);
    let mut tx = world.begin().await;
    let log = tx.deliveries(webhook, &ALL).await.expect("read");
    assert_eq!(log[0].status, DeliveryStatus::Delivered);
    assert_eq!(log[0].response_status, Some(204));
    assert_eq!(log[0].attempts, 1);
}

#[tokio::test]
async fn deliveries_of_an_inactive_webhook_wait() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    world.emit(user, "one").await;
    let active = |active| WebhookPatch {
        active: Some(active),
        ..WebhookPatch::default()
    };
    let mut tx = world.begin().await;
    tx.update_webhook(webhook, &active(false))
        .await
        .expect("changed");
    tx.commit().await.expect("committed");
    assert!(lease(&world).await.is_empty());
    assert_eq!(world.count(DUE_ROWS).await, 0, "put off");
    assert_eq!(world.emit(user, "one").await, 0);
    let mut tx = world.begin().await;
    tx.update_webhook(webhook, &active(true))
        .await
        .expect("changed");
    tx.commit().await.expect("committed");
    assert_eq!(lease(&world).await.len(), 1);
}

#[tokio::test]
async fn the_log_is_paged_and_filtered() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    for _ in 0..3 {
        world.emit(user, "one").await;
    }
    let due = lease(&world).await.remove(0);
    settle(&world, &due, &Outcome::Delivered { status: 200 }).await;
    let mut tx = world.begin().await;
    let newest = DeliveryFilter { limit: 2, ..ALL };
    let newest = tx.deliveries(webhook, &newest).await.expect("read");
    assert_eq!(newest.len(), 2);
    assert!(newest[0].sequence > newest[1].sequence);
    let rest = DeliveryFilter {
        before_sequence: Some(newest[1].sequence),
        ..ALL
    };
    let rest = tx.deliveries(webhook, &rest).await.expect("read");
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].id, due.delivery_id);
    let pending = DeliveryFilter {
        status: Some(DeliveryStatus::Pending),
        ..ALL
    };
    let pending = tx.deliveries(webhook, &pending).await.expect("read");
    assert_eq!(pending.len(), 2);
}

#[tokio::test]
async fn settled_deliveries_are_sent_again_under_the_same_id() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    let since = world.clock.now();
    let mut sent = Vec::new();
    for _ in 0..2 {
        world.emit(user, "one").await;
        let due = lease(&world).await.remove(0);
        settle(&world, &due, &Outcome::Delivered { status: 200 }).await;
        sent.push(due.delivery_id);
    }
    let mut tx = world.begin().await;
    let replayed = tx
        .replay_delivery(webhook, sent[1])
        .await
        .expect("replayed");
    assert_eq!(replayed.status, DeliveryStatus::Pending);
    tx.commit().await.expect("committed");
    let due = lease(&world).await.remove(0);
    assert_eq!((due.delivery_id, due.attempts), (sent[1], 0));
    settle(&world, &due, &Outcome::Delivered { status: 200 }).await;

    let range = |status| ReplayRange {
        since,
        until: world.clock.now() + TimeDelta::seconds(1),
        status,
    };
    let mut tx = world.begin().await;
    let none = tx
        .replay_range(webhook, &range(Some(DeliveryStatus::Exhausted)))
        .await;
    assert_eq!(none.expect("replayed"), 0);
    let both = tx.replay_range(webhook, &range(None)).await;
    assert_eq!(both.expect("replayed"), 2);
    tx.commit().await.expect("committed");
    let due = lease(&world).await;
    assert_eq!(due.len(), 1, "in order, as the first time");
    assert_eq!(due[0].delivery_id, sent[0]);
}

#[tokio::test]
async fn a_deleted_user_s_deliveries_are_cancelled_for_good() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one"]).await.webhook.id;
    world.emit(user, "one").await;
    let due = lease(&world).await.remove(0);
    let mut tx = world.begin().await;
    tx.delete_user(user).await.expect("deleted");
    tx.commit().await.expect("committed");
    assert!(!settle(&world, &due, &Outcome::Delivered { status: 200 }).await);
    let mut tx = world.begin().await;
    let log = tx.deliveries(webhook, &ALL).await.expect("read");
    assert_eq!(log[0].status, DeliveryStatus::Cancelled);
    let error = tx
        .replay_delivery(webhook, due.delivery_id)
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(tx);
    world.clock.advance(LEASE);
    assert!(lease(&world).await.is_empty());
}

#[tokio::test]
async fn of_a_deleted_user_only_the_deletion_is_sent_again() {
    let world = World::new().await;
    let (user, other) = (world.user(&[]).await, world.user(&[]).await);
    let webhook = world.webhook(&["one", "user.deleted"]).await.webhook.id;
    let since = world.clock.now();
    for user in [user, other] {
        world.emit(user, "one").await;
    }
    let mut sent = lease(&world).await;
    let mut tx = world.begin().await;
    assert_eq!(sent.len(), 2);
    for due in &sent {
        assert!(settle(&world, due, &Outcome::Delivered { status: 200 }).await);
    }
    tx.delete_user(user).await.expect("deleted");
    let mut deleted = new_event(user, "user.deleted");
    deleted.data = None;
    tx.emit_event(&deleted).await.expect("emitted");
    tx.commit().await.expect("committed");
    sent.extend(lease(&world).await);
    assert_eq!(events(&sent), ["one", "one", "user.deleted"]);
    assert!(settle(&world, &sent[2], &Outcome::Delivered { status: 200 }).await);

    let mut tx = world.begin().await;
    let refused = tx.replay_delivery(webhook, sent[0].delivery_id).await;
    assert_eq!(refused.expect_err("refused").kind(), ErrorKind::Conflict);
    for due in &sent[1..] {
        let replayed = tx.replay_delivery(webhook, due.delivery_id).await;
        assert_eq!(replayed.expect("sent").status, DeliveryStatus::Pending);
    }
    drop(tx);
    let mut tx = world.begin().await;
    let range = ReplayRange {
        since,
        until: world.clock.now() + TimeDelta::seconds(1),
        status: None,
    };
    assert_eq!(tx.replay_range(webhook, &range).await.expect("replayed"), 2);
    tx.commit().await.expect("committed");
    assert_eq!(events(&lease(&world).await), ["one", "user.deleted"]);
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_holds_up_no_other() {
    let world = World::new().await;
    world.webhook(&["one"]).await;
    let broken = world.user(&[]).await;
    world.emit(broken, "one").await;
    let mut tx = world.store.begin(world.stranger).await.expect("begun");
    let user = tx
        .add_user(&new_user(world.clock.now()))
        .await
        .expect("added");
    tx.add_webhook(&new_webhook(&["one"])).await.expect("added");
    tx.emit_event(&new_event(user.id, "one"))
        .await
        .expect("emitted");
    tx.commit().await.expect("committed");
    // No version of this program writes an empty client id.
    let tenant = world.tenant;
    let made = "with made as (insert into client values ('', '', '{}', now(), now()) returning 1)
                select count(*) from made";
    assert_eq!(world.count(made).await, 1);
    let moved = format!(
        "with moved as (update tenant set client_id = '' where tenant_id = '{tenant}' returning 1)
         select count(*) from moved"
    );
    assert_eq!(world.count(&moved).await, 1);
    let lease = Duration::from_secs(1);
    let due = world.system.lease_deliveries(10, lease).await;
    let users: Vec<_> = due.expect("leased").iter().map(|due| due.user_id).collect();
    assert_eq!(users, [user.id]);
    let put_off = "select count(*) from webhook_delivery
                   where error = 'stored value in `tenant.client_id` cannot be read'
                     and status = 'pending' and lease is null and attempts = 0";
    assert_eq!(world.count(put_off).await, 1);
}

/// Deliveries that the next look would have to go through.
const DUE_ROWS: &str = "select count(*) from webhook_delivery
                        where status = 'pending' and leased_until is null
                          and next_attempt_at <= '2025-01-22T13:08:47Z'";

#[tokio::test]
async fn what_is_blocked_is_put_off_and_pulled_up_one_by_one() {
    let world = World::new().await;
    let (user, other) = (world.user(&[]).await, world.user(&[]).await);
    world.webhook(&["one", "two", "three"]).await;
    for event in ["one", "two", "three"] {
        world.emit(user, event).await;
    }
    let head = lease(&world).await.remove(0);
    assert_eq!(head.event, "one");
    assert_eq!(world.count(DUE_ROWS).await, 0, "two and three are put off");
    world.emit(other, "one").await;
    assert_eq!(lease(&world).await[0].user_id, other);

    let retry = Outcome::Retry {
        at: world.clock.now(),
        status: None,
        error: "no answer".to_owned(),
    };
    assert!(settle(&world, &head, &retry).await);
    assert_eq!(world.count(DUE_ROWS).await, 1, "a retry pulls nobody up");
    let head = lease(&world).await.remove(0);
    assert!(settle(&world, &head, &Outcome::Delivered { status: 200 }).await);
    assert_eq!(world.count(DUE_ROWS).await, 1, "the next one only");
    let second = lease(&world).await;
    assert_eq!(events(&second), ["two"], "at once");
    let exhausted = Outcome::Exhausted {
        status: None,
        error: "no answer".to_owned(),
    };
    assert!(settle(&world, &second[0], &exhausted).await);
    assert_eq!(events(&lease(&world).await), ["three"]);
}

#[tokio::test]
async fn a_put_off_delivery_needs_no_one_to_pull_it_up() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    world.webhook(&["one", "two"]).await;
    world.emit(user, "one").await;
    world.emit(user, "two").await;
    assert_eq!(events(&lease(&world).await), ["one"]);
    // As if the older one had been settled by someone who does not know of the younger.
    let settled = "with settled as (update webhook_delivery
                       set status = 'delivered', settled_at = now() where event = 'one' returning 1)
                   select count(*) from settled";
    assert_eq!(world.count(settled).await, 1);
    world.clock.advance(Duration::from_mins(4));
    assert!(lease(&world).await.is_empty());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(events(&lease(&world).await), ["two"]);
}

#[tokio::test]
async fn the_wait_of_a_failed_delivery_is_not_cut_short() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let webhook = world.webhook(&["one", "two"]).await.webhook.id;
    world.emit(user, "one").await;
    let first = lease(&world).await.remove(0);
    assert!(settle(&world, &first, &Outcome::Delivered { status: 200 }).await);
    world.emit(user, "two").await;
    let second = lease(&world).await.remove(0);
    let retry = Outcome::Retry {
        at: world.clock.now() + TimeDelta::hours(1),
        status: None,
        error: "no answer".to_owned(),
    };
    assert!(settle(&world, &second, &retry).await);
    let mut tx = world.begin().await;
    tx.replay_delivery(webhook, first.delivery_id)
        .await
        .expect("replayed");
    tx.commit().await.expect("committed");
    let again = lease(&world).await.remove(0);
    assert_eq!(again.delivery_id, first.delivery_id);
    assert!(settle(&world, &again, &Outcome::Delivered { status: 200 }).await);
    assert!(lease(&world).await.is_empty());
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(events(&lease(&world).await), ["two"]);
}

#[tokio::test]
async fn a_backlog_of_blocked_deliveries_hides_no_due_one() {
    let world = World::new().await;
    let (user, other) = (world.user(&[]).await, world.user(&[]).await);
    world.webhook(&["one"]).await;
    world.emit(user, "one").await;
    assert_eq!(lease(&world).await.len(), 1);
    // More than one look takes into account, and due before the delivery of the other user.
    let backlog = "with made as (
            insert into webhook_delivery (tenant_id, delivery_id, webhook_id, event_id, user_id,
                                          event, status, next_attempt_at, created_at)
            select d.tenant_id, gen_random_uuid(), d.webhook_id, d.event_id, d.user_id, d.event,
                   'pending', d.next_attempt_at - interval '1 hour', d.created_at
            from webhook_delivery d, generate_series(1, 6000) returning 1)
        select count(*) from made";
    assert_eq!(world.count(backlog).await, 6_000);
    world.emit(other, "one").await;
    let due = lease(&world).await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].user_id, other);
    assert_eq!(world.count(DUE_ROWS).await, 0);
}
