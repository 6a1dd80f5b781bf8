//! The address a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::state::AppState;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that failed logins are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl FromRequestParts<AppState> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        // Without a connection (a router called in-process) all callers share one address.
        let connection = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let proxies = usize::from(state.settings().trusted_proxies);
        Ok(Self(address(connection, &parts.headers, proxies)))
    }
}

/// The address that the outermost trusted proxy saw. Entries further left are the caller's claim.
fn address(connection: IpAddr, headers: &HeaderMap, proxies: usize) -> IpAddr {
    let Some(skipped) = proxies.checked_sub(1) else {
        return connection;
    };
    let mut seen: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    seen.reverse();
    seen.get(skipped)
        .and_then(|address| address.parse().ok())
        .unwrap_or(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_added_counts() {
        let mut headers = HeaderMap::new();
        headers.append(
            FORWARDED_FOR,
            "203.0.113.9, 198.51.100.7".parse().expect("value"),
        );
        headers.append(FORWARDED_FOR, "192.0.2.1".parse().expect("value"));
        let connection: IpAddr = "10.0.0.1".parse().expect("address");
        for (proxies, expected) in [
            (0, "10.0.0.1"),
            (1, "192.0.2.1"),
            (2, "198.51.100.7"),
            (3, "203.0.113.9"),
            (4, "10.0.0.1"),
        ] {
            let found = address(connection, &headers, proxies);
            assert_eq!(found.to_string(), expected, "{proxies}");
        }
    }
}
