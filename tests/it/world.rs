//! A whole Kontor for one scenario: processes of the real binary with databases and brokers of
//! their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use testkit::postgres::{self, PostgresNode};
use testkit::process::{KontorCommand, KontorProcess, free_port};
use testkit::rabbit::RabbitNode;
use testkit::receiver::{Received, Receiver};

use crate::api::Api;

pub(crate) use testkit::process::kontor_binary;

/// Database of the scenarios that bring their own cluster.
const DATABASE: &str = "kontor";
/// How often a state is looked at.
const POLL: Duration = Duration::from_millis(100);

/// What can be killed in a distributed world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Victim {
    /// The HTTP process.
    Gateway,
    /// One of the two worker processes.
    Worker(usize),
    /// PostgreSQL.
    Database,
    /// RabbitMQ.
    Broker,
}

impl Victim {
    /// Every victim, in the order in which they are killed.
    pub(crate) const ALL: [Self; 5] = [
        Self::Gateway,
        Self::Worker(0),
        Self::Database,
        Self::Worker(1),
        Self::Broker,
    ];
}

/// A running Kontor; dropping it kills what it started.
pub(crate) struct World {
    // Fields drop in this order: processes before the servers that they use.
    gateway: KontorProcess,
    workers: Vec<KontorProcess>,
    broker: Option<RabbitNode>,
    database: Option<PostgresNode>,
    settings: Settings,
    clients: Mutex<Vec<(String, String)>>,
    ended_logs: String,
}

/// How the processes of a world are started.
struct Settings {
    data: TempDir,
    address: SocketAddr,
    environment: Vec<(&'static str, String)>,
}

impl Settings {
    fn new(environment: Vec<(&'static str, String)>) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("kontor-world-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Self {
            data,
            address,
            environment,
        })
    }

    fn command<const N: usize>(&self, arguments: [&str; N]) -> KontorCommand {
        let command = KontorCommand::new(arguments)
            .data_dir(self.data.path())
            .listen(self.address)
            .env("KONTOR_WEBHOOKS__TARGETS", "loopback_too")
            // The scenarios poll from one client as fast as many real ones would.
            .env("KONTOR_GATEWAY__RATES__CLIENT_PER_SECOND", "10000")
            .env("KONTOR_GATEWAY__RATES__CLIENT_BURST", "10000")
            .env("KONTOR_GATEWAY__RATES__POLLING_PER_SECOND", "100")
            .env("KONTOR_GATEWAY__RATES__POLLING_BURST", "1000")
            .env("KONTOR_LOG__FILTER", "debug");
        self.environment
            .iter()
            .fold(command, |command, (name, value)| {
                command.env(name, value.as_str())
            })
    }
}

