//! Configuration: defaults, then a TOML file, then the environment; checked as a whole before
//! anything is opened.

mod environment;
mod layers;
mod print;
mod problem;
mod secret;
mod sections;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use environment::Environment;
pub(crate) use problem::{ConfigError, Problem};
pub(crate) use secret::SecretUrl;
pub(crate) use sections::{Config, LogFilter, LogFormat, LogSection, SchedulerSection};
pub(crate) use validate::Need;

/// A configuration that was read and is not yet checked for a purpose.
#[derive(Debug)]
pub(crate) struct LoadedConfig {
    config: Config,
    sources: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl LoadedConfig {
    /// Reads file and environment. The file is the named one, else that of `KONTOR_CONFIG`, else
    /// there is none.
    pub(crate) fn read(file: Option<&Path>, environment: &Environment, is_root: bool) -> Self {
        let named = file.map(Path::to_owned);
        let path = named.or_else(|| environment.get(environment::CONFIG_FILE).map(PathBuf::from));
        let defaults = Config::defaults(environment.default_data_dir(is_root));
        let merged = layers::merge(defaults, path.as_deref(), environment);
        Self {
            config: merged.config,
            sources: merged.sources,
            problems: merged.problems,
        }
    }

    /// The configuration, if it serves the purpose.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub(crate) fn for_need(mut self, need: Need) -> Result<Config, ConfigError> {
        for (key, message) in validate::problems(&self.config, need) {
            let source = self.sources.get(key).cloned();
            self.problems.push(Problem {
                key: key.to_owned(),
                source,
                message,
            });
        }
        if self.problems.is_empty() {
            Ok(self.config)
        } else {
            Err(ConfigError(self.problems))
        }
    }

    /// The settings in force as TOML, without secrets.
    pub(crate) fn render(&self) -> String {
        print::render(&self.config, &self.sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(environment: &Environment, need: Need) -> Vec<String> {
        match LoadedConfig::read(None, environment, false).for_need(need) {
            Ok(_) => Vec::new(),
            Err(ConfigError(problems)) => problems.into_iter().map(|one| one.key).collect(),
        }
    }

    #[test]
    fn nothing_is_needed_for_the_private_database() {
        let environment = Environment::default();
        assert_eq!(problems(&environment, Need::Everything), [""; 0]);
        assert_eq!(problems(&environment, Need::Administration), [""; 0]);
        assert_eq!(
            problems(&environment, Need::Role),
            ["database_url", "database_system_url", "amqp_url"]
        );
        assert_eq!(
            problems(&environment, Need::Migration),
            ["database_url", "database_system_url", "database_owner_url"]
        );
    }

    #[test]
    fn a_database_of_one_s_own_needs_both_roles() {
        let runtime = ("DATABASE_URL", "postgres://app:a@db/kontor");
        let environment = Environment::of([runtime]);
        assert_eq!(
            problems(&environment, Need::Everything),
            ["database_system_url"]
        );
        let same = ("KONTOR_DATABASE_SYSTEM_URL", "postgres://app:a@db/kontor");
        let environment = Environment::of([runtime, same]);
        assert_eq!(
            problems(&environment, Need::Everything),
            ["database_system_url"]
        );
        let system = ("KONTOR_DATABASE_SYSTEM_URL", "postgres://relay:b@db/kontor");
        let environment = Environment::of([runtime, system]);
        assert_eq!(problems(&environment, Need::Everything), [""; 0]);
        assert_eq!(problems(&environment, Need::Role), ["amqp_url"]);
        let alone = Environment::of([system]);
        assert_eq!(problems(&alone, Need::Everything), ["database_system_url"]);
    }

    #[test]
    fn values_that_fit_no_purpose_are_named() {
        let environment = Environment::of([
            ("DATABASE_URL", "mysql://app:geheim@db/kontor"),
            ("KONTOR_DATABASE_SYSTEM_URL", "geheim"),
            ("KONTOR_WORKER__CONCURRENCY", "0"),
            ("KONTOR_BROKER__QUEUE_PREFIX", "a b"),
            ("KONTOR_RELAY__LEASE_SECONDS", "1"),
            ("KONTOR_GATEWAY__RATES__CLIENT_BURST", "0"),
            ("KONTOR_GATEWAY__TIMEOUTS__SHUTDOWN_SECONDS_MAX", "60"),
        ]);
        let error = LoadedConfig::read(None, &environment, false)
            .for_need(Need::Everything)
            .expect_err("refused")
            .to_string();
        for part in [
            "database_url (from DATABASE_URL)",
            "database_system_url (from KONTOR_DATABASE_SYSTEM_URL)",
            "worker.concurrency (from KONTOR_WORKER__CONCURRENCY)",
            "relay.lease_seconds",
            "broker.queue_prefix",
            "gateway: rates.client_burst",
            "gateway.timeouts.shutdown_seconds_max",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!error.contains("geheim"), "{error}");
    }

    #[test]
    fn the_printed_configuration_can_be_read_again() {
        let environment = Environment::of([
            ("HOME", "/home/a \"b\""),
            ("DATABASE_URL", "postgres://app:geheim@db/kontor"),
            ("KONTOR_LOG__FORMAT", "json"),
        ]);
        let loaded = LoadedConfig::read(None, &environment, false);
        let text = loaded.render();
        assert!(!text.contains("geheim"), "{text}");
        assert!(
            text.contains("database_url = \"postgres://app:***@db/kontor\"  # from DATABASE_URL")
        );
        assert!(
            text.contains("# amqp_url is not set  # default, AMQP_URL"),
            "{text}"
        );
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kontor.toml");
        std::fs::write(&path, &text).expect("written");
        let again = LoadedConfig::read(Some(&path), &Environment::default(), false);
        assert_eq!(again.problems, []);
        assert_eq!(again.config.log, loaded.config.log);
        assert_eq!(again.config.gateway, loaded.config.gateway);
        assert_eq!(again.config.data_dir, loaded.config.data_dir);
    }
}
