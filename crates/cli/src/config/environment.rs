//! The process environment as a value, so that tests can hold another one.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// Prefix of our own variables.
const PREFIX: &str = "KONTOR_";
/// Prefix of variables that only the test suite reads.
const TEST_PREFIX: &str = "KONTOR_TEST_";
/// Names the configuration file; read before the file, so it is no key of it.
pub(crate) const CONFIG_FILE: &str = "KONTOR_CONFIG";
/// Variables whose names are not ours to choose, and the keys they set.
const COMMON: [(&str, &str); 2] = [("DATABASE_URL", "database_url"), ("AMQP_URL", "amqp_url")];
/// The directory of a system-wide service.
const SYSTEM_DATA_DIR: &str = "/var/lib/kontor";

impl Environment {
    /// The variables of this process. Those that are no Unicode text cannot be ours.
    pub(crate) fn of_process() -> Self {
        let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(readable).collect())
    }

    #[cfg(test)]
    pub(crate) fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(owned.into_iter().collect())
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Every variable that sets a key: its name, the key, the text. An empty one sets nothing.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, String, &str)> {
        self.0
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.as_str(), key_of(name)?, value.as_str())))
    }

    /// Where data lie unless the configuration says otherwise.
    pub(crate) fn default_data_dir(&self, is_root: bool) -> PathBuf {
        if is_root {
            return PathBuf::from(SYSTEM_DATA_DIR);
        }
        let home = PathBuf::from(self.get("HOME").unwrap_or("."));
        match self.get("XDG_DATA_HOME") {
            Some(data_home) => PathBuf::from(data_home).join("kontor"),
            None if cfg!(target_os = "macos") => home.join("Library/Application Support/kontor"),
            None => home.join(".local/share/kontor"),
        }
    }
}

/// The key that a variable sets: `KONTOR_LOG__FORMAT` sets `log.format`.
fn key_of(name: &str) -> Option<String> {
    if let Some((_, key)) = COMMON.iter().find(|(common, _)| *common == name) {
        return Some((*key).to_owned());
    }
    if name == CONFIG_FILE || name.starts_with(TEST_PREFIX) {
        return None;
    }
    let key = name
        .strip_prefix(PREFIX)?
        .to_ascii_lowercase()
        .replace("__", ".");
    if COMMON.iter().any(|(_, common)| *common == key) {
        // A second name for one thing would need a rule for when they differ; it is no setting.
        return Some(name.to_ascii_lowercase());
    }
    Some(key)
}

/// The variable that sets a key, for messages.
pub(crate) fn variable_of(key: &str) -> String {
    match COMMON.iter().find(|(_, common)| *common == key) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_keys_and_back() {
        for (name, key) in [
            ("KONTOR_LISTEN", Some("listen")),
            ("KONTOR_DATABASE_OWNER_URL", Some("database_owner_url")),
            ("KONTOR_LOG__FORMAT", Some("log.format")),
            (
                "KONTOR_GATEWAY__LIMITS__BODY_BYTES_MAX",
                Some("gateway.limits.body_bytes_max"),
            ),
            ("DATABASE_URL", Some("database_url")),
            ("AMQP_URL", Some("amqp_url")),
            ("KONTOR_AMQP_URL", Some("kontor_amqp_url")),
            ("KONTOR_CONFIG", None),
            ("KONTOR_TEST_DATABASE_URL", None),
            ("HOME", None),
        ] {
            assert_eq!(key_of(name).as_deref(), key, "{name}");
            if let Some(key) = key.filter(|_| name != "KONTOR_AMQP_URL") {
                assert_eq!(variable_of(key), name);
            }
        }
    }

    #[test]
    fn empty_variables_set_nothing() {
        let environment = Environment::of([("DATABASE_URL", ""), ("KONTOR_LISTEN", "x")]);
        let settings: Vec<_> = environment.settings().collect();
        assert_eq!(settings, [("KONTOR_LISTEN", "listen".to_owned(), "x")]);
    }

    #[test]
    fn data_lie_where_the_system_keeps_them() {
        let environment = Environment::of([("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")]);
        assert_eq!(
            environment.default_data_dir(true),
            PathBuf::from("/var/lib/kontor")
        );
        assert_eq!(
            environment.default_data_dir(false),
            PathBuf::from("/data/kontor")
        );
    }
}
