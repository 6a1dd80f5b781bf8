//! The sections of the configuration: one typed struct per concern, each with its defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use domain::address::TargetPolicy;
use gateway::GatewaySettings;
use serde::{Deserialize, Serialize};

use super::secret::SecretUrl;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Address of the HTTP server.
    pub(crate) listen: SocketAddr,
    /// Address of a worker's metrics and health; none by default.
    pub(crate) work_listen: Option<SocketAddr>,
    /// Where keys and the private database lie.
    pub(crate) data_dir: PathBuf,
    /// The file of keys; `keys.json` in the data directory by default.
    pub(crate) keys_file: Option<PathBuf>,
    /// The database as the runtime role; without it the private database is used.
    pub(crate) database_url: Option<SecretUrl>,
    /// The database as its owner; for `kontor migrate` alone.
    pub(crate) database_owner_url: Option<SecretUrl>,
    /// The database as the system role.
    pub(crate) database_system_url: Option<SecretUrl>,
    /// The broker; without it jobs run in this process.
    pub(crate) amqp_url: Option<SecretUrl>,
    /// What is logged and how.
    pub(crate) log: LogSection,
    /// Connections, and what runs the private database.
    pub(crate) database: DatabaseSection,
    /// Limits, rates and timeouts of the API.
    pub(crate) gateway: GatewaySettings,
    /// What is ours at the broker.
    pub(crate) broker: BrokerSection,
    /// From the outbox to the queue.
    pub(crate) relay: RelaySection,
    /// Running jobs.
    pub(crate) worker: WorkerSection,
    /// Sending webhooks.
    pub(crate) webhooks: WebhooksSection,
    /// Recurring duties.
    pub(crate) scheduler: SchedulerSection,
}

impl Config {
    /// The defaults of a process whose data lie there unless configured otherwise.
    pub(crate) fn defaults(data_dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            work_listen: None,
            data_dir,
            keys_file: None,
            database_url: None,
            database_owner_url: None,
            database_system_url: None,
            amqp_url: None,
            log: LogSection::default(),
            database: DatabaseSection::default(),
            gateway: GatewaySettings::default(),
            broker: BrokerSection::default(),
            relay: RelaySection::default(),
            worker: WorkerSection::default(),
            webhooks: WebhooksSection::default(),
            scheduler: SchedulerSection::default(),
        }
    }

    /// Where the keys lie.
    pub(crate) fn keys_file(&self) -> PathBuf {
        match &self.keys_file {
            Some(path) => path.clone(),
            None => self.data_dir.join("keys.json"),
        }
    }

    /// Whether the private database is used.
    pub(crate) fn is_embedded(&self) -> bool {
        self.database_url.is_none()
    }

    /// Which targets webhooks may have: as configured, else the loopback too when this is the
    /// private database on a developer's machine.
    pub(crate) fn webhook_targets(&self) -> TargetPolicy {
        match self.webhooks.targets {
            Some(Targets::LoopbackToo) => TargetPolicy::LoopbackToo,
            Some(Targets::Anything) => TargetPolicy::Anything,
            None if self.is_embedded() => TargetPolicy::LoopbackToo,
            Some(Targets::PublicHttps) | None => TargetPolicy::PublicHttps,
        }
    }
}

/// What is logged and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSection {
    /// One JSON object a line, or lines for people.
    pub(crate) format: LogFormat,
    /// Level, or directives such as `info,queue=debug`.
    pub(crate) filter: LogFilter,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// Directives that say what is logged; checked when the configuration is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// The directives.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        // The driver's notices, such as that a table exists already, are of no use to anybody.
        Self("info,sqlx=warn".to_owned())
    }
}

impl TryFrom<String> for LogFilter {
    type Error = tracing_subscriber::filter::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        tracing_subscriber::EnvFilter::builder().parse(&text)?;
        Ok(Self(text))
    }
}

