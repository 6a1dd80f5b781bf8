use store::audit::unprotected;
use testkit::TestDatabase;

use crate::world::connect;

#[tokio::test]
async fn every_table_is_protected() {
    let database = TestDatabase::create().await.expect("a database");
    let problems = unprotected(database.admin_url()).await.expect("looked");
    assert_eq!(problems, [] as [&str; 0]);
}

/// What each role may do: s(elect), i(nsert), u(pdate), d(elete); U(sage) of a sequence.
const GRANTS: &[(&str, &str, &str)] = &[
    ("kontor_runtime", "account", "sidu"),
    ("kontor_runtime", "analysis_result", "si"),
    ("kontor_runtime", "analysis_run", "sidu"),
    ("kontor_runtime", "app_user", "sidu"),
    ("kontor_runtime", "client", "s"),
    ("kontor_runtime", "dead_letter", "sd"),
    ("kontor_runtime", "idempotency", "sidu"),
    ("kontor_runtime", "inbox", "sid"),
    ("kontor_runtime", "outbox", "sid"),
    ("kontor_runtime", "pattern_set", "siu"),
    ("kontor_runtime", "run_snapshot", "U"),
    ("kontor_runtime", "tag_history", "si"),
    ("kontor_runtime", "tenant", "si"),
    ("kontor_runtime", "tenant_rules", "sidu"),
    ("kontor_runtime", "transaction", "sidu"),
    ("kontor_runtime", "transaction_tag", "sidu"),
    ("kontor_runtime", "webhook", "sidu"),
    ("kontor_runtime", "webhook_delivery", "siu"),
    ("kontor_runtime", "webhook_event", "siu"),
    ("kontor_system", "analysis_run", "su"),
    ("kontor_system", "client", "siu"),
    ("kontor_system", "dead_letter", "sidu"),
    ("kontor_system", "idempotency", "sd"),
    ("kontor_system", "inbox", "sd"),
    ("kontor_system", "outbox", "sidu"),
    ("kontor_system", "tenant", "s"),
    ("kontor_system", "webhook", "s"),
    ("kontor_system", "webhook_delivery", "sdu"),
    ("kontor_system", "webhook_event", "sd"),
];

#[tokio::test]
async fn roles_may_do_what_their_queries_do_and_nothing_else() {
    let database = TestDatabase::create().await.expect("a database");
    let mut admin = connect(database.admin_url()).await;
    let found: Vec<(String, String, String)> = sqlx::query_as(
        "select coalesce(role.rolname, 'public')::text, c.relname::text,
                string_agg(case acl.privilege_type
                               when 'SELECT' then 's' when 'INSERT' then 'i' when 'DELETE' then 'd'
                               when 'UPDATE' then 'u' when 'USAGE' then 'U'
                               else acl.privilege_type end,
                           '' order by array_position(
                               array['SELECT', 'INSERT', 'DELETE', 'UPDATE'], acl.privilege_type))
         from pg_class c
         cross join aclexplode(c.relacl) acl
         left join pg_roles role on role.oid = acl.grantee
         where c.relnamespace = 'public'::regnamespace and acl.grantee <> c.relowner
         group by 1, 2 order by 1, 2",
    )
    .fetch_all(&mut admin)
    .await
    .expect("read");
    let found: Vec<_> = found
        .iter()
        .map(|(role, object, rights)| (role.as_str(), object.as_str(), rights.as_str()))
        .collect();
    assert_eq!(found, GRANTS);
    let creates: bool = sqlx::query_scalar(
        "select exists (select 1 from pg_namespace n cross join aclexplode(n.nspacl) acl
                        where n.nspname = 'public' and acl.privilege_type = 'CREATE'
                          and acl.grantee <> n.nspowner
                          and acl.grantee <> (select datdba from pg_database
                                              where datname = current_database()))",
    )
    .fetch_one(&mut admin)
    .await
    .expect("read");
    assert!(!creates, "only the owner makes tables");
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
