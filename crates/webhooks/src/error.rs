//! What can go wrong, and what of it is told to the webhook's owner.

use domain::{Classify, ErrorKind};
use store::StoreError;
use thiserror::Error;

/// Why webhooks cannot be signed, checked or worked on.
#[derive(Debug, Error)]
pub enum WebhooksError {
    /// Not `whsec_` with base64 behind it, empty, or none at all.
    #[error("the signing secret is not readable")]
    InvalidSigningSecret,
    /// No signature of the header fits.
    #[error("no signature fits the body")]
    WrongSignature,
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    HttpClient(#[source] reqwest::Error),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl Classify for WebhooksError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidSigningSecret | Self::HttpClient(_) => ErrorKind::Internal,
            Self::WrongSignature => ErrorKind::Unauthorized,
            Self::Store(error) => error.kind(),
        }
    }
}

/// Why an attempt got no answer. The text is stored and shown in the delivery log: it names the
/// cause and never the URL, the secret, or anything of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The URL cannot be read.
    #[error("the URL cannot be used")]
    InvalidUrl,
    /// A header value cannot be sent.
    #[error("a header cannot be sent")]
    InvalidHeader,
    /// Without a key nothing can be signed, and nothing is sent unsigned.
    #[error("the signing key is missing")]
    InvalidSigningSecret,
    /// The stored data is no JSON.
    #[error("the event's data is not readable")]
    InvalidData,
    /// The operator's policy forbids the address or the scheme.
    #[error("the target address is not allowed")]
    TargetRefused,
    /// The host name has no address.
    #[error("the host name could not be resolved")]
    NameNotResolved,
    /// No connection within the time for it.
    #[error("no connection within {seconds} s")]
    ConnectTimeout {
        /// The limit.
        seconds: u64,
    },
    /// Connected, but no answer within the time.
    #[error("no answer within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// The receiver's certificate is not valid for its name.
    #[error("the TLS certificate is not valid")]
    InvalidCertificate,
    /// No common language in TLS.
    #[error("the TLS handshake failed")]
    TlsHandshake,
    /// No TCP connection.
    #[error("the connection failed")]
    ConnectionFailed,
    /// Connected, then nothing that reads as an HTTP answer.
    #[error("the connection broke before an answer came")]
    ConnectionBroken,
}
