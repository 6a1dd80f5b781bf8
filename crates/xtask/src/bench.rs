//! `cargo xtask bench`: runs a benchmark in release.

use anyhow::{Context, Result, bail};

use crate::process;
use crate::tidy::metadata::Metadata;
use crate::workspace::Workspace;

/// The package that holds the benchmarks, one program each.
const PACKAGE: &str = "benches";

/// Runs one benchmark, or lists all.
pub(crate) fn bench(workspace: &Workspace, name: Option<&str>, arguments: &[String]) -> Result<()> {
    let metadata = Metadata::load(workspace)?;
    let package = metadata
        .member(PACKAGE)
        .context("the workspace has no package of benchmarks")?;
    let known = package.programs();
    let Some(name) = name else {
        println!("{}", known.join("\n"));
        return Ok(());
    };
    if !known.contains(&name) {
        bail!(
            "there is no benchmark {name}; known are: {}",
            known.join(", ")
        );
    }
    let run = [
        "run",
        "--release",
        "--locked",
        "--package",
        PACKAGE,
        "--bin",
        name,
        "--",
    ];
    process::run(workspace.cargo(&run).args(arguments))
}
