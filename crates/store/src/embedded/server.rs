//! The server process: making a cluster, starting, watching, stopping.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::{Child, ChildStdin};

use super::account::ServerAccount;
use super::binaries::Binaries;
use super::bootstrap::SUPERUSER;
use super::error::{EmbeddedError, io};
use super::layout::Layout;
use super::leftover;
use super::passwords::{Passwords, write_private};
use super::{CONNECTIONS_MAX, IMMEDIATE_STOP_TIMEOUT, Prepared, START_TIMEOUT};

const POLL: Duration = Duration::from_millis(20);
/// After an unclean end, processes of the old server may hold its memory for a moment.
const RETRY_AFTER: Duration = Duration::from_millis(500);
const RETRIES_AFTER_UNCLEAN_END: u32 = 10;
/// How much of the log an error shows.
const LOG_BYTES_SHOWN: u64 = 2048;

/// Runs the server and ends it when standard input ends, which happens however we end.
///
/// The server is this shell's child, so its process id cannot pass to another while it is
/// watched. Signals meant for the whole session are left to us.
const KEEPER: &str = r#"
trap : HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
( trap - HUP INT TERM; read -r _ <&3; kill -INT "$server" ) 2>/dev/null &
watcher=$!
exec 3<&-
while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    status=$?
done
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    keeper: Child,
    /// Closing it ends the server.
    lifeline: Option<ChildStdin>,
    /// Where in the log this server's lines start.
    log_start: u64,
}

impl Server {
    pub(super) async fn start(prepared: &Prepared) -> Result<Self, EmbeddedError> {
        let mut retries = if prepared.unclean {
            RETRIES_AFTER_UNCLEAN_END
        } else {
            0
        };
        loop {
            match Self::start_once(prepared).await {
                Err(EmbeddedError::StartFailed { .. }) if retries > 0 => {
                    retries -= 1;
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                other => return other,
            }
        }
    }

    async fn start_once(prepared: &Prepared) -> Result<Self, EmbeddedError> {
        let layout = &prepared.layout;
        let program = prepared.binaries.program("postgres");
        let (log, log_start) = layout.open_log()?;
        let errors = log.try_clone().map_err(io("open", &layout.log_file()))?;
        let mut command =
            tokio::process::Command::from(prepared.account.command("sh", &layout.server_dir()));
        command
            .args(["-c", KEEPER, "kontor-keeper"])
            .arg(&program)
            .args(server_arguments(layout))
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in the terminal reaches us alone; we end the server when it is its turn.
            .process_group(0);
        let mut keeper = command.spawn().map_err(io("run", &program))?;
        let lifeline = keeper.stdin.take();
        let mut server = Self {
            keeper,
            lifeline,
            log_start,
        };
        server.wait_until_ready(layout).await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, layout: &Layout) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            let exited = self
                .keeper
                .try_wait()
                .map_err(io("watch", Path::new("postgres")))?;
            if let Some(status) = exited {
                return Err(EmbeddedError::StartFailed {
                    status: describe(status),
                    log_file: layout.log_file(),
                    log: self.log_tail(layout),
                });
            }
            if is_ready(layout) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(EmbeddedError::StartTimedOut {
            seconds: START_TIMEOUT.as_secs(),
            log_file: layout.log_file(),
            log: self.log_tail(layout),
        })
    }

    pub(super) async fn died(&mut self, layout: &Layout) -> EmbeddedError {
        let status = match self.keeper.wait().await {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        };
        EmbeddedError::Died {
            status,
            log_file: layout.log_file(),
            log: self.log_tail(layout),
        }
    }

