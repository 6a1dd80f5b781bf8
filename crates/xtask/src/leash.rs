//! Servers that end when we end, however we end.
//!
//! A server runs under a small shell that reads a pipe from us. When the pipe closes, because we are
//! done, failed, or were killed, the shell stops the server and deletes its folder. So even
//! `kill -9` of this tool leaves nothing behind; only killing the shell too does, and [`sweep`]
//! clears that up in the next run.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

/// Folders of ours in the temporary folder start with this and our process id.
const PREFIX: &str = "kontor-xtask-";

/// How many lines of a server's log an error shows.
const LOG_LINES_MAX: usize = 20;

/// How long a server may take to accept connections.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Arguments: the stop signal, the folder, the command. The watcher gets the pipe as descriptor 3
/// because a shell gives background jobs an empty standard input. The last line takes along what
/// the server itself has started: they are all one process group.
const SCRIPT: &str = r#"
signal=$1 folder=$2
shift 2
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
echo "$server" >"$folder/pid"
( while read -r _ <&3; do :; done; : >"$folder/released"; kill "-$signal" "$server" 2>/dev/null ) &
watcher=$!
wait "$server"
kill "$watcher" 2>/dev/null
[ -e "$folder/released" ] && rm -rf "$folder"
kill -KILL 0
"#;

/// Whose rights a server runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Our own, as an ordinary user.
    Ours,
    /// Those of this unprivileged user and group, because we are root and servers refuse to be.
    Of { user: u32, group: u32 },
}

impl Rights {
    /// Our own rights, or those of the `postgres` user (which the server's package made) when we are
    /// root.
    pub(crate) fn unprivileged() -> Result<Self> {
        if id("-u", None)? != 0 {
            return Ok(Self::Ours);
        }
        for name in ["postgres", "nobody"] {
            if let (Ok(user), Ok(group)) = (id("-u", Some(name)), id("-g", Some(name))) {
                return Ok(Self::Of { user, group });
            }
        }
        bail!("running as root, and neither user postgres nor nobody exists to run servers as")
    }

    /// Gives a command these rights.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Self::Of { user, group } = self {
            command.uid(user).gid(group);
        }
    }
}

/// Whether we are root.
pub(crate) fn is_root() -> Result<bool> {
    Ok(id("-u", None)? == 0)
}

/// A numeric id of a user, or of ourselves.
fn id(flag: &str, user: Option<&str>) -> Result<u32> {
    let text = process::output(Command::new("id").arg(flag).args(user))?;
    text.trim().parse().context("id printed no number")
}

/// A private folder for one server, owned by the user that will run it.
pub(crate) struct Folder {
    path: PathBuf,
    rights: Rights,
}

impl Folder {
    /// Creates an empty folder that nobody else may read.
    pub(crate) fn create(server: &str, rights: Rights) -> Result<Self> {
        let name = format!("{PREFIX}{}-{server}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        let folder = Self { path, rights };
        folder.hand_over(&folder.path)?;
        Ok(folder)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that the server may read.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        self.hand_over(&path)?;
        Ok(path)
    }

    /// A command that runs in the folder with the server's rights.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.path);
        self.rights.apply(&mut command);
        command
    }

    fn hand_over(&self, path: &Path) -> Result<()> {
        if let Rights::Of { user, group } = self.rights {
            chown(path, Some(user), Some(group))
                .with_context(|| format!("cannot give away {}", path.display()))?;
        }
        Ok(())
    }
}

/// How a server is told to stop. Its data is thrown away, so none of them needs to be polite.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StopSignal {
    /// Ends at once.
    Kill,
    /// PostgreSQL's immediate shutdown, which takes its children along.
    Quit,
}

