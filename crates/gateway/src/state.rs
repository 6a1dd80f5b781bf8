//! What every handler shares.

use std::sync::Arc;

use axum::extract::FromRef;
use domain::address::TargetPolicy;
use domain::{ClientId, Clock, IdSource, TenantId, UserId};
use rules::{RulePack, RulesError};
use store::Store;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::{KeyRing, Logins, SecretError, Verifier};
use crate::categories::Categories;
use crate::compute::Turn;
use crate::error::{ApiError, ApiResult};
use crate::metrics::{Metrics, SharedRegistry};
use crate::places::{Place, Places};
use crate::rate::{Buckets, Rate};
use crate::settings::{GatewaySettings, SettingsError};
use crate::tenancy::Tenancy;
use crate::tenant_rules::KeptRules;

/// Clients and polled users whose rates are remembered at a time.
const RATED_KEYS_MAX: usize = 100_000;
/// Upload bytes are counted in units of this size, because a semaphore counts to 2^32 at most.
const UPLOAD_UNIT_BYTES: usize = 1 << 10;

/// What the gateway is built from.
pub struct Parts {
    /// What the operator configured.
    pub settings: GatewaySettings,
    /// The database.
    pub store: Store,
    /// The keys of the access tokens.
    pub keys: KeyRing,
    /// The taxonomy's labels come from here.
    pub rules: Arc<RulePack>,
    /// Where webhooks may lead.
    pub targets: TargetPolicy,
    /// The registry behind `/metrics`.
    pub registry: SharedRegistry,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
}

