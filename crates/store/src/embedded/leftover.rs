//! What an earlier Kontor may have left behind: a running server, or the lock file of a dead one.
//!
//! Called with the directory's lock held, so no other Kontor is at work here.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::account::ServerAccount;
use super::binaries::Binaries;
use super::error::{EmbeddedError, io};
use super::layout::Layout;
use super::{IMMEDIATE_STOP_TIMEOUT, STOP_TIMEOUT};

const POLL: Duration = Duration::from_millis(20);

/// Stops a leftover server or removes its lock file; says whether there was any.
pub(super) fn clear(
    layout: &Layout,
    binaries: &Binaries,
    account: &ServerAccount,
) -> Result<bool, EmbeddedError> {
    let Some(process) = recorded_process(layout) else {
        return Ok(false);
    };
    if runs_cluster(process, &layout.cluster()) {
        tracing::warn!(
            process.id = process,
            "stopping the database server that an earlier kontor left running"
        );
        stop(layout, binaries, account, process)?;
    }
    // A server in good health removes the file when it ends.
    remove_process_file(layout)?;
    Ok(true)
}

/// Process id of the server that has or had the cluster.
pub(super) fn recorded_process(layout: &Layout) -> Option<u32> {
    let text = fs::read_to_string(layout.process_file()).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Asks the server to end, first in good order, then at once; waits until it has.
pub(super) fn stop(
    layout: &Layout,
    binaries: &Binaries,
    account: &ServerAccount,
    process: u32,
) -> Result<(), EmbeddedError> {
    let attempts = [
        ("fast", STOP_TIMEOUT.saturating_sub(IMMEDIATE_STOP_TIMEOUT)),
        ("immediate", IMMEDIATE_STOP_TIMEOUT),
    ];
    for (mode, timeout) in attempts {
        signal(layout, binaries, account, mode)?;
        if ended(process, &layout.cluster(), timeout) {
            return Ok(());
        }
    }
    Err(EmbeddedError::StopTimedOut {
        process,
        seconds: STOP_TIMEOUT.as_secs(),
    })
}

/// Sends a shutdown request. That it fails because the server has just ended is no error here:
/// the caller looks at the process, not at this command.
pub(super) fn signal(
    layout: &Layout,
    binaries: &Binaries,
    account: &ServerAccount,
    mode: &str,
) -> Result<(), EmbeddedError> {
    let program = binaries.program("pg_ctl");
    account
        .command(&program, &layout.server_dir())
        .args(["stop", "--silent", "--no-wait", "--mode", mode, "--pgdata"])
        .arg(layout.cluster())
        .output()
        .map_err(io("run", &program))?;
    Ok(())
}

fn ended(process: u32, cluster: &Path, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if !runs_cluster(process, cluster) {
            return true;
        }
        thread::sleep(POLL);
    }
    false
}

fn remove_process_file(layout: &Layout) -> Result<(), EmbeddedError> {
    let path = layout.process_file();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io("remove", &path)(error))
        }
        _ => Ok(()),
    }
}

/// Whether a process is a server on the cluster; after a restart of the machine its recorded id
/// may be anybody's.
fn runs_cluster(process: u32, cluster: &Path) -> bool {
    let proc = Path::new("/proc").join(process.to_string());
    if Path::new("/proc/self").exists() {
        // A server works in its data directory. A zombie has no directory any more.
        return fs::read_link(proc.join("cwd")).is_ok_and(|directory| {
            fs::canonicalize(cluster).is_ok_and(|cluster| cluster == directory)
        });
    }
    let listed = Command::new("ps")
        .args(["-o", "command=", "-p", &process.to_string()])
        .output();
    listed.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(cluster.to_string_lossy().as_ref())
    })
}
