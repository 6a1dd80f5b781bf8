//! Where the repository and its build output are, and how cargo is called.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// Settings of the caller that must not reach a build or a test.
const AMBIENT: [&str; 3] = ["DATABASE_URL", "AMQP_URL", "SQLX_OFFLINE_DIR"];

/// Settings that speak to tests and are kept.
const FOR_TESTS: [&str; 2] = ["KONTOR_SHARED", "KONTOR_FAULT_"];

/// The checked-out repository.
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
}

/// The part of `cargo metadata` that names the build folder.
#[derive(Deserialize)]
struct Location {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Finds the workspace this tool belongs to.
    pub(crate) fn find() -> Result<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        let text = process::output(bare_cargo().args(arguments).current_dir(manifest_dir))?;
        let location: Location = serde_json::from_str(&text).context("cargo metadata")?;
        Ok(Self {
            root: location.workspace_root,
            target: location.target_directory,
        })
    }

    /// A cargo command in the root that builds without a database and without the caller's services.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = bare_cargo();
        command.args(arguments);
        self.isolate(&mut command);
        command
    }

    /// Moves a command into the root and hides the caller's services from it.
    pub(crate) fn isolate(&self, command: &mut Command) {
        command.current_dir(&self.root).env("SQLX_OFFLINE", "true");
        for name in AMBIENT {
            command.env_remove(name);
        }
        for (name, _) in env::vars_os() {
            if is_of_a_service(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
    }

    /// A file or folder of the repository.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The released `kontor`.
    pub(crate) fn kontor(&self) -> PathBuf {
        self.target.join("release/kontor")
    }
}

/// Whether a variable configures a running service, which a test must not inherit.
fn is_of_a_service(name: &str) -> bool {
    name.starts_with("KONTOR_") && !FOR_TESTS.iter().any(|kept| name.starts_with(kept))
}

/// The cargo that runs us, else the one in the path.
pub(crate) fn bare_cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_services_are_told_from_those_of_tests() {
        let cases = [
            ("KONTOR_LISTEN", true),
            ("KONTOR_DATA_DIR", true),
            ("KONTOR_FAULT_SEED", false),
            ("KONTOR_SHARED", false),
            ("PATH", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_of_a_service(name), expected, "{name}");
        }
    }
}
