//! Runs child processes and says how long they took.

use std::ffi::OsStr;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a waiting parent looks at its child.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Set by Ctrl-C; the terminal has sent it to the children as well.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Set by SIGTERM and SIGHUP, which only we received and have to pass on.
static TERMINATED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A child that ended unsuccessfully.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What was run, as printed.
    pub(crate) what: String,
    /// The exit code; absent when a signal ended it.
    pub(crate) code: Option<i32>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} failed with exit code {code}", self.what),
            None => write!(f, "{} was ended by a signal", self.what),
        }
    }
}

impl std::error::Error for Failed {}

/// Keeps this process alive on Ctrl-C and SIGTERM, so that it stops its servers before it ends.
pub(crate) fn catch_signals() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::register;
    register(SIGINT, Arc::clone(&INTERRUPTED))?;
    register(SIGTERM, Arc::clone(&TERMINATED))?;
    register(SIGHUP, Arc::clone(&TERMINATED))?;
    Ok(())
}

/// Fails when the user asked to stop.
pub(crate) fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) || TERMINATED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Sleeps for one polling interval, unless the user asked to stop.
pub(crate) fn pause() -> Result<()> {
    check_interrupted()?;
    thread::sleep(POLL_INTERVAL);
    Ok(())
}

/// Runs a command with our terminal, announcing it before and its duration afterwards.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let what = describe(command);
    step(&what, || {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {what}"))?;
        let status = wait(child)?;
        check_interrupted()?;
        succeed(&what, status)
    })
}

/// Runs a command silently and returns what it printed; on failure that is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let what = describe(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start {what}"))?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        let failed = Failed {
            what,
            code: output.status.code(),
        };
        return Err(anyhow::Error::new(failed).context(printed.trim().to_owned()));
    }
    String::from_utf8(output.stdout).with_context(|| format!("{what} printed no text"))
}

/// Announces a piece of work on stderr, runs it, and prints how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("xtask: {what}");
    let started = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "done" } else { "FAILED" };
    eprintln!(
        "xtask: {outcome} in {:.1} s: {what}",
        started.elapsed().as_secs_f64()
    );
    result
}

/// Waits for a child; a SIGTERM sent to us alone is passed on to it once.
fn wait(mut child: Child) -> Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if !told && TERMINATED.load(Ordering::Relaxed) {
            told = true;
            signal("TERM", child.id());
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Sends a signal; a process that has ended meanwhile is no error.
pub(crate) fn signal(name: &str, process: u32) {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &process.to_string()]);
    // The only failure is that the process is gone, which is what we want.
    drop(kill.stderr(std::process::Stdio::null()).status());
}

/// Turns an unsuccessful end into an error.
fn succeed(what: &str, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Failed {
        what: what.to_owned(),
        code: status.code(),
    }
    .into())
}

/// The command as a reader would type it, with the program's folder left out.
fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<String> = std::iter::once(name)
        .chain(command.get_args())
        .map(|word: &OsStr| word.to_string_lossy().into_owned())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_child_keeps_its_exit_code() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        let failed = error.downcast_ref::<Failed>().unwrap();
        assert_eq!(failed.code, Some(7));
        assert_eq!(failed.to_string(), "sh -c exit 7 failed with exit code 7");
    }

    #[test]
    fn output_is_returned_and_stderr_explains_a_failure() {
        assert_eq!(
            output(Command::new("echo").arg("kontor")).unwrap(),
            "kontor\n"
        );
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(format!("{error:#}").starts_with("why: "), "{error:#}");
    }
}
