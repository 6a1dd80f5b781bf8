//! Failed answers: the only table from causes to statuses, and the body `{type, message}`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Classify, ErrorKind};
use store::StoreError;
use thiserror::Error as ThisError;
use wire::{ErrorResponse, ErrorType, InvalidInput};

use crate::auth::{SecretError, TokenError};
use crate::rate::Exhausted;

/// What a handler answers.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// When a caller may try again after a failure on this side.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(2);
/// When a client may try again that has as many requests under way as it may.
const RETRY_BUSY: Duration = Duration::from_secs(1);

/// Why a request failed, by cause.
#[derive(Debug, ThisError)]
pub(crate) enum ApiError {
    /// The body cannot be used.
    #[error(transparent)]
    Input(#[from] InvalidInput),
    /// A parameter of path, query or header cannot be used. The value is not repeated.
    #[error("{name}: {reason}")]
    Parameter {
        name: Cow<'static, str>,
        reason: Cow<'static, str>,
    },
    /// The credentials are missing or wrong.
    #[error("{reason}")]
    Unauthorized { reason: &'static str },
    /// The access token is missing or not valid.
    #[error("{0}")]
    Token(TokenError),
    /// The caller is known and may not.
    #[error("Forbidden. No access to this resource: {reason}")]
    Forbidden { reason: Cow<'static, str> },
    /// Nothing there, or not for this tenant.
    #[error("{what} not found")]
    NotFound { what: &'static str },
    /// The path exists, but not with this method.
    #[error("this path does not have that method")]
    MethodNotAllowed,
    /// It contradicts an earlier request or the present state.
    #[error("{reason}")]
    Conflict { reason: &'static str },
    /// The body is longer than the limit.
    #[error("the body must not be longer than {max} bytes")]
    BodyTooLarge { max: usize },
    /// The body is not in a format that this path reads.
    #[error("Content-Type must be {expected}")]
    MediaType { expected: &'static str },
    /// The body is compressed.
    #[error("Content-Encoding must be identity")]
    ContentEncoding,
    /// Too often.
    #[error("too many requests, try again after {} s", whole_seconds(*retry_after))]
    TooManyRequests { retry_after: Duration },
    /// The answer took too long.
    #[error("the request took longer than {} s", limit.as_secs())]
    Timeout { limit: Duration },
    /// More requests at a time than the limit.
    #[error("too many requests are under way")]
    Overloaded,
    /// A handler panicked.
    #[error("the handler panicked")]
    Panicked,
    /// A client secret could not be compared.
    #[error("the credentials could not be checked")]
    Secret(#[source] SecretError),
    /// An answer could not be written.
    #[error("an answer could not be serialised")]
    Serialize(#[source] serde_json::Error),
    /// A thread for long computations died.
    #[error("a worker thread failed")]
    Worker,
    /// The server's state is not as it must be; says what.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// An inner layer answered with a status and no body of ours.
    #[error("{}", .0.canonical_reason().unwrap_or("the request failed"))]
    Bare(StatusCode),
    /// The database said no.
    #[error("{0}")]
    Store(StoreError),
}

impl ApiError {
    /// A parameter that cannot be used.
    pub(crate) fn parameter(
        name: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Parameter {
            name: name.into(),
            reason: reason.into(),
        }
    }

    /// A field of the body that cannot be used.
    pub(crate) fn field(path: &str, reason: impl Into<String>) -> Self {
        Self::Input(InvalidInput::new(path, reason))
    }

    /// The client has as many requests of a kind under way as it may.
    pub(crate) const fn busy() -> Self {
        Self::TooManyRequests {
            retry_after: RETRY_BUSY,
        }
    }

    /// Forbidden, for a reason.
    pub(crate) fn forbidden(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden {
            reason: reason.into(),
        }
    }

    fn status_and_type(&self) -> (StatusCode, ErrorType) {
        if matches!(self, Self::MethodNotAllowed) {
            return (StatusCode::METHOD_NOT_ALLOWED, ErrorType::MethodNotAllowed);
        }
        if matches!(self, Self::MediaType { .. } | Self::ContentEncoding) {
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorType::InvalidInput);
        }
        status_and_type(self.kind())
    }

    fn retry_after(&self, kind: ErrorKind) -> Option<Duration> {
        match (self, kind) {
            (Self::TooManyRequests { retry_after }, _) => Some(*retry_after),
            (_, ErrorKind::Unavailable | ErrorKind::TooManyRequests) => Some(RETRY_UNAVAILABLE),
            _ => None,
        }
    }

    /// What the caller reads. What failed on our side is for the log alone.
    fn public_message(&self, kind: ErrorKind) -> Cow<'static, str> {
        match kind {
            ErrorKind::Internal => Cow::Borrowed("internal server error"),
            ErrorKind::Unavailable => {
                Cow::Borrowed("the service is not available at the moment, try again later")
            }
            ErrorKind::InvalidInput
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::TooLarge
            | ErrorKind::TooManyRequests => Cow::Owned(self.to_string()),
        }
    }

    fn log(&self, kind: ErrorKind) {
        match kind {
            ErrorKind::Internal => tracing::error!(error = %Chain(self), "request failed"),
            ErrorKind::Unavailable => tracing::warn!(error = %Chain(self), "request not served"),
            ErrorKind::InvalidInput
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::TooLarge
            | ErrorKind::TooManyRequests => {
                if let Self::Input(input) = self {
                    // The path stays with the caller: it may hold keys of his, such as ids.
                    tracing::debug!(error = %input.message, "request refused");
                } else {
                    tracing::debug!(error = %Chain(self), "request refused");
                }
            }
        }
    }
}

/// The table from kinds to statuses and types.
///
/// # Source
/// Status table of finoOS v1 and v2; types beyond `forbidden`, `notFound` and `invalidInput` are
/// ours.
const fn status_and_type(kind: ErrorKind) -> (StatusCode, ErrorType) {
    match kind {
        ErrorKind::InvalidInput => (StatusCode::BAD_REQUEST, ErrorType::InvalidInput),
        ErrorKind::Unauthorized => (StatusCode::UNAUTHORIZED, ErrorType::Unauthorized),
        ErrorKind::Forbidden => (StatusCode::FORBIDDEN, ErrorType::Forbidden),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, ErrorType::NotFound),
        ErrorKind::Conflict => (StatusCode::CONFLICT, ErrorType::Conflict),
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorType::InvalidInput),
        ErrorKind::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, ErrorType::TooManyRequests),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorType::Unavailable),
        ErrorKind::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorType::InternalServerError,
        ),
    }
}

impl Classify for ApiError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Input(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Parameter { .. }
            | Self::MethodNotAllowed
            | Self::MediaType { .. }
            | Self::ContentEncoding => ErrorKind::InvalidInput,
            Self::Unauthorized { .. } => ErrorKind::Unauthorized,
            Self::Token(error) => match error {
                TokenError::Invalid | TokenError::Expired => ErrorKind::Unauthorized,
                TokenError::Unsignable => ErrorKind::Internal,
            },
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::BodyTooLarge { .. } => ErrorKind::TooLarge,
            Self::TooManyRequests { .. } => ErrorKind::TooManyRequests,
            Self::Timeout { .. } | Self::Overloaded => ErrorKind::Unavailable,
            Self::Secret(error) => match error {
                SecretError::Busy => ErrorKind::Unavailable,
                SecretError::Length | SecretError::Hash(_) | SecretError::Worker => {
                    ErrorKind::Internal
                }
            },
            Self::Bare(status) => kind_of(*status),
            Self::Panicked | Self::Serialize(_) | Self::Worker | Self::Inconsistent(_) => {
                ErrorKind::Internal
            }
        }
    }
}