impl World {
    /// `kontor serve` without any configuration but a data directory and a port.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) fn embedded() -> Result<Self> {
        let settings = Settings::new(Vec::new())?;
        world_readable(settings.data.path())?;
        let gateway = ready(settings.command(["serve"]).spawn()?, settings.address)?;
        let clients = Mutex::new(vec![("demo".to_owned(), "demo-secret".to_owned())]);
        Ok(Self {
            gateway,
            workers: Vec::new(),
            broker: None,
            database: None,
            settings,
            clients,
            ended_logs: String::new(),
        })
    }

    /// `kontor serve` on a database of its own, with the in-process queue.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) fn on_database() -> Result<Self> {
        let database = PostgresNode::start()?;
        let settings = Settings::new(database_urls(&database)?)?;
        migrate(&settings)?;
        let gateway = ready(settings.command(["serve"]).spawn()?, settings.address)?;
        Ok(Self {
            gateway,
            workers: Vec::new(),
            broker: None,
            database: Some(database),
            settings,
            clients: Mutex::default(),
            ended_logs: String::new(),
        })
    }

    /// A gateway and two workers as separate processes over PostgreSQL and RabbitMQ.
    ///
    /// # Errors
    /// One of them does not become ready.
    pub(crate) async fn distributed() -> Result<Self> {
        let database = PostgresNode::start()?;
        let broker = RabbitNode::start().await?;
        let mut environment = database_urls(&database)?;
        environment.push(("AMQP_URL", broker.url()));
        let settings = Settings::new(environment)?;
        migrate(&settings)?;
        let gateway = settings.command(["serve", "--role", "gateway"]).spawn()?;
        let gateway = ready(gateway, settings.address)?;
        let workers = (0..2)
            .map(|_| settings.command(["work"]).spawn())
            .collect::<Result<Vec<_>>>()?;
        // RabbitMQ 3.10 writes the names of new queues a moment late; a kill before that loses them.
        for queue in ["kontor.analysis", "kontor.dead"] {
            broker.remembers(queue).await?;
        }
        Ok(Self {
            gateway,
            workers,
            broker: Some(broker),
            database: Some(database),
            settings,
            clients: Mutex::default(),
            ended_logs: String::new(),
        })
    }

    /// The base address of the API.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.settings.address)
    }

    /// The client that `kontor serve` makes for a first look.
    pub(crate) fn demo_api(&self) -> Api {
        self.api_of("demo")
            .expect("the embedded service has a demo client")
    }

    /// An API client that was added before.
    ///
    /// # Errors
    /// There is none of this name.
    pub(crate) fn api_of(&self, client: &str) -> Result<Api> {
        Api::new(&self.base(), client, &self.secret_of(client)?)
    }

    /// The secret of an API client that was added before.
    ///
    /// # Errors
    /// There is none of this name.
    pub(crate) fn secret_of(&self, client: &str) -> Result<String> {
        let clients = self.clients.lock().expect("clients");
        let found = clients.iter().find(|(name, _)| name == client);
        let (_, secret) = found.with_context(|| format!("no client {client}"))?;
        Ok(secret.clone())
    }

    /// Adds an API client with every scope, as an operator does.
    ///
    /// # Errors
    /// The command fails.
    pub(crate) fn add_client(&self, name: &str) -> Result<Api> {
        let output = self.kontor(["client", "add", name, "--scopes", "all"])?;
        let secret = output
            .lines()
            .find_map(|line| line.split_once("secret").map(|(_, rest)| rest))
            .and_then(|rest| rest.split_whitespace().last())
            .with_context(|| format!("no secret in: {output}"))?;
        self.clients
            .lock()
            .expect("clients")
            .push((name.to_owned(), secret.to_owned()));
        self.api_of(name)
    }

    /// Runs an operator's command against this world and returns what it printed.
    ///
    /// # Errors
    /// The command fails.
    pub(crate) fn kontor<const N: usize>(&self, arguments: [&str; N]) -> Result<String> {
        let output = self.settings.command(arguments).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kontor {arguments:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs one statement and returns its rows as text.
    ///
    /// # Errors
    /// It fails, or this world has no database of its own.
    pub(crate) fn query(&self, statement: &str) -> Result<String> {
        let database = self.database.as_ref().context("no database of its own")?;
        postgres::query(&database.url(DATABASE), statement)
    }

    /// The content of every table, as text.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn dump_database(&self) -> Result<String> {
        let database = self.database.as_ref().context("no database of its own")?;
        postgres::dump(&database.url(DATABASE))
    }

    /// Everything that the broker has on its disk, as text.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn broker_files(&self) -> Result<String> {
        let broker = self.broker.as_ref().context("no broker of its own")?;
        let mut content = String::new();
        read_files(broker.directory(), &mut content)?;
        ensure!(!content.is_empty(), "the broker has no files");
        Ok(content)
    }

    /// Everything that the processes printed and logged so far.
    pub(crate) fn logs(&self) -> String {
        let running = std::iter::once(&self.gateway).chain(&self.workers);
        running.fold(self.ended_logs.clone(), |logs, process| {
            logs + &process.stdout() + &process.stderr()
        })
    }

    /// Peak memory of the (first) process, in MiB, as Linux counts it.
    pub(crate) fn peak_memory_mib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.gateway.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() / 1_024
    }

    /// Ends one part as `kill -9` does.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub(crate) fn kill(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Gateway => self.gateway.kill9(),
            Victim::Worker(number) => self.workers[number].kill9(),
            Victim::Database => self.database.as_mut().context("no database")?.kill9(),
            Victim::Broker => self.broker.as_mut().context("no broker")?.kill9(),
        }
    }

    /// Starts a killed part again; servers come back on the data they left.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn restart(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Gateway => {
                self.keep_logs_of_gateway();
                // The database may be down at this moment; the process has to live with that.
                self.gateway = self
                    .settings
                    .command(["serve", "--role", "gateway"])
                    .spawn()?;
            }
            Victim::Worker(number) => {
                let worker = self.settings.command(["work"]).spawn()?;
                let ended = std::mem::replace(&mut self.workers[number], worker);
                self.ended_logs += &ended.stderr();
            }
            Victim::Database => self.database.as_mut().context("no database")?.restart()?,
            Victim::Broker => self.broker.as_mut().context("no broker")?.restart().await?,
        }
        Ok(())
    }

    fn keep_logs_of_gateway(&mut self) {
        self.ended_logs += &self.gateway.stderr();
    }

    /// Asks every process to stop and checks that each ended well within the promised time.
    ///
    /// # Errors
    /// One did not.
    pub(crate) fn stop(mut self) -> Result<()> {
        let processes = std::iter::once(&mut self.gateway).chain(&mut self.workers);
        for process in processes {
            let (status, took) = process.terminate()?;
            ensure!(
                status.success(),
                "kontor ended with {status}:\n{}",
                process.stderr()
            );
            ensure!(
                took <= Duration::from_secs(20),
                "kontor took {took:?} to stop"
            );
        }
        Ok(())
    }
}

