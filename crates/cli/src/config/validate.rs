//! What types cannot say: which settings a command needs, and which fit together.

use super::environment::variable_of;
use super::sections::Config;

/// What a command needs of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Only to be shown.
    Nothing,
    /// Everything in one process, with the private database if there is no other.
    Everything,
    /// One role among several processes, which meet in database and broker.
    Role,
    /// To migrate a database of the operator's own.
    Migration,
    /// To administer, with the private database if there is no other.
    Administration,
}

/// Longest that the parts of a shutdown may take together, so that it ends within 20 seconds.
const SHUTDOWN_SECONDS_MAX: u64 = 10;
/// Longest beginning of queue names; the broker allows 255 bytes for a whole name.
const QUEUE_PREFIX_BYTES_MAX: usize = 128;

/// Everything that is wrong, as key and message.
pub(super) fn problems(config: &Config, need: Need) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    check_urls(config, &mut found);
    check_needs(config, need, &mut found);
    check_numbers(config, &mut found);
    found
}

fn check_urls(config: &Config, found: &mut Vec<(&'static str, String)>) {
    let urls = [
        (
            "database_url",
            &config.database_url,
            ["postgres", "postgresql"],
        ),
        (
            "database_owner_url",
            &config.database_owner_url,
            ["postgres", "postgresql"],
        ),
        (
            "database_system_url",
            &config.database_system_url,
            ["postgres", "postgresql"],
        ),
        ("amqp_url", &config.amqp_url, ["amqp", "amqps"]),
    ];
    for (key, url, schemes) in urls {
        let Some(url) = url else {
            continue;
        };
        let fits = url
            .scheme()
            .is_some_and(|scheme| schemes.contains(&scheme.as_str()));
        if !fits {
            found.push((
                key,
                format!("must be an address such as {}://…", schemes[0]),
            ));
        }
    }
    // Two roles with one login would give the requests of one tenant the rights over all.
    let runtime = config.database_url.as_ref();
    if runtime.is_some() && runtime == config.database_system_url.as_ref() {
        let message = "must be the login of another role than database_url".to_owned();
        found.push(("database_system_url", message));
    }
}

fn check_needs(config: &Config, need: Need, found: &mut Vec<(&'static str, String)>) {
    let all = [
        ("database_url", config.database_url.is_some()),
        ("database_system_url", config.database_system_url.is_some()),
        ("amqp_url", config.amqp_url.is_some()),
        ("database_owner_url", config.database_owner_url.is_some()),
    ];
    let (needed, why): (&[&str], &str) = match need {
        Need::Nothing => (&[], ""),
        Need::Everything | Need::Administration if config.is_embedded() => (&[], ""),
        Need::Everything | Need::Administration => {
            (&["database_system_url"], "is needed beside DATABASE_URL")
        }
        Need::Role => (
            &["database_url", "database_system_url", "amqp_url"],
            "is needed when the roles run as separate processes",
        ),
        Need::Migration => (
            &["database_owner_url", "database_url", "database_system_url"],
            "is needed to migrate; `kontor serve` migrates the private database by itself",
        ),
    };
    for (key, is_set) in all {
        if needed.contains(&key) && !is_set {
            found.push((key, format!("{} {why}", variable_of(key))));
        }
    }
    if config.is_embedded()
        && need != Need::Nothing
        && config.database_system_url.is_some()
        && needed.is_empty()
    {
        let message = "DATABASE_URL is not set, so the private database would be used; set both \
                       or neither";
        found.push(("database_system_url", message.to_owned()));
    }
}

fn check_numbers(config: &Config, found: &mut Vec<(&'static str, String)>) {
    let at_least_one = [
        (
            "database.connections_max",
            u64::from(config.database.connections_max),
        ),
        (
            "database.system_connections_max",
            u64::from(config.database.system_connections_max),
        ),
        (
            "database.acquire_seconds_max",
            config.database.acquire_seconds_max,
        ),
        ("relay.in_flight_max", config.relay.in_flight_max as u64),
        ("relay.poll_seconds", config.relay.poll_seconds),
        ("worker.concurrency", u64::from(config.worker.concurrency())),
        ("worker.prefetch", u64::from(config.worker.prefetch())),
        ("worker.cpu_threads", config.worker.cpu_threads() as u64),
        (
            "worker.attempt_seconds_max",
            config.worker.attempt_seconds_max,
        ),
        (
            "scheduler.seconds_between_purges",
            config.scheduler.seconds_between_purges,
        ),
        (
            "scheduler.seconds_between_rescues",
            config.scheduler.seconds_between_rescues,
        ),
        (
            "scheduler.rescue_age_seconds",
            config.scheduler.rescue_age_seconds,
        ),
    ];
    for (key, value) in at_least_one {
        if value == 0 {
            found.push((key, "must be at least 1".to_owned()));
        }
    }
    if config.relay.lease_seconds < 3 {
        found.push(("relay.lease_seconds", "must be at least 3".to_owned()));
    }
    if config.gateway.timeouts.shutdown_seconds_max > SHUTDOWN_SECONDS_MAX {
        let message = format!("must be at most {SHUTDOWN_SECONDS_MAX}");
        found.push(("gateway.timeouts.shutdown_seconds_max", message));
    }
    if let Err(error) = config.gateway.validate() {
        found.push(("gateway", error.to_string()));
    }
    let prefix = &config.broker.queue_prefix;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if prefix.is_empty() || prefix.len() > QUEUE_PREFIX_BYTES_MAX || !prefix.bytes().all(plain) {
        let message = format!(
            "must be 1 to {QUEUE_PREFIX_BYTES_MAX} letters, digits, dots, hyphens or underscores"
        );
        found.push(("broker.queue_prefix", message));
    }
    if config.data_dir.as_os_str().is_empty() {
        found.push(("data_dir", "must not be empty".to_owned()));
    }
}
