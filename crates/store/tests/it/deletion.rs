use std::time::Duration;

use domain::{IdSource as _, SystemIds};
use store::{NewDeadLetter, NewTag, Remembered, StoredAnswer};

use crate::world::{IBAN, NAME, World, account, finish, module, pattern_set, tag};
use domain::{Sensitive, UserId};

/// Stores everything that can speak of a user: run, result, tags, history, patterns, messages,
/// event, answer.
async fn leave_traces(world: &World, user: UserId) {
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    let body = format!("{{\"owner\":\"{NAME}\",\"iban\":\"{IBAN}\"}}");
    tx.store_results(&batch, &[module(&body)])
        .await
        .expect("stored");
    let behind = NewTag {
        merchant: Some(Sensitive::from(NAME)),
        ..tag("a", "1", "rent")
    };
    tx.store_tags(&batch, &[behind]).await.expect("stored");
    tx.finish_batch(&batch, &finish()).await.expect("finished");
    tx.commit().await.expect("committed");
    world.emit(user, "one").await;
    let message = world.system.lease_outbox(1, Duration::from_secs(1)).await;
    let message = message.expect("leased").remove(0);
    world
        .system
        .record_dead_letter(&NewDeadLetter {
            tenant_id: message.tenant_id,
            message_id: message.message_id,
            user_id: user,
            topic: message.topic,
            payload: message.payload,
            traceparent: None,
            error: "poison".to_owned(),
        })
        .await
        .expect("recorded");
    let mut tx = world.begin().await;
    let fresh = tx.remembered("upload", "key", &[1; 32]).await;
    assert_eq!(fresh.expect("asked"), Remembered::Fresh);
    let answer = StoredAnswer {
        status: 201,
        headers: Vec::new(),
        body: Sensitive::new(body),
    };
    tx.remember("upload", "key", Some(user), &answer)
        .await
        .expect("kept");
    tx.set_patterns(user, &pattern_set(&format!("{NAME} {IBAN}")))
        .await
        .expect("stored");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_deleted_user_leaves_neither_name_nor_iban_anywhere() {
    let world = World::new().await;
    world.webhook(&["one"]).await;
    let accounts = [account("a", &["1", "2"])];
    let user = world.user(&accounts).await;
    let bystander = world.user(&accounts).await;
    leave_traces(&world, user).await;

    let url = world.database.admin_url();
    for text in [NAME, IBAN] {
        let places = store::audit::find_text(url, text).await.expect("searched");
        assert!(
            places.len() >= 3,
            "the scan finds what is there: {places:?}"
        );
        let tables: Vec<_> = places.iter().map(|place| place.table.as_str()).collect();
        assert!(tables.contains(&"public.pattern_set"), "{tables:?}");
    }
    let mut tx = world.begin().await;
    tx.delete_user(user).await.expect("deleted");
    tx.delete_user(bystander).await.expect("deleted");
    tx.commit().await.expect("committed");
    for text in [NAME, IBAN, "customer 4711"] {
        let places = store::audit::find_text(url, text).await.expect("searched");
        assert_eq!(places, [], "{text}");
    }
    // Beyond texts: no row of the user is left but the bare log of deliveries.
    let places = store::audit::find_text(url, &user.to_string()).await;
    let tables: Vec<_> = places
        .expect("searched")
        .into_iter()
        .map(|place| place.table)
        .collect();
    assert_eq!(tables, ["public.webhook_delivery", "public.webhook_event"]);
}

#[tokio::test]
async fn only_that_user_is_deleted() {
    let world = World::new().await;
    let accounts = [account("a", &["1", "2"])];
    let user = world.user(&accounts).await;
    let bystander = world.user(&accounts).await;
    world.finished(bystander).await;
    let mut tx = world.begin().await;
    tx.remembered("x", "key", &[1; 32]).await.expect("asked");
    let answer = StoredAnswer {
        status: 200,
        headers: Vec::new(),
        body: Sensitive::from(""),
    };
    tx.remember("x", "key", Some(bystander), &answer)
        .await
        .expect("kept");
    for owner in [user, bystander] {
        tx.set_patterns(owner, &pattern_set("x"))
            .await
            .expect("kept");
    }
    tx.delete_user(user).await.expect("deleted");
    tx.commit().await.expect("committed");
    assert_eq!(world.count("select count(*) from pattern_set").await, 1);
    for table in [
        "account",
        "analysis_run",
        "outbox",
        "inbox",
        "idempotency",
        "pattern_set",
    ] {
        let sql = format!("select count(*) from {table} where user_id = '{bystander}'");
        assert_eq!(world.count(&sql).await, 1, "{table}");
    }
    let rows = world.count("select count(*) from transaction").await;
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_scan_that_could_miss_rows_fails_instead() {
    let world = World::new().await;
    world.user(&[account("a", &[])]).await;
    for url in [world.database.owner_url(), world.database.runtime_url()] {
        let scan = store::audit::find_text(url, &SystemIds.uuid().to_string()).await;
        scan.expect_err("row-level security would hide rows");
    }
}
