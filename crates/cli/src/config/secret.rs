//! Addresses that contain passwords.

use std::fmt;

use domain::Sensitive;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// An address with a password in it. Formatting and serialising hide the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct SecretUrl(Sensitive<String>);

impl SecretUrl {
    /// The whole address, password included.
    pub(crate) fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The scheme, if this is an address at all.
    pub(crate) fn scheme(&self) -> Option<String> {
        Url::parse(self.expose())
            .ok()
            .map(|url| url.scheme().to_owned())
    }
}

impl From<String> for SecretUrl {
    fn from(text: String) -> Self {
        Self(Sensitive::new(text))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hide_password(self.expose()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The address without its password; nothing at all of what is no address.
fn hide_password(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return HIDDEN.to_owned();
    };
    if !url.has_authority() {
        return HIDDEN.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    // Drivers take secrets as parameters too, so only the names of parameters are shown.
    if url.query().is_some() {
        let names: Vec<String> = url
            .query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect();
        let mut pairs = url.query_pairs_mut();
        pairs.clear();
        for name in names {
            pairs.append_pair(&name, HIDDEN);
        }
        drop(pairs);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for (text, shown) in [
            (
                "postgres://app:geheim@db:5432/kontor",
                "postgres://app:***@db:5432/kontor",
            ),
            (
                "postgres://app@db/kontor?password=geheim&sslmode=require",
                "postgres://app@db/kontor?password=***&sslmode=***",
            ),
            ("amqp://guest:geheim@mq/%2f", "amqp://guest:***@mq/%2f"),
            ("amqp://mq", "amqp://mq"),
            ("app:geheim@db", "***"),
            ("geheim", "***"),
        ] {
            let url = SecretUrl::from(text.to_owned());
            let json = serde_json::to_string(&url).expect("serialises");
            assert_eq!(
                format!("{url}|{url:?}|{json}"),
                format!("{shown}|{shown}|\"{shown}\"")
            );
        }
    }
}
