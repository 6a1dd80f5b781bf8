//! The HTTP client for receivers that we do not know and do not trust.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::address::TargetPolicy;
use reqwest::header::HeaderMap;
use reqwest::redirect;
use reqwest::{Client, Method, Response};

use crate::error::{SendError, WebhooksError};
use crate::target::{GuardedResolver, NameLookup, ResolveError, Scheme, SystemLookup, check_url};

/// Longest time from the start of an attempt to the receiver's status line.
///
/// # Source
/// Gap G-10: ten seconds.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time to a connection, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// As much of an answer's body is read, so that the connection can serve again; it is not looked at.
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024;
/// Longest time spent on an answer's body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections kept open per receiver.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// An open connection keeps the address it was checked for, so it is not kept for long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A request, signed and ready to go. Has no `Debug`: URL, headers and body may hold secrets.
pub struct SignedRequest {
    /// The configured method.
    pub method: Method,
    /// The webhook's URL as registered.
    pub url: String,
    /// Every header but those of the transport.
    pub headers: HeaderMap,
    /// The signed bytes.
    pub body: Vec<u8>,
}

/// Sends a request and tells the status of the answer; tests put a second world here.
pub trait HttpSender: Send + Sync + 'static {
    /// Makes one attempt, which ends about [`TIMEOUT`] later at the latest.
    ///
    /// # Errors
    /// Every cause for which no status came. A status is never an error here.
    fn send(&self, request: SignedRequest) -> impl Future<Output = Result<u16, SendError>> + Send;
}

/// Limits of time of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the attempt ends.
    pub total: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            total: TIMEOUT,
        }
    }
}

/// The real client: TLS checked against the public roots, no redirects, no proxy from the
/// environment, and no connection to an address that the policy forbids.
#[derive(Debug, Clone)]
pub struct HttpClient {
    policy: TargetPolicy,
    limits: HttpLimits,
    https: Client,
    http: Client,
}

impl HttpClient {
    /// Sets the client up with the machine's resolver and the documented limits.
    ///
    /// # Errors
    /// `HttpClient` when TLS cannot be set up.
    pub fn try_new(policy: TargetPolicy) -> Result<Self, WebhooksError> {
        Self::try_with(policy, HttpLimits::default(), SystemLookup)
    }

    /// Sets the client up with other limits and another resolver.
    ///
    /// # Errors
    /// `HttpClient` when TLS cannot be set up.
    pub fn try_with(
        policy: TargetPolicy,
        limits: HttpLimits,
        lookup: impl NameLookup,
    ) -> Result<Self, WebhooksError> {
        let lookup: Arc<dyn NameLookup> = Arc::new(lookup);
        // The resolver is not told the scheme, so each scheme has a client with its own guard.
        let client = |scheme| {
            let lookup = Arc::clone(&lookup);
            build(
                limits,
                GuardedResolver {
                    policy,
                    scheme,
                    lookup,
                },
            )
        };
        Ok(Self {
            policy,
            limits,
            https: client(Scheme::Https)?,
            http: client(Scheme::Http)?,
        })
    }

    async fn exchange(&self, request: SignedRequest) -> Result<Response, SendError> {
        let (url, scheme) = check_url(&request.url, self.policy)?;
        let client = match scheme {
            Scheme::Https => &self.https,
            Scheme::Http => &self.http,
        };
        client
            .request(request.method, url)
            .headers(request.headers)
            .body(request.body)
            .send()
            .await
            .map_err(|error| self.cause(&error))
    }

    /// Recognises the cause by the types in the error's chain, never by its text.
    fn cause(&self, error: &reqwest::Error) -> SendError {
        let mut link: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(current) = link {
            if let Some(cause) = known_cause(current) {
                return cause;
            }
            link = next_link(current);
        }
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => SendError::ConnectTimeout {
                seconds: self.limits.connect.as_secs(),
            },
            (true, false) => SendError::Timeout {
                seconds: self.limits.total.as_secs(),
            },
            (false, true) => SendError::ConnectionFailed,
            (false, false) => SendError::ConnectionBroken,
        }
    }
}

impl HttpSender for HttpClient {
    async fn send(&self, request: SignedRequest) -> Result<u16, SendError> {
        // The client's own timeout covers the exchange; this one also covers what surrounds it.
        let response = tokio::time::timeout(self.limits.total, self.exchange(request))
            .await
            .unwrap_or(Err(SendError::Timeout {
                seconds: self.limits.total.as_secs(),
            }))?;
        let status = response.status().as_u16();
        // The status has come, so a body that breaks or never ends changes nothing; its connection
        // is then closed instead of used again.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(response)).await;
        Ok(status)
    }
}

fn build(limits: HttpLimits, guard: GuardedResolver) -> Result<Client, WebhooksError> {
    Client::builder()
        .use_rustls_tls()
        .https_only(guard.scheme == Scheme::Https)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .dns_resolver(Arc::new(guard))
        .build()
        .map_err(WebhooksError::HttpClient)
}

fn known_cause(error: &(dyn StdError + 'static)) -> Option<SendError> {
    if let Some(error) = error.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Refused => SendError::TargetRefused,
            ResolveError::NotFound => SendError::NameNotResolved,
        });
    }
    error.downcast_ref::<rustls::Error>().map(|error| {
        if matches!(error, rustls::Error::InvalidCertificate(_)) {
            SendError::InvalidCertificate
        } else {
            SendError::TlsHandshake
        }
    })
}

/// The next error of the chain. An `io::Error` names the source of what it wraps as its own
/// source, so what it wraps is asked for first.
fn next_link<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn StdError + 'static))
        .or_else(|| error.source())
}

/// Reads and forgets a bounded part of the body.
async fn drain(mut response: Response) {
    let mut read = 0usize;
    while let Ok(Some(chunk)) = response.chunk().await {
        read = read.saturating_add(chunk.len());
        if read > RESPONSE_BYTES_MAX {
            return;
        }
    }
}
