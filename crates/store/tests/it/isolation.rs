use std::time::Duration;

use chrono::TimeDelta;
use domain::{Classify as _, Clock as _, ErrorKind, IdSource as _, MessageId, SystemIds};
use store::{
    Claimed, DeliveryFilter, Hold, Include, Page, Remembered, ReplayRange, SetMode, StoreError,
    StoredAnswer, TagFilter, TenantTx, UserPatch, WebhookPatch,
};

use crate::world::{
    World, account, connect, finish, module, new_event, pattern_set, run_request, tag, tenant_rules,
};
use domain::{CorrelationId, DeliveryId, Sensitive, TransactionId, UserId, UserType, WebhookId};
use store::RunBatch;

/// Everything of one tenant that a stranger could name.
struct Belongings {
    user: UserId,
    run: CorrelationId,
    open: CorrelationId,
    batch: RunBatch,
    webhook: WebhookId,
    delivery: DeliveryId,
}

async fn belongings(world: &World) -> Belongings {
    let webhook = world.webhook(&["one"]).await.webhook.id;
    let user = world.user(&[account("a", &["1"])]).await;
    let run = world.finished(user).await;
    world.emit(user, "one").await;
    let open = world.request(user).await;
    let batch = world.batch(user, open).await;
    let mut tx = world.begin().await;
    tx.store_tags(&batch, &[tag("a", "1", "rent")])
        .await
        .expect("stored");
    tx.set_patterns(user, &pattern_set("x"))
        .await
        .expect("stored");
    tx.set_tenant_rules(UserType::Person, &tenant_rules("x"))
        .await
        .expect("stored");
    tx.remembered("add", "key", &[1; 32]).await.expect("asked");
    tx.remember("add", "key", Some(user), &answer())
        .await
        .expect("kept");
    let filter = DeliveryFilter {
        before_sequence: None,
        limit: 1,
        status: None,
    };
    let delivery = tx.deliveries(webhook, &filter).await.expect("read")[0].id;
    tx.commit().await.expect("committed");
    Belongings {
        user,
        run,
        open,
        batch,
        webhook,
        delivery,
    }
}

fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 200,
        headers: Vec::new(),
        body: Sensitive::from("{}"),
    }
}

/// Every row of every table, as one hash, read by a superuser; without the stranger's own rows.
async fn fingerprint(world: &World) -> Vec<(String, Option<String>)> {
    let mut admin = connect(world.database.admin_url()).await;
    let mut prints = Vec::new();
    for table in tables(world).await {
        let print: Option<String> = sqlx::query_scalar(&format!(
            "select md5(string_agg(t::text, '|' order by t::text)) from {table} t
             where tenant_id <> '{}'",
            world.stranger
        ))
        .fetch_one(&mut admin)
        .await
        .expect("read");
        prints.push((table, print));
    }
    prints
}