/// The kind of an answer that some inner layer gave by status alone.
fn kind_of(status: StatusCode) -> ErrorKind {
    match status {
        StatusCode::UNAUTHORIZED => ErrorKind::Unauthorized,
        StatusCode::FORBIDDEN => ErrorKind::Forbidden,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::CONFLICT => ErrorKind::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::TooManyRequests,
        StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Unavailable,
        status if status.is_client_error() => ErrorKind::InvalidInput,
        _ => ErrorKind::Internal,
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<SecretError> for ApiError {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

impl From<Exhausted> for ApiError {
    fn from(exhausted: Exhausted) -> Self {
        Self::TooManyRequests {
            retry_after: exhausted.retry_after,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = self.kind();
        self.log(kind);
        let (status, error_type) = self.status_and_type();
        let body = ErrorResponse {
            error_type,
            message: self.public_message(kind),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(after) = self.retry_after(kind) {
            headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        if kind == ErrorKind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Rendered);
        response
    }
}

/// Marks an answer whose body is already the error body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendered;

/// Seconds rounded up, at least one.
fn whole_seconds(duration: Duration) -> u64 {
    let started = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(started).max(1)
}

/// An error with everything that caused it, in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, formatter)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retrying_makes_sense_after_whole_seconds() {
        for (millis, expected) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_500, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn what_failed_on_our_side_is_not_shown() {
        let error = ApiError::Inconsistent("a secret of ours");
        assert_eq!(error.public_message(error.kind()), "internal server error");
        let error = ApiError::Store(StoreError::BadUrl);
        assert_eq!(error.public_message(error.kind()), "internal server error");
    }
}
