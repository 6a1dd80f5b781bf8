//! A gateway with its own database, and a client for it.

mod answer;
mod call;
mod clock;
mod run;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use domain::address::TargetPolicy;
use domain::{ClientId, Clock, Sensitive, SystemIds};
use gateway::{AppState, GatewaySettings, KeyRing, Parts, SigningKey};
use rules::{RulePack, Sources};
use serde_json::{Value, json};
use store::{NewClient, Store, SystemStore, TenantTx, UnknownTenant};
use testkit::TestDatabase;
use tower::ServiceExt;
use wire::Scope;

pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub(crate) use clock::ManualClock;
pub(crate) use run::finish_runs;

/// The secret of every client.
pub(crate) const SECRET: &str = "correct horse battery staple";
/// A client with every scope.
pub(crate) const ACME: &str = "acme";
/// Another one.
pub(crate) const GLOBEX: &str = "globex";

/// Hashing is slow on purpose, so every test uses the same hash.
static SECRET_HASH: LazyLock<Sensitive<String>> = LazyLock::new(|| {
    let hash = gateway::auth::hash_secret(&Sensitive::from(SECRET), &SystemIds);
    Sensitive::new(hash.expect("hashing works"))
});

/// A gateway with its own database.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) state: AppState,
    pub(crate) store: Store,
    pub(crate) system: SystemStore,
    pub(crate) clock: Arc<ManualClock>,
    // Dropped last, when nobody is connected any more.
    _database: TestDatabase,
}

impl World {
    /// A gateway with its defaults, whose webhooks may lead to this machine.
    pub(crate) async fn start() -> Self {
        Self::with(GatewaySettings::default()).await
    }

    pub(crate) async fn with(settings: GatewaySettings) -> Self {
        Self::with_targets(settings, TargetPolicy::LoopbackToo).await
    }

    pub(crate) async fn with_targets(settings: GatewaySettings, targets: TargetPolicy) -> Self {
        let database = TestDatabase::create().await.expect("a database");
        let clock = ManualClock::start();
        let shared: Arc<dyn Clock> = clock.clone();
        let store = database
            .store_at(Arc::clone(&shared))
            .await
            .expect("a store");
        let system = database
            .system_at(Arc::clone(&shared))
            .await
            .expect("a store");
        let state = AppState::try_new(Parts {
            settings,
            store: store.clone(),
            keys: keys(),
            rules: pack(),
            targets,
            registry: Arc::default(),
            clock: shared,
            ids: Arc::new(SystemIds),
        });
        let state = state.expect("valid settings");
        let world = Self {
            router: gateway::router(state.clone()),
            state,
            store,
            system,
            clock,
            _database: database,
        };
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        world.add_client(ACME, &all).await;
        world.add_client(GLOBEX, &all).await;
        world
    }

    pub(crate) async fn add_client(&self, id: &str, scopes: &[&str]) {
        let client = NewClient {
            id: ClientId::try_new(id).expect("an id"),
            secret_hash: SECRET_HASH.clone(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
        };
        self.system.add_client(&client).await.expect("a new client");
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        self.send_request(call.into_request()).await
    }

    pub(crate) async fn send_request(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await;
        Answer::receive(response.expect("infallible")).await
    }

    /// An access token of a client.
    pub(crate) async fn token(&self, client: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={}",
            SECRET.replace(' ', "+")
        );
        let answer = self.send(Call::post("/api/auth").form(&form)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Keeps the requests of a user of `ACME` waiting as long as it lives.
    pub(crate) async fn hold(&self, user: &str) -> TenantTx {
        let acme = ClientId::try_new(ACME).expect("an id");
        let tenant = self.store.tenant(&acme, ACME, UnknownTenant::Refuse).await;
        let begun = self.store.begin(tenant.expect("a tenant")).await;
        let mut holder = begun.expect("begun");
        let user = user.parse().expect("an id");
        holder.lock_user(user).await.expect("locked");
        holder
    }

    /// The identifier of a new person.
    pub(crate) async fn add_person(&self, token: &str) -> String {
        self.add_user(
            token,
            json!({"type": "person", "automaticAnalysis": "suspended"}),
        )
        .await
    }

    pub(crate) async fn add_user(&self, token: &str, body: Value) -> String {
        let answer = self
            .send(Call::post("/api/users").token(token).json(&body))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["userId"].as_str().expect("an id").to_owned()
    }
}

fn keys() -> KeyRing {
    let key = SigningKey::try_hs256("test", &Sensitive::new(vec![7; 32])).expect("a key");
    KeyRing::try_new(vec![key], 1_700_000_000).expect("a ring")
}

/// The taxonomy with no more rules than a pack must have: tags are only shown here.
pub(crate) fn pack() -> Arc<RulePack> {
    let sources = Sources {
        taxonomy: include_str!("../../../../rules/taxonomy.csv"),
        evidence: include_str!("../../../../rules/evidence.toml"),
        calibration: include_str!("../../../../rules/calibration.toml"),
        refunds: include_str!("../../../../rules/refunds.toml"),
        intermediaries: include_str!("../../../../rules/intermediaries.toml"),
        first_names: include_str!("../../../../rules/first_names.csv"),
        names: "list\tname\tguard\tsource\n",
        person: &[(
            "person",
            include_str!("../../../../rules/person/fallback.toml"),
        )],
        company: &[(
            "company",
            include_str!("../../../../rules/company/fallback.toml"),
        )],
    };
    Arc::new(RulePack::from_sources(&sources).expect("a valid pack"))
}

/// A documented request or answer.
pub(crate) fn sample(name: &str) -> Value {
    let path = format!("{}/tests/samples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_json::from_str(&text).expect("json")
}
