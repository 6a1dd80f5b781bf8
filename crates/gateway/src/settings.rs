//! What an operator may change about the gateway, with its defaults.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Everything of the gateway that an operator may change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// What happens to an unknown `TenantID`.
    pub tenancy: TenancyMode,
    /// How large and how many.
    pub limits: Limits,
    /// How often.
    pub rates: RateLimits,
    /// How long.
    pub timeouts: Timeouts,
    /// How many trusted proxies stand before this server and append to `X-Forwarded-For`. With 0
    /// the header is ignored and the peer of the connection counts.
    pub trusted_proxies: u8,
}

impl GatewaySettings {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// The first field that is zero or too small beside another one.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let limits = &self.limits;
        let at_least_one = [
            ("limits.body_bytes_max", limits.body_bytes_max),
            ("limits.upload_body_bytes_max", limits.upload_body_bytes_max),
            (
                "limits.uploads_stored_at_once_max",
                limits.uploads_stored_at_once_max,
            ),
            ("limits.upload_accounts_max", limits.upload_accounts_max),
            (
                "limits.upload_transactions_max",
                limits.upload_transactions_max,
            ),
            (
                "limits.requests_in_flight_max",
                limits.requests_in_flight_max,
            ),
            (
                "limits.requests_in_flight_per_client_max",
                limits.requests_in_flight_per_client_max,
            ),
            (
                "limits.uploads_in_flight_per_client_max",
                limits.uploads_in_flight_per_client_max,
            ),
            ("limits.connections_max", limits.connections_max),
            (
                "limits.password_hashes_in_flight_max",
                limits.password_hashes_in_flight_max,
            ),
            ("limits.page_size_max", limits.page_size_max as usize),
            (
                "rates.client_per_second",
                self.rates.client_per_second as usize,
            ),
            ("rates.client_burst", self.rates.client_burst as usize),
            (
                "rates.polling_per_second",
                self.rates.polling_per_second as usize,
            ),
            ("rates.polling_burst", self.rates.polling_burst as usize),
            (
                "rates.failed_logins_client",
                self.rates.failed_logins_client as usize,
            ),
            (
                "rates.failed_logins_address",
                self.rates.failed_logins_address as usize,
            ),
            (
                "rates.failed_logins_client_wide",
                self.rates.failed_logins_client_wide as usize,
            ),
        ];
        if let Some((field, _)) = at_least_one.into_iter().find(|(_, value)| *value == 0) {
            return Err(SettingsError::Zero { field });
        }
        if limits.upload_bytes_in_flight_max < limits.upload_body_bytes_max {
            return Err(SettingsError::InFlightBelowOne);
        }
        Ok(())
    }
}

/// Why settings are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// A limit of nothing would refuse every request.
    #[error("{field} must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// Not even one upload of the allowed size would fit.
    #[error("limits.upload_bytes_in_flight_max must be at least limits.upload_body_bytes_max")]
    InFlightBelowOne,
}

/// What happens to a `TenantID` that does not exist yet but may belong to the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenancyMode {
    /// It is created, as documented.
    #[default]
    CreateUnknown,
    /// It is forbidden; only the client's default tenant is created by itself.
    Strict,
}

/// How large and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body of an upload, in bytes.
    pub upload_body_bytes_max: usize,
    /// Bytes of upload bodies that are received at one time; further uploads wait.
    pub upload_bytes_in_flight_max: usize,
    /// Uploads that are stored at one time, each with a database connection that it may hold for
    /// seconds; must leave connections of the pool to everybody else. Further uploads wait.
    pub uploads_stored_at_once_max: usize,
    /// Accounts in one upload.
    pub upload_accounts_max: usize,
    /// Transactions in one upload, all accounts together.
    pub upload_transactions_max: usize,
    /// Largest body of any other request, in bytes.
    pub body_bytes_max: usize,
    /// Requests that are worked on at one time; further ones are answered 503.
    pub requests_in_flight_max: usize,
    /// Requests of one client that are worked on at one time; further ones are answered 429.
    pub requests_in_flight_per_client_max: usize,
    /// Uploads of one client that are received or stored at one time; further ones wait for
    /// `timeouts.upload_turn_seconds_max` and are then answered 429.
    pub uploads_in_flight_per_client_max: usize,
    /// Open connections; further ones wait to be accepted.
    pub connections_max: usize,
    /// Secrets that are verified at one time, each with 19 MiB of memory.
    pub password_hashes_in_flight_max: usize,
    /// Largest page of a list.
    pub page_size_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_body_bytes_max: 64 << 20,
            upload_bytes_in_flight_max: 256 << 20,
            uploads_stored_at_once_max: 4,
            upload_accounts_max: 1_000,
            upload_transactions_max: 50_000,
            body_bytes_max: 1 << 20,
            requests_in_flight_max: 1_024,
            requests_in_flight_per_client_max: 256,
            uploads_in_flight_per_client_max: 2,
            connections_max: 4_096,
            password_hashes_in_flight_max: 4,
            page_size_max: 1_000,
        }
    }
}

