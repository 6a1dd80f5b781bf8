//! How the process ends: its exit code, and its last words.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Error;
use domain::{Classify, ErrorKind};
use gateway::GatewayError;
use pipeline::PipelineError;
use queue::QueueError;
use store::StoreError;
use store::embedded::EmbeddedError;
use webhooks::error::WebhooksError;

use crate::config::ConfigError;

/// Something failed.
const FAILURE: u8 = 1;
/// Wrong usage, configuration or input; also what the command line's parser uses.
const USAGE: u8 = 2;
/// There is no such thing.
const NOT_FOUND: u8 = 4;
/// Not in the present state.
const CONFLICT: u8 = 5;
/// Something that is needed does not answer.
const UNAVAILABLE: u8 = 6;
/// `rules check` found problems.
pub(crate) const PROBLEMS: u8 = 7;
/// Stopped at once by a second signal, as shells report an interrupt.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error of the command line itself, with the class that its exit code follows.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// Writes the error with its causes as one line and chooses the exit code.
pub(crate) fn report(error: &Error) -> ExitCode {
    // Standard error may be closed; the exit code says it too.
    let _ = writeln!(std::io::stderr(), "kontor: {error:#}");
    ExitCode::from(code(error))
}

/// The exit code of an error: that of the outermost cause whose class is known.
pub(crate) fn code(error: &Error) -> u8 {
    error.chain().find_map(known_code).unwrap_or(FAILURE)
}

fn known_code(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if cause.is::<ConfigError>() {
        return Some(USAGE);
    }
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        return Some(of_kind(refusal.kind));
    }
    let kinds = [
        kind_of::<StoreError>(cause),
        kind_of::<EmbeddedError>(cause),
        kind_of::<QueueError>(cause),
        kind_of::<PipelineError>(cause),
        kind_of::<WebhooksError>(cause),
    ];
    if let Some(kind) = kinds.into_iter().flatten().next() {
        return Some(of_kind(kind));
    }
    match cause.downcast_ref::<GatewayError>() {
        Some(GatewayError::Settings(_)) => Some(USAGE),
        Some(GatewayError::Listener(_)) => Some(UNAVAILABLE),
        Some(GatewayError::Secret(_) | GatewayError::Rules(_) | GatewayError::Serialize(_)) => {
            Some(FAILURE)
        }
        None => None,
    }
}

fn kind_of<E: Classify + std::error::Error + 'static>(
    cause: &(dyn std::error::Error + 'static),
) -> Option<ErrorKind> {
    cause.downcast_ref::<E>().map(Classify::kind)
}

const fn of_kind(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidInput | ErrorKind::TooLarge => USAGE,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Conflict => CONFLICT,
        ErrorKind::Unavailable | ErrorKind::TooManyRequests => UNAVAILABLE,
        ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::Internal => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn exit_codes_follow_the_cause() {
        let of = |kind| Error::from(Refusal::new(kind, "so it is"));
        for (error, expected) in [
            (anyhow!("anything"), FAILURE),
            (Error::from(ConfigError(Vec::new())), USAGE),
            (of(ErrorKind::NotFound), NOT_FOUND),
            (of(ErrorKind::Conflict), CONFLICT),
            (
                Error::from(StoreError::NotFound { what: "client" }),
                NOT_FOUND,
            ),
            (
                Error::from(StoreError::NotFound { what: "client" }).context("while it rained"),
                NOT_FOUND,
            ),
            (Error::from(EmbeddedError::Interrupted), UNAVAILABLE),
        ] {
            assert_eq!(code(&error), expected, "{error:#}");
        }
        let chain = Err::<(), _>(StoreError::BadUrl).context("while it rained");
        let line = format!("{:#}", chain.expect_err("an error"));
        assert_eq!(line, "while it rained: the database address cannot be read");
    }
}
