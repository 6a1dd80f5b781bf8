//! The real `kontor` binary as a child process, for tests of the whole.
//!
//! **Invariant:** a process is signalled only through the handle of the child that it is, so no
//! test can hit a process that it did not start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// How often a state is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long a process may take until it is ready; a first start makes a database cluster.
pub const READY_MAX: Duration = Duration::from_secs(90);
/// How long a process may take to stop; Kontor promises 20 seconds.
pub const STOP_MAX: Duration = Duration::from_secs(25);
/// How long one answer to a question about readiness may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A port on the loopback that was free a moment ago.
///
/// # Errors
/// The machine has none left.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// The `kontor` binary of the build that the running test belongs to.
///
/// # Errors
/// It has not been built.
pub fn kontor_binary() -> Result<PathBuf> {
    let test = std::env::current_exe().context("this test has no path")?;
    // target/debug/deps/it-0123456789abcdef stands beside target/debug/kontor.
    let found = test
        .ancestors()
        .skip(1)
        .take(3)
        .map(|directory| directory.join("kontor"))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no kontor beside {}; `cargo build --bin kontor` makes it",
            test.display()
        )
    })
}

/// How to start a `kontor`: arguments and environment, with a data directory of its own.
#[derive(Debug, Clone)]
pub struct KontorCommand {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl KontorCommand {
    /// A command with these arguments and nothing of the test's own environment but the paths.
    pub fn new<const N: usize>(arguments: [&str; N]) -> Self {
        let mut environment = BTreeMap::new();
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Ok(value) = std::env::var(name) {
                environment.insert(name.to_owned(), value);
            }
        }
        environment.insert("KONTOR_LOG__FORMAT".to_owned(), "json".to_owned());
        Self {
            arguments: arguments.map(str::to_owned).to_vec(),
            environment,
        }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the data directory.
    #[must_use]
    pub fn data_dir(self, directory: &Path) -> Self {
        let text = directory.display().to_string();
        self.env("KONTOR_DATA_DIR", text)
    }

    /// Sets the address of the HTTP server.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> Self {
        self.env("KONTOR_LISTEN", address.to_string())
    }

    /// Runs the command to its end and returns what it printed.
    ///
    /// # Errors
    /// The binary cannot be started.
    pub fn output(&self) -> Result<Output> {
        self.command()?
            .stdin(Stdio::null())
            .output()
            .context("kontor cannot be started")
    }

    /// Starts the command and leaves it running; its output goes to files.
    ///
    /// # Errors
    /// The binary cannot be started.
    pub fn spawn(&self) -> Result<KontorProcess> {
        let logs = tempfile::Builder::new().prefix("kontor-logs-").tempdir()?;
        let stdout = File::create(logs.path().join("stdout"))?;
        let stderr = File::create(logs.path().join("stderr"))?;
        let child = self
            .command()?
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .context("kontor cannot be started")?;
        Ok(KontorProcess { child, logs })
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(kontor_binary()?);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment);
        Ok(command)
    }
}

/// A running `kontor`; dropping it kills it.
#[derive(Debug)]
pub struct KontorProcess {
    child: Child,
    logs: TempDir,
}

impl KontorProcess {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        read_lossy(&self.logs.path().join("stdout"))
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        read_lossy(&self.logs.path().join("stderr"))
    }

    /// Waits until the server at the address says that it is ready.
    ///
    /// # Errors
    /// The process ended, or was not ready within [`READY_MAX`]; with what it logged.
    pub fn wait_ready(&mut self, address: SocketAddr) -> Result<()> {
        self.wait_until("ready", || is_ready(address))
    }

    /// Waits until its log contains a text.
    ///
    /// # Errors
    /// As [`KontorProcess::wait_ready`].
    pub fn wait_logged(&mut self, text: &str) -> Result<()> {
        let log = self.logs.path().join("stderr");
        self.wait_until(text, || read_lossy(&log).contains(text))
    }

    fn wait_until(&mut self, what: &str, holds: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + READY_MAX;
        while !holds() {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "kontor ended ({status}) before it was {what}:\n{}",
                    self.stderr()
                );
            }
            if Instant::now() > deadline {
                bail!("kontor was not {what} in time:\n{}", self.stderr());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Ends the process as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn kill9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the process to stop, as a service manager does, without waiting.
    ///
    /// # Errors
    /// It has ended already.
    pub fn ask_to_stop(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("kontor has ended already ({status}):\n{}", self.stderr());
        }
        // The child is not reaped before this function returns, so its id is nobody else's.
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status()?;
        if !sent.success() {
            bail!("process {id} cannot be signalled");
        }
        Ok(())
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Errors
    /// It did not within [`STOP_MAX`]; with what it logged.
    pub fn wait_ended(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + STOP_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("kontor did not end in time:\n{}", self.stderr());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks the process to stop and waits until it has; returns how it ended and how long it took.
    ///
    /// # Errors
    /// As [`KontorProcess::ask_to_stop`] and [`KontorProcess::wait_ended`].
    pub fn terminate(&mut self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.ask_to_stop()?;
        let status = self.wait_ended()?;
        Ok((status, asked.elapsed()))
    }
}

impl Drop for KontorProcess {
    fn drop(&mut self) {
        // A process that has ended cannot be killed any more, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the server at an address answers `GET /health/ready` with 200.
pub fn is_ready(address: SocketAddr) -> bool {
    let asked = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(
            b"GET /health/ready HTTP/1.1\r\nHost: kontor\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map_or_else(
        |_| String::new(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}
