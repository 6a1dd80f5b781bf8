//! The system role's door to the database: work that spans tenants.
//!
//! Each use, and why it cannot be one tenant's: clients are above tenants; the outbox and the
//! deliveries are worked off for all tenants alike; dead letters and failed runs are inspected by
//! the operator, who knows no tenant; purging is housekeeping.

mod backlog;
mod clients;
mod dead_letters;
mod due;
mod outbox;
mod purge;
mod runs;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, IdSource};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres, Transaction};

use crate::error::StoreError;
use crate::listen::{Channel, Listener};
use crate::pool::{self, Group, PoolSettings, Shared};
use crate::vault::Vault;

pub use backlog::Backlog;
pub use clients::{CLIENTS_MAX, ClientSummary, NewClient};
pub use dead_letters::{DEAD_LETTERS_PAGE_MAX, DeadLetter, NewDeadLetter};
pub(crate) use due::BLOCKED_WAIT;
pub use due::{DELIVERY_LEASE_MAX, DueDelivery, Outcome};
pub use outbox::{MessageKey, OUTBOX_LEASE_MAX, OutboxMessage};
pub use purge::{PURGE_ROWS_MAX, PurgeLimits, Purged};
pub use runs::{RUNS_PAGE_MAX, RunOverview, STALE_RUNS_MAX};

/// The database as the system role sees it: all tenants, but neither accounts nor transactions.
#[derive(Clone)]
pub struct SystemStore {
    shared: Arc<Shared>,
    options: Arc<PgConnectOptions>,
}

impl fmt::Debug for SystemStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SystemStore")
    }
}

impl SystemStore {
    /// Connects and checks that role and schema are what the program relies on.
    ///
    /// # Errors
    /// As [`crate::Store::connect`].
    pub async fn connect(
        settings: &PoolSettings,
        vault: Vault,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, StoreError> {
        let options = pool::options(&settings.url)?;
        let pool = pool::open(settings, Group::System).await?;
        let shared = Shared {
            pool,
            vault,
            clock,
            ids,
        };
        Ok(Self {
            shared: Arc::new(shared),
            options: Arc::new(options),
        })
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query!("select 1 as one")
            .fetch_one(self.pool())
            .await?;
        Ok(())
    }

    /// Closes every connection; transactions that are under way are waited for.
    pub async fn close(&self) {
        self.shared.pool.close().await;
    }

    /// Listens to a channel on a connection of its own.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn listen(&self, channel: Channel) -> Result<Listener, StoreError> {
        Listener::open((*self.options).clone(), channel).await
    }

    fn pool(&self) -> &PgPool {
        &self.shared.pool
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        Ok(self.shared.pool.begin().await?)
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.now()
    }

    /// The moment that lies a span after now.
    fn after(&self, span: Duration) -> DateTime<Utc> {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        self.now()
            .checked_add_signed(span)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The moment that lies a span before now.
    fn before(&self, span: Duration) -> DateTime<Utc> {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        self.now()
            .checked_sub_signed(span)
            .unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
    }
}
