//! A private `PostgreSQL` cluster for one machine: `kontor serve` without configuration.
//!
//! The host's server binaries run as a child of this process, on a directory of our own, and are
//! reached over a Unix socket in a directory that nobody else may enter. There is no TCP port, so
//! none can be taken or left open. Every role has a random password all the same.
//!
//! - Who runs the server: `PostgreSQL` refuses root, so a root caller's child runs as the user
//!   `postgres` (or `_postgres`, else `nobody`, unless the settings name one); any other caller's
//!   child runs as the caller.
//! - Lifetime: a small shell stands between us and the server and holds the read end of a pipe.
//!   When the write end closes, because we stop, crash or are killed, it ends the server.
//! - Recovery: a server that outlived its Kontor all the same is stopped before a new one starts;
//!   a lock file of a dead server is removed. Both happen under a file lock that the kernel
//!   releases with its holder.
//!
//! **Invariant:** one Kontor per data directory, and never two servers on one cluster.

mod account;
mod binaries;
mod bootstrap;
mod error;
mod layout;
mod leftover;
mod passwords;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use domain::Sensitive;

pub use error::EmbeddedError;

use account::ServerAccount;
use binaries::Binaries;
use layout::{DirectoryLock, Layout};
use passwords::Passwords;
use server::Server;

/// How long the server may take to come up; crash recovery after a power cut can be slow.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long stopping takes at most, when nobody is in a hurry.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of that is kept for stopping at once what does not stop in good order.
const IMMEDIATE_STOP_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Connections the server accepts; both pools and a few operator commands fit.
const CONNECTIONS_MAX: u32 = 100;

/// Where the cluster lives and what runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateClusterSettings {
    /// Kontor's data directory; the cluster is its subdirectory `postgres`.
    pub data_dir: PathBuf,
    /// Directory of the server binaries; searched for when absent.
    pub bin_dir: Option<PathBuf>,
    /// User that runs the server when the caller is root; chosen when absent.
    pub unprivileged_user: Option<String>,
}

/// A running private cluster.
///
/// Dropping it asks the server to stop and does not wait; [`PrivateCluster::stop`] waits.
#[derive(Debug)]
pub struct PrivateCluster {
    layout: Layout,
    passwords: Passwords,
    binaries: Binaries,
    account: ServerAccount,
    server: Server,
    _lock: DirectoryLock,
}

/// Database addresses of the cluster's three roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterUrls {
    /// Owns the database and its schema; for migrations alone.
    pub owner: Sensitive<String>,
    /// Login of the runtime role.
    pub runtime: Sensitive<String>,
    /// Login of the system role.
    pub system: Sensitive<String>,
}

impl PrivateCluster {
    /// Starts the cluster, creating it when the data directory has none.
    ///
    /// # Errors
    /// [`EmbeddedError`], each with what to do about it. `InUse` when another Kontor has the
    /// directory; [`attach`] then reaches its cluster.
    pub async fn start(settings: &PrivateClusterSettings) -> Result<Self, EmbeddedError> {
        let owned = settings.clone();
        let prepared = tokio::task::spawn_blocking(move || prepare(&owned))
            .await
            .map_err(|_| EmbeddedError::Interrupted)??;
        let server = Server::start(&prepared).await?;
        // Dropping the server ends it, should one of the next steps fail.
        let Prepared {
            layout,
            passwords,
            binaries,
            account,
            lock,
            ..
        } = prepared;
        bootstrap::ensure_roles_and_database(&layout, &passwords).await?;
        Ok(Self {
            layout,
            passwords,
            binaries,
            account,
            server,
            _lock: lock,
        })
    }

    /// The URLs to connect with.
    pub fn urls(&self) -> ClusterUrls {
        self.passwords.urls(&self.layout)
    }

    /// The version of the server, as `postgres --version` gives it: `15.8`.
    pub fn server_version(&self) -> &str {
        &self.binaries.version
    }

    /// Completes when the server ends by itself, with the reason that can be given for it.
    pub async fn died(&mut self) -> EmbeddedError {
        self.server.died(&self.layout).await
    }

    /// Stops the server: open transactions are rolled back, everything committed is on disk.
    ///
    /// Takes at most `within`, usually a tenth of a second. A server that has not ended shortly
    /// before is stopped at once, and recovers from its log at the next start.
    ///
    /// # Errors
    /// `StopTimedOut` when even that fails.
    pub async fn stop(self, within: Duration) -> Result<(), EmbeddedError> {
        self.server
            .stop(&self.layout, (&self.binaries, &self.account), within)
            .await
    }
}

/// The URLs of a cluster that another Kontor on this machine runs, for operator commands.
///
/// # Errors
/// `PasswordsMissing` when the directory has no cluster, or the caller may not read it.
pub fn attach(settings: &PrivateClusterSettings) -> Result<ClusterUrls, EmbeddedError> {
    let layout = Layout::new(&settings.data_dir)?;
    let passwords = Passwords::load(&layout)?.ok_or_else(|| EmbeddedError::PasswordsMissing {
        path: layout.passwords_file(),
    })?;
    Ok(passwords.urls(&layout))
}

/// Everything that is decided before the server starts.
pub(crate) struct Prepared {
    layout: Layout,
    passwords: Passwords,
    binaries: Binaries,
    account: ServerAccount,
    lock: DirectoryLock,
    /// Whether an earlier server had not shut down in order.
    unclean: bool,
}

/// Blocking: processes and files only, no network.
fn prepare(settings: &PrivateClusterSettings) -> Result<Prepared, EmbeddedError> {
    let account = ServerAccount::choose(settings.unprivileged_user.as_deref())?;
    let layout = Layout::new(&settings.data_dir)?;
    layout.create_data_dir(&account)?;
    let lock = DirectoryLock::take(&layout, &account)?;
    layout.create_cluster_dirs(&account)?;
    let cluster_major = layout.cluster_major()?;
    let binaries = Binaries::find(settings.bin_dir.as_deref(), cluster_major, &layout)?;
    let unclean = leftover::clear(&layout, &binaries, &account)?;
    let passwords = Passwords::load_or_create(&layout, cluster_major.is_some())?;
    if cluster_major.is_none() {
        server::init_cluster(&layout, &binaries, &account, &passwords)?;
    }
    Ok(Prepared {
        layout,
        passwords,
        binaries,
        account,
        lock,
        unclean,
    })
}