/// Why the gateway cannot start.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The configuration contradicts itself.
    #[error("the gateway's settings are not valid")]
    Settings(#[source] SettingsError),
    /// The shipped descriptions do not fit the taxonomy.
    #[error("the categories cannot be described")]
    Rules(#[source] RulesError),
    /// The shipped tree or its descriptions cannot be written.
    #[error("the categories cannot be serialised")]
    Serialize(#[source] serde_json::Error),
    /// Secrets cannot be compared.
    #[error("client secrets cannot be checked")]
    Secret(#[source] SecretError),
    /// The listening socket failed.
    #[error("the listening socket failed")]
    Listener(#[source] std::io::Error),
}

/// What every handler shares; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    settings: GatewaySettings,
    store: Store,
    keys: KeyRing,
    rules: Arc<RulePack>,
    categories: Categories,
    targets: TargetPolicy,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    metrics: Metrics,
    verifier: Verifier,
    logins: Logins,
    tenancy: Tenancy,
    tenant_rules: KeptRules,
    client_rate: Buckets<String>,
    polling_rate: Buckets<(TenantId, UserId, &'static str)>,
    places: Arc<Semaphore>,
    client_places: Places,
    client_uploads: Places,
    upload_units: Arc<Semaphore>,
    upload_turns: Arc<Semaphore>,
    compile_turns: Arc<Semaphore>,
}

impl AppState {
    /// Checks the settings and builds what handlers share.
    ///
    /// # Errors
    /// `Settings` when they contradict themselves, `Secret` when hashing does not work, `Rules` or
    /// `Serialize` when the categories cannot be shown.
    pub fn try_new(parts: Parts) -> Result<Self, GatewayError> {
        parts.settings.validate().map_err(GatewayError::Settings)?;
        let (limits, rates) = (parts.settings.limits, parts.settings.rates);
        let client_rate = Rate::per_second(rates.client_per_second, rates.client_burst);
        let polling_rate = Rate::per_second(rates.polling_per_second, rates.polling_burst);
        let clock = parts.clock;
        let at_once = limits.password_hashes_in_flight_max;
        let upload_units = units(limits.upload_bytes_in_flight_max) as usize;
        Ok(Self(Arc::new(Shared {
            verifier: Verifier::try_new(at_once, &*parts.ids).map_err(GatewayError::Secret)?,
            logins: Logins::new(&rates, &clock),
            tenancy: Tenancy::new(parts.settings.tenancy, Arc::clone(&clock)),
            tenant_rules: KeptRules::default(),
            client_rate: Buckets::new(client_rate, RATED_KEYS_MAX, Arc::clone(&clock)),
            polling_rate: Buckets::new(polling_rate, RATED_KEYS_MAX, Arc::clone(&clock)),
            places: Arc::new(Semaphore::new(limits.requests_in_flight_max)),
            client_places: Places::new(limits.requests_in_flight_per_client_max),
            client_uploads: Places::new(limits.uploads_in_flight_per_client_max),
            upload_units: Arc::new(Semaphore::new(upload_units)),
            upload_turns: Arc::new(Semaphore::new(limits.uploads_stored_at_once_max)),
            compile_turns: Arc::new(Semaphore::new(processors())),
            metrics: Metrics::register(parts.registry),
            categories: Categories::try_new(parts.rules.taxonomy())?,
            settings: parts.settings,
            store: parts.store,
            keys: parts.keys,
            rules: parts.rules,
            targets: parts.targets,
            clock,
            ids: parts.ids,
        })))
    }

    pub(crate) fn settings(&self) -> &GatewaySettings {
        &self.0.settings
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    pub(crate) fn rules(&self) -> &Arc<RulePack> {
        &self.0.rules
    }

    pub(crate) fn categories(&self) -> &Categories {
        &self.0.categories
    }

    pub(crate) fn targets(&self) -> TargetPolicy {
        self.0.targets
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        &*self.0.ids
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.0.logins
    }

    pub(crate) fn tenancy(&self) -> &Tenancy {
        &self.0.tenancy
    }

    /// The rules of tenants that are compiled.
    pub(crate) fn tenant_rules(&self) -> &KeptRules {
        &self.0.tenant_rules
    }

    pub(crate) fn client_rate(&self) -> &Buckets<String> {
        &self.0.client_rate
    }

    pub(crate) fn polling_rate(&self) -> &Buckets<(TenantId, UserId, &'static str)> {
        &self.0.polling_rate
    }

    /// A place among the requests under way, `None` when all are taken.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.places).try_acquire_owned().ok()
    }

    /// A place among the client's requests under way, `None` when all are taken.
    pub(crate) fn enter_client(&self, client: &ClientId) -> Option<Place> {
        self.0.client_places.take(client)
    }

    /// Waits for a place among the client's uploads, `None` when none became free in time.
    pub(crate) async fn upload_place(&self, client: &ClientId) -> Option<Place> {
        let patience = self.0.settings.timeouts.upload_turn();
        self.0.client_uploads.wait(client, patience).await
    }

    /// Waits until an upload of so many bytes fits into memory beside the others.
    pub(crate) async fn upload_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let needed = units(bytes.min(self.0.settings.limits.upload_bytes_in_flight_max));
        Arc::clone(&self.0.upload_units)
            .acquire_many_owned(needed)
            .await
            .ok()
    }

    /// Waits until an upload may be stored.
    pub(crate) async fn upload_turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.upload_turns).acquire_owned().await.ok()
    }

    /// Waits until rules and patterns may be compiled. To be asked for before a connection to the
    /// database, never while holding one.
    ///
    /// # Errors
    /// `Worker` when there are no turns any more.
    pub(crate) async fn compile_turn(&self) -> ApiResult<Turn> {
        let permit = Arc::clone(&self.0.compile_turns).acquire_owned().await;
        permit.map(Turn).map_err(|_| ApiError::Worker)
    }
}

/// How many computations run at one time without taking turns.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UPLOAD_UNIT_BYTES)).unwrap_or(u32::MAX >> 3)
}

impl FromRef<AppState> for Store {
    fn from_ref(state: &AppState) -> Self {
        state.store().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_computation() {
        let turns = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&turns).acquire_owned().await.expect("open");
        let (start, signal) = std::sync::mpsc::channel::<()>();
        let mut work = Box::pin(Turn(permit).computed(move || signal.recv().is_ok()));
        assert!(futures_util::poll!(work.as_mut()).is_pending());
        // Nobody waits any more, and still it is computed.
        drop(work);
        assert_eq!(turns.available_permits(), 0);
        start.send(()).expect("computing");
        let _next = turns.acquire().await.expect("a turn again");
    }
}
