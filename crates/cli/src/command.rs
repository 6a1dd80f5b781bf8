//! What can be typed behind `kontor`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::analyze::AnalyzeArgs;
use crate::categorize::CategorizeArgs;
use crate::rules::RulesCommand;

const EXIT_CODES: &str = "\
Exit codes:
  0    done, or stopped when asked
  1    something failed
  2    wrong usage, configuration or input
  3    a record cannot be used (analyze and categorize with --strict)
  4    there is no such thing
  5    not in the present state: it exists already, or another process has it
  6    something that is needed does not answer: database, broker, network address
  7    `rules check` found problems
  130  stopped at once by a second signal

Configuration: defaults < TOML file (--config or KONTOR_CONFIG) < environment. A setting `a.b` is
the variable KONTOR_A__B; `kontor config print` lists all. DATABASE_URL and AMQP_URL have their
common names. Without DATABASE_URL a private PostgreSQL in KONTOR_DATA_DIR is used.";

/// Analyses bank data: a server with a finoOS-compatible API, and the same analysis on files.
#[derive(Debug, Parser)]
#[command(name = "kontor", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Kontor {
    /// Configuration file in TOML, instead of the one that `KONTOR_CONFIG` names.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service: everything in one process, or the gateway alone.
    Serve(ServeArgs),
    /// Run a worker: analyse, relay messages, deliver webhooks, tidy up.
    Work,
    /// Bring the database to this version's schema; makes missing roles. Needs the owner's URL.
    Migrate,
    /// Analyse files without any service.
    Analyze(AnalyzeArgs),
    /// Categorize transactions without any service.
    Categorize(CategorizeArgs),
    /// Check, explain and compare rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Administer API clients.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Look at analysis runs.
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Inspect and replay messages that nobody could handle.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// What to serve.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Which part of the service this process is.
    #[arg(long, value_enum, default_value_t = ServeRole::All)]
    pub(crate) role: ServeRole,
}

/// A part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeRole {
    /// Everything in one process.
    All,
    /// HTTP and the relay to the broker; `kontor work` does the rest.
    Gateway,
}

/// Administers API clients.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Add a client; prints its secret, once.
    Add {
        /// Its identifier, which is also the name of its default tenant.
        id: String,
        /// Scopes, separated by commas; `all` for every one.
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// Read the secret from this file (`-` for standard input) instead of making one.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the clients.
    List,
    /// Replace a client's secret; prints the new one, once. The old one is void at once.
    RotateSecret {
        /// Its identifier.
        id: String,
        /// Read the secret from this file (`-` for standard input) instead of making one.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Replace a client's scopes.
    SetScopes {
        /// Its identifier.
        id: String,
        /// Scopes, separated by commas or blanks; `all` for every one.
        #[arg(required = true, value_delimiter = ',')]
        scopes: Vec<String>,
    },
}

/// Looks at analysis runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Show a run and, if it failed, the cause.
    Show {
        /// Its correlation id.
        correlation_id: String,
    },
    /// List the runs that failed, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
}

/// Inspects and replays messages that nobody could handle.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List the dead letters that nobody has replayed, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show a dead letter.
    Show {
        /// The id of its message.
        message_id: String,
    },
    /// Send a dead letter's message again; the run that failed with it waits again.
    Replay {
        /// The id of its message.
        message_id: String,
    },
}

/// Looks at the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting, its source and its variable; secrets are hidden.
    Print,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Kontor::command().debug_assert();
    }

    #[test]
    fn commands_are_read() {
        for line in [
            "kontor serve",
            "kontor serve --role gateway --config a.toml",
            "kontor --config a.toml work",
            "kontor migrate",
            "kontor client add acme --scopes all",
            "kontor client set-scopes acme banking,categorization contracts",
            "kontor client rotate-secret acme --secret-file -",
            "kontor runs show e57a73a9-bcda-4cda-9e8a-99a915a7d675",
            "kontor dead-letters replay e57a73a9-bcda-4cda-9e8a-99a915a7d675",
            "kontor config print",
            "kontor rules check --rules rules --format json",
            "kontor rules check --tenant own.toml --type company",
            "kontor rules explain --amount -12.50 --name REWE",
            "kontor rules explain --id PD-1 corpus.ndjson",
            "kontor rules stats --type company a.ndjson b.ndjson",
            "kontor rules preview --rules new --show-texts corpus.ndjson",
        ] {
            let read = Kontor::try_parse_from(line.split(' '));
            assert!(read.is_ok(), "{line}: {read:?}");
        }
        for line in [
            "kontor",
            "kontor client add acme",
            "kontor serve --role worker",
            "kontor rules check --tenant own.toml",
            "kontor rules explain",
            "kontor rules explain --name REWE",
            "kontor rules stats",
            "kontor rules preview corpus.ndjson",
        ] {
            let read = Kontor::try_parse_from(line.split(' '));
            assert!(read.is_err(), "{line}");
        }
    }
}