async fn tables(world: &World) -> Vec<String> {
    let mut admin = connect(world.database.admin_url()).await;
    sqlx::query_scalar(
        "select relname::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
           and not relispartition and relname not in ('_sqlx_migrations', 'client')
         order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .expect("listed")
}

async fn stranger(world: &World) -> TenantTx {
    world.store.begin(world.stranger).await.expect("begun")
}

fn not_found<T: std::fmt::Debug>(what: &str, result: Result<T, StoreError>) {
    let error = result.expect_err(what);
    assert_eq!(error.kind(), ErrorKind::NotFound, "{what}");
}

#[tokio::test]
async fn a_stranger_who_knows_the_ids_sees_nothing() {
    let world = World::new().await;
    let own = belongings(&world).await;
    let page = Page::try_new(1, 10).expect("a page");
    let mut tx = stranger(&world).await;
    not_found("user", tx.user(own.user).await);
    not_found("lock_user", tx.lock_user(own.user).await);
    assert_eq!(tx.users(page).await.expect("read").total, 0);
    let accounts = tx.accounts(own.user, Include::Transactions).await;
    assert_eq!(accounts.expect("read"), []);
    let identities = tx.account_identities(own.user).await;
    assert_eq!(identities.expect("read"), []);
    assert!(!tx.has_accounts(own.user).await.expect("read"));
    assert_eq!(tx.run(own.user, own.run).await.expect("read"), None);
    let newest = tx.newest_finished_run(own.user).await;
    assert_eq!(newest.expect("read"), None);
    let body = tx.result_body(own.user, own.run, "categorization").await;
    assert_eq!(body.expect("read"), None);
    let filter = TagFilter {
        changed_since: None,
        page,
        include: Include::Transactions,
    };
    assert_eq!(tx.tags(own.user, &filter).await.expect("read").total, 0);
    assert_eq!(tx.all_tags(own.user).await.expect("read"), []);
    let transaction = TransactionId::try_new("1").expect("an id");
    let tag = tx.tag_of(own.user, None, &transaction).await;
    assert_eq!(tag.expect("read"), None);
    assert!(tx.patterns(own.user).await.expect("read").is_empty());
    let rules = tx.tenant_rules(UserType::Person).await;
    assert_eq!(rules.expect("read"), None);
    let hash = tx.tenant_rules_hash(UserType::Person).await;
    assert_eq!(hash.expect("read"), None);
    not_found("webhook", tx.webhook(own.webhook).await);
    assert_eq!(tx.webhooks().await.expect("read"), []);
    let all = DeliveryFilter {
        before_sequence: None,
        limit: 10,
        status: None,
    };
    not_found("deliveries", tx.deliveries(own.webhook, &all).await);
    not_found("delivery", tx.delivery(own.webhook, own.delivery).await);
    let remembered = tx.remembered("add", "key", &[1; 32]).await;
    assert_eq!(remembered.expect("asked"), Remembered::Fresh);
}

#[tokio::test]
async fn a_stranger_who_knows_the_ids_changes_nothing() {
    let world = World::new().await;
    let own = belongings(&world).await;
    let before = fingerprint(&world).await;

    let mut tx = stranger(&world).await;
    let patch = UserPatch {
        name: Some(Sensitive::from("x")),
        ..UserPatch::default()
    };
    not_found("update_user", tx.update_user(own.user, &patch).await);
    not_found("delete_user", tx.delete_user(own.user).await);
    let request = run_request(CorrelationId::new(SystemIds.uuid()));
    not_found("request_run", tx.request_run(own.user, &request).await);
    let claim = tx.claim_runs(own.user, own.open, SystemIds.uuid()).await;
    assert_eq!(claim.expect("asked"), Claimed::UnknownRun);
    tx.note_attempt(own.user, own.open, "x")
        .await
        .expect("no effect");
    let hold = tx.hold_claim(&own.batch).await.expect("asked");
    assert_eq!(hold, Hold::ClaimLost);
    let failed = tx.fail_batch(&own.batch, "x").await.expect("asked");
    assert_eq!(failed, []);
    let failed = tx.fail_abandoned(own.user, own.open, "x").await;
    assert_eq!(failed.expect("asked"), []);
    let tags = tx.store_tags(&own.batch, &[tag("a", "1", "x")]).await;
    assert_eq!(tags.expect("asked"), []);
    let patterns = tx.set_patterns(own.user, &pattern_set("y")).await;
    not_found("set_patterns", patterns);
    let deleted = tx.delete_tenant_rules(UserType::Person).await;
    assert!(!deleted.expect("nothing of its own"));
    // Its own rules are its own affair; the fingerprint leaves them out.
    tx.set_tenant_rules(UserType::Person, &tenant_rules("y"))
        .await
        .expect("stored");
    let message = MessageId::new(SystemIds.uuid());
    tx.answer_by_newer(&own.batch, own.run, message)
        .await
        .expect("no effect");
    tx.finish_batch(&own.batch, &finish())
        .await
        .expect("no effect");
    tx.emit_event(&new_event(own.user, "one"))
        .await
        .expect("nobody to tell");
    let hook = WebhookPatch::default();
    not_found(
        "update_webhook",
        tx.update_webhook(own.webhook, &hook).await,
    );
    not_found("delete_webhook", tx.delete_webhook(own.webhook).await);
    let rotated = tx.rotate_signing_secret(own.webhook, Duration::ZERO).await;
    not_found("rotate_signing_secret", rotated);
    let replayed = tx.replay_delivery(own.webhook, own.delivery).await;
    not_found("replay_delivery", replayed);
    let now = world.clock.now();
    let range = ReplayRange {
        since: now - TimeDelta::days(1),
        until: now + TimeDelta::days(1),
        status: None,
    };
    not_found("replay_range", tx.replay_range(own.webhook, &range).await);
    not_found("remember", tx.remember("add", "key", None, &answer()).await);
    tx.commit().await.expect("committed");

    // These violate foreign keys, which ends their transaction.
    let mut tx = stranger(&world).await;
    let accounts = [account("a", &[])];
    let set = tx.set_accounts(own.user, &accounts, SetMode::Replace).await;
    not_found("set_accounts", set);
    let mut tx = stranger(&world).await;
    tx.store_results(&own.batch, &[module("x")])
        .await
        .expect_err("no such run");
    assert_eq!(fingerprint(&world).await, before);
}

#[tokio::test]
async fn a_forgotten_predicate_shows_and_changes_nothing_foreign() {
    let world = World::new().await;
    let own = belongings(&world).await;
    let before = fingerprint(&world).await;
    // The policies have to hold whatever is granted.
    sqlx::raw_sql("grant all on all tables in schema public to kontor_runtime")
        .execute(&mut connect(world.database.owner_url()).await)
        .await
        .expect("granted");
    let mut runtime = connect(world.database.runtime_url()).await;
    let tables = tables(&world).await;
    assert!(tables.len() >= 16, "{tables:?}");
    for setting in [world.stranger.to_string(), String::new()] {
        for table in &tables {
            if table == "tenant" {
                continue;
            }
            sqlx::raw_sql(&format!("begin; set local app.tenant_id = '{setting}'"))
                .execute(&mut runtime)
                .await
                .expect("begun");
            let seen: i64 = sqlx::query_scalar(&format!("select count(*) from {table}"))
                .fetch_one(&mut runtime)
                .await
                .expect("read");
            assert_eq!(seen, 0, "{table}");
            let deleted = sqlx::raw_sql(&format!("delete from {table}"))
                .execute(&mut runtime)
                .await
                .expect("no effect");
            assert_eq!(deleted.rows_affected(), 0, "{table}");
            let moved = format!("update {table} set tenant_id = '{}'", world.stranger);
            let moved = sqlx::raw_sql(&moved)
                .execute(&mut runtime)
                .await
                .expect("no effect");
            assert_eq!(moved.rows_affected(), 0, "{table}");
            sqlx::raw_sql("commit")
                .execute(&mut runtime)
                .await
                .expect("committed");
        }
    }
    sqlx::raw_sql(&format!(
        "begin; set local app.tenant_id = '{}'",
        world.stranger
    ))
    .execute(&mut runtime)
    .await
    .expect("begun");
    let planted = sqlx::raw_sql(&format!(
        "insert into inbox values ('{}', '{}', '{}', now())",
        world.tenant,
        SystemIds.uuid(),
        own.user
    ))
    .execute(&mut runtime)
    .await
    .expect_err("a row for another tenant");
    let code = planted
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42501"));
    assert_eq!(fingerprint(&world).await, before);
}

#[tokio::test]
async fn a_client_sees_neither_other_clients_nor_their_tenants() {
    let world = World::new().await;
    let mut runtime = connect(world.database.runtime_url()).await;
    sqlx::raw_sql("begin; set local app.client_id = 'acme'")
        .execute(&mut runtime)
        .await
        .expect("begun");
    for table in ["client", "tenant"] {
        let seen: Vec<String> = sqlx::query_scalar(&format!("select client_id from {table}"))
            .fetch_all(&mut runtime)
            .await
            .expect("read");
        assert_eq!(seen, ["acme"], "{table}");
    }
    for statement in [
        "insert into tenant values (gen_random_uuid(), 'other', 'planted', now())",
        "update client set scopes = '{}'",
        "delete from tenant",
        "truncate inbox",
        "select * from _sqlx_migrations",
    ] {
        let refused = sqlx::raw_sql(&format!("savepoint s; {statement}"))
            .execute(&mut runtime)
            .await
            .expect_err(statement);
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
        sqlx::raw_sql("rollback to s")
            .execute(&mut runtime)
            .await
            .expect("rolled back");
    }
}

#[tokio::test]
async fn the_system_role_cannot_read_accounts_or_transactions() {
    let world = World::new().await;
    let mut system = connect(world.database.system_url()).await;
    for table in [
        "account",
        "transaction",
        "transaction_tag",
        "analysis_result",
        "pattern_set",
        "tenant_rules",
    ] {
        let refused = sqlx::raw_sql(&format!("select * from {table}"))
            .execute(&mut system)
            .await
            .expect_err(table);
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{table}");
    }
}
