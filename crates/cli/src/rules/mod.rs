//! `kontor rules`: the analyst's tools around rule packs. `check` judges rules, `explain` a single
//! decision, `stats` a pack on a corpus, `preview` a change before it is made.
//!
//! Exit codes: as those of `kontor analyze`, and 7 when `check` found problems.

mod check;
mod corpus;
mod explain;
mod folder;
mod layers;
mod preview;
mod ratio;
mod stats;
mod tally;
mod words;

#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use check::CheckArgs;
use explain::ExplainArgs;
use preview::PreviewArgs;
use stats::StatsArgs;

/// Checks, explains and compares rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Report every problem of a pack or of a tenant's rules.
    Check(CheckArgs),
    /// Explain the decision about one transaction.
    Explain(Box<ExplainArgs>),
    /// Count what each rule does on a corpus.
    Stats(StatsArgs),
    /// Show what other rules would change on a corpus.
    Preview(PreviewArgs),
}

/// Runs the command.
///
/// # Errors
/// An input cannot be read or used, or the output cannot be written.
pub(crate) fn run(command: &RulesCommand) -> Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let code = run_to(command, &mut out)?;
    out.flush()?;
    Ok(code)
}

fn run_to(command: &RulesCommand, out: &mut dyn Write) -> Result<ExitCode> {
    match command {
        RulesCommand::Check(args) => check::run(args, out),
        RulesCommand::Explain(args) => explain::run(args, out),
        RulesCommand::Stats(args) => stats::run(args, out),
        RulesCommand::Preview(args) => preview::run(args, out),
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Writes one JSON document.
fn write_json(out: &mut dyn Write, document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document).context("cannot write the report")?;
    writeln!(out, "{text}")?;
    Ok(())
}
