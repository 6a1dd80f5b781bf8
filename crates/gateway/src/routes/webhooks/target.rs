//! Where a webhook may lead: judged by its address at registration, as far as that is known.
//!
//! Names are resolved again for each delivery, and the connection checks its address once more:
//! what a name resolves to today says little about tomorrow.

use std::net::IpAddr;
use std::time::Duration;

use domain::address::TargetPolicy;
use url::{Host, Url};

use crate::error::{ApiError, ApiResult};

/// Longest address of a webhook, in bytes.
const URL_BYTES_MAX: usize = 2_048;
const NOT_PUBLIC: &str = "must not lead to a private, loopback or link-local address";

/// Checks the address of a webhook and writes it in its normal form.
///
/// # Errors
/// `Input` with the rule that it breaks; the address itself is not repeated.
pub(super) async fn checked_url(
    text: &str,
    policy: TargetPolicy,
    patience: Duration,
) -> ApiResult<String> {
    let refuse = |reason: &str| ApiError::field("url", reason);
    if text.len() > URL_BYTES_MAX {
        return Err(refuse("must not be longer than 2048 bytes"));
    }
    let url = Url::parse(text).map_err(|_| refuse("must be an absolute URL"))?;
    let plain = match url.scheme() {
        "https" => Plain::No,
        "http" if policy == TargetPolicy::PublicHttps => {
            return Err(refuse("must begin with https://"));
        }
        "http" => Plain::Yes,
        _ => return Err(refuse("must begin with https://")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not contain a user name or password"));
    }
    if url.port() == Some(0) {
        return Err(refuse("must not name port 0"));
    }
    let known = match url.host() {
        None => return Err(refuse("must name a host")),
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) if policy == TargetPolicy::PublicHttps && is_localhost(name) => {
            return Err(refuse(NOT_PUBLIC));
        }
        Some(Host::Domain(name)) => {
            let port = url.port_or_known_default().unwrap_or(443);
            resolve(name, port, patience).await
        }
    };
    judge(&known, plain, policy).map_err(refuse)?;
    Ok(url.into())
}

/// Whether the address begins with `http://`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    Yes,
    No,
}

/// Whether a name means this machine, whatever it resolves to.
///
/// # Source
/// RFC 6761, 6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// The addresses of a name; none when it cannot be resolved in time, which is not held against it.
async fn resolve(name: &str, port: u16, patience: Duration) -> Vec<IpAddr> {
    match tokio::time::timeout(patience, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

fn judge(known: &[IpAddr], plain: Plain, policy: TargetPolicy) -> Result<(), &'static str> {
    if !known.iter().all(|address| policy.allows(*address)) {
        return Err(NOT_PUBLIC);
    }
    let may_be_plain = match policy {
        TargetPolicy::Anything => true,
        TargetPolicy::PublicHttps => false,
        TargetPolicy::LoopbackToo => {
            !known.is_empty() && known.iter().all(|address| policy.allows_http(*address))
        }
    };
    if plain == Plain::Yes && !may_be_plain {
        return Err("must begin with https://");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    async fn accepted(url: &str, policy: TargetPolicy) -> bool {
        checked_url(url, policy, PATIENCE).await.is_ok()
    }

    #[tokio::test]
    async fn only_public_https_by_default() {
        for (url, expected) in [
            ("https://93.184.216.34/hook", true),
            ("https://[2606:4700::1111]/hook?x=1", true),
            ("https://kontor.invalid/hook", true),
            ("http://93.184.216.34/hook", false),
            ("https://user:secret@93.184.216.34/", false),
            ("https://user@93.184.216.34/", false),
            ("https://127.0.0.1/", false),
            ("https://0x7f.1/", false),
            ("https://2130706433/", false),
            ("https://[::1]/", false),
            ("https://[::ffff:10.0.0.1]/", false),
            ("https://10.0.0.1/", false),
            ("https://169.254.169.254/latest/meta-data", false),
            ("https://localhost/", false),
            ("ftp://93.184.216.34/", false),
            ("file:///etc/passwd", false),
            ("data:text/plain,x", false),
            ("//93.184.216.34/", false),
            ("hook", false),
            ("", false),
        ] {
            assert_eq!(
                accepted(url, TargetPolicy::PublicHttps).await,
                expected,
                "{url}"
            );
        }
        let long = format!("https://93.184.216.34/{}", "x".repeat(URL_BYTES_MAX));
        assert!(!accepted(&long, TargetPolicy::PublicHttps).await);
    }

    #[tokio::test]
    async fn names_of_this_machine_need_no_resolution() {
        for (url, expected) in [
            ("https://localhost/", false),
            ("https://LocalHost./", false),
            ("https://hook.localhost:8443/", false),
            ("https://a.b.localhost./", false),
            ("https://localhost.invalid/", true),
            ("https://notlocalhost/", true),
        ] {
            let checked = checked_url(url, TargetPolicy::PublicHttps, Duration::ZERO).await;
            assert_eq!(checked.is_ok(), expected, "{url}");
        }
        let local = "https://hook.localhost/";
        let checked = checked_url(local, TargetPolicy::Anything, Duration::ZERO).await;
        assert!(checked.is_ok());
    }

    #[tokio::test]
    async fn nobody_listens_on_port_0() {
        for policy in [TargetPolicy::PublicHttps, TargetPolicy::Anything] {
            assert!(!accepted("https://93.184.216.34:0/", policy).await);
            assert!(accepted("https://93.184.216.34:1/", policy).await);
        }
    }

    #[tokio::test]
    async fn loopback_may_be_plain_where_it_is_allowed() {
        for (url, expected) in [
            ("http://127.0.0.1:9000/hook", true),
            ("http://localhost:9000/hook", true),
            ("https://127.0.0.1/hook", true),
            ("https://93.184.216.34/hook", true),
            ("http://93.184.216.34/hook", false),
            ("http://kontor.invalid/hook", false),
            ("http://10.0.0.1/hook", false),
        ] {
            assert_eq!(
                accepted(url, TargetPolicy::LoopbackToo).await,
                expected,
                "{url}"
            );
        }
        assert!(accepted("http://10.0.0.1/", TargetPolicy::Anything).await);
        assert!(accepted("http://kontor.invalid/", TargetPolicy::Anything).await);
    }

    #[test]
    fn one_forbidden_address_is_enough() {
        let public: IpAddr = "93.184.216.34".parse().expect("an address");
        let private: IpAddr = "10.0.0.1".parse().expect("an address");
        let policy = TargetPolicy::PublicHttps;
        assert!(judge(&[public], Plain::No, policy).is_ok());
        assert!(judge(&[public, private], Plain::No, policy).is_err());
    }
}
