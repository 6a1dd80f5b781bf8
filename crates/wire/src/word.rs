//! Reading words of a closed set, and texts that must not show up in logs.

use std::fmt::Display;
use std::str::FromStr;

use domain::Sensitive;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads an optional word; null equals omitted.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    Option::<String>::deserialize(deserializer)?
        .map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

/// Reads an optional text that is personal or secret.
pub(crate) fn sensitive<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Sensitive<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Sensitive::new))
}