/// Waits until a receiver has got deliveries with this many distinct message ids.
///
/// # Errors
/// After the deadline.
pub(crate) async fn wait_for_messages(
    receiver: &Receiver,
    count: usize,
    deadline: Instant,
) -> Result<Vec<Received>> {
    loop {
        let requests = receiver.received();
        let ids: std::collections::BTreeSet<_> = requests
            .iter()
            .filter_map(|request| request.header("webhook-id"))
            .collect();
        if ids.len() >= count {
            return Ok(requests);
        }
        if Instant::now() > deadline {
            bail!("{} of {count} events were delivered in time", ids.len());
        }
        tokio::time::sleep(POLL).await;
    }
}

fn ready(mut process: KontorProcess, address: SocketAddr) -> Result<KontorProcess> {
    process.wait_ready(address)?;
    Ok(process)
}

fn migrate(settings: &Settings) -> Result<()> {
    let output = settings.command(["migrate"]).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kontor migrate: {errors}");
    Ok(())
}

/// The three addresses of a fresh database whose owner is no superuser.
fn database_urls(node: &PostgresNode) -> Result<Vec<(&'static str, String)>> {
    let superuser = node.url("postgres");
    postgres::query(
        &superuser,
        "create role kontor_owner login createrole password 'owner'",
    )?;
    postgres::query(
        &superuser,
        &format!("create database {DATABASE} owner kontor_owner"),
    )?;
    let url = |role: &str, password: &str| {
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{DATABASE}",
            node.port()
        )
    };
    Ok(vec![
        ("KONTOR_DATABASE_OWNER_URL", url("kontor_owner", "owner")),
        ("DATABASE_URL", url("kontor_app", "app")),
        ("KONTOR_DATABASE_SYSTEM_URL", url("kontor_relay", "relay")),
    ])
}

/// Lets the unprivileged account of the private cluster pass through the directory.
fn world_readable(directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn read_files(directory: &Path, content: &mut String) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read_files(&path, content)?;
        } else if path.is_file() {
            content.push_str(&String::from_utf8_lossy(&std::fs::read(&path)?));
        }
    }
    Ok(())
}
