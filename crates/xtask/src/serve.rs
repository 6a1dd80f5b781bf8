//! `cargo xtask serve`: from a fresh clone to a running service.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::packages::{self, Package};
use crate::process;
use crate::workspace::Workspace;

/// Installs what is missing, builds, and becomes `kontor serve`.
pub(crate) fn serve(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    // With a database of the caller's, the service starts no server of its own.
    if env::var_os("DATABASE_URL").is_none() {
        packages::ensure(&[Package::Postgres])?;
    }
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "cli",
        "--bin",
        "kontor",
    ];
    process::run(&mut workspace.cargo(&build))?;
    let kontor = workspace.kontor();
    // The service replaces us, so signals and the exit code are its own. It gets the caller's
    // environment and folder, because the arguments may name files there.
    let error = Command::new(&kontor).arg("serve").args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", kontor.display()))
}
