//! The operating system's user that runs the server.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::error::{EmbeddedError, io};

/// Users that may run the server when the caller is root, in order of preference.
///
/// `postgres` exists wherever a server package is installed, `_postgres` on macOS. `nobody` is
/// the last resort: the directory is closed to everybody else all the same.
const CANDIDATES: [&str; 3] = ["postgres", "_postgres", "nobody"];

const ROOT: u32 = 0;

/// Who runs the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerAccount {
    /// The caller itself.
    Caller {
        /// Its user id.
        uid: u32,
    },
    /// Somebody else, because the caller is root.
    Other {
        /// Name, for messages.
        name: String,
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
}

impl ServerAccount {
    pub(super) fn choose(wanted: Option<&str>) -> Result<Self, EmbeddedError> {
        let caller = id(&["-u"])?.ok_or_else(|| EmbeddedError::UserMissing {
            names: "of this process".to_owned(),
        })?;
        if caller != ROOT {
            return Ok(Self::Caller { uid: caller });
        }
        let candidates = wanted.map_or_else(|| CANDIDATES.to_vec(), |name| vec![name]);
        for name in &candidates {
            if let (Some(uid), Some(gid)) = (id(&["-u", name])?, id(&["-g", name])?) {
                if uid == ROOT {
                    return Err(EmbeddedError::UserIsRoot);
                }
                let name = (*name).to_owned();
                return Ok(Self::Other { name, uid, gid });
            }
        }
        Err(EmbeddedError::UserMissing {
            names: candidates.join(", "),
        })
    }

    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Caller { uid } | Self::Other { uid, .. } => *uid,
        }
    }

    /// A command that runs as this user, in a directory it may enter, without our environment:
    /// settings meant for `psql` would mislead it, and our secrets are none of its business.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        use std::os::unix::process::CommandExt as _;

        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir(directory);
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Gives a file or directory to this user.
    pub(super) fn take_over(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Caller { .. } => Ok(()),
            Self::Other { uid, gid, .. } => std::os::unix::fs::chown(path, Some(*uid), Some(*gid))
                .map_err(io("change the owner of", path)),
        }
    }
}

/// Asks the system's own `id`, which knows every source of users; `None` for an unknown one.
fn id(arguments: &[&str]) -> Result<Option<u32>, EmbeddedError> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .map_err(io("run", Path::new("id")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().parse().ok().filter(|_| output.status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_never_chosen() {
        let caller = id(&["-u"]).expect("id runs").expect("a user id");
        if caller == ROOT {
            let refused = ServerAccount::choose(Some("root"));
            assert!(matches!(refused, Err(EmbeddedError::UserIsRoot)));
        }
        let account = ServerAccount::choose(None).expect("an account");
        assert_ne!(account.uid(), ROOT);
    }

    #[test]
    fn an_unknown_user_is_named() {
        assert_eq!(id(&["-u", "no-such-user-here"]).expect("id runs"), None);
    }
}
