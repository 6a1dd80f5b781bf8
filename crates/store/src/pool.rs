//! Connections: settings, and the checks that a role must pass before it is used.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Clock, IdSource, Sensitive};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

use crate::error::StoreError;
use crate::migrate;
use crate::vault::Vault;

/// Longest time that one statement may take.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_mins(2);
/// Longest time that a statement waits for another transaction's row.
pub const LOCK_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time that a transaction may stay open without a statement.
pub const IDLE_TRANSACTION_TIMEOUT: Duration = Duration::from_mins(1);

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// `postgres://role:password@host:port/database`.
    pub url: Sensitive<String>,
    /// Most connections at a time.
    pub max_connections: u32,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
}

impl PoolSettings {
    /// Settings with ten connections and ten seconds of patience.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Sensitive::new(url.into()),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// What a store and its transactions share.
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
}

impl Shared {
    /// The present moment, as precise as the database keeps it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }
}

/// The group role whose policies a connection relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Runtime,
    System,
}

impl Group {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Runtime => "kontor_runtime",
            Self::System => "kontor_system",
        }
    }

    /// The group that the role must not be in as well.
    const fn other(self) -> &'static str {
        match self {
            Self::Runtime => "kontor_system",
            Self::System => "kontor_runtime",
        }
    }
}

/// Reads an address without ever repeating it in an error.
pub(crate) fn options(url: &Sensitive<String>) -> Result<PgConnectOptions, StoreError> {
    PgConnectOptions::from_str(url.as_str())
        .map(ConnectOptions::disable_statement_logging)
        .map(|options| options.application_name("kontor"))
        .map_err(|_| StoreError::BadUrl)
}

fn limited(options: PgConnectOptions) -> PgConnectOptions {
    let millis = |limit: Duration| limit.as_millis().to_string();
    options.options([
        ("statement_timeout", millis(STATEMENT_TIMEOUT)),
        ("lock_timeout", millis(LOCK_TIMEOUT)),
        (
            "idle_in_transaction_session_timeout",
            millis(IDLE_TRANSACTION_TIMEOUT),
        ),
        // Arrays of 50,000 make a plan look dear enough for compiling, which costs more than it.
        ("jit", "off".to_owned()),
    ])
}

/// Opens a pool and checks role and schema.
pub(crate) async fn open(settings: &PoolSettings, group: Group) -> Result<PgPool, StoreError> {
    let options = limited(options(&settings.url)?);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_with(options)
        .await?;
    check_role(&pool, group).await?;
    migrate::check_applied(&pool).await?;
    Ok(pool)
}

/// Refuses a role that row-level security would not hold.
async fn check_role(pool: &PgPool, group: Group) -> Result<(), StoreError> {
    let (wanted, unwanted) = (group.name(), group.other());
    let row = sqlx::query_file!("src/queries/role.sql", wanted, unwanted)
        .fetch_one(pool)
        .await?;
    let reason = if row.is_superuser {
        "it is a superuser or may become one"
    } else if row.bypasses_policies {
        "it may bypass row-level security"
    } else if row.owns_tables {
        "it owns tables of the schema or belongs to their owner"
    } else if row.in_unwanted {
        "it belongs to both kontor_runtime and kontor_system"
    } else if row.in_wanted {
        return Ok(());
    } else {
        "it does not belong to the group role that `kontor migrate` grants"
    };
    Err(StoreError::UnsafeRole {
        role: row.role,
        reason,
    })
}