    pub(super) async fn stop(
        mut self,
        layout: &Layout,
        (binaries, account): (&Binaries, &ServerAccount),
        within: Duration,
    ) -> Result<(), EmbeddedError> {
        let process = leftover::recorded_process(layout).unwrap_or_default();
        drop(self.lifeline.take());
        let in_good_order = within.saturating_sub(IMMEDIATE_STOP_TIMEOUT);
        if self.ended_within(in_good_order).await {
            return Ok(());
        }
        tracing::warn!("the database server does not stop in good order, stopping it at once");
        leftover::signal(layout, binaries, account, "immediate")?;
        if self.ended_within(IMMEDIATE_STOP_TIMEOUT).await {
            return Ok(());
        }
        Err(EmbeddedError::StopTimedOut {
            process,
            seconds: within.as_secs(),
        })
    }

    async fn ended_within(&mut self, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.keeper.wait())
            .await
            .is_ok()
    }

    /// The end of what this server logged. Statements and values are never in it: the arguments
    /// below see to that.
    fn log_tail(&self, layout: &Layout) -> String {
        let read = fs::File::open(layout.log_file()).and_then(|mut file| {
            let length = file.metadata()?.len();
            let from = self.log_start.max(length.saturating_sub(LOG_BYTES_SHOWN));
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        });
        read.unwrap_or_default()
    }
}

/// Makes a cluster, so that it is there whole or not at all.
pub(super) fn init_cluster(
    layout: &Layout,
    binaries: &Binaries,
    account: &ServerAccount,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    let unfinished = layout.unfinished_cluster();
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(io("remove", &unfinished))?;
    }
    let password_file = layout.server_dir().join("superuser-password");
    write_private(&password_file, passwords.superuser.as_bytes())?;
    account.take_over(&password_file)?;
    let program = binaries.program("initdb");
    let output = account
        .command(&program, &layout.server_dir())
        .args(["--encoding=UTF8", "--locale=C", "--data-checksums"])
        .args(["--auth=scram-sha-256", "--username", SUPERUSER, "--pwfile"])
        .arg(&password_file)
        .arg("--pgdata")
        .arg(&unfinished)
        .output()
        .map_err(io("run", &program));
    fs::remove_file(&password_file).map_err(io("remove", &password_file))?;
    let output = output?;
    if !output.status.success() {
        return Err(EmbeddedError::InitFailed {
            dir: unfinished,
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    let cluster = layout.cluster();
    fs::rename(&unfinished, &cluster).map_err(io("create", &cluster))
}

fn server_arguments(layout: &Layout) -> Vec<std::ffi::OsString> {
    let mut arguments = vec!["-D".into(), layout.cluster().into_os_string()];
    let mut sockets = std::ffi::OsString::from("unix_socket_directories=");
    sockets.push(layout.socket_dir());
    let settings = [
        sockets,
        "listen_addresses=".into(),
        "port=5432".into(),
        "unix_socket_permissions=0700".into(),
        format!("max_connections={CONNECTIONS_MAX}").into(),
        // Details, statements and parameters hold the rows of users; the log gets none of them.
        "log_error_verbosity=terse".into(),
        "log_min_error_statement=panic".into(),
        "log_parameter_max_length_on_error=0".into(),
        "logging_collector=off".into(),
        "log_destination=stderr".into(),
    ];
    for setting in settings {
        arguments.push("-c".into());
        arguments.push(setting);
    }
    arguments
}

/// Whether the server's own status line says that it accepts connections.
///
/// # Source
/// `PostgreSQL`, `miscadmin.h`: the eighth line of `postmaster.pid`, which `pg_ctl` waits for.
fn is_ready(layout: &Layout) -> bool {
    fs::read_to_string(layout.process_file()).is_ok_and(|text| {
        text.lines()
            .nth(7)
            .is_some_and(|line| line.trim() == "ready")
    })
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    // A shell reports a child's death by a signal as 128 and its number.
    match (status.code(), status.signal()) {
        (Some(code), _) if code > 128 => format!("killed by signal {}", code - 128),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("its keeper was killed by signal {signal}"),
        (None, None) => "for no known reason".to_owned(),
    }
}
