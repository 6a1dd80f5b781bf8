//! What lies where in the data directory, and who may enter.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::account::ServerAccount;
use super::error::{EmbeddedError, io};

/// Longest path of a socket that both Linux and macOS accept, in bytes.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// Name that `PostgreSQL` gives the socket of its default port.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// A server log that has grown past this is moved aside at the next start.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

const OWNER_ONLY: u32 = 0o700;
const OTHERS_MAY_PASS: u32 = 0o711;

/// The paths of one data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    data_dir: PathBuf,
}

impl Layout {
    pub(super) fn new(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir =
            std::path::absolute(data_dir).map_err(io("make an absolute path of", data_dir))?;
        let layout = Self { data_dir };
        let socket = layout.socket_dir().join(SOCKET_NAME);
        if socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(EmbeddedError::PathTooLong {
                path: socket,
                max: SOCKET_PATH_BYTES_MAX,
            });
        }
        Ok(layout)
    }

    /// Everything of the server, owned by its user.
    pub(super) fn server_dir(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// `PostgreSQL`'s own data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.server_dir().join("data")
    }

    /// The cluster while it is being made; renamed when it is whole.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.server_dir().join("data.unfinished")
    }

    pub(super) fn socket_dir(&self) -> PathBuf {
        self.server_dir().join("run")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.server_dir().join("server.log")
    }

    pub(super) fn process_file(&self) -> PathBuf {
        self.cluster().join("postmaster.pid")
    }

    /// Passwords of the cluster's roles; ours, not the server's.
    pub(super) fn passwords_file(&self) -> PathBuf {
        self.data_dir.join("cluster.json")
    }

    fn lock_file(&self) -> PathBuf {
        self.data_dir.join("kontor.lock")
    }

    /// Makes the data directory. Under root the server's user must be able to pass through it.
    pub(super) fn create_data_dir(&self, account: &ServerAccount) -> Result<(), EmbeddedError> {
        let path = &self.data_dir;
        let is_new = !path.exists();
        if is_new && let ServerAccount::Other { name, uid, gid } = account {
            // Looked at before anything is created where the server could not go.
            let there = path.ancestors().find(|ancestor| ancestor.exists());
            check_reachable(there.unwrap_or(path), name, (*uid, *gid))?;
        }
        fs::create_dir_all(path).map_err(io("create", path))?;
        let passable = matches!(account, ServerAccount::Other { .. });
        if is_new {
            let mode = if passable {
                OTHERS_MAY_PASS
            } else {
                OWNER_ONLY
            };
            set_mode(path, mode)?;
        } else if passable && self.is_ours()? {
            let mode = mode_of(path)?;
            set_mode(path, mode | 0o011)?;
        }
        match account {
            ServerAccount::Caller { .. } => Ok(()),
            ServerAccount::Other { name, uid, gid } => check_reachable(path, name, (*uid, *gid)),
        }
    }

    /// Makes the server's directories, or checks that they are its own.
    pub(super) fn create_cluster_dirs(&self, account: &ServerAccount) -> Result<(), EmbeddedError> {
        for path in [self.server_dir(), self.socket_dir()] {
            if path.exists() {
                check_owner(&path, account)?;
            } else {
                fs::create_dir(&path).map_err(io("create", &path))?;
                account.take_over(&path)?;
            }
            set_mode(&path, OWNER_ONLY)?;
        }
        if self.cluster().exists() {
            check_owner(&self.cluster(), account)?;
        }
        Ok(())
    }

    /// Major version of the cluster, or `None` when there is none yet.
    pub(super) fn cluster_major(&self) -> Result<Option<u32>, EmbeddedError> {
        let path = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &path)(error)),
        }
    }

    /// Opens the server's log for appending and says where the coming lines start.
    pub(super) fn open_log(&self) -> Result<(File, u64), EmbeddedError> {
        let path = self.log_file();
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if length > LOG_BYTES_MAX {
            let old = path.with_extension("log.old");
            fs::rename(&path, &old).map_err(io("move aside", &path))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))?;
        let start = file.metadata().map_or(0, |metadata| metadata.len());
        Ok((file, start))
    }

    /// Whether the directory is empty or already Kontor's; no other's permissions are touched.
    fn is_ours(&self) -> Result<bool, EmbeddedError> {
        let mut entries = fs::read_dir(&self.data_dir).map_err(io("list", &self.data_dir))?;
        Ok(self.lock_file().exists() || entries.next().is_none())
    }
}

/// The right to use a data directory, held by at most one process.
///
/// The kernel releases it when its holder ends, however it ends, so it is never stale.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(super) fn take(layout: &Layout, account: &ServerAccount) -> Result<Self, EmbeddedError> {
        let path = layout.lock_file();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| denied(&path, account, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Without a readable id the message only lacks the number.
                let _ = file.read_to_string(&mut text);
                return Err(EmbeddedError::InUse {
                    dir: layout.data_dir.clone(),
                    holder: text.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Why our own file cannot be opened: mostly because it is somebody else's.
fn denied(path: &Path, account: &ServerAccount, error: std::io::Error) -> EmbeddedError {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        let known = if path.exists() {
            Some(path)
        } else {
            path.parent()
        };
        if let Some(Err(foreign @ EmbeddedError::ForeignOwner { .. })) =
            known.map(|known| check_owner(known, account))
        {
            return foreign;
        }
    }
    io("open", path)(error)
}

fn check_owner(path: &Path, account: &ServerAccount) -> Result<(), EmbeddedError> {
    let owner = fs::metadata(path).map_err(io("look at", path))?.uid();
    if owner == account.uid() {
        return Ok(());
    }
    Err(EmbeddedError::ForeignOwner {
        path: path.to_owned(),
        owner,
        expected: account.uid(),
    })
}

/// Checks that a user may pass through every directory down to a path.
fn check_reachable(path: &Path, user: &str, (uid, gid): (u32, u32)) -> Result<(), EmbeddedError> {
    for dir in path.ancestors() {
        let metadata = fs::metadata(dir).map_err(io("look at", dir))?;
        let bit = if metadata.uid() == uid {
            0o100
        } else if metadata.gid() == gid {
            0o010
        } else {
            0o001
        };
        if metadata.mode() & bit == 0 {
            return Err(EmbeddedError::Unreachable {
                path: dir.to_owned(),
                user: user.to_owned(),
            });
        }
    }
    Ok(())
}

fn mode_of(path: &Path) -> Result<u32, EmbeddedError> {
    let metadata = fs::metadata(path).map_err(io("look at", path))?;
    Ok(metadata.mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(io("change the permissions of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let long = PathBuf::from("/tmp").join("x".repeat(SOCKET_PATH_BYTES_MAX));
        let refused = Layout::new(&long);
        assert!(matches!(refused, Err(EmbeddedError::PathTooLong { .. })));
        assert!(Layout::new(Path::new("/var/lib/kontor")).is_ok());
    }
}
