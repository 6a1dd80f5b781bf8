//! A database of the test's own, and the rows that messages need.

use domain::{
    AutomaticAnalysis, ClientId, CorrelationId, IdSource, MessageId, Sensitive, SystemClock,
    SystemIds, TenantId, UserId, UserType,
};
use queue::Message;
use store::{
    NewClient, NewUser, RunCause, RunRequest, Store, SystemStore, TraceContext, UnknownTenant,
};
use testkit::TestDatabase;

/// A database with one user.
pub(crate) struct Database {
    inner: TestDatabase,
    pub(crate) system: SystemStore,
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
}

pub(crate) async fn database() -> Database {
    with_user(TestDatabase::create().await.expect("database")).await
}

/// Adds the user to an empty database.
pub(crate) async fn with_user(inner: TestDatabase) -> Database {
    let (store, system) = (
        inner.store().await.expect("store"),
        inner.system().await.expect("store"),
    );
    let client = ClientId::try_new("acme").expect("an id");
    system
        .add_client(&NewClient {
            id: client.clone(),
            secret_hash: Sensitive::from("unused"),
            scopes: Vec::new(),
        })
        .await
        .expect("client");
    let tenant = store
        .tenant(&client, "acme", UnknownTenant::Create)
        .await
        .expect("tenant");
    let user = UserId::new(SystemIds.uuid());
    let mut tx = store.begin(tenant).await.expect("begin");
    tx.add_user(&NewUser {
        id: user,
        user_type: UserType::Person,
        custom_user_id: None,
        name: None,
        automatic_analysis: AutomaticAnalysis::Active,
        scopes: Vec::new(),
        created_at: domain::Clock::now(&SystemClock),
    })
    .await
    .expect("user");
    tx.commit().await.expect("commit");
    Database {
        inner,
        system,
        store,
        tenant,
        user,
    }
}

impl Database {
    /// A message that speaks of this database's user, and is in no outbox.
    pub(crate) fn message(&self, topic: &str) -> Message {
        Message {
            tenant_id: self.tenant,
            user_id: self.user,
            ..crate::support::message(topic)
        }
    }

    /// Requests a run, which writes a message into the outbox.
    pub(crate) async fn request_run(&self) -> CorrelationId {
        let run = CorrelationId::new(SystemIds.uuid());
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        tx.request_run(self.user, &request(run)).await.expect("run");
        tx.commit().await.expect("commit");
        run
    }

    /// Requests a run and takes it back.
    pub(crate) async fn request_run_and_roll_back(&self) {
        let run = CorrelationId::new(SystemIds.uuid());
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        tx.request_run(self.user, &request(run)).await.expect("run");
    }

    /// Message and error of every dead letter.
    pub(crate) async fn dead_letters(&self) -> Vec<(MessageId, String)> {
        let letters = self.system.dead_letters(100).await.expect("dead letters");
        letters
            .into_iter()
            .map(|letter| (letter.message.message_id, letter.message.error))
            .collect()
    }

    /// Messages that are due and not published.
    pub(crate) async fn waiting(&self) -> i64 {
        self.system.backlog().await.expect("backlog").outbox_waiting
    }

    /// When the lease of the only message ends, as PostgreSQL prints it.
    pub(crate) fn leased_until(&self) -> String {
        // The driver's parameters mean nothing to `psql`.
        let url = self.inner.admin_url().as_str();
        let url = url.split('?').next().unwrap_or(url);
        testkit::postgres::query(url, "select leased_until from outbox").expect("psql")
    }
}

fn request(correlation_id: CorrelationId) -> RunRequest {
    RunRequest {
        correlation_id,
        cause: RunCause::Upload,
        not_before: None,
        trace: TraceContext::default(),
    }
}
