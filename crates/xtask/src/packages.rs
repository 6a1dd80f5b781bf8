//! Installs servers with the system's package manager, and only what is missing.

use std::path::Path;
use std::process::Command;

use std::io::{IsTerminal, stdin};

use anyhow::{Result, bail};

use crate::leash;
use crate::{postgres, process, rabbit};

/// A server that tests or the service need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// The PostgreSQL server's binaries.
    Postgres,
    /// The RabbitMQ server.
    Rabbit,
}

impl Package {
    fn is_installed(self) -> bool {
        match self {
            Self::Postgres => postgres::find_binaries().is_some(),
            Self::Rabbit => rabbit::find_script().is_some(),
        }
    }

    /// The package's name for apt.
    fn debian(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Rabbit => "rabbitmq-server",
        }
    }

    /// The formula's name for Homebrew.
    fn homebrew(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql@17",
            Self::Rabbit => "rabbitmq",
        }
    }
}

/// What this machine installs packages with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Homebrew,
}

/// Makes sure that packages are there.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<Package> = packages
        .iter()
        .copied()
        .filter(|package| !package.is_installed())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    match manager() {
        Some(Manager::Apt) => install_with_apt(&missing)?,
        Some(Manager::Homebrew) => {
            let names = missing.iter().map(|package| package.homebrew());
            process::run(Command::new("brew").arg("install").args(names))?;
        }
        None => bail!("{}", advice(&missing)),
    }
    let still: Vec<Package> = missing
        .into_iter()
        .filter(|package| !package.is_installed())
        .collect();
    if !still.is_empty() {
        bail!("the packages were installed, yet {}", advice(&still));
    }
    Ok(())
}

fn manager() -> Option<Manager> {
    if cfg!(target_os = "macos") {
        return in_path("brew").then_some(Manager::Homebrew);
    }
    (Path::new("/etc/debian_version").exists() && in_path("apt-get")).then_some(Manager::Apt)
}

fn install_with_apt(missing: &[Package]) -> Result<()> {
    // A list that cannot be refreshed may still be good enough, so the installation decides.
    if let Err(error) = process::run(apt_get(missing)?.arg("update")) {
        eprintln!("xtask: going on with the known package lists: {error:#}");
    }
    let names = missing.iter().map(|package| package.debian());
    let mut install = apt_get(missing)?;
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(names);
    process::run(&mut install)
}

/// `apt-get` as root; without a terminal nobody could type a password for sudo.
fn apt_get(missing: &[Package]) -> Result<Command> {
    if leash::is_root()? {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        return Ok(command);
    }
    if !in_path("sudo") {
        bail!("{}", advice(missing));
    }
    let mut command = Command::new("sudo");
    if !stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}

/// What a person has to do when we may not.
fn advice(missing: &[Package]) -> String {
    let debian: Vec<&str> = missing.iter().map(|package| package.debian()).collect();
    let homebrew: Vec<&str> = missing.iter().map(|package| package.homebrew()).collect();
    format!(
        "these servers are missing: {}. Install them with the system's package manager \
         (Debian, Ubuntu: `apt-get install {}` as root; macOS: `brew install {}`) \
         and run this command again; it looks in the path and in the usual folders of packages",
        debian.join(", "),
        debian.join(" "),
        homebrew.join(" ")
    )
}

fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_is_missing_for_each_system() {
        let text = advice(&[Package::Rabbit]);
        assert!(text.contains("apt-get install rabbitmq-server"), "{text}");
        assert!(text.contains("brew install rabbitmq"), "{text}");
        assert!(!text.contains("postgres"), "{text}");
    }

    #[test]
    fn programs_are_looked_up_in_the_path() {
        assert!(in_path("sh"));
        assert!(!in_path("no-such-program-of-kontor"));
    }
}
