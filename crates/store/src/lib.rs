//! PostgreSQL: migrations, queries, tenant transactions, outbox.
//!
//! [`Store`] serves one tenant at a time as the runtime role: every [`TenantTx`] sets the tenant
//! for its transaction, every query names it as well, and forced row-level security stands behind
//! both. [`SystemStore`] does the work that spans tenants, as a second role.
//!
//! **Invariant:** no other crate names the database driver, no query reads the server's clock,
//! and no error repeats a stored value.

pub mod audit;
pub mod cluster;
pub mod embedded;
pub mod events;
pub mod listen;
pub mod migrate;
pub mod vault;

mod error;
mod pool;
mod run;
mod store;
mod system;
mod tenant_tx;
mod text;

pub use error::{DatabaseFault, StoreError};
pub use pool::{IDLE_TRANSACTION_TIMEOUT, LOCK_TIMEOUT, PoolSettings, STATEMENT_TIMEOUT};
pub use run::{
    ClaimedRun, OPEN_RUNS_PER_USER_MAX, RUNS_KEPT_PER_USER, Run, RunBatch, RunCause, RunStatus,
    TraceContext,
};
pub use store::{Client, Store, TENANTS_PER_CLIENT_MAX, UnknownTenant};
pub use system::*;
pub use tenant_tx::*;
