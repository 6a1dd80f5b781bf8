//! What can go wrong with the database, by cause.

use std::fmt;

use domain::{Classify, ErrorKind};
use thiserror::Error;

use crate::vault::VaultError;

/// Why the store could not do what it was asked for.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Nothing there, or not for this tenant.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// It is there already, or came twice in one request.
    #[error("{what} exists already")]
    Duplicate {
        /// What exists.
        what: &'static str,
    },
    /// The present state forbids it.
    #[error("{reason}")]
    Conflict {
        /// The rule that forbids it.
        reason: &'static str,
    },
    /// A value that the store cannot keep.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than a named limit allows.
    #[error("at most {max} {what} are allowed")]
    LimitReached {
        /// What there would be too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// More analysis runs wait for one user than the limit allows.
    #[error("at most {max} analysis runs of one user may wait")]
    TooManyOpenRuns {
        /// The limit.
        max: usize,
    },
    /// The role could pass row-level security by.
    #[error("database role `{role}` must not be used: {reason}")]
    UnsafeRole {
        /// The role's name.
        role: String,
        /// What makes it unsafe.
        reason: &'static str,
    },
    /// The database's schema is not the one that this program was built for.
    #[error("the database schema does not fit this program: {reason}; run `kontor migrate`")]
    SchemaOutOfDate {
        /// What differs.
        reason: String,
    },
    /// The address of the database cannot be read. The address is not shown, it holds a password.
    #[error("the database address cannot be read")]
    BadUrl,
    /// A stored value that no version of this program writes.
    #[error("stored value in `{column}` cannot be read")]
    Corrupt {
        /// Where it is stored.
        column: &'static str,
    },
    /// A secret could not be sealed or opened.
    #[error("a stored secret cannot be sealed or opened")]
    Vault(#[source] VaultError),
    /// The server is older than what the queries rely on.
    #[error("PostgreSQL {found} is too old, {wanted} or newer is needed")]
    ServerTooOld {
        /// Major version of the server.
        found: u32,
        /// Oldest major version that works.
        wanted: u32,
    },
    /// The server does not let the role in, or there is no such database.
    #[error("the database refuses the connection")]
    Refused(#[source] DatabaseFault),
    /// The database does not answer, or not now; trying again may help.
    #[error("the database is not available")]
    Unavailable(#[source] DatabaseFault),
    /// Transactions got into each other's way; repeating the whole transaction helps.
    #[error("the database transaction must be repeated")]
    Contention(#[source] DatabaseFault),
    /// The owner of the database may not do something that migrating needs.
    #[error("the database owner lacks a privilege")]
    OwnerLacksPrivilege(#[source] DatabaseFault),
    /// A statement failed for another reason.
    #[error("a database statement failed")]
    Query(#[source] DatabaseFault),
}

impl StoreError {
    /// Whether repeating the whole transaction may help.
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::Unavailable
    }
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Duplicate { .. } | Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Invalid { .. } => ErrorKind::InvalidInput,
            Self::LimitReached { .. } => ErrorKind::TooLarge,
            Self::TooManyOpenRuns { .. } => ErrorKind::TooManyRequests,
            Self::Unavailable(_) | Self::Contention(_) => ErrorKind::Unavailable,
            Self::UnsafeRole { .. }
            | Self::SchemaOutOfDate { .. }
            | Self::BadUrl
            | Self::Corrupt { .. }
            | Self::Vault(_)
            | Self::ServerTooOld { .. }
            | Self::Refused(_)
            | Self::OwnerLacksPrivilege(_)
            | Self::Query(_) => ErrorKind::Internal,
        }
    }
}

/// What the database or the connection to it said.
///
/// Only the primary message is kept: the server's detail and context can quote stored values.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseFault {
    sqlstate: Option<String>,
    constraint: Option<String>,
    message: String,
}

impl DatabaseFault {
    /// The five-character code, if the server answered at all.
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// The constraint that was violated.
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    fn class(&self) -> Class {
        match self.sqlstate.as_deref() {
            Some("40001" | "40P01" | "55P03" | "57014") => Class::Contention,
            // Shutdown by an operator, crash, starting up, idle in a transaction for too long;
            // read-only, as a server is that has not taken over yet.
            Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006") => Class::Unavailable,
            // Connection exceptions; out of connections, memory or disk.
            Some(code) if code.starts_with("08") || code.starts_with("53") => Class::Unavailable,
            // Invalid authorisation; no such database.
            Some(code) if code.starts_with("28") || code == "3D000" => Class::Refused,
            Some(_) | None => Class::Other,
        }
    }
}

impl fmt::Display for DatabaseFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlstate {
            Some(code) => write!(formatter, "{} (SQLSTATE {code})", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl fmt::Debug for DatabaseFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for DatabaseFault {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Contention,
    Unavailable,
    Refused,
    Other,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let fault = fault(&error);
        match fault.class() {
            Class::Contention => return Self::Contention(fault),
            Class::Unavailable => return Self::Unavailable(fault),
            Class::Refused => return Self::Refused(fault),
            Class::Other => {}
        }
        let lost = matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        );
        if lost {
            Self::Unavailable(fault)
        } else {
            Self::Query(fault)
        }
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

fn fault(error: &sqlx::Error) -> DatabaseFault {
    match error.as_database_error() {
        Some(database) => DatabaseFault {
            sqlstate: database.code().map(Into::into),
            constraint: database.constraint().map(Into::into),
            message: database.message().to_owned(),
        },
        None => DatabaseFault {
            sqlstate: None,
            constraint: None,
            message: error.to_string(),
        },
    }
}

/// Whether the error is the violation of the named constraint.
pub(crate) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint)
        == Some(constraint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_code(code: &str) -> DatabaseFault {
        DatabaseFault {
            sqlstate: Some(code.to_owned()),
            constraint: None,
            message: "said".to_owned(),
        }
    }

    #[test]
    fn codes_are_classed() {
        for (code, expected) in [
            ("40001", Class::Contention),
            ("40P01", Class::Contention),
            ("55P03", Class::Contention),
            ("57014", Class::Contention),
            ("57P01", Class::Unavailable),
            ("57P03", Class::Unavailable),
            ("25006", Class::Unavailable),
            ("08006", Class::Unavailable),
            ("53300", Class::Unavailable),
            ("28P01", Class::Refused),
            ("3D000", Class::Refused),
            ("23505", Class::Other),
            ("42501", Class::Other),
        ] {
            assert!(with_code(code).class() == expected, "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_worth_a_retry_and_a_missing_row_is_not() {
        for (error, retryable) in [
            (sqlx::Error::PoolTimedOut, true),
            (sqlx::Error::PoolClosed, true),
            (
                sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()),
                true,
            ),
            (sqlx::Error::RowNotFound, false),
        ] {
            let text = error.to_string();
            assert_eq!(StoreError::from(error).is_retryable(), retryable, "{text}");
        }
    }

    #[test]
    fn the_source_is_not_repeated_in_the_message() {
        let error = StoreError::Query(with_code("42501"));
        assert_eq!(error.to_string(), "a database statement failed");
        assert_eq!(format!("{:?}", with_code("1")), "said (SQLSTATE 1)");
    }
}
