//! The only way to a tenant's rows: a transaction bound to that tenant.

mod accounts;
mod batch;
mod deliveries;
mod emit;
mod idempotency;
mod page;
mod patterns;
mod rows;
mod runs;
mod tags;
mod tenant_rules;
mod transactions;
mod users;
mod webhooks;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::TenantId;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Shared;

pub use accounts::{ACCOUNTS_PER_USER_MAX, AccountIdentity, Include, SetMode};
pub use batch::{FinishedBatch, Hold, ModuleResult, NewTag};
pub use deliveries::{
    DELIVERIES_PAGE_MAX, Delivery, DeliveryFilter, DeliveryStatus, REPLAY_RANGE_MAX, ReplayRange,
};
pub use emit::NewEvent;
pub use idempotency::{IDEMPOTENCY_KEY_BYTES_MAX, Remembered, StoredAnswer};
pub use page::{PAGE_SIZE_MAX, Page};
pub use patterns::PATTERN_SET_BYTES_MAX;
pub use runs::{Claimed, RunRequest};
pub use tags::{TagFilter, TagPage, TaggedTransaction};
pub use tenant_rules::{NewTenantRules, TenantRuleSource};
pub use transactions::TRANSACTIONS_PER_USER_MAX;
pub use users::{NewUser, User, UserPage, UserPatch};
pub use webhooks::{
    CreatedWebhook, NewWebhook, SecretChange, WEBHOOKS_PER_TENANT_MAX, Webhook, WebhookMethod,
    WebhookPatch,
};
pub(crate) use webhooks::{Kind, SealedPlace};

/// A transaction of one tenant. Dropping it rolls it back.
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: TenantId,
    shared: Arc<Shared>,
}

impl fmt::Debug for TenantTx {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TenantTx({})", self.tenant)
    }
}

impl TenantTx {
    pub(crate) async fn open(
        mut tx: Transaction<'static, Postgres>,
        tenant: TenantId,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let id = tenant.to_string();
        sqlx::query!("select set_config('app.tenant_id', $1, true) as tenant", id)
            .fetch_one(&mut *tx)
            .await?;
        Ok(Self { tx, tenant, shared })
    }

    /// Whose transaction it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Makes everything that was done visible and durable.
    ///
    /// # Errors
    /// `Unavailable` when the connection is lost; whether it was committed is then unknown.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }

    fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The tenant as the queries bind it.
    fn id(&self) -> Uuid {
        self.tenant.as_uuid()
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.now()
    }
}
