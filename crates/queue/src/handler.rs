//! What handles a message, and how it says what became of it.

use std::error::Error as StdError;
use std::fmt;

use crate::message::{DeadReason, Delivery, Message};

/// The error that a handler met.
pub type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// Handles messages. `cli` wires the pipeline's steps in through this.
pub trait Handler: Send + Sync + 'static {
    /// Handles a message. It may come again after success, and also while an earlier attempt still
    /// runs elsewhere; a second time must change nothing.
    ///
    /// The future may be dropped at any await point when the process shuts down.
    ///
    /// # Errors
    /// What to do next is the error's [`FailureKind`]. A panic counts as `Retry`.
    fn handle(&self, delivery: &Delivery) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Takes notice that a message will not be tried again, and says why it failed in words for
    /// the operator, without personal data. It may be called more than once.
    ///
    /// # Errors
    /// The notice could not be taken and has to be repeated.
    fn dead(
        &self,
        message: &Message,
        reason: DeadReason,
    ) -> impl Future<Output = Result<String, HandlerError>> + Send;
}

/// What a failure asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Another attempt may succeed; attempts are limited.
    Retry,
    /// No further attempt can succeed.
    Poison,
    /// Something that the handler needs does not answer. Waiting is not counted as an attempt.
    Unavailable,
}

/// Why a handler failed.
#[derive(Debug)]
pub struct HandlerError {
    kind: FailureKind,
    cause: Cause,
}

impl HandlerError {
    /// An error that asks for `kind`. Its text must not contain personal data: it is logged.
    pub fn new(kind: FailureKind, cause: impl Into<Cause>) -> Self {
        Self {
            kind,
            cause: cause.into(),
        }
    }

    /// What it asks for.
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            FailureKind::Retry => "the attempt failed",
            FailureKind::Poison => "no attempt can succeed",
            FailureKind::Unavailable => "something needed does not answer",
        })
    }
}

impl StdError for HandlerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// An error with its chain of causes, as one line for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(formatter, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_written_as_one_line() {
        let error = HandlerError::new(FailureKind::Retry, std::io::Error::other("disk full"));
        assert_eq!(Chain(&error).to_string(), "the attempt failed: disk full");
    }
}
