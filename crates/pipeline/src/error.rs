//! Why a job failed, and what that asks for.

use domain::{Classify, ErrorKind};
use store::StoreError;
use store::events::DecodeError;
use thiserror::Error;

/// How often a job may panic before it is given up. The core computes the same from the same data,
/// so a further attempt only helps where the machine was short of memory.
pub const PANICS_MAX: u32 = 3;

/// Why a job failed.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The threads for computing cannot be started.
    #[error("the computing threads cannot be started")]
    NoThreads(#[source] rayon::ThreadPoolBuildError),
    /// The message is none that this program knows.
    #[error("the message cannot be read")]
    Message(#[source] DecodeError),
    /// The message speaks of another tenant than its envelope.
    #[error("the message and its envelope name different tenants")]
    ForeignTenant,
    /// The core panicked. Its words are not kept, they may quote the data.
    #[error("the analysis panicked")]
    Panicked,
    /// A result cannot be written as JSON.
    #[error("the result of module `{module}` cannot be written")]
    Unwritable {
        /// The module.
        module: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The database said no.
    #[error("the database did not do its part")]
    Store(#[from] StoreError),
}

/// What a failure asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Another attempt may succeed.
    Retry,
    /// No further attempt can succeed; the run fails.
    Poison,
    /// The database does not answer; waiting helps.
    Unavailable,
}

impl PipelineError {
    /// What the failure of the given attempt (counted from one) asks for.
    pub fn disposition(&self, attempt: u32) -> Disposition {
        match self {
            Self::Message(_)
            | Self::ForeignTenant
            | Self::Unwritable { .. }
            | Self::Store(StoreError::Corrupt { .. }) => Disposition::Poison,
            // The whole database does not answer or lets nobody in: no fault of this job.
            Self::Store(StoreError::Unavailable(_) | StoreError::Refused(_)) => {
                Disposition::Unavailable
            }
            Self::Panicked if attempt >= PANICS_MAX => Disposition::Poison,
            // Contention is among these: a statement that runs into its time limit at each attempt
            // would be repeated for ever if attempts were not counted.
            Self::Store(_) | Self::NoThreads(_) | Self::Panicked => Disposition::Retry,
        }
    }

    /// The error with its causes in one line, for the run's record.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            source = cause.source();
        }
        line
    }
}

impl Classify for PipelineError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Message(_) | Self::ForeignTenant => ErrorKind::InvalidInput,
            Self::NoThreads(_) | Self::Panicked | Self::Unwritable { .. } => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_ask_for_what_can_help() {
        let corrupt = || PipelineError::Store(StoreError::Corrupt { column: "a.b" });
        let unknown = || {
            PipelineError::Message(DecodeError::UnknownTopic {
                topic: "x.v1".to_owned(),
            })
        };
        for (error, attempt, expected) in [
            (PipelineError::Panicked, 1, Disposition::Retry),
            (PipelineError::Panicked, PANICS_MAX, Disposition::Poison),
            (corrupt(), 1, Disposition::Poison),
            (unknown(), 1, Disposition::Poison),
            (
                StoreError::NotFound { what: "user" }.into(),
                9,
                Disposition::Retry,
            ),
        ] {
            assert_eq!(error.disposition(attempt), expected, "{error}");
        }
        assert_eq!(
            unknown().chain(),
            "the message cannot be read: unknown topic `x.v1`"
        );
    }
}
