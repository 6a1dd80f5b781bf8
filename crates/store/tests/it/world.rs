//! Two tenants, a clock that only moves when told, and things to store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    Account, AccountId, AccountType, AutomaticAnalysis, ClientId, Clock, CorrelationId,
    Counterparty, Currency, IdSource, MessageId, Money, Overdraft, Pattern, PatternKind,
    PatternSet, Sensitive, SystemIds, TenantId, Transaction, TransactionId, UserId, UserType,
};
use store::{
    Claimed, CreatedWebhook, FinishedBatch, ModuleResult, NewClient, NewEvent, NewTag,
    NewTenantRules, NewUser, NewWebhook, RunBatch, RunCause, RunRequest, SetMode, Store,
    SystemStore, TenantTx, TraceContext, UnknownTenant, WebhookMethod,
};
use testkit::TestDatabase;
use uuid::Uuid;

pub(crate) const NAME: &str = "Erika Mustermann-Geheim";
pub(crate) const IBAN: &str = "DE64100200007791587578";

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub(crate) struct TestClock(Arc<Mutex<DateTime<Utc>>>);

impl TestClock {
    fn new() -> Self {
        let start = "2025-01-22T13:08:47Z".parse().expect("a moment");
        Self(Arc::new(Mutex::new(start)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.0.lock().expect("not poisoned");
        *now += TimeDelta::from_std(by).expect("in range");
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("not poisoned")
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) system: SystemStore,
    pub(crate) clock: TestClock,
    pub(crate) tenant: TenantId,
    pub(crate) stranger: TenantId,
    // Last, so that connections are closed before the database is deleted.
    pub(crate) database: TestDatabase,
}

impl World {
    /// A database with two clients, each with a tenant of the same name.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await.expect("a test database");
        let clock = TestClock::new();
        let store = database
            .store_at(Arc::new(clock.clone()))
            .await
            .expect("a store");
        let system = database
            .system_at(Arc::new(clock.clone()))
            .await
            .expect("a system store");
        let mut tenants = Vec::new();
        for client in ["acme", "other"] {
            let client = ClientId::try_new(client).expect("an id");
            let new = NewClient {
                id: client.clone(),
                secret_hash: Sensitive::from("$argon2id$hash"),
                scopes: vec!["banking".to_owned()],
            };
            system.add_client(&new).await.expect("added");
            let tenant = store
                .tenant(&client, "acme", UnknownTenant::Create)
                .await
                .expect("made");
            tenants.push(tenant);
        }
        Self {
            tenant: tenants[0],
            stranger: tenants[1],
            store,
            system,
            clock,
            database,
        }
    }

    pub(crate) async fn begin(&self) -> TenantTx {
        self.store.begin(self.tenant).await.expect("a transaction")
    }

    /// A user with the given accounts.
    pub(crate) async fn user(&self, accounts: &[Account]) -> UserId {
        let mut tx = self.begin().await;
        let user = tx
            .add_user(&new_user(self.clock.now()))
            .await
            .expect("added");
        tx.set_accounts(user.id, accounts, SetMode::Replace)
            .await
            .expect("stored");
        tx.commit().await.expect("committed");
        user.id
    }

    pub(crate) async fn webhook(&self, events: &[&str]) -> CreatedWebhook {
        let mut tx = self.begin().await;
        let created = tx.add_webhook(&new_webhook(events)).await.expect("added");
        tx.commit().await.expect("committed");
        created
    }

    /// Requests a run, a second after the one before.
    pub(crate) async fn request(&self, user: UserId) -> CorrelationId {
        self.clock.advance(Duration::from_secs(1));
        let id = CorrelationId::new(SystemIds.uuid());
        let mut tx = self.begin().await;
        tx.request_run(user, &run_request(id))
            .await
            .expect("requested");
        tx.commit().await.expect("committed");
        id
    }

    pub(crate) async fn claim(&self, user: UserId, run: CorrelationId) -> Claimed {
        let mut tx = self.begin().await;
        let claimed = tx
            .claim_runs(user, run, SystemIds.uuid())
            .await
            .expect("asked");
        tx.commit().await.expect("committed");
        claimed
    }

    /// Claims a run that can be claimed.
    pub(crate) async fn batch(&self, user: UserId, run: CorrelationId) -> RunBatch {
        let claimed = self.claim(user, run).await;
        let Claimed::Batch(batch) = claimed else {
            panic!("{claimed:?}");
        };
        batch
    }

    /// Requests, claims and finishes a run with one module.
    pub(crate) async fn finished(&self, user: UserId) -> CorrelationId {
        let run = self.request(user).await;
        let batch = self.batch(user, run).await;
        let mut tx = self.begin().await;
        tx.hold_claim(&batch).await.expect("held");
        tx.store_results(&batch, &[module("body")])
            .await
            .expect("stored");
        tx.finish_batch(&batch, &finish()).await.expect("finished");
        tx.commit().await.expect("committed");
        run
    }

    pub(crate) async fn emit(&self, user: UserId, event: &str) -> u64 {
        let mut tx = self.begin().await;
        let told = tx
            .emit_event(&new_event(user, event))
            .await
            .expect("emitted");
        tx.commit().await.expect("committed");
        told
    }

    /// Waits until a statement waits for another transaction's row.
    pub(crate) async fn until_locked_out(&self) {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        for _ in 0..6_000 {
            if self.count(waiting).await > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no statement waits");
    }

    /// A number read by a superuser, whom no policy hides anything from.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let mut connection = connect(self.database.admin_url()).await;
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .expect("counted")
    }
}

pub(crate) async fn connect(url: &Sensitive<String>) -> sqlx::PgConnection {
    use sqlx::Connection as _;
    sqlx::PgConnection::connect(url.as_str())
        .await
        .expect("connected")
}

pub(crate) fn new_user(created_at: DateTime<Utc>) -> NewUser {
    NewUser {
        id: UserId::new(SystemIds.uuid()),
        user_type: UserType::Person,
        custom_user_id: Some(Sensitive::from("customer 4711")),
        name: Some(Sensitive::from(NAME)),
        automatic_analysis: AutomaticAnalysis::Active,
        scopes: vec!["banking".to_owned()],
        created_at,
    }
}

pub(crate) fn new_webhook(events: &[&str]) -> NewWebhook {
    NewWebhook {
        url: "https://example.com/hook".to_owned(),
        method: WebhookMethod::Put,
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        active: true,
        secret: Some(Sensitive::from("body secret")),
    }
}

pub(crate) fn new_event(user: UserId, event: &str) -> NewEvent {
    NewEvent {
        user_id: user,
        custom_user_id: Some(Sensitive::from("customer 4711")),
        event: event.to_owned(),
        correlation: None,
        data: Some(Sensitive::new(format!("{{\"owner\":\"{NAME}\"}}"))),
        traceparent: Some("00-trace-01".to_owned()),
    }
}

pub(crate) fn run_request(id: CorrelationId) -> RunRequest {
    RunRequest {
        correlation_id: id,
        cause: RunCause::Upload,
        not_before: None,
        trace: TraceContext {
            traceparent: Some("00-trace-01".to_owned()),
            request_id: Some("request".to_owned()),
        },
    }
}

pub(crate) fn module(body: &str) -> ModuleResult {
    ModuleResult {
        module: "categorization".to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) fn finish() -> FinishedBatch {
    FinishedBatch {
        message_id: MessageId::new(SystemIds.uuid()),
        as_of: "2025-01-22".parse().expect("a day"),
        engine_version: "0.1.0".to_owned(),
        rule_pack_hash: "pack".to_owned(),
        tenant_rules_hash: Some("tenant".to_owned()),
        taxonomy_hash: "taxonomy".to_owned(),
        findings_json: "[]".to_owned(),
    }
}

pub(crate) fn tag(account: &str, transaction: &str, tag: &str) -> NewTag {
    NewTag {
        account_id: AccountId::try_new(account).expect("an id"),
        transaction_id: TransactionId::try_new(transaction).expect("an id"),
        tag: tag.to_owned(),
        rule_id: format!("rule-{tag}"),
        origin: "pack".to_owned(),
        extra_tags: Vec::new(),
        evidence: "purpose 0..4".to_owned(),
        confidence: 9_700,
        intermediary: None,
        merchant: None,
        refund_of: None,
        position: 0,
    }
}

/// A pattern by name.
pub(crate) fn pattern(name: &str) -> Pattern {
    Pattern {
        kind: PatternKind::Name,
        value: Sensitive::from(name),
        since: None,
        until: None,
        tags: vec!["rent".to_owned(), "recurring".to_owned()],
    }
}

/// A pattern by name, and a decision about a transaction of this id.
pub(crate) fn pattern_set(name: &str) -> PatternSet {
    PatternSet {
        ids: [(name.to_owned(), vec!["rent".to_owned()])].into(),
        patterns: vec![pattern(name)],
    }
}

pub(crate) fn tenant_rules(source: &str) -> NewTenantRules {
    NewTenantRules {
        source: source.to_owned(),
        hash: format!("hash of {source}"),
        rules: 3,
    }
}

pub(crate) fn account(id: &str, transactions: &[&str]) -> Account {
    Account {
        id: AccountId::try_new(id).expect("an id"),
        account_number: Sensitive::from("7791587578"),
        iban: Sensitive::from(IBAN),
        bic: "HYVEDEMM488".to_owned(),
        bank_code: "10020000".to_owned(),
        bank_name: "Testbank".to_owned(),
        name: Sensitive::from("Girokonto"),
        owner: Sensitive::from(NAME),
        account_type: AccountType::Giro,
        currency: Currency::EUR,
        balance: Money::new(200_441, Currency::EUR),
        overdraft: Some(Overdraft {
            amount: Some(Money::new(100_000, Currency::EUR)),
            available: Some(true),
        }),
        credit_line: None,
        monthly_spending_limit: Some(Money::new(5, Currency::EUR)),
        icon: String::new(),
        securities_json: Some(Sensitive::from(r#"[{"quantity":1.10}]"#)),
        standing_orders_json: None,
        transactions: transactions.iter().map(|id| transaction(id)).collect(),
    }
}

pub(crate) fn transaction(id: &str) -> Transaction {
    let day: NaiveDate = "2024-01-22".parse().expect("a day");
    Transaction {
        id: TransactionId::try_new(id).expect("an id"),
        amount: Money::new(-1_350, Currency::EUR),
        booking_date: day,
        booking_instant: 1_705_928_941,
        value_date: Some(day),
        value_instant: Some(1_705_928_941),
        booking_text: "LASTSCHRIFT".to_owned(),
        remittance_info: Sensitive::new(format!("Miete {NAME}")),
        counterparty: Counterparty {
            name: Sensitive::from(NAME),
            iban: Sensitive::from(IBAN),
            bic: "HYVEDEMM488".to_owned(),
            creditor_id: "DE98ZZZ09999999999".to_owned(),
        },
        ultimate_creditor: Sensitive::from(""),
        ultimate_debtor: Sensitive::from(""),
        end_to_end_id: Sensitive::from("NOTPROVIDED"),
        mandate_id: Sensitive::from("M-1"),
        merchant_category_code: "5411".to_owned(),
        purpose_code: "SALA".to_owned(),
        transaction_code: Some(105),
    }
}

pub(crate) fn nobody() -> UserId {
    UserId::new(Uuid::from_u128(0xdead))
}
