//! A world: a database, a clock that stands still, users, uploads, a webhook that hears everything.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Account, AccountId, AccountType, AutomaticAnalysis, ClientId, Clock, CorrelationId,
    Counterparty, Currency, IdSource, Money, Sensitive, SystemIds, TenantId, Transaction,
    TransactionId, UserId, UserType,
};
use pipeline::{Analyses, Analyze, Cpu, Engine, Job};
use rules::RulePack;
use serde_json::Value;
use store::{
    NewClient, NewUser, NewWebhook, OutboxMessage, RunCause, RunRequest, SetMode, Store,
    SystemStore, TenantTx, TraceContext, UnknownTenant, WebhookMethod,
};
use testkit::TestDatabase;
use tokio::time::Instant;

/// How long any state may take to come about.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Waits for a state; panics with its name when it does not come about.
pub(crate) async fn until(state: &str, reached: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !reached().await {
        assert!(Instant::now() < deadline, "never reached: {state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A clock that only the test moves.
pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    fn new() -> Arc<Self> {
        // 23:30 UTC in winter is already the next day in Berlin.
        let start = "2026-01-14T23:30:00Z".parse().expect("a moment");
        Arc::new(Self(Mutex::new(start)))
    }

    pub(crate) fn advance(&self, span: Duration) {
        *self.0.lock().expect("lock") += TimeDelta::from_std(span).expect("in range");
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("lock")
    }
}

/// A database with a tenant that has a webhook for every event of a run.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Store,
    pub(crate) system: SystemStore,
    pub(crate) tenant: TenantId,
}

/// What the webhook was told about a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) user: String,
    pub(crate) event: String,
    pub(crate) run: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) data: Option<Value>,
}

/// User, event, run, trace and data.
type TellingRow = (String, String, String, Option<String>, Option<String>);

static PACK: LazyLock<Arc<RulePack>> =
    LazyLock::new(|| Arc::new(RulePack::builtin().expect("the rules compile")));

/// The events that a run can have.
const EVENTS: [&str; 6] = [
    "categorization",
    "categorization.notification",
    "analysis.finished",
    "analysis.finished.notification",
    "analysis.failed",
    "analysis.failed.notification",
];

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await.expect("database");
        let clock = TestClock::new();
        let store = database.store_at(clock.clone()).await.expect("store");
        let system = database.system_at(clock.clone()).await.expect("store");
        let client = ClientId::try_new("acme").expect("an id");
        let new_client = NewClient {
            id: client.clone(),
            secret_hash: Sensitive::from("unused"),
            scopes: Vec::new(),
        };
        system.add_client(&new_client).await.expect("client");
        let tenant = store
            .tenant(&client, "acme", UnknownTenant::Create)
            .await
            .expect("tenant");
        let mut tx = store.begin(tenant).await.expect("begin");
        tx.add_webhook(&NewWebhook {
            url: "https://receiver.example/".to_owned(),
            method: WebhookMethod::Post,
            events: EVENTS.map(str::to_owned).to_vec(),
            active: true,
            secret: None,
        })
        .await
        .expect("webhook");
        tx.commit().await.expect("commit");
        Self {
            database,
            clock,
            store,
            system,
            tenant,
        }
    }

    /// The handler with the real core.
    pub(crate) fn analyses(&self) -> Analyses {
        self.analyses_with(Arc::new(analysis::analyze))
    }

    /// The handler with another core.
    pub(crate) fn analyses_with(&self, core: Arc<Analyze>) -> Analyses {
        let cpu = Cpu::try_new(NonZeroUsize::MIN).expect("threads");
        self.analyses_on(cpu, core)
    }

    /// The handler with another core, on a processor that others use too.
    pub(crate) fn analyses_on(&self, cpu: Cpu, core: Arc<Analyze>) -> Analyses {
        Analyses::new(
            self.store.clone(),
            Engine::with_core(Arc::clone(&PACK), core),
            cpu,
            self.clock.clone(),
            Arc::new(SystemIds),
        )
    }

    /// A tenant of another client.
    pub(crate) async fn another_tenant(&self) -> TenantId {
        let client = ClientId::try_new("other").expect("an id");
        let new_client = NewClient {
            id: client.clone(),
            secret_hash: Sensitive::from("unused"),
            scopes: Vec::new(),
        };
        self.system.add_client(&new_client).await.expect("client");
        let tenant = self.store.tenant(&client, "acme", UnknownTenant::Create);
        tenant.await.expect("tenant")
    }

    pub(crate) async fn add_user(&self, scopes: &[&str]) -> UserId {
        self.add_user_of(UserType::Person, scopes).await
    }

    pub(crate) async fn add_user_of(&self, user_type: UserType, scopes: &[&str]) -> UserId {
        let id = UserId::new(SystemIds.uuid());
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        tx.add_user(&NewUser {
            id,
            user_type,
            custom_user_id: Some(Sensitive::from("customer-1")),
            name: None,
            automatic_analysis: AutomaticAnalysis::Active,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            created_at: self.clock.now(),
        })
        .await
        .expect("user");
        tx.commit().await.expect("commit");
        id
    }

    /// Uploads an account with these purposes and requests a run, as the gateway does.
    pub(crate) async fn upload(&self, user: UserId, purposes: &[String]) -> CorrelationId {
        self.upload_account(user, account(purposes)).await
    }

    /// Uploads an account and requests a run.
    pub(crate) async fn upload_account(&self, user: UserId, account: Account) -> CorrelationId {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        tx.lock_user(user).await.expect("user");
        tx.set_accounts(user, &[account], SetMode::Replace)
            .await
            .expect("accounts");
        let run = self.request(&mut tx, user, RunCause::Upload).await;
        tx.commit().await.expect("commit");
        run
    }

    /// Requests a run, a moment after the one before.
    pub(crate) async fn request(
        &self,
        tx: &mut TenantTx,
        user: UserId,
        cause: RunCause,
    ) -> CorrelationId {
        self.clock.advance(Duration::from_millis(7));
        let run = CorrelationId::new(SystemIds.uuid());
        let request = RunRequest {
            correlation_id: run,
            cause,
            not_before: None,
            trace: TraceContext {
                traceparent: Some(traceparent(run)),
                request_id: None,
            },
        };
        tx.request_run(user, &request).await.expect("run");
        run
    }

    /// Takes what waits in the outbox, as a relay does, oldest first.
    pub(crate) async fn take_jobs(&self) -> Vec<Job> {
        let lease = Duration::from_secs(30);
        let rows = self.system.lease_outbox(100, lease).await.expect("lease");
        let keys: Vec<_> = rows.iter().map(OutboxMessage::key).collect();
        self.system.mark_published(&keys).await.expect("mark");
        rows.into_iter()
            .map(|row| Job {
                message_id: row.message_id,
                tenant_id: row.tenant_id,
                topic: row.topic,
                payload: row.payload,
                attempt: 1,
            })
            .collect()
    }

    pub(crate) async fn run(&self, user: UserId, run: CorrelationId) -> store::Run {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        let found = tx.run(user, run).await.expect("readable");
        found.expect("the run is there")
    }

    pub(crate) async fn body(&self, user: UserId, run: CorrelationId) -> Option<Value> {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        let body = tx
            .result_body(user, run, pipeline::CATEGORIZATION)
            .await
            .expect("readable");
        body.map(|body| serde_json::from_str(&body).expect("JSON"))
    }

    /// Everything that the webhook is to be told, in the order of the deliveries.
    pub(crate) fn told(&self) -> Vec<Told> {
        let rows = self.query(
            "select coalesce(json_agg(json_build_array(
                 e.user_id, e.event, e.correlation_id, e.traceparent, e.data) order by d.sequence),
                 '[]')
             from webhook_delivery d join webhook_event e using (tenant_id, event_id)",
        );
        let rows: Vec<TellingRow> = serde_json::from_str(&rows).expect("JSON");
        rows.into_iter()
            .map(|(user, event, run, traceparent, data)| Told {
                user,
                event,
                run,
                traceparent,
                data: data.map(|data| serde_json::from_str(&data).expect("JSON")),
            })
            .collect()
    }

    /// Names of the events of a run, in order.
    pub(crate) fn events(&self, run: CorrelationId) -> Vec<String> {
        let told = self.told().into_iter();
        told.filter(|told| told.run == run.to_string())
            .map(|told| told.event)
            .collect()
    }

    /// Asks the database past row-level security.
    pub(crate) fn query(&self, statement: &str) -> String {
        // The driver's parameters mean nothing to `psql`.
        let url = self.database.admin_url().as_str();
        let url = url.split('?').next().unwrap_or(url);
        testkit::postgres::query(url, statement).expect("psql")
    }
}

