//! A private PostgreSQL cluster for tests that kill and restart their database.
//!
//! Unlike the shared cluster of the other tests it syncs its writes: what it acknowledged has to
//! be there after `kill -9`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// How long a cluster may take until it accepts connections, recovery included.
const READY_SECONDS_MAX: u64 = 60;
/// How often a state is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Role that the cluster is made with, a superuser.
const SUPERUSER: &str = "postgres";

/// A private cluster; dropping it kills it and removes its data.
pub struct PostgresNode {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl PostgresNode {
    /// Makes and starts a cluster.
    ///
    /// # Errors
    /// PostgreSQL's server binaries are not installed, or it does not start within a minute.
    pub fn start() -> Result<Self> {
        let binaries = binaries()?;
        let directory = tempfile::Builder::new()
            .prefix("kontor-postgres-")
            .tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        give_to_server_account(directory.path())?;
        let mut node = Self {
            directory,
            binaries,
            port,
            child: None,
        };
        let made = node
            .command("initdb")
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                SUPERUSER,
            ])
            .arg("--pgdata")
            .arg(node.data())
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        node.restart()?;
        Ok(node)
    }

    /// Address of a database, as superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port that the cluster listens on, the same after every restart.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the cluster's main process as `kill -9` does.
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

    /// Starts the cluster on the data it left and waits until recovery is over.
    ///
    /// # Errors
    /// It does not accept connections within a minute.
    pub fn restart(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
        loop {
            if self.child.is_none() {
                self.child = Some(self.spawn()?);
            }
            if self.accepts_connections() {
                return Ok(());
            }
            // The killed server's children hold its memory for a moment; a new one refuses then.
            let ended = match self.child.as_mut() {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                self.child = None;
            }
            if Instant::now() > deadline {
                bail!(
                    "PostgreSQL does not accept connections: {}",
                    self.last_output()
                );
            }
            std::thread::sleep(POLL);
        }
    }

    fn spawn(&self) -> Result<Child> {
        let output = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("output"))?;
        self.command("postgres")
            .arg("-D")
            .arg(self.data())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
            ])
            .arg("-c")
            .arg(format!("port={}", self.port))
            .arg("-c")
            .arg(format!(
                "unix_socket_directories={}",
                self.directory.path().display()
            ))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("postgres cannot be started")
    }

    fn accepts_connections(&self) -> bool {
        let port = self.port.to_string();
        let mut command = Command::new(self.binaries.join("pg_isready"));
        command.args(["--quiet", "--host=127.0.0.1", "--port", &port]);
        command.status().is_ok_and(|status| status.success())
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A server program, run as the unprivileged account when the caller is root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.current_dir(self.directory.path());
        if let Ok(Some((uid, gid))) = server_account() {
            use std::os::unix::process::CommandExt as _;
            command.uid(uid).gid(gid);
        }
        command
    }

    fn last_output(&self) -> String {
        let text = std::fs::read(self.directory.path().join("output")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for PostgresNode {
    fn drop(&mut self) {
        // A cluster that is already gone needs no killing.
        let _gone = self.kill9();
    }
}

/// Runs a statement with `psql` and returns its rows, fields separated by `|`.
///
/// # Errors
/// The statement fails or the database cannot be reached.
pub fn query(url: &str, statement: &str) -> Result<String> {
    run_client(
        "psql",
        &[
            "--no-psqlrc",
            "-v",
            "ON_ERROR_STOP=1",
            "-At",
            "-c",
            statement,
            url,
        ],
    )
}

/// The content of every table of a database, as text.
///
/// # Errors
/// The database cannot be read.
pub fn dump(url: &str) -> Result<String> {
    run_client("pg_dump", &["--data-only", "--dbname", url])
}

fn run_client(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(binaries()?.join(program))
        .args(arguments)
        .output()?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Where the newest installed server's programs are.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for root in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let Ok(entries) = std::fs::read_dir(root) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let version = name
                .to_string_lossy()
                .trim_start_matches("postgresql@")
                .parse::<u32>();
            let programs = entry.path().join("bin");
            if let (Ok(version), true) = (version, programs.join("initdb").exists()) {
                found.push((version, programs));
            }
        }
    }
    found.sort();
    let (_, newest) = found
        .pop()
        .context("PostgreSQL's server is not installed")?;
    Ok(newest)
}

/// User and group that the server runs under when the tests run as root, which it refuses.
fn server_account() -> Result<Option<(u32, u32)>> {
    let caller = Command::new("id").arg("-u").output()?;
    if String::from_utf8_lossy(&caller.stdout).trim() != "0" {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let line = accounts.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line
        .context("there is no account postgres")?
        .split(':')
        .skip(2);
    let mut number = || -> Result<u32> { Ok(fields.next().unwrap_or_default().parse()?) };
    Ok(Some((number()?, number()?)))
}

fn give_to_server_account(directory: &Path) -> Result<()> {
    if let Some((uid, gid)) = server_account()? {
        std::os::unix::fs::chown(directory, Some(uid), Some(gid))?;
    }
    Ok(())
}
