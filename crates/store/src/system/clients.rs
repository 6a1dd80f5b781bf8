//! API clients, as an operator administers them.

use chrono::{DateTime, Utc};
use domain::{ClientId, Sensitive};

use super::SystemStore;
use crate::error::{StoreError, violates};

/// Most clients that are listed.
pub const CLIENTS_MAX: i64 = 10_000;

const UNKNOWN_CLIENT: StoreError = StoreError::NotFound { what: "client" };

/// A client that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClient {
    /// Identifier.
    pub id: ClientId,
    /// Argon2id hash of its secret, in PHC form.
    pub secret_hash: Sensitive<String>,
    /// Canonical names of the scopes that it may ask for.
    pub scopes: Vec<String>,
}

/// A client without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSummary {
    /// Identifier.
    pub id: ClientId,
    /// Canonical names of the scopes that it may ask for.
    pub scopes: Vec<String>,
    /// How many tenants it has.
    pub tenants: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When secret or scopes were last changed.
    pub updated_at: DateTime<Utc>,
}

impl SystemStore {
    /// Stores a new client.
    ///
    /// # Errors
    /// `Duplicate`.
    pub async fn add_client(&self, client: &NewClient) -> Result<(), StoreError> {
        let now = self.now();
        sqlx::query!(
            "insert into client (client_id, secret_hash, scopes, created_at, updated_at)
             values ($1, $2, $3, $4, $4)",
            client.id.as_str(),
            client.secret_hash.as_str(),
            &client.scopes,
            now
        )
        .execute(self.pool())
        .await
        .map_err(|error| {
            if violates(&error, "client_pkey") {
                StoreError::Duplicate { what: "client" }
            } else {
                error.into()
            }
        })?;
        Ok(())
    }

    /// Lists the clients by name, [`CLIENTS_MAX`] at most.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn list_clients(&self) -> Result<Vec<ClientSummary>, StoreError> {
        let rows = sqlx::query!(
            r#"select client_id, scopes, created_at, updated_at,
                      (select count(*) from tenant
                       where tenant.client_id = client.client_id) as "tenants!"
               from client order by client_id limit $1"#,
            CLIENTS_MAX
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                let id = ClientId::try_new(row.client_id).map_err(|_| StoreError::Corrupt {
                    column: "client.client_id",
                })?;
                Ok(ClientSummary {
                    id,
                    scopes: row.scopes,
                    tenants: row.tenants,
                    created_at: row.created_at,
                    updated_at: row.updated_at,
                })
            })
            .collect()
    }

    /// Whether a client is known.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn client_exists(&self, id: &ClientId) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"select exists (select 1 from client where client_id = $1) as "found!""#,
            id.as_str()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(found)
    }

    /// Replaces the scopes of a client.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_client_scopes(
        &self,
        id: &ClientId,
        scopes: &[String],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let changed = sqlx::query!(
            "update client set scopes = $2, updated_at = $3 where client_id = $1",
            id.as_str(),
            scopes,
            now
        )
        .execute(self.pool())
        .await?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN_CLIENT);
        }
        Ok(())
    }

    /// Replaces the secret of a client.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_client_secret_hash(
        &self,
        id: &ClientId,
        secret_hash: &Sensitive<String>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let changed = sqlx::query!(
            "update client set secret_hash = $2, updated_at = $3 where client_id = $1",
            id.as_str(),
            secret_hash.as_str(),
            now
        )
        .execute(self.pool())
        .await?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN_CLIENT);
        }
        Ok(())
    }
}
