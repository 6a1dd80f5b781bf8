//! A private RabbitMQ node for tests that stop, kill and restart their broker.
//!
//! Every node has its own ports, name, cookie and data directory, so that any number of them run
//! beside each other and beside an installed service, whose configuration they do not read.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long a node may take until it answers AMQP; a loaded machine needs a while.
const READY_SECONDS_MAX: u64 = 120;
/// How long a node may take to stop by itself.
const STOP_SECONDS_MAX: u64 = 60;
/// How often a state is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Where distributions put the start script itself. The wrapper in `sbin` insists on one user.
const SCRIPTS: [&str; 4] = [
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/sbin/rabbitmq-server",
];
/// Without busy waiting, which would take the processor from the tests, and without a listener that
/// other machines can reach.
const RUNTIME_ARGUMENTS: &str = "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}";
/// The protocol header of AMQP 0-9-1; a ready broker answers it with a method frame.
const AMQP_HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";

/// A running (or stopped) private node; dropping it kills it and removes its data.
pub struct RabbitNode {
    directory: TempDir,
    port: u16,
    distribution_port: u16,
    mapper_port: u16,
    /// Erlang's port mapper; the one of the machine would outlive the test that started it.
    mapper: Child,
    child: Option<Child>,
}

impl RabbitNode {
    /// Starts a node with an empty data directory and waits until it answers.
    ///
    /// # Errors
    /// RabbitMQ is not installed, or the node does not answer within two minutes; the message
    /// ends with the node's last output.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("kontor-rabbit-")
            .tempdir()?;
        let [port, distribution_port, mapper_port] = free_ports()?;
        write_configuration(directory.path(), port)?;
        let mapper = spawn_mapper(mapper_port)?;
        let mut node = Self {
            directory,
            port,
            distribution_port,
            mapper_port,
            mapper,
            child: None,
        };
        node.wait_for_mapper().await?;
        node.restart().await?;
        Ok(node)
    }

    /// Where the node keeps its messages, logs and output.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Starts the node again on the data it left; does nothing while it runs.
    ///
    /// # Errors
    /// As for [`RabbitNode::start`].
    pub async fn restart(&mut self) -> Result<()> {
        if self.child.is_none() {
            self.child = Some(self.spawn()?);
        }
        self.wait_until_ready().await
    }

    /// Ends the node as `kill -9` does, in the middle of whatever it is doing.
    ///
    /// # Errors
    /// The process cannot be signalled.
    pub fn kill9(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Stops the node as an operator does.
    ///
    /// # Errors
    /// It did not end within a minute; it is killed then.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(child) = self.child.as_mut() else {
            return Ok(());
        };
        let pid = child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.kill9()?;
                bail!("RabbitMQ did not stop within {STOP_SECONDS_MAX} s");
            }
            sleep(POLL).await;
        }
        self.child = None;
        Ok(())
    }

    /// Waits until the node will know a queue after [`RabbitNode::kill9`].
    ///
    /// RabbitMQ writes down the names of new quorum queues up to half a second late. A node that
    /// is killed before comes back with queues that never answer; what they held is lost.
    ///
    /// # Errors
    /// The names are not written within a minute.
    pub async fn remembers(&self, queue: &str) -> Result<()> {
        let names = self
            .directory
            .path()
            .join("mnesia")
            .join(self.node_name())
            .join("quorum")
            .join(self.node_name())
            .join("names.dets");
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while !contains(&std::fs::read(&names).unwrap_or_default(), queue) {
            ensure!(
                Instant::now() < deadline,
                "RabbitMQ did not write the name of queue `{queue}` to {}",
                names.display()
            );
            sleep(POLL).await;
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        let script = script()?;
        let directory = self.directory.path();
        let output = std::fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join("output"))?;
        let mut command = Command::new(script);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // Holds the cookie, which makes the node a stranger to every other one.
            .env("HOME", directory)
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            .env("RABBITMQ_NODENAME", self.node_name())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", directory.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", directory.join("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", directory.join("plugins"))
            .env("RABBITMQ_CONFIG_FILE", directory.join("rabbitmq.conf"))
            .env("RABBITMQ_CONF_ENV_FILE", directory.join("env"))
            // Makes the script replace itself with the node, so that the child is the node.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", RUNTIME_ARGUMENTS)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        if let Some(owner) = unprivileged_owner()? {
            command.uid(owner.uid).gid(owner.gid);
        }
        command
            .spawn()
            .with_context(|| format!("{} cannot be started", script.display()))
    }

    async fn wait_for_mapper(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        let address = ("127.0.0.1", self.mapper_port);
        while TcpStream::connect(address).await.is_err() {
            ensure!(Instant::now() < deadline, "epmd does not answer");
            sleep(POLL).await;
        }
        Ok(())
    }

    fn node_name(&self) -> String {
        format!("kontor-test-{}@localhost", self.port)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
        while !answers(self.port).await {
            let ended = match self.child.as_mut() {
                Some(child) => child.try_wait()?,
                None => None,
            };
            if let Some(status) = ended {
                self.child = None;
                bail!("RabbitMQ ended with {status}: {}", self.last_output());
            }
            ensure!(
                Instant::now() < deadline,
                "RabbitMQ does not answer within {READY_SECONDS_MAX} s: {}",
                self.last_output()
            );
            sleep(POLL).await;
        }
        Ok(())
    }

    fn last_output(&self) -> String {
        let text = std::fs::read(self.directory.path().join("output")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for RabbitNode {
    fn drop(&mut self) {
        // A node that is already gone needs no killing.
        let _gone = self.kill9();
        let _gone = self.mapper.kill().and_then(|()| self.mapper.wait());
    }
}

struct Owner {
    uid: u32,
    gid: u32,
}

/// The account that the node runs under when the tests run as root.
fn unprivileged_owner() -> Result<Option<Owner>> {
    let caller = Command::new("id").arg("-u").output()?;
    if String::from_utf8_lossy(&caller.stdout).trim() != "0" {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let line = accounts
        .lines()
        .find(|line| line.starts_with("rabbitmq:"))
        .context("there is no account rabbitmq; RabbitMQ is not installed")?;
    let mut fields = line.split(':').skip(2);
    let mut number = || -> Result<u32> { Ok(fields.next().unwrap_or_default().parse()?) };
    Ok(Some(Owner {
        uid: number()?,
        gid: number()?,
    }))
}

fn script() -> Result<&'static Path> {
    SCRIPTS
        .iter()
        .map(Path::new)
        .find(|path| path.exists())
        .context("RabbitMQ is not installed (apt-get install rabbitmq-server)")
}

/// Starts a port mapper that only this node knows.
fn spawn_mapper(port: u16) -> Result<Child> {
    let mut command = Command::new("epmd");
    command
        .args(["-address", "127.0.0.1", "-port", &port.to_string()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(owner) = unprivileged_owner()? {
        command.uid(owner.uid).gid(owner.gid);
    }
    command.spawn().context("epmd cannot be started")
}

/// Ports that nobody listens on at this moment.
fn free_ports() -> Result<[u16; 3]> {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    // Held together, so that they differ.
    let listeners = [
        TcpListener::bind(local)?,
        TcpListener::bind(local)?,
        TcpListener::bind(local)?,
    ];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

fn write_configuration(directory: &Path, port: u16) -> Result<()> {
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\n\
         disk_free_limit.absolute = 50MB\n\
         log.file.level = warning\n"
    );
    let files: [(&str, &str); 4] = [
        ("rabbitmq.conf", &configuration),
        ("env", ""),
        ("plugins", "[].\n"),
        ("output", ""),
    ];
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
    let owner = unprivileged_owner()?;
    let mut paths: Vec<PathBuf> = vec![directory.to_path_buf()];
    for (name, content) in files {
        let path = directory.join(name);
        std::fs::write(&path, content)?;
        paths.push(path);
    }
    if let Some(owner) = owner {
        for path in paths {
            chown(path, Some(owner.uid), Some(owner.gid))?;
        }
    }
    Ok(())
}

fn contains(content: &[u8], text: &str) -> bool {
    content
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// Whether a broker speaks AMQP on this port.
async fn answers(port: u16) -> bool {
    let handshake = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(AMQP_HEADER).await?;
        let mut frame_type = [0_u8; 1];
        stream.read_exact(&mut frame_type).await?;
        std::io::Result::Ok(frame_type == [1])
    };
    matches!(
        timeout(Duration::from_secs(5), handshake).await,
        Ok(Ok(true))
    )
}