/// How often. Every rate is a token bucket: a burst at once, then the steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Requests a second of one client.
    pub client_per_second: u32,
    /// Requests of one client at once.
    pub client_burst: u32,
    /// Correlation requests a second of one user and endpoint.
    pub polling_per_second: u32,
    /// Correlation requests of one user and endpoint at once.
    pub polling_burst: u32,
    /// Failed logins a minute that are answered for one client id from one peer address, and at
    /// once.
    pub failed_logins_client: u32,
    /// Failed logins a minute that are answered for one peer address, and at once.
    pub failed_logins_address: u32,
    /// Failed logins a minute that are answered for one client id from anywhere, and at once. Far
    /// above `failed_logins_client`, so that one host cannot lock out a client that it can name.
    pub failed_logins_client_wide: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            client_per_second: 20,
            client_burst: 100,
            polling_per_second: 2,
            polling_burst: 10,
            failed_logins_client: 10,
            failed_logins_address: 30,
            failed_logins_client_wide: 300,
        }
    }
}

/// How long, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// A request from its head to its answer.
    pub request_seconds_max: u64,
    /// An upload from its head to its answer.
    pub upload_seconds_max: u64,
    /// An upload's wait for earlier ones of the same client, before its body is received.
    pub upload_turn_seconds_max: u64,
    /// The head of a request, and the silence of a kept connection before it. Longer than the 60 s
    /// that load balancers keep idle connections, so that they never send into a closed one.
    pub head_seconds_max: u64,
    /// What is under way at shutdown.
    pub shutdown_seconds_max: u64,
    /// Resolving the host of a webhook at registration.
    pub resolve_seconds_max: u64,
    /// How long both signing secrets of a webhook are valid after a rotation.
    pub signing_overlap_seconds: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request_seconds_max: 30,
            upload_seconds_max: 120,
            upload_turn_seconds_max: 10,
            head_seconds_max: 75,
            shutdown_seconds_max: 10,
            resolve_seconds_max: 2,
            signing_overlap_seconds: 24 * 60 * 60,
        }
    }
}

impl Timeouts {
    pub(crate) const fn request(self) -> Duration {
        Duration::from_secs(self.request_seconds_max)
    }

    pub(crate) const fn upload(self) -> Duration {
        Duration::from_secs(self.upload_seconds_max)
    }

    pub(crate) const fn upload_turn(self) -> Duration {
        Duration::from_secs(self.upload_turn_seconds_max)
    }

    pub(crate) const fn head(self) -> Duration {
        Duration::from_secs(self.head_seconds_max)
    }

    pub(crate) const fn shutdown(self) -> Duration {
        Duration::from_secs(self.shutdown_seconds_max)
    }

    pub(crate) const fn resolve(self) -> Duration {
        Duration::from_secs(self.resolve_seconds_max)
    }

    pub(crate) const fn signing_overlap(self) -> Duration {
        Duration::from_secs(self.signing_overlap_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(GatewaySettings::default().validate(), Ok(()));
    }

    #[test]
    fn limits_of_nothing_are_refused() {
        let mut settings = GatewaySettings::default();
        settings.rates.client_burst = 0;
        let expected = SettingsError::Zero {
            field: "rates.client_burst",
        };
        assert_eq!(settings.validate(), Err(expected));
        let mut settings = GatewaySettings::default();
        settings.limits.uploads_in_flight_per_client_max = 0;
        assert!(settings.validate().is_err());
        let mut settings = GatewaySettings::default();
        settings.limits.requests_in_flight_per_client_max = 0;
        assert!(settings.validate().is_err());
        let mut settings = GatewaySettings::default();
        settings.rates.failed_logins_client_wide = 0;
        assert!(settings.validate().is_err());
        let mut settings = GatewaySettings::default();
        settings.limits.upload_bytes_in_flight_max = 1;
        assert_eq!(settings.validate(), Err(SettingsError::InFlightBelowOne));
    }
}
