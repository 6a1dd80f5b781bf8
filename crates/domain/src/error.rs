//! How errors are classed; each crate's error enum chooses a kind for each of its variants.

/// The class of an error, from which HTTP status, exit code and retry follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller sent something that cannot be read or is not allowed.
    InvalidInput,
    /// The caller is not known.
    Unauthorized,
    /// The caller is known and may not.
    Forbidden,
    /// Nothing there, or not for this tenant.
    NotFound,
    /// It contradicts an earlier request.
    Conflict,
    /// More than a named limit allows.
    TooLarge,
    /// Too often; try again later.
    TooManyRequests,
    /// A service that is needed does not answer; trying again may help.
    Unavailable,
    /// Our fault; the message is not shown.
    Internal,
}

/// An error that knows its class.
pub trait Classify {
    /// The class.
    fn kind(&self) -> ErrorKind;
}
