use std::sync::Arc;

use domain::{IdSource as _, Sensitive, SystemClock, SystemIds};
use store::cluster::{self, Cluster, RoleRight};
use store::migrate::{LoginRole, migrate};
use store::{PoolSettings, Store, StoreError, SystemStore};
use testkit::TestDatabase;
use testkit::database::vault;

use crate::world::{World, connect};

async fn open(url: &Sensitive<String>) -> Result<Store, StoreError> {
    let settings = PoolSettings::new(url.as_str());
    let vault = vault().expect("a vault");
    Store::connect(&settings, vault, Arc::new(SystemClock), Arc::new(SystemIds)).await
}

async fn open_system(url: &Sensitive<String>) -> Result<SystemStore, StoreError> {
    let settings = PoolSettings::new(url.as_str());
    let vault = vault().expect("a vault");
    SystemStore::connect(&settings, vault, Arc::new(SystemClock), Arc::new(SystemIds)).await
}

fn fresh_role(what: &str) -> LoginRole {
    LoginRole {
        name: format!("kontor_test_{what}_{}", SystemIds.uuid().simple()),
        password: Some(Sensitive::from("it's \"secret\" %")),
    }
}

#[tokio::test]
async fn a_fresh_database_is_migrated_by_an_owner_who_is_no_superuser() {
    // Only to learn the server's address, and to be cleaned up.
    let other = TestDatabase::create().await.expect("a server");
    let [owner, runtime, system] = ["owner", "runtime", "system"].map(fresh_role);
    let name = format!("kontor_test_{}", SystemIds.uuid().simple());
    let mut server = Cluster::connect(other.admin_url()).await.expect("a server");
    server
        .ensure_login(&owner, &[RoleRight::CreateRole])
        .await
        .expect("made");
    server
        .create_database(&name, &owner.name)
        .await
        .expect("made");
    if server.version().await.expect("known") >= 16 {
        // Since PostgreSQL 16 only who made a role may grant it; here that was another test.
        let mut admin = connect(other.admin_url()).await;
        let grant = format!(
            "grant kontor_runtime, kontor_system to {} with admin option, inherit false",
            owner.name
        );
        sqlx::raw_sql(&grant)
            .execute(&mut admin)
            .await
            .expect("granted");
    }
    let address = |role| cluster::address(other.admin_url(), role, &name).expect("an address");
    let first = migrate(&address(&owner), &runtime, &system).await;
    let again = migrate(&address(&owner), &runtime, &system).await;
    let runtime_store = open(&address(&runtime)).await;
    let system_store = open_system(&address(&system)).await;
    let swapped = open(&address(&system)).await;
    let as_owner = open(&address(&owner)).await;

    for store in [&runtime_store, &as_owner].into_iter().flatten() {
        store.close().await;
    }
    server.drop_database(&name).await.expect("dropped");
    let mut admin = connect(other.admin_url()).await;
    for role in [&owner, &runtime, &system] {
        let dropped = format!("drop owned by {0}; drop role {0}", role.name);
        sqlx::raw_sql(&dropped)
            .execute(&mut admin)
            .await
            .expect("dropped");
    }

    let first = first.expect("migrated");
    assert_eq!((first.versions.first(), first.before), (Some(&1), 0));
    let again = again.expect("migrated again");
    assert!(again.versions.is_empty());
    assert_eq!(again.before, first.versions.len());
    runtime_store.expect("the runtime role is let in");
    system_store.expect("the system role is let in");
    for refused in [swapped, as_owner] {
        let error = refused.expect_err("refused");
        assert!(matches!(error, StoreError::UnsafeRole { .. }), "{error}");
    }
}

#[tokio::test]
async fn several_migrators_at_once_do_no_harm() {
    let database = TestDatabase::create().await.expect("a database");
    let runtime = LoginRole::from_url(database.runtime_url()).expect("a role");
    let system = LoginRole::from_url(database.system_url()).expect("a role");
    let run = || migrate(database.owner_url(), &runtime, &system);
    let (one, two, three) = tokio::join!(run(), run(), run());
    for applied in [one, two, three] {
        assert!(applied.expect("migrated").versions.is_empty());
    }
    let owner = LoginRole::from_url(database.owner_url()).expect("a role");
    let refused = migrate(database.owner_url(), &owner, &system).await;
    assert!(matches!(refused, Err(StoreError::UnsafeRole { .. })));
}

#[tokio::test]
async fn roles_that_could_pass_policies_by_are_refused() {
    let world = World::new().await;
    for url in [world.database.admin_url(), world.database.owner_url()] {
        let error = open(url).await.expect_err("refused");
        assert!(matches!(error, StoreError::UnsafeRole { .. }), "{error}");
    }
    let role = fresh_role("loose");
    let url = cluster::address(world.database.admin_url(), &role, world.database.name())
        .expect("an address");
    let mut admin = connect(world.database.admin_url()).await;
    let mut reasons = Vec::new();
    for (right, undo) in [
        (
            "grant kontor_runtime to R; alter role R bypassrls",
            "alter role R nobypassrls",
        ),
        (
            "grant kontor_test_owner to R",
            "revoke kontor_test_owner from R",
        ),
        ("grant kontor_system to R", "revoke kontor_system from R"),
        ("revoke kontor_runtime from R", "grant kontor_runtime to R"),
    ] {
        let mut server = Cluster::connect(world.database.admin_url())
            .await
            .expect("a server");
        server.ensure_login(&role, &[]).await.expect("made");
        for (sql, opened) in [(right, true), (undo, false)] {
            sqlx::raw_sql(&sql.replace('R', &role.name))
                .execute(&mut admin)
                .await
                .expect("changed");
            if opened {
                let error = open(&url).await.expect_err("refused");
                reasons.push(error.to_string());
            }
        }
    }
    let well = open(&url).await;
    if let Ok(store) = &well {
        store.close().await;
    }
    sqlx::raw_sql(&format!("drop role {}", role.name))
        .execute(&mut admin)
        .await
        .expect("dropped");
    well.expect("an ordinary member is let in");
    for (reason, word) in reasons
        .iter()
        .zip(["bypass", "owns", "both", "does not belong"])
    {
        assert!(reason.contains(word), "{reason}");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let database = TestDatabase::create().await.expect("a database");
    let mut owner = connect(database.owner_url()).await;
    for (change, word) in [
        (
            "update _sqlx_migrations set checksum = 'x' where version = 1",
            "was changed",
        ),
        (
            "delete from _sqlx_migrations where version = 1",
            "is missing",
        ),
        ("drop function applied_migrations()", "older"),
    ] {
        sqlx::raw_sql(change)
            .execute(&mut owner)
            .await
            .expect("changed");
        let error = open(database.runtime_url()).await.expect_err("refused");
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut wrong = LoginRole::from_url(database.runtime_url()).expect("a role");
    wrong.name = "kontor_test_nobody".to_owned();
    let stranger =
        cluster::address(database.admin_url(), &wrong, database.name()).expect("an address");
    let error = open(&stranger).await.expect_err("refused");
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    let nowhere = Sensitive::from("postgres://nobody@127.0.0.1:1/none");
    let error = open(&nowhere).await.expect_err("nobody there");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}
