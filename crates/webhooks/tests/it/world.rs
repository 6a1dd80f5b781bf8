//! A database with a clock that the test moves, and receivers that the test invents.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    AutomaticAnalysis, ClientId, Clock, CorrelationId, IdSource, Sensitive, SystemIds, TenantId,
    UserId, UserType, WebhookId,
};
use store::{
    CreatedWebhook, Delivery, DeliveryFilter, NewClient, NewEvent, NewUser, NewWebhook, Store,
    SystemStore, UnknownTenant, WebhookMethod,
};
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;
use webhooks::{CounterValues, Counters, Dispatcher, HttpSender, Surroundings};

/// Deliveries per page; no test has more.
const PAGE: u32 = 200;

/// How often and how many times a state is looked at.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS_MAX: usize = 2_000;

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.0.lock().expect("not poisoned") += by;
    }

    pub(crate) fn advance_to(&self, moment: DateTime<Utc>) {
        let mut now = self.0.lock().expect("not poisoned");
        *now = moment.max(*now);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("not poisoned")
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Store,
    pub(crate) system: SystemStore,
    pub(crate) tenant: TenantId,
    pub(crate) counters: Arc<Counters>,
    // Last, so that the stores let go of it first.
    pub(crate) database: TestDatabase,
}

impl World {
    pub(crate) async fn create() -> Result<Self> {
        let database = TestDatabase::create().await?;
        let start = DateTime::from_timestamp(1_760_000_000, 0).expect("in range");
        let clock = Arc::new(TestClock(Mutex::new(start)));
        let system = database
            .system_at(Arc::clone(&clock) as Arc<dyn Clock>)
            .await?;
        let store = database
            .store_at(Arc::clone(&clock) as Arc<dyn Clock>)
            .await?;
        let client = ClientId::try_new("test-client")?;
        system
            .add_client(&NewClient {
                id: client.clone(),
                secret_hash: "not used".into(),
                scopes: vec![],
            })
            .await?;
        let tenant = store
            .tenant(&client, "test-client", UnknownTenant::Create)
            .await?;
        let counters = Arc::new(Counters::default());
        Ok(Self {
            clock,
            store,
            system,
            tenant,
            counters,
            database,
        })
    }

    pub(crate) fn dispatcher<S: HttpSender>(&self, sender: S) -> Dispatcher<S> {
        let surroundings = Surroundings {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ids: Arc::new(SystemIds),
            counters: Arc::clone(&self.counters),
        };
        Dispatcher::new(self.system.clone(), sender, surroundings)
    }

    pub(crate) async fn user(&self) -> Result<UserId> {
        let id = UserId::new(SystemIds.uuid());
        let mut tx = self.store.begin(self.tenant).await?;
        tx.add_user(&NewUser {
            id,
            user_type: UserType::Person,
            custom_user_id: None,
            name: None,
            automatic_analysis: AutomaticAnalysis::Active,
            scopes: vec![],
            created_at: self.clock.now(),
        })
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(crate) async fn delete_user(&self, user: UserId) -> Result<()> {
        let mut tx = self.store.begin(self.tenant).await?;
        tx.delete_user(user).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn webhook(&self, url: &str) -> Result<CreatedWebhook> {
        let mut tx = self.store.begin(self.tenant).await?;
        let created = tx
            .add_webhook(&NewWebhook {
                url: url.to_owned(),
                method: WebhookMethod::Post,
                events: vec!["categorization".to_owned()],
                active: true,
                secret: Some("sent-along".into()),
            })
            .await?;
        tx.commit().await?;
        Ok(created)
    }

    /// Emits an event that carries a number, by which receivers tell events apart.
    pub(crate) async fn event(&self, user: UserId, number: u64) -> Result<()> {
        let mut tx = self.store.begin(self.tenant).await?;
        tx.emit_event(&NewEvent {
            user_id: user,
            custom_user_id: Some("customer-0815".into()),
            event: "categorization".to_owned(),
            correlation: Some((CorrelationId::new(SystemIds.uuid()), self.clock.now())),
            data: Some(Sensitive::new(format!("{{\"number\":{number}}}"))),
            traceparent: None,
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// Waits until the counters say so.
    pub(crate) async fn counted(&self, enough: impl Fn(CounterValues) -> bool) -> Result<()> {
        let mut look = tokio::time::interval(LOOK);
        for _ in 0..LOOKS_MAX {
            look.tick().await;
            if enough(self.counters.values()) {
                return Ok(());
            }
        }
        anyhow::bail!("not within {LOOKS_MAX} looks: {:?}", self.counters.values())
    }

    /// The webhook's deliveries, oldest first.
    pub(crate) async fn deliveries(&self, webhook: WebhookId) -> Result<Vec<Delivery>> {
        let filter = DeliveryFilter {
            before_sequence: None,
            limit: PAGE,
            status: None,
        };
        let mut tx = self.store.begin(self.tenant).await?;
        let mut deliveries = tx.deliveries(webhook, &filter).await?;
        deliveries.reverse();
        Ok(deliveries)
    }
}

/// Runs the dispatcher until something has happened, or has failed to.
pub(crate) async fn run_while<S: HttpSender, T>(
    dispatcher: &Dispatcher<S>,
    happening: impl Future<Output = Result<T>>,
) -> Result<T> {
    let stop = CancellationToken::new();
    let happening = async {
        let happened = happening.await;
        stop.cancel();
        happened
    };
    let ((), happened) = tokio::join!(dispatcher.run(&stop), happening);
    happened
}
