use std::time::Duration;

use domain::{Classify as _, ErrorKind, Sensitive, WebhookId};
use store::{SecretChange, WEBHOOKS_PER_TENANT_MAX, WebhookMethod, WebhookPatch};
use uuid::Uuid;

use crate::world::{World, new_webhook};

#[tokio::test]
async fn webhooks_are_registered_changed_and_deleted() {
    let world = World::new().await;
    let created = world.webhook(&["one"]).await;
    let id = created.webhook.id;
    let mut tx = world.begin().await;
    assert_eq!(tx.webhook(id).await.expect("read"), created.webhook);
    assert!(created.webhook.has_secret);
    let patch = WebhookPatch {
        url: Some("https://example.com/other".to_owned()),
        method: Some(WebhookMethod::Patch),
        events: Some(vec!["two".to_owned()]),
        active: Some(false),
        secret: SecretChange::Remove,
    };
    let changed = tx.update_webhook(id, &patch).await.expect("changed");
    assert_eq!(changed.url, "https://example.com/other");
    assert_eq!(changed.method, WebhookMethod::Patch);
    assert_eq!(changed.events, ["two"]);
    assert!(!changed.active && !changed.has_secret);
    let unchanged = tx.update_webhook(id, &WebhookPatch::default()).await;
    assert_eq!(unchanged.expect("read").url, changed.url);
    assert_eq!(tx.webhooks().await.expect("read").len(), 1);
    tx.delete_webhook(id).await.expect("deleted");
    let missing = WebhookId::new(Uuid::from_u128(1));
    for error in [
        tx.webhook(id).await.expect_err("gone"),
        tx.delete_webhook(id).await.expect_err("gone"),
        tx.update_webhook(missing, &patch).await.expect_err("gone"),
        tx.rotate_signing_secret(missing, Duration::ZERO)
            .await
            .expect_err("gone"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn secrets_are_sealed_and_two_keys_sign_during_rotation() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let created = world.webhook(&["one"]).await;
    let id = created.webhook.id;
    let lease = Duration::from_secs(1);
    for text in ["whsec_", "body secret"] {
        let places = store::audit::find_text(world.database.admin_url(), text).await;
        assert_eq!(places.expect("searched"), []);
    }
    let mut tx = world.begin().await;
    let rotated = tx.rotate_signing_secret(id, Duration::from_mins(1)).await;
    let rotated = rotated.expect("rotated");
    let patch = WebhookPatch {
        secret: SecretChange::Set(Sensitive::from("another")),
        ..WebhookPatch::default()
    };
    tx.update_webhook(id, &patch).await.expect("changed");
    tx.commit().await.expect("committed");
    assert_ne!(rotated.signing_secret, created.signing_secret);
    world.emit(user, "one").await;
    let due = world.system.lease_deliveries(1, lease).await;
    let due = due.expect("leased").remove(0);
    assert_eq!(due.signing_keys.len(), 2);
    assert_eq!(due.secret.expect("sent").as_str(), "another");
    world.clock.advance(Duration::from_mins(1));
    let later = world.system.lease_deliveries(1, lease).await;
    let later = later.expect("leased").remove(0);
    assert_eq!(later.signing_keys, due.signing_keys[..1]);
}

#[tokio::test]
async fn a_tenant_has_a_bounded_number_of_webhooks() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    for _ in 0..WEBHOOKS_PER_TENANT_MAX {
        tx.add_webhook(&new_webhook(&["one"])).await.expect("added");
    }
    let error = tx
        .add_webhook(&new_webhook(&["one"]))
        .await
        .expect_err("one too many");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn an_event_and_the_deletion_of_its_webhook_do_not_break_each_other() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let id = world.webhook(&["one"]).await.webhook.id;
    let mut deleting = world.begin().await;
    deleting.delete_webhook(id).await.expect("deleted");
    let emit = world.emit(user, "one");
    let commit = async {
        // Long enough for the event to wait for the deletion.
        let pause = Duration::from_millis(100);
        tokio::time::timeout(pause, std::future::pending::<()>())
            .await
            .expect_err("a while");
        deleting.commit().await.expect("committed");
    };
    let (told, ()) = tokio::join!(emit, commit);
    assert_eq!(told, 0);
}
