//! The database of this process: the operator's own, or the private one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::{Clock, IdSource, Sensitive, SystemClock, SystemIds};
use store::embedded::{ClusterUrls, EmbeddedError, PrivateCluster, PrivateClusterSettings, attach};
use store::migrate::{Applied, LoginRole, migrate};
use store::vault::Vault;
use store::{PoolSettings, Store, SystemStore};

use crate::config::{Config, SecretUrl};

/// Time and identifiers of the machine.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
}

impl World {
    pub(crate) fn of_machine() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        }
    }
}

/// Where the database is; for the private one also its server.
pub(crate) struct Database {
    runtime: Sensitive<String>,
    system: Sensitive<String>,
    /// The private server, when this process runs it.
    pub(crate) cluster: Option<PrivateCluster>,
}

impl Database {
    /// The operator's database, or the private one: started and migrated.
    ///
    /// # Errors
    /// The private server cannot run, or its schema is newer than this program.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        if let Some(own) = Self::configured(config) {
            return Ok(own);
        }
        let cluster = PrivateCluster::start(&cluster_settings(config)).await?;
        let urls = cluster.urls();
        match migrate_as(&urls).await {
            Ok(applied) => tracing::info!(
                version = cluster.server_version(),
                migrations = applied.versions.len(),
                "the private database is running"
            ),
            Err(error) => {
                // The reason to end is the first error; that the server ends is only orderly.
                let _ = cluster.stop(store::embedded::STOP_TIMEOUT).await;
                return Err(error);
            }
        }
        Ok(Self::private(urls, Some(cluster)))
    }

    /// As [`Database::open`], but the private one may be that of a running `kontor serve`.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub(crate) async fn open_beside(config: &Config) -> Result<Self> {
        match Self::open(config).await {
            Err(error) if is_in_use(&error) => {
                let urls = attach(&cluster_settings(config))?;
                Ok(Self::private(urls, None))
            }
            other => other,
        }
    }

    fn configured(config: &Config) -> Option<Self> {
        let (runtime, system) = (
            config.database_url.as_ref()?,
            config.database_system_url.as_ref()?,
        );
        Some(Self {
            runtime: sensitive(runtime),
            system: sensitive(system),
            cluster: None,
        })
    }

    fn private(urls: ClusterUrls, cluster: Option<PrivateCluster>) -> Self {
        Self {
            runtime: urls.runtime,
            system: urls.system,
            cluster,
        }
    }

    /// Connects as the runtime role.
    ///
    /// # Errors
    /// The database does not answer, or role or schema are not what the program relies on.
    pub(crate) async fn store(
        &self,
        config: &Config,
        vault: Vault,
        world: &World,
    ) -> Result<Store> {
        let pool = pool(config, &self.runtime, config.database.connections_max);
        let (clock, ids) = (Arc::clone(&world.clock), Arc::clone(&world.ids));
        Store::connect(&pool, vault, clock, ids)
            .await
            .context("cannot use the database as the runtime role (DATABASE_URL)")
    }

    /// Connects as the system role.
    ///
    /// # Errors
    /// As [`Database::store`].
    pub(crate) async fn system_store(
        &self,
        config: &Config,
        vault: Vault,
        world: &World,
    ) -> Result<SystemStore> {
        let pool = pool(config, &self.system, config.database.system_connections_max);
        let (clock, ids) = (Arc::clone(&world.clock), Arc::clone(&world.ids));
        SystemStore::connect(&pool, vault, clock, ids)
            .await
            .context("cannot use the database as the system role (KONTOR_DATABASE_SYSTEM_URL)")
    }
}

/// Migrates the operator's own database.
///
/// # Errors
/// The owner may not do it, or the schema is newer than this program.
pub(crate) async fn migrate_configured(config: &Config) -> Result<Applied> {
    let missing = "the configuration was not checked for migrating";
    let url = |url: &Option<SecretUrl>| url.as_ref().map(sensitive).context(missing);
    migrate_as(&ClusterUrls {
        owner: url(&config.database_owner_url)?,
        runtime: url(&config.database_url)?,
        system: url(&config.database_system_url)?,
    })
    .await
}

async fn migrate_as(urls: &ClusterUrls) -> Result<Applied> {
    let runtime = LoginRole::from_url(&urls.runtime)?;
    let system = LoginRole::from_url(&urls.system)?;
    migrate(&urls.owner, &runtime, &system)
        .await
        .context("cannot migrate the database")
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let found = error.downcast_ref::<EmbeddedError>();
    matches!(found, Some(EmbeddedError::InUse { .. }))
}

fn cluster_settings(config: &Config) -> PrivateClusterSettings {
    PrivateClusterSettings {
        data_dir: config.data_dir.clone(),
        bin_dir: config.database.bin_dir.clone(),
        unprivileged_user: config.database.unprivileged_user.clone(),
    }
}

fn pool(config: &Config, url: &Sensitive<String>, max_connections: u32) -> PoolSettings {
    PoolSettings {
        url: url.clone(),
        max_connections,
        acquire_timeout: Duration::from_secs(config.database.acquire_seconds_max),
    }
}

fn sensitive(url: &SecretUrl) -> Sensitive<String> {
    Sensitive::from(url.expose())
}
