use store::audit::unprotected;
use testkit::TestDatabase;

use crate::world::connect;

#[tokio::test]
async fn every_table_is_protected() {
    let database = TestDatabase::create().await.expect("a database");
    let problems = unprotected(database.admin_url()).await.expect("looked");
    assert_eq!(problems, [] as [&str; 0]);
}

#[tokio::test]
async fn a_table_without_protection_is_found() {
    let database = TestDatabase::create().await.expect("a database");
    let mut owner = connect(database.owner_url()).await;
    sqlx::raw_sql(
        "create table careless (id bigint primary key, client_id text references client);
         create table half (tenant_id uuid primary key);
         alter table half enable row level security;
         create policy half on half using (true);
         grant select on _sqlx_migrations to kontor_runtime;
         alter table account_3 no force row level security;",
    )
    .execute(&mut owner)
    .await
    .expect("made");
    let problems = unprotected(database.admin_url()).await.expect("looked");
    assert_eq!(
        problems,
        [
            "_sqlx_migrations: granted to kontor_runtime",
            "account_3: row-level security is not forced",
            "careless: key careless_client_id_fkey does not begin with tenant_id",
            "careless: key careless_pkey does not begin with tenant_id",
            "careless: no policy",
            "careless: row-level security is not enabled",
            "careless: row-level security is not forced",
            "half: row-level security is not forced",
        ]
    );
}