impl From<LogFilter> for String {
    fn from(filter: LogFilter) -> Self {
        filter.0
    }
}

/// Connections, and what runs the private database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseSection {
    /// Most connections of the runtime role.
    pub(crate) connections_max: u32,
    /// Most connections of the system role.
    pub(crate) system_connections_max: u32,
    /// How long to wait for a free connection.
    pub(crate) acquire_seconds_max: u64,
    /// Directory of the server programs for the private database; searched for by default.
    pub(crate) bin_dir: Option<PathBuf>,
    /// Who runs the private database when Kontor runs as root.
    pub(crate) unprivileged_user: Option<String>,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            connections_max: 20,
            system_connections_max: 10,
            acquire_seconds_max: 10,
            bin_dir: None,
            unprivileged_user: None,
        }
    }
}

/// What is ours at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BrokerSection {
    /// What the names of our queues begin with; installations that share a broker differ in it.
    pub(crate) queue_prefix: String,
}

impl Default for BrokerSection {
    fn default() -> Self {
        Self {
            queue_prefix: "kontor".to_owned(),
        }
    }
}

/// From the outbox to the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RelaySection {
    /// Messages that are being published at once.
    pub(crate) in_flight_max: usize,
    /// How long a message belongs to the relay that took it.
    pub(crate) lease_seconds: u64,
    /// How often the outbox is looked at when nobody calls.
    pub(crate) poll_seconds: u64,
}

impl Default for RelaySection {
    fn default() -> Self {
        Self {
            in_flight_max: 32,
            lease_seconds: 30,
            poll_seconds: 1,
        }
    }
}

/// Running jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WorkerSection {
    /// Jobs at once in this process; twice the processors by default.
    pub(crate) concurrency: Option<u16>,
    /// Messages that the broker hands out ahead; four times the concurrency by default.
    pub(crate) prefetch: Option<u16>,
    /// Threads that analyse; one per processor by default.
    pub(crate) cpu_threads: Option<usize>,
    /// Longest time of one attempt.
    pub(crate) attempt_seconds_max: u64,
}

impl Default for WorkerSection {
    fn default() -> Self {
        Self {
            concurrency: None,
            prefetch: None,
            cpu_threads: None,
            attempt_seconds_max: 600,
        }
    }
}

impl WorkerSection {
    /// Jobs at once. A job waits for the database half of its time.
    pub(crate) fn concurrency(&self) -> u16 {
        let twice = || u16::try_from(processors().saturating_mul(2)).unwrap_or(u16::MAX);
        self.concurrency.unwrap_or_else(twice)
    }

    /// Messages handed out ahead.
    pub(crate) fn prefetch(&self) -> u16 {
        self.prefetch
            .unwrap_or_else(|| self.concurrency().saturating_mul(4))
    }

    /// Threads that analyse.
    pub(crate) fn cpu_threads(&self) -> usize {
        self.cpu_threads.unwrap_or_else(processors)
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Sending webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhooksSection {
    /// Which addresses may be called; by default public ones over https, and with the private
    /// database the loopback too.
    pub(crate) targets: Option<Targets>,
}

/// Which addresses webhooks may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Targets {
    /// Public addresses over https.
    PublicHttps,
    /// Also this machine's loopback, over http or https.
    LoopbackToo,
    /// Any address over http or https; for closed networks.
    Anything,
}

/// Recurring duties, each with the seconds from one time to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SchedulerSection {
    /// Deleting what has expired.
    pub(crate) seconds_between_purges: u64,
    /// Looking for runs whose message was lost.
    pub(crate) seconds_between_rescues: u64,
    /// Age from which a waiting run counts as lost.
    pub(crate) rescue_age_seconds: u64,
}

impl Default for SchedulerSection {
    fn default() -> Self {
        Self {
            seconds_between_purges: 600,
            seconds_between_rescues: 60,
            rescue_age_seconds: 900,
        }
    }
}
