//! The project's one tool: `cargo xtask serve | test | lint | bench | gen`.
//!
//! It compiles in seconds and needs nothing but Rust, because it runs before anything else is
//! installed. That is why it starts its own servers with the standard library instead of sharing
//! `store::embedded`: `store` takes minutes to build, and its SQL cache is made by this very tool.

mod bench;
mod docs;
mod generate;
mod leash;
mod lint;
mod packages;
mod postgres;
mod process;
mod rabbit;
mod serve;
mod sql;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::process::Failed;
use crate::workspace::Workspace;

/// The tool of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what is missing, builds, and runs `kontor serve` with the given arguments.
    Serve {
        /// Arguments for `kontor serve`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Starts private servers and runs every test, or those a nextest filter names.
    Test {
        /// Arguments for `cargo nextest run`; documentation tests run only without any.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks formatting, clippy, licences and sources, the SQL cache, and the house rules.
    Lint {
        /// Runs the house rules alone, which takes a second.
        #[arg(long)]
        tidy: bool,
    },
    /// Runs a benchmark of `benches` in release, or lists them.
    Bench {
        /// The benchmark's name.
        name: Option<String>,
        /// Arguments for the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Writes generated files: the SQL cache, the crates' README files, rule pages, OpenAPI.
    Gen {
        /// What to write; everything when absent.
        what: Option<generate::What>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::find()?;
    process::catch_signals()?;
    match command {
        Command::Serve { arguments } => serve::serve(&workspace, &arguments),
        Command::Test { arguments } => test::test(&workspace, &arguments),
        Command::Lint { tidy: true } => lint::tidy(&workspace),
        Command::Lint { tidy: false } => lint::lint(&workspace),
        Command::Bench { name, arguments } => bench::bench(&workspace, name.as_deref(), &arguments),
        Command::Gen { what } => generate::generate(&workspace, what),
    }
}

/// Prints the error and passes on the exit code of a child that has already explained itself.
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("xtask: {error:#}");
    let code = error
        .downcast_ref::<Failed>()
        .and_then(|failed| failed.code);
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
