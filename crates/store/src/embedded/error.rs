//! Why the private cluster cannot run; each message says what to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use domain::{Classify, ErrorKind};
use thiserror::Error;

use crate::error::StoreError;

/// Why the private cluster cannot be started, reached or stopped.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// No server binaries on this machine.
    #[error(
        "no PostgreSQL server was found (searched {}); install one (Debian, Ubuntu: \
         `apt-get install postgresql`; macOS: `brew install postgresql@17`), name its directory \
         in KONTOR_DATABASE__BIN_DIR, or set DATABASE_URL to use a server of your own",
        list(searched)
    )]
    BinariesMissing {
        /// Where was looked.
        searched: Vec<PathBuf>,
    },
    /// The named directory lacks a program.
    #[error("{} has no working `{program}`; KONTOR_DATABASE__BIN_DIR must name PostgreSQL's bin directory", dir.display())]
    BinariesIncomplete {
        /// The directory.
        dir: PathBuf,
        /// What is missing.
        program: &'static str,
    },
    /// The server is too old for the schema.
    #[error("PostgreSQL {found} is too old: version {oldest} or newer is needed")]
    UnsupportedVersion {
        /// Version found.
        found: String,
        /// Oldest major version that works.
        oldest: u32,
    },
    /// The cluster belongs to another major version.
    #[error(
        "the cluster in {} was made by PostgreSQL {created_by}, but only version {found} is \
         installed; install PostgreSQL {created_by} beside it, upgrade the cluster with \
         pg_upgrade, or choose another KONTOR_DATA_DIR", dir.display()
    )]
    OtherMajorVersion {
        /// The cluster.
        dir: PathBuf,
        /// Its major version.
        created_by: u32,
        /// The versions on this machine.
        found: String,
    },
    /// Root needs somebody else to run the server.
    #[error(
        "PostgreSQL refuses to run as root, and there is no user {names}; create one or name one \
         in KONTOR_DATABASE__UNPRIVILEGED_USER"
    )]
    UserMissing {
        /// The users that were tried.
        names: String,
    },
    /// The named user is root itself.
    #[error(
        "PostgreSQL refuses to run as root: KONTOR_DATABASE__UNPRIVILEGED_USER must name another user"
    )]
    UserIsRoot,
    /// Another Kontor has the directory.
    #[error(
        "another kontor{} uses {}; stop it, or choose another KONTOR_DATA_DIR and KONTOR_LISTEN",
        holder.map(|id| format!(" (process {id})")).unwrap_or_default(), dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Process that holds it, if it wrote its id.
        holder: Option<u32>,
    },
    /// Somebody else's directory.
    #[error(
        "{} belongs to user id {owner}, but the server would run as user id {expected}; it was \
         probably made by another user: run as that user, or choose another KONTOR_DATA_DIR",
        path.display()
    )]
    ForeignOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user that runs the server.
        expected: u32,
    },
    /// The server's user cannot get there.
    #[error(
        "user {user}, who runs PostgreSQL because root may not, cannot enter {}; choose a \
         KONTOR_DATA_DIR outside it", path.display()
    )]
    Unreachable {
        /// The directory that is closed.
        path: PathBuf,
        /// The user.
        user: String,
    },
    /// A Unix socket's path is limited by the operating system.
    #[error(
        "the path {} is too long for a Unix socket ({max} bytes at most); choose a shorter \
         KONTOR_DATA_DIR", path.display()
    )]
    PathTooLong {
        /// The socket directory.
        path: PathBuf,
        /// Longest possible path in bytes.
        max: usize,
    },
    /// A cluster without its passwords.
    #[error(
        "{} is missing, and with it the passwords of the cluster beside it; restore the file, or \
         move the directory away to start anew", path.display()
    )]
    PasswordsMissing {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{} cannot be read as the cluster's passwords", path.display())]
    PasswordsUnreadable {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
    /// `initdb` failed.
    #[error("initdb could not make a cluster in {}: {output}", dir.display())]
    InitFailed {
        /// The directory.
        dir: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error("PostgreSQL did not start ({status}); {} ends with:\n{log}", log_file.display())]
    StartFailed {
        /// How it ended.
        status: String,
        /// Where it logs.
        log_file: PathBuf,
        /// The last lines.
        log: String,
    },
    /// The server did not come up in time.
    #[error("PostgreSQL did not accept connections within {seconds} s; {} ends with:\n{log}", log_file.display())]
    StartTimedOut {
        /// The limit.
        seconds: u64,
        /// Where it logs.
        log_file: PathBuf,
        /// The last lines.
        log: String,
    },
    /// The server ended while it was needed.
    #[error("PostgreSQL ended unexpectedly ({status}); {} ends with:\n{log}", log_file.display())]
    Died {
        /// How it ended.
        status: String,
        /// Where it logs.
        log_file: PathBuf,
        /// The last lines.
        log: String,
    },
    /// The server did not end in time.
    #[error("PostgreSQL (process {process}) did not stop within {seconds} s")]
    StopTimedOut {
        /// Its process id.
        process: u32,
        /// The limit.
        seconds: u64,
    },
    /// A file or process operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The new cluster could not be furnished with roles and a database.
    #[error("cannot set up roles and database of the private cluster")]
    Bootstrap(#[source] StoreError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes for passwords")]
    NoRandomness,
    /// The process is ending.
    #[error("the start was interrupted")]
    Interrupted,
}

impl Classify for EmbeddedError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } => ErrorKind::Conflict,
            Self::BinariesMissing { .. }
            | Self::BinariesIncomplete { .. }
            | Self::UnsupportedVersion { .. }
            | Self::OtherMajorVersion { .. }
            | Self::UserMissing { .. }
            | Self::UserIsRoot
            | Self::ForeignOwner { .. }
            | Self::Unreachable { .. }
            | Self::PathTooLong { .. }
            | Self::PasswordsMissing { .. } => ErrorKind::InvalidInput,
            Self::StartFailed { .. }
            | Self::StartTimedOut { .. }
            | Self::Died { .. }
            | Self::StopTimedOut { .. }
            | Self::Bootstrap(_)
            | Self::Interrupted => ErrorKind::Unavailable,
            Self::PasswordsUnreadable { .. }
            | Self::InitFailed { .. }
            | Self::Io { .. }
            | Self::NoRandomness => ErrorKind::Internal,
        }
    }
}

/// Names the action and the path of a failed file operation.
pub(super) fn io(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io {
        action,
        path,
        source,
    }
}

fn list(paths: &[PathBuf]) -> String {
    let mut text = String::new();
    for path in paths {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{}", path.display());
    }
    text
}
