//! Finding the host's `PostgreSQL` server binaries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;
use super::layout::Layout;

/// Oldest major version whose SQL the migrations use.
const MAJOR_MIN: u32 = 14;

const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Directories that hold one directory per version, and what lies below each.
const VERSIONED_ROOTS: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/lib64/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// A usable set of server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
    /// `15.8`.
    pub(super) version: String,
    major: u32,
}

impl Binaries {
    /// The named directory's programs, else the newest on this machine that fit the cluster.
    pub(super) fn find(
        named: Option<&Path>,
        cluster_major: Option<u32>,
        layout: &Layout,
    ) -> Result<Self, EmbeddedError> {
        let found = match named {
            Some(dir) => vec![Self::named(dir)?],
            None => Self::search()?,
        };
        let newest = found.iter().max_by_key(|binaries| binaries.major);
        let fitting = match cluster_major {
            Some(major) => found.iter().find(|binaries| binaries.major == major),
            None => newest,
        };
        let Some(chosen) = fitting else {
            return Err(EmbeddedError::OtherMajorVersion {
                dir: layout.cluster(),
                created_by: cluster_major.unwrap_or_default(),
                found: versions(&found),
            });
        };
        if chosen.major < MAJOR_MIN {
            return Err(EmbeddedError::UnsupportedVersion {
                found: chosen.version.clone(),
                oldest: MAJOR_MIN,
            });
        }
        Ok(chosen.clone())
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn named(dir: &Path) -> Result<Self, EmbeddedError> {
        for program in PROGRAMS {
            if !dir.join(program).is_file() {
                return Err(EmbeddedError::BinariesIncomplete {
                    dir: dir.to_owned(),
                    program,
                });
            }
        }
        Self::probe(dir).ok_or_else(|| EmbeddedError::BinariesIncomplete {
            dir: dir.to_owned(),
            program: "postgres",
        })
    }

    fn search() -> Result<Vec<Self>, EmbeddedError> {
        let searched = candidates();
        let found: Vec<Self> = searched
            .iter()
            .filter(|dir| PROGRAMS.iter().all(|program| dir.join(program).is_file()))
            .filter_map(|dir| Self::probe(dir))
            .collect();
        if found.is_empty() {
            return Err(EmbeddedError::BinariesMissing {
                searched: roots_searched(searched),
            });
        }
        Ok(found)
    }

    fn probe(dir: &Path) -> Option<Self> {
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let (version, major) = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self {
            dir: dir.to_owned(),
            version,
            major,
        })
    }
}

/// Reads what `postgres --version` prints, also of a beta version, `18beta1`.
fn parse_version(text: &str) -> Option<(String, u32)> {
    let version = text.split_whitespace().nth(2)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((version.to_owned(), digits.parse().ok()?))
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for (root, below) in VERSIONED_ROOTS {
        let Ok(entries) = fs::read_dir(root) else {
            continue;
        };
        let mut versions: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| root_names_versions(root) || names_postgres(&entry.file_name()))
            .map(|entry| entry.path().join(below))
            .collect();
        versions.sort();
        dirs.extend(versions);
    }
    if let Some(dir) = pg_config_bindir() {
        dirs.push(dir);
    }
    if let Some(path) = std::env::var_os("PATH") {
        dirs.extend(std::env::split_paths(&path));
    }
    let mut seen = Vec::new();
    for dir in dirs {
        if !seen.contains(&dir) {
            seen.push(dir);
        }
    }
    seen
}

/// Whether every entry of the root is a version; others hold other software as well.
fn root_names_versions(root: &str) -> bool {
    root.ends_with("/postgresql") || root.ends_with("/Versions")
}

fn names_postgres(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("postgresql") || name.starts_with("pgsql-")
}

fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let dir = text.trim();
    (output.status.success() && !dir.is_empty()).then(|| PathBuf::from(dir))
}

/// The known roots beside what was found below them, so that the message is of use on a machine
/// that has nothing.
fn roots_searched(found: Vec<PathBuf>) -> Vec<PathBuf> {
    let roots = VERSIONED_ROOTS
        .iter()
        .map(|(root, _)| PathBuf::from(root))
        .filter(|root| root != Path::new("/usr"));
    let mut all: Vec<PathBuf> = roots.collect();
    all.extend(found.into_iter().filter(|dir| dir.is_dir()));
    all
}

fn versions(found: &[Binaries]) -> String {
    let versions: Vec<&str> = found.iter().map(|one| one.version.as_str()).collect();
    versions.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_servers_print() {
        for (text, expected) in [
            (
                "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n",
                Some(("15.8", 15)),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some(("18beta1", 18))),
            ("postgres (PostgreSQL) 17.2", Some(("17.2", 17))),
            ("postgres: error", None),
            ("", None),
        ] {
            let read = parse_version(text);
            let expected =
                expected.map(|(version, major): (&str, u32)| (version.to_owned(), major));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn an_empty_directory_is_no_server() {
        let dir = std::env::temp_dir();
        let refused = Binaries::named(&dir.join("kontor-no-such-directory"));
        assert!(matches!(
            refused,
            Err(EmbeddedError::BinariesIncomplete {
                program: "postgres",
                ..
            })
        ));
    }
}
