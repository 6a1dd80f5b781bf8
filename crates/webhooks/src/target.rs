//! Where deliveries may go: the operator's policy, applied to the URL and to each address that its
//! name resolves to at the moment of connecting.
//!
//! **Invariant:** no connection is opened to an address that the policy forbids. Names are checked
//! after resolution, inside the connector, so that a name that changes its address between
//! registration and delivery gains nothing. Addresses written into the URL never reach a resolver
//! and are checked before the request.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use domain::address::TargetPolicy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

use crate::error::SendError;

/// The addresses of a name, or why there are none.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves host names; tests put a second world here.
pub trait NameLookup: Send + Sync + 'static {
    /// Looks a name up.
    fn lookup(&self, host: &str) -> LookupFuture;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl NameLookup for SystemLookup {
    fn lookup(&self, host: &str) -> LookupFuture {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// How a request travels; each scheme has its own rule for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn allows(self, policy: TargetPolicy, address: IpAddr) -> bool {
        match self {
            Self::Https => policy.allows(address),
            // Both are asked: plain http never widens what may be reached.
            Self::Http => policy.allows(address) && policy.allows_http(address),
        }
    }
}

/// Reads a URL and checks what can be checked before resolving: the scheme and literal addresses.
pub(crate) fn check_url(text: &str, policy: TargetPolicy) -> Result<(Url, Scheme), SendError> {
    let url = Url::parse(text).map_err(|_| SendError::InvalidUrl)?;
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" if policy == TargetPolicy::PublicHttps => return Err(SendError::TargetRefused),
        "http" => Scheme::Http,
        _ => return Err(SendError::InvalidUrl),
    };
    // `Url` writes every spelling of an address (octal, one number, mapped) as an address.
    let literal = match url.host() {
        None => return Err(SendError::InvalidUrl),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
    };
    if literal.is_some_and(|address| !scheme.allows(policy, address)) {
        return Err(SendError::TargetRefused);
    }
    Ok((url, scheme))
}

/// Marks an error of the resolver so that it is recognised by type behind the HTTP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ResolveError {
    #[error("no address of the host is allowed")]
    Refused,
    #[error("the host has no address")]
    NotFound,
}

/// Resolves names and lets only allowed addresses through to the connector.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) policy: TargetPolicy,
    pub(crate) scheme: Scheme,
    pub(crate) lookup: Arc<dyn NameLookup>,
}

impl fmt::Debug for GuardedResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GuardedResolver")
            .field("policy", &self.policy)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl GuardedResolver {
    fn allowed(&self, found: &[IpAddr]) -> Result<Vec<SocketAddr>, ResolveError> {
        let allowed = found
            .iter()
            .filter(|address| self.scheme.allows(self.policy, **address))
            // Port 0 stands for the URL's own port.
            .map(|address| SocketAddr::new(*address, 0))
            .collect::<Vec<_>>();
        match (found.is_empty(), allowed.is_empty()) {
            (true, _) => Err(ResolveError::NotFound),
            (false, true) => Err(ResolveError::Refused),
            (false, false) => Ok(allowed),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        let found = self.lookup.lookup(name.as_str());
        Box::pin(async move {
            let found = found.await.map_err(|_| ResolveError::NotFound)?;
            let allowed: Addrs = Box::new(guard.allowed(&found)?.into_iter());
            Ok(allowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, policy: TargetPolicy) -> Result<Scheme, SendError> {
        check_url(url, policy).map(|(_, scheme)| scheme)
    }

    #[test]
    fn literal_addresses_are_refused_in_every_spelling() {
        for url in [
            "https://127.0.0.1/hook",
            "https://2130706433/hook",
            "https://0x7f.1/hook",
            "https://0177.0.0.1/hook",
            "https://127.0.0.1./hook",
            "https://%31%32%37.0.0.1/hook",
            "https://[::1]/hook",
            "https://[::ffff:10.0.0.1]/hook",
            "https://[::ffff:a00:1]:8443/hook",
            "https://10.0.0.7:8443/hook",
            "https://169.254.169.254/latest/meta-data",
            "https://user@192.168.0.1/hook",
        ] {
            let checked = check(url, TargetPolicy::PublicHttps);
            assert_eq!(checked, Err(SendError::TargetRefused), "{url}");
        }
    }

    #[test]
    fn schemes_follow_the_policy() {
        use TargetPolicy::{Anything, LoopbackToo, PublicHttps};
        for (url, policy, expected) in [
            (
                "https://hooks.example.com/a",
                PublicHttps,
                Ok(Scheme::Https),
            ),
            ("https://8.8.8.8/a", PublicHttps, Ok(Scheme::Https)),
            (
                "http://hooks.example.com/a",
                PublicHttps,
                Err(SendError::TargetRefused),
            ),
            ("http://127.0.0.1:9000/a", LoopbackToo, Ok(Scheme::Http)),
            ("https://127.0.0.1:9000/a", LoopbackToo, Ok(Scheme::Https)),
            // Only the resolver can tell where this name leads.
            ("http://localhost:9000/a", LoopbackToo, Ok(Scheme::Http)),
            (
                "http://8.8.8.8/a",
                LoopbackToo,
                Err(SendError::TargetRefused),
            ),
            ("http://10.0.0.1/a", Anything, Ok(Scheme::Http)),
            ("ftp://8.8.8.8/a", Anything, Err(SendError::InvalidUrl)),
            ("file:///etc/passwd", Anything, Err(SendError::InvalidUrl)),
            ("not a url", Anything, Err(SendError::InvalidUrl)),
        ] {
            assert_eq!(check(url, policy), expected, "{url} {policy:?}");
        }
    }

    #[test]
    fn only_allowed_addresses_pass_the_resolver() {
        let guard = |policy, scheme| GuardedResolver {
            policy,
            scheme,
            lookup: Arc::new(SystemLookup),
        };
        let addresses = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.parse().expect("an address"))
                .collect::<Vec<IpAddr>>()
        };
        let mixed = addresses(&["10.0.0.1", "8.8.8.8", "::1"]);
        let public = guard(TargetPolicy::PublicHttps, Scheme::Https);
        assert_eq!(
            public.allowed(&mixed),
            Ok(vec![SocketAddr::new(mixed[1], 0)])
        );
        assert_eq!(public.allowed(&mixed[2..]), Err(ResolveError::Refused));
        assert_eq!(public.allowed(&[]), Err(ResolveError::NotFound));
        let plain = guard(TargetPolicy::LoopbackToo, Scheme::Http);
        assert_eq!(
            plain.allowed(&mixed),
            Ok(vec![SocketAddr::new(mixed[2], 0)])
        );
    }
}
