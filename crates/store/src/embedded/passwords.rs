//! The random passwords of the cluster's roles, kept in a file that only its owner reads.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Sensitive;
use serde::{Deserialize, Serialize};

use super::ClusterUrls;
use super::bootstrap::{DATABASE, OWNER_ROLE, RUNTIME_ROLE, SUPERUSER, SYSTEM_ROLE};
use super::error::{EmbeddedError, io};
use super::layout::Layout;

const PASSWORD_BYTES: usize = 32;

/// One password per role. URL-safe, so that it needs no quoting in a URL or a statement.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    pub(super) superuser: String,
    pub(super) owner: String,
    runtime: String,
    system: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// Reads the file; `None` when there is none.
    pub(super) fn load(layout: &Layout) -> Result<Option<Self>, EmbeddedError> {
        let path = layout.passwords_file();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("read", &path)(error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| EmbeddedError::PasswordsUnreadable { path, source })
    }

    /// Reads the file or makes it; a cluster whose file is gone cannot be entered any more.
    pub(super) fn load_or_create(
        layout: &Layout,
        cluster_exists: bool,
    ) -> Result<Self, EmbeddedError> {
        if let Some(passwords) = Self::load(layout)? {
            return Ok(passwords);
        }
        let path = layout.passwords_file();
        if cluster_exists {
            return Err(EmbeddedError::PasswordsMissing { path });
        }
        let passwords = Self {
            superuser: random_password()?,
            owner: random_password()?,
            runtime: random_password()?,
            system: random_password()?,
        };
        let json = serde_json::to_vec_pretty(&passwords)
            .map_err(|error| io("write", &path)(error.into()))?;
        write_private(&path, &json)?;
        Ok(passwords)
    }

    pub(super) fn urls(&self, layout: &Layout) -> ClusterUrls {
        ClusterUrls {
            owner: url(layout, (OWNER_ROLE, &self.owner), DATABASE),
            runtime: url(layout, (RUNTIME_ROLE, &self.runtime), DATABASE),
            system: url(layout, (SYSTEM_ROLE, &self.system), DATABASE),
        }
    }

    pub(super) fn superuser_url(&self, layout: &Layout) -> Sensitive<String> {
        url(layout, (SUPERUSER, &self.superuser), SUPERUSER)
    }
}

fn url(layout: &Layout, (role, password): (&str, &str), database: &str) -> Sensitive<String> {
    let directory = percent_encode(&layout.socket_dir());
    Sensitive::new(format!(
        "postgres://{role}:{password}@localhost/{database}?host={directory}"
    ))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), EmbeddedError> {
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path));
    written.map_err(io("write", path))
}

fn random_password() -> Result<String, EmbeddedError> {
    let mut bytes = [0u8; PASSWORD_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| EmbeddedError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn percent_encode(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;

    path.as_os_str()
        .as_bytes()
        .iter()
        .map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
            if plain {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_the_socket_whatever_the_path() {
        let layout = Layout::new(Path::new("/tmp/a b&c/ö")).expect("a layout");
        let passwords = Passwords {
            superuser: "s".to_owned(),
            owner: "o".to_owned(),
            runtime: "r".to_owned(),
            system: "y".to_owned(),
        };
        let urls = passwords.urls(&layout);
        assert_eq!(
            urls.runtime.as_str(),
            "postgres://kontor_app:r@localhost/kontor?host=%2Ftmp%2Fa%20b%26c%2F%C3%B6%2Fpostgres%2Frun"
        );
        let options: sqlx::postgres::PgConnectOptions =
            urls.system.as_str().parse().expect("a URL");
        let socket = options.get_socket().expect("a socket");
        assert_eq!(socket, &layout.socket_dir());
        assert_eq!(
            format!("{:?} {passwords:?}", urls.owner),
            "*** Passwords { .. }"
        );
    }

    #[test]
    fn passwords_are_long_and_need_no_quoting() {
        let password = random_password().expect("randomness");
        assert_eq!(password.len(), 43);
        assert!(
            password
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(password, random_password().expect("randomness"));
    }
}
