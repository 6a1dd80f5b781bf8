//! What can go wrong between the outbox and a handler.

use domain::{Classify, ErrorKind};
use thiserror::Error;

use crate::handler::Cause;

/// Why a message did not get further, or a transport could not be set up.
#[derive(Debug, Error)]
pub enum QueueError {
    /// The broker's address cannot be read. The address holds a password and is not repeated.
    #[error("AMQP_URL is no AMQP address, amqp[s]://user:password@host:port/vhost: {reason}")]
    InvalidAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// The broker does not answer; no other message will fare better now.
    #[error("the broker does not answer")]
    Unavailable(#[source] Cause),
    /// The broker answered and did not take this message; others may fare better.
    #[error("the broker did not take the message: {reason}")]
    Refused {
        /// In the broker's words.
        reason: String,
    },
    /// The message was to be handled in place, and that attempt failed.
    #[error("the attempt to handle the message in place failed")]
    Failed,
    /// The process shuts down.
    #[error("interrupted by the shutdown")]
    Interrupted,
}

impl Classify for QueueError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidAddress { .. } => ErrorKind::InvalidInput,
            Self::Unavailable(_) | Self::Interrupted => ErrorKind::Unavailable,
            Self::Refused { .. } | Self::Failed => ErrorKind::Internal,
        }
    }
}

impl From<lapin::Error> for QueueError {
    fn from(error: lapin::Error) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
