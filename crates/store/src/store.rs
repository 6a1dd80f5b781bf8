//! The runtime role's door to the database.

use std::fmt;
use std::sync::Arc;

use domain::{ClientId, Clock, IdSource, Sensitive, TenantId};

use crate::error::{StoreError, violates};
use crate::pool::{self, Group, PoolSettings, Shared};
use crate::tenant_tx::TenantTx;
use crate::text::clean;
use crate::vault::Vault;

/// Most tenants under one client.
pub const TENANTS_PER_CLIENT_MAX: usize = 10_000;

/// The database as the runtime role sees it: one client or one tenant at a time.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Store")
    }
}

/// An API client as its token request needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// Argon2id hash of its secret, in PHC form.
    pub secret_hash: Sensitive<String>,
    /// Canonical names of the scopes that it may ask for.
    pub scopes: Vec<String>,
}

/// What to do about a tenant that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownTenant {
    /// Make it.
    Create,
    /// Answer that there is none.
    Refuse,
}

impl Store {
    /// Connects and checks that role and schema are what the program relies on.
    ///
    /// # Errors
    /// `UnsafeRole` for a superuser, an owner or a role that bypasses row-level security,
    /// `SchemaOutOfDate` when migrations are missing or differ, `BadUrl`, `Unavailable`.
    pub async fn connect(
        settings: &PoolSettings,
        vault: Vault,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, StoreError> {
        let pool = pool::open(settings, Group::Runtime).await?;
        let shared = Shared {
            pool,
            vault,
            clock,
            ids,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query!("select 1 as one")
            .fetch_one(&self.shared.pool)
            .await?;
        Ok(())
    }

    /// Closes every connection; transactions that are under way are waited for.
    pub async fn close(&self) {
        self.shared.pool.close().await;
    }

    /// Finds an API client.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let mut tx = self.begin_client(id).await?;
        let row = sqlx::query!(
            "select secret_hash, scopes from client where client_id = $1",
            id.as_str()
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(row.map(|row| Client {
            id: id.clone(),
            secret_hash: Sensitive::new(row.secret_hash),
            scopes: row.scopes,
        }))
    }

    /// Finds the tenant of a client by its name, or makes it.
    ///
    /// # Errors
    /// `NotFound` when it is unknown and to be refused, or when the client is unknown;
    /// `LimitReached` above [`TENANTS_PER_CLIENT_MAX`].
    pub async fn tenant(
        &self,
        client: &ClientId,
        name: &str,
        unknown: UnknownTenant,
    ) -> Result<TenantId, StoreError> {
        let name = clean(name);
        let mut tx = self.begin_client(client).await?;
        let found = find_tenant(&mut tx, client, &name).await?;
        let tenant = match (found, unknown) {
            (Some(tenant), _) => tenant,
            (None, UnknownTenant::Refuse) => {
                return Err(StoreError::NotFound { what: "tenant" });
            }
            (None, UnknownTenant::Create) => self.create_tenant(&mut tx, client, &name).await?,
        };
        tx.commit().await?;
        Ok(tenant)
    }

    /// Opens a transaction of one tenant; each statement sees what is committed before it.
    ///
    /// # Errors
    /// `Unavailable` without a connection.
    pub async fn begin(&self, tenant: TenantId) -> Result<TenantTx, StoreError> {
        let tx = self.shared.pool.begin().await?;
        TenantTx::open(tx, tenant, Arc::clone(&self.shared)).await
    }

    /// Opens a transaction of one tenant whose statements all see the same state.
    ///
    /// # Errors
    /// `Unavailable` without a connection.
    pub async fn begin_snapshot(&self, tenant: TenantId) -> Result<TenantTx, StoreError> {
        let tx = self
            .shared
            .pool
            .begin_with("begin isolation level repeatable read")
            .await?;
        TenantTx::open(tx, tenant, Arc::clone(&self.shared)).await
    }

    async fn begin_client(&self, client: &ClientId) -> Result<Transaction, StoreError> {
        let mut tx = self.shared.pool.begin().await?;
        sqlx::query!(
            "select set_config('app.client_id', $1, true) as client",
            client.as_str()
        )
        .fetch_one(&mut *tx)
        .await?;
        Ok(tx)
    }

    async fn create_tenant(
        &self,
        tx: &mut Transaction,
        client: &ClientId,
        name: &str,
    ) -> Result<TenantId, StoreError> {
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from tenant where client_id = $1"#,
            client.as_str()
        )
        .fetch_one(&mut **tx)
        .await?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= TENANTS_PER_CLIENT_MAX {
            return Err(StoreError::LimitReached {
                what: "tenants of one client",
                max: TENANTS_PER_CLIENT_MAX,
            });
        }
        let (id, now) = (self.shared.ids.uuid(), self.shared.now());
        // A concurrent request may make the same tenant; the insert then waits for it.
        sqlx::query!(
            "insert into tenant (tenant_id, client_id, name, created_at) values ($1, $2, $3, $4)
             on conflict (client_id, name) do nothing",
            id,
            client.as_str(),
            name,
            now
        )
        .execute(&mut **tx)
        .await
        .map_err(|error| {
            if violates(&error, "tenant_client_id_fkey") {
                StoreError::NotFound { what: "client" }
            } else {
                error.into()
            }
        })?;
        find_tenant(tx, client, name)
            .await?
            .ok_or(StoreError::NotFound { what: "tenant" })
    }
}

type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

async fn find_tenant(
    tx: &mut Transaction,
    client: &ClientId,
    name: &str,
) -> Result<Option<TenantId>, StoreError> {
    let id = sqlx::query_scalar!(
        "select tenant_id from tenant where client_id = $1 and name = $2",
        client.as_str(),
        name
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(TenantId::new))
}