/// The trace context of the request that asked for a run.
pub(crate) fn traceparent(run: CorrelationId) -> String {
    format!("00-{}-b7ad6b7169203331-01", run.as_uuid().simple())
}

/// Purposes that the rules know and that differ from each other.
pub(crate) fn purposes(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("LOHN GEHALT NR {number}"))
        .collect()
}

/// An account with a transaction for each purpose; the position makes the transaction's id.
pub(crate) fn account(purposes: &[String]) -> Account {
    Account {
        id: AccountId::try_new("giro").expect("an id"),
        account_number: Sensitive::default(),
        iban: Sensitive::from("DE02120300000000202051"),
        bic: String::new(),
        bank_code: String::new(),
        bank_name: String::new(),
        name: Sensitive::default(),
        owner: Sensitive::from("Erika Mustermann"),
        account_type: AccountType::Giro,
        currency: Currency::EUR,
        balance: Money::new(12_345, Currency::EUR),
        overdraft: None,
        credit_line: None,
        monthly_spending_limit: None,
        icon: String::new(),
        securities_json: None,
        standing_orders_json: None,
        transactions: purposes
            .iter()
            .enumerate()
            .map(|(number, purpose)| transaction(number, purpose))
            .collect(),
    }
}

fn transaction(number: usize, purpose: &str) -> Transaction {
    Transaction {
        id: TransactionId::try_new(format!("t{number}")).expect("an id"),
        amount: Money::new(200_000, Currency::EUR),
        booking_date: "2026-01-10".parse().expect("a day"),
        booking_instant: 1_768_042_800,
        value_date: None,
        value_instant: None,
        booking_text: String::new(),
        remittance_info: Sensitive::from(purpose),
        counterparty: Counterparty {
            name: Sensitive::from("ACME GMBH"),
            ..Counterparty::default()
        },
        ultimate_creditor: Sensitive::default(),
        ultimate_debtor: Sensitive::default(),
        end_to_end_id: Sensitive::default(),
        mandate_id: Sensitive::default(),
        merchant_category_code: String::new(),
        purpose_code: String::new(),
        transaction_code: None,
    }
}
