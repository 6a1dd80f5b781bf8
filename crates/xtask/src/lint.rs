//! `cargo xtask lint`: everything a reviewer should not have to look for.

use std::process::Command;

use anyhow::{Result, bail};

use crate::tools::DENY;
use crate::workspace::Workspace;
use crate::{process, sql, tidy as house_rules};

/// Runs every check; the cheap ones first, and all of them even when one fails.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let checks: [Check; 5] = [
        ("house rules", tidy),
        ("formatting", formatting),
        ("licences, sources and bans", deny),
        ("clippy", clippy),
        ("SQL cache", sql::check),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        process::check_interrupted()?;
        if let Err(error) = check(workspace) {
            eprintln!("xtask: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("lint failed: {}", failed.join(", "));
    }
    Ok(())
}

/// A named check.
type Check = (&'static str, fn(&Workspace) -> Result<()>);

/// The house rules that only this tool knows.
pub(crate) fn tidy(workspace: &Workspace) -> Result<()> {
    process::step("tidy", || {
        let violations = house_rules::check(workspace)?;
        for violation in &violations {
            println!("{violation}");
        }
        if !violations.is_empty() {
            bail!("{} violations of house rules", violations.len());
        }
        Ok(())
    })
}

fn formatting(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let arguments = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    process::run(&mut workspace.cargo(&arguments))
}

/// Advisories are left out: their database is no package registry.
fn deny(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new(DENY.ensure(workspace)?);
    command.args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    workspace.isolate(&mut command);
    process::run(&mut command)
}
