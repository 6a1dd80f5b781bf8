//! Cargo subcommands at pinned versions, installed into the target folder when missing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::{Workspace, bare_cargo};

/// A cargo subcommand.
pub(crate) struct Tool {
    /// The crate and program.
    name: &'static str,
    /// The version that is installed when none that fits is found.
    pinned: &'static str,
    /// The oldest version of the same series that fits.
    at_least: &'static str,
    /// Further arguments for its installation.
    options: &'static [&'static str],
}

/// Runs tests; any 0.9 that knows our configuration fits.
pub(crate) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    pinned: "0.9.143",
    at_least: "0.9.100",
    // Without its own updater, which would need a host other than the registry.
    options: &["--no-default-features", "--features", "default-no-update"],
};

/// Checks licences, sources and bans; its configuration changes between versions.
pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    pinned: "0.20.2",
    at_least: "0.20.2",
    options: &[],
};

/// `major.minor.patch`.
type Version = (u32, u32, u32);

impl Tool {
    /// The program, installed if no version that fits is found.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Result<PathBuf> {
        let private = workspace.target.join("xtask-tools");
        let installed = private.join("bin").join(self.name);
        let candidates = candidates(self.name).chain([installed.clone()]);
        for program in candidates {
            if self.fits(&program) {
                return Ok(program);
            }
        }
        self.install(&private)?;
        Ok(installed)
    }

    fn fits(&self, program: &Path) -> bool {
        if !program.is_file() {
            return false;
        }
        let subcommand = self.name.trim_start_matches("cargo-");
        let printed = process::output(Command::new(program).args([subcommand, "--version"]));
        let found = printed.ok().and_then(|text| parse_version(&text));
        found.is_some_and(|found| self.accepts(found))
    }

    fn accepts(&self, found: Version) -> bool {
        let Some(at_least) = parse_version(self.at_least) else {
            return false;
        };
        (found.0, found.1) == (at_least.0, at_least.1) && found >= at_least
    }

    fn install(&self, folder: &Path) -> Result<()> {
        let version = format!("={}", self.pinned);
        let mut command = bare_cargo();
        command.args(["install", "--locked", self.name, "--version", &version]);
        command.args(self.options).arg("--root").arg(folder);
        // Its build output would be of no use to us, and ours none to it.
        command
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS");
        process::run(&mut command).with_context(|| format!("cannot install {}", self.name))
    }
}

/// Where cargo and the path would find a program.
fn candidates(name: &str) -> impl Iterator<Item = PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home?.join(".cargo")))
        .map(|folder| folder.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(cargo_home).collect();
    let name = name.to_owned();
    folders.into_iter().map(move |folder| folder.join(&name))
}

/// The first version number in a line such as `cargo-nextest 0.9.143 (60fa45f63 2026-08-04)`.
fn parse_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        let version = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        numbers.next().is_none().then_some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        let cases = [
            (
                "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143",
                Some((0, 9, 143)),
            ),
            ("cargo-deny 0.20.2\n", Some((0, 20, 2))),
            ("error: no such command", None),
        ];
        for (printed, expected) in cases {
            assert_eq!(parse_version(printed), expected, "{printed:?}");
        }
    }

    #[test]
    fn newer_versions_of_the_same_series_fit_and_others_do_not() {
        for (found, expected) in [
            ((0, 9, 100), true),
            ((0, 9, 151), true),
            ((0, 9, 99), false),
            ((0, 10, 0), false),
        ] {
            assert_eq!(NEXTEST.accepts(found), expected, "{found:?}");
        }
        assert!(!DENY.accepts((0, 20, 1)) && DENY.accepts((0, 20, 2)));
    }
}