/// A running server.
pub(crate) struct Server {
    name: &'static str,
    shell: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts a command under a leash. Of the given command only program, arguments, environment
    /// and working folder count.
    pub(crate) fn start(
        name: &'static str,
        command: &Command,
        folder: &Folder,
        stop: StopSignal,
    ) -> Result<Self> {
        let signal = match stop {
            StopSignal::Kill => "KILL",
            StopSignal::Quit => "QUIT",
        };
        let mut shell = folder.command("/bin/sh");
        shell
            .args(["-c", SCRIPT, "leash", signal])
            .arg(folder.path());
        shell.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        // A group of its own: Ctrl-C in the terminal must reach the tests before their servers.
        shell
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let shell = shell
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name,
            shell,
            folder: folder.path().to_owned(),
        })
    }

    /// Waits until the server answers `is_ready`; a server that ended instead shows its log.
    pub(crate) fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !is_ready() {
            if self.shell.try_wait()?.is_some() {
                bail!("{} ended while starting:\n{}", self.name, self.log_tail());
            }
            if started.elapsed() > READY_WITHIN {
                let seconds = READY_WITHIN.as_secs();
                bail!(
                    "{} is not ready after {seconds} s:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            process::pause()?;
        }
        Ok(())
    }

    fn log_tail(&self) -> String {
        let log =
            fs::read_to_string(self.folder.join("log")).unwrap_or_else(|_| "(no log)".to_owned());
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell ends when the server has; its exit code is that of the signal.
        drop(self.shell.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A TCP port on the loopback address that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// A password nobody else on this machine can guess.
pub(crate) fn random_password() -> Result<String> {
    use std::io::Read;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Stops and deletes what runs left behind whose tool and leashes were both killed.
pub(crate) fn sweep(rights: Rights) -> Result<()> {
    sweep_in(&std::env::temp_dir(), rights)
}

fn sweep_in(temporary: &Path, rights: Rights) -> Result<()> {
    let owner = match rights {
        Rights::Ours => id("-u", None)?,
        Rights::Of { user, .. } => user,
    };
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        let Some(tool) = rest.split('-').next().and_then(|id| id.parse().ok()) else {
            continue;
        };
        // Another run may delete its own folder meanwhile.
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        // A folder of another user is not ours to judge, and may be a trap.
        if metadata.is_dir() && metadata.uid() == owner && !is_running(tool, "xtask") {
            remove_leftover(&entry.path());
        }
    }
    Ok(())
}

/// Deletes one leftover folder, after its server.
fn remove_leftover(folder: &Path) {
    eprintln!("xtask: cleaning up {} of an earlier run", folder.display());
    let server = fs::read_to_string(folder.join("pid")).ok();
    if let Some(server) = server.and_then(|text| text.trim().parse().ok())
        && is_running(server, &folder.to_string_lossy())
    {
        process::signal("QUIT", server);
        process::signal("KILL", server);
    }
    drop(fs::remove_dir_all(folder));
}

/// Whether a process exists and its command line or environment contains the mark. Ids are reused,
/// so a number alone proves nothing.
fn is_running(process: u32, mark: &str) -> bool {
    let contains = |file: &str| {
        fs::read(format!("/proc/{process}/{file}"))
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(mark))
    };
    if Path::new("/proc/self").exists() {
        return contains("cmdline") || contains("environ");
    }
    let mut ps = Command::new("ps");
    ps.args(["-E", "-o", "command=", "-p", &process.to_string()]);
    process::output(&mut ps).is_ok_and(|line| line.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> Folder {
        Folder::create(name, Rights::unprivileged().unwrap()).unwrap()
    }

    #[test]
    fn a_server_ends_with_its_owner_and_leaves_no_folder() {
        let folder = folder("test-ends");
        let path = folder.path().to_owned();
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        let mut server = Server::start("sleep", &sleep, &folder, StopSignal::Kill).unwrap();
        server
            .wait_until(|| fs::read_to_string(path.join("pid")).is_ok_and(|t| !t.is_empty()))
            .unwrap();
        let id: u32 = fs::read_to_string(path.join("pid"))
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(is_running(id, "sleep"));
        drop(server);
        assert!(!is_running(id, "sleep"));
        assert!(!path.exists());
    }

    #[test]
    fn a_server_that_cannot_start_shows_its_log() {
        let folder = folder("test-log");
        let mut broken = Command::new("sh");
        broken.args(["-c", "echo the port is taken; exit 1"]);
        let mut server = Server::start("broken", &broken, &folder, StopSignal::Kill).unwrap();
        let error = server.wait_until(|| false).unwrap_err();
        assert!(error.to_string().contains("the port is taken"), "{error}");
    }

    #[test]
    fn leftovers_of_ended_tools_are_swept_and_others_stay() {
        let rights = Rights::unprivileged().unwrap();
        let temporary = folder("test-sweep");
        // No process has an id beyond the kernel's limit.
        for name in [
            "kontor-xtask-4000000001-postgres",
            "kontor-xtask-notes",
            "elsewhere",
        ] {
            let path = temporary.path().join(name);
            fs::create_dir(&path).unwrap();
            temporary.hand_over(&path).unwrap();
        }
        sweep_in(temporary.path(), rights).unwrap();
        let exists = |name: &str| temporary.path().join(name).exists();
        assert!(!exists("kontor-xtask-4000000001-postgres"));
        assert!(exists("kontor-xtask-notes"));
        assert!(exists("elsewhere"));
        fs::remove_dir_all(temporary.path()).unwrap();
    }
}
