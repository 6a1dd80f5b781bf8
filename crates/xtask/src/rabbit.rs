//! A private RabbitMQ node for tests.
//!
//! It has its own port mapper, ports, cookie, configuration and data, so that a node the package
//! has started on this machine is neither used nor disturbed.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::leash::{self, Folder, Rights, Server, StopSignal};
use crate::process;

/// Where packages put the server's start script. Debian's one in the path insists on its own user.
const SCRIPTS: [&str; 4] = [
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/sbin/rabbitmq-server",
];

/// The name of the node; its own port mapper keeps it apart from every other one.
const NODE: &str = "kontor@localhost";

/// Without busy waiting, which would take the processor from the tests, and without a listener that
/// other machines can reach.
const RUNTIME_ARGUMENTS: &str = "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}";

/// How long the node may take to answer one handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(1);

/// Finds the installed start script.
pub(crate) fn find_script() -> Option<PathBuf> {
    SCRIPTS
        .iter()
        .map(PathBuf::from)
        .find(|script| script.is_file())
}

/// A running private node; dropping it stops and deletes it.
pub(crate) struct Node {
    // Fields are dropped in this order: the node before its port mapper.
    server: Server,
    _port_mapper: Server,
    port: u16,
    password: String,
}

impl Node {
    /// Starts a node and its port mapper, without waiting for them.
    pub(crate) fn start(rights: Rights) -> Result<Self> {
        let script = find_script().context("no RabbitMQ server found")?;
        let mapper_port = leash::free_port()?;
        let port_mapper = start_port_mapper(mapper_port, rights)?;

        let port = leash::free_port()?;
        let password = leash::random_password()?;
        let folder = Folder::create("rabbitmq", rights)?;
        folder.write("rabbitmq.conf", &configuration(port, &password))?;
        folder.write("plugins", "[].\n")?;
        folder.write("environment", "")?;
        let mut command = Command::new(script);
        let distribution_port = leash::free_port()?;
        for (name, value) in environment(folder.path(), mapper_port, distribution_port) {
            command.env(name, value);
        }
        let server = Server::start("RabbitMQ", &command, &folder, StopSignal::Kill)?;
        Ok(Self {
            server,
            _port_mapper: port_mapper,
            port,
            password,
        })
    }

    /// Waits until the node greets clients.
    pub(crate) fn wait(&mut self) -> Result<()> {
        let port = self.port;
        self.server.wait_until(|| greets(port))
    }

    /// The address of the node.
    pub(crate) fn url(&self) -> String {
        format!(
            "amqp://kontor:{}@127.0.0.1:{}/%2f",
            self.password, self.port
        )
    }
}

/// Erlang's port mapper is shared by every node of a machine, unless a node is told of its own.
fn start_port_mapper(port: u16, rights: Rights) -> Result<Server> {
    let folder = Folder::create("epmd", rights)?;
    let mut epmd = Command::new(find_port_mapper());
    epmd.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    let mut server = Server::start("Erlang's port mapper", &epmd, &folder, StopSignal::Kill)?;
    server.wait_until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
    Ok(server)
}

/// `epmd` is in the path or beside the runtime that `erl` would start.
fn find_port_mapper() -> PathBuf {
    let fallback = PathBuf::from("epmd");
    if process::output(Command::new("epmd").arg("-version")).is_ok() {
        return fallback;
    }
    let mut erl = Command::new("erl");
    erl.args([
        "-noshell",
        "-eval",
        "io:put_chars(code:root_dir()), halt().",
    ]);
    let Ok(root) = process::output(&mut erl) else {
        return fallback;
    };
    let Ok(entries) = fs::read_dir(root.trim()) else {
        return fallback;
    };
    let beside = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin/epmd")));
    beside
        .filter(|path| path.is_file())
        .max()
        .unwrap_or(fallback)
}

/// The node's configuration: one loopback listener and a user with a password of its own.
fn configuration(port: u16, password: &str) -> String {
    format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\n\
         default_user = kontor\n\
         default_pass = {password}\n\
         log.console = true\n\
         log.console.level = warning\n\
         disk_free_limit.absolute = 50MB\n"
    )
}

/// Everything a node would otherwise take from `/etc/rabbitmq` and `/var/lib/rabbitmq`.
fn environment(folder: &Path, mapper: u16, distribution: u16) -> Vec<(&'static str, String)> {
    let within = |name: &str| folder.join(name).to_string_lossy().into_owned();
    vec![
        ("HOME", within("")),
        // Makes the script replace itself with the node, so that stopping it stops the node.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
        ("ERL_EPMD_PORT", mapper.to_string()),
        ("RABBITMQ_CONF_ENV_FILE", within("environment")),
        ("RABBITMQ_CONFIG_FILE", within("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", within("advanced.config")),
        ("RABBITMQ_CONFIG_FILES", within("conf.d")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", within("plugins")),
        ("RABBITMQ_MNESIA_BASE", within("mnesia")),
        ("RABBITMQ_LOG_BASE", within("logs")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_PID_FILE", within("rabbitmq.pid")),
        ("RABBITMQ_NODENAME", NODE.to_owned()),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            RUNTIME_ARGUMENTS.to_owned(),
        ),
    ]
}

/// Whether an AMQP 0-9-1 server answers our protocol header with its first frame.
fn greets(port: u16) -> bool {
    let greeting = || -> std::io::Result<u8> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(HANDSHAKE_WITHIN))?;
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        let mut frame_type = [0];
        stream.read_exact(&mut frame_type)?;
        Ok(frame_type[0])
    };
    // 1 is a method frame, which only a server that speaks our version sends.
    greeting().is_ok_and(|frame_type| frame_type == 1)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn only_an_amqp_answer_counts_as_ready() {
        for (answer, expected) in [(&b"\x01\x00"[..], true), (b"AMQP\x00\x01\x00\x00", false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut header = [0; 8];
                stream.read_exact(&mut header).unwrap();
                stream.write_all(answer).unwrap();
            });
            assert_eq!(greets(port), expected);
            server.join().unwrap();
        }
        assert!(!greets(leash::free_port().unwrap()), "nobody listens");
    }

    #[test]
    fn a_node_greets_and_disappears() {
        let mut node = Node::start(Rights::unprivileged().unwrap()).unwrap();
        node.wait().unwrap();
        let port = node.port;
        drop(node);
        assert!(!greets(port));
    }

    #[test]
    fn nothing_is_taken_from_the_system() {
        let text = format!("{:?}", environment(Path::new("/private"), 1, 2));
        assert!(!text.contains("/etc/") && !text.contains("/var/"), "{text}");
    }
}
