//! The one binary, `kontor`: the service (`serve`, `work`), its database (`migrate`), its
//! operator's commands (`client`, `runs`, `dead-letters`, `config`), and the analysis on files
//! (`analyze`, `categorize`) and of rules (`rules`).
//!
//! Everything that runs in a process is built in `parts` from one checked `config` and given to
//! one `lifetime`: what stops first is what lets work in, then what does the work, then the
//! connections, last the private database. Whatever ends by itself ends the process, with its
//! reason.
//!
//! **Invariant:** no socket opens before the whole configuration is known to be usable, and no
//! secret or personal datum is printed: addresses hide their passwords, panics tell their place
//! alone.

mod admin;
mod analyze;
mod categorize;
mod command;
mod config;
mod database;
mod demo;
mod exit;
mod jobs;
mod keys;
mod lifetime;
mod logging;
mod metrics;
mod output;
mod parts;
mod probes;
mod rules;
mod scheduler;
mod serve;

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use command::{Command, ConfigCommand, Kontor};
use config::{Config, Environment, LoadedConfig, Need};
use lifetime::Ending;
use logging::Reader;
use serve::Role;

/// What blocks a thread at the end, such as a hash that nobody waits for any more, gets this long.
const RUNTIME_STOP_MAX: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    logging::keep_panics_short();
    let line = Kontor::parse();
    match run(line) {
        Ok(code) => code,
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

fn run(line: Kontor) -> Result<ExitCode> {
    let file = line.config.as_deref();
    match line.command {
        Command::Analyze(args) => analyze::run(&args),
        Command::Categorize(args) => categorize::run(&args),
        Command::Rules(command) => rules::run(&command),
        Command::Config(ConfigCommand::Print) => print_config(file),
        Command::Serve(args) => {
            let role = Role::from(args.role);
            let need = match role {
                Role::All => Need::Everything,
                Role::Gateway | Role::Worker => Need::Role,
            };
            live(configured(file, need, Reader::Service)?, role)
        }
        Command::Work => {
            let config = configured(file, Need::Role, Reader::Service)?;
            live(config, Role::Worker)
        }
        Command::Migrate => {
            let config = configured(file, Need::Migration, Reader::Service)?;
            finish(async { migrate(&config).await })
        }
        Command::Client(command) => {
            let config = configured(file, Need::Administration, Reader::Command)?;
            finish(async { admin::client(&config, command).await })
        }
        Command::Runs(command) => {
            let config = configured(file, Need::Administration, Reader::Command)?;
            finish(async { admin::runs(&config, command).await })
        }
        Command::DeadLetters(command) => {
            let config = configured(file, Need::Administration, Reader::Command)?;
            finish(async { admin::dead_letters(&config, command).await })
        }
    }
}

fn load(file: Option<&Path>) -> LoadedConfig {
    LoadedConfig::read(file, &Environment::of_process(), is_root())
}

fn configured(file: Option<&Path>, need: Need, reader: Reader) -> Result<Config> {
    let config = load(file).for_need(need)?;
    logging::start(&config.log, reader);
    Ok(config)
}

fn print_config(file: Option<&Path>) -> Result<ExitCode> {
    let loaded = load(file);
    output::line(loaded.render().trim_end())?;
    loaded.for_need(Need::Nothing)?;
    Ok(ExitCode::SUCCESS)
}

async fn migrate(config: &Config) -> Result<()> {
    let applied = database::migrate_configured(config).await?;
    let versions: Vec<String> = applied.versions.iter().map(ToString::to_string).collect();
    let listed = if versions.is_empty() {
        String::new()
    } else {
        format!(": {}", versions.join(", "))
    };
    output::line(&format!(
        "{} migrations were there, {} applied{listed}",
        applied.before,
        versions.len()
    ))?;
    Ok(())
}

/// Runs a process that lives until it is asked to stop.
fn live(config: Config, role: Role) -> Result<ExitCode> {
    match block_on(serve::run(config, role))?? {
        Ending::Asked => Ok(ExitCode::SUCCESS),
        // Nothing is waited for any more; the private database ends by itself.
        Ending::AtOnce => std::process::exit(exit::INTERRUPTED.into()),
        Ending::Failed(error) => Err(error),
    }
}

/// Runs a command that ends by itself.
fn finish(work: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    block_on(work)??;
    Ok(ExitCode::SUCCESS)
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(RUNTIME_STOP_MAX);
    Ok(done)
}

/// Whether this process is root, whose data lie where the system keeps them.
fn is_root() -> bool {
    let output = std::process::Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
