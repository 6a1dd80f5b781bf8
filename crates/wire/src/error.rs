//! The body of every failed answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The word that says what went wrong.
///
/// # Source
/// `forbidden`, `notFound` and `invalidInput` are documented; the others follow their style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ErrorType {
    /// The request cannot be read or is not allowed as it is.
    InvalidInput,
    /// The credentials or the token are not valid.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing for this tenant.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The request contradicts an earlier one.
    Conflict,
    /// Too many requests; see `Retry-After`.
    TooManyRequests,
    /// A failure on this side.
    InternalServerError,
    /// A service that is needed does not answer; try again later.
    Unavailable,
}

impl ErrorType {
    /// Every type, for golden tests.
    pub const ALL: [Self; 9] = [
        Self::InvalidInput,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooManyRequests,
        Self::InternalServerError,
        Self::Unavailable,
    ];
}

/// The body of every failed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorResponse {
    /// What kind of failure.
    #[serde(rename = "type")]
    pub error_type: ErrorType,
    /// A sentence for people, naming the field where there is one.
    #[schema(value_type = String, example = "accounts[0].transactions[3].amount: is required")]
    pub message: Cow<'static, str>,
}
