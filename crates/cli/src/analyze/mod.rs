//! `kontor analyze`: the core alone, over files, without any service.
//!
//! Users stream through: a reader cuts the inputs into records, a pool of threads analyses them, a
//! writer puts the lines out in the order of the input. Memory depends on the longest record and
//! the number of threads, never on the length of the corpus.
//!
//! Exit codes: 0 when every input was read; 1 when an input cannot be read or the output cannot be
//! written; 2 for wrong arguments; 3 when `--strict` met a record that cannot be used.

pub(crate) mod input;
pub(crate) mod pump;
pub(crate) mod summary;
pub(crate) mod user;

#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analysis::Parts;
use anyhow::Context as _;
use chrono::NaiveDate;
use clap::Args;
use domain::{Clock, SystemClock, UserType, date};
use rules::RulePack;

use input::{Format, Source};
use pump::{BadRecords, Threads};
use summary::Totals;
use user::Analyst;

/// Exit code when `--strict` met a record that cannot be used.
pub(crate) const EXIT_BAD_RECORD: u8 = 3;

/// Analyses users from files and writes one JSON line a user.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done; 1 an input cannot be read or the output not be written; \
                        2 wrong arguments; 3 --strict met a record that cannot be used."
)]
pub(crate) struct AnalyzeArgs {
    /// Kind of the users that do not say theirs: person or company.
    #[arg(long = "type", value_name = "TYPE", default_value = "person")]
    user_type: UserType,

    /// The day on which the analysis stands; by default each user's newest booking day that is not
    /// after today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<NaiveDate>,

    /// Parts of the report to compute, separated by commas: categorization. All by default.
    #[arg(long, value_name = "PART,…")]
    only: Option<Parts>,

    /// Where the lines go; standard output by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How the inputs are written; by default .ndjson, .jsonl and standard input are one user a
    /// line, everything else is one JSON document.
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Stop at the first record that cannot be used instead of writing a line about it.
    #[arg(long)]
    strict: bool,

    /// Threads to compute with; all by default. The output does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<Threads>,

    /// Files, or - for standard input.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// An input cannot be read, the output cannot be written, or the rules cannot be loaded.
pub(crate) fn run(args: &AnalyzeArgs) -> anyhow::Result<ExitCode> {
    let today = date::berlin_today(SystemClock.now());
    let sources = Source::open_all(&args.inputs, args.format)?;
    let mut out = open_output(args.out.as_deref())?;
    let totals = analyze(args, today, sources, &mut out)?;
    Ok(finish(&totals, "users"))
}

fn analyze(
    args: &AnalyzeArgs,
    today: NaiveDate,
    sources: Vec<Source>,
    out: &mut dyn Write,
) -> anyhow::Result<Totals> {
    let pack = RulePack::builtin().context("cannot load the rules")?;
    let analyst = Analyst {
        pack: &pack,
        default_type: args.user_type,
        as_of: args.as_of,
        today,
        parts: args.only.unwrap_or_default(),
    };
    let plan = pump::Plan {
        threads: args.threads,
        bad_records: BadRecords::of(args.strict),
    };
    pump::run(
        sources,
        &plan,
        out,
        || (),
        |(), record| analyst.line(record),
    )
}

/// Opens the output.
pub(crate) fn open_output(path: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    Ok(match path {
        None => Box::new(BufWriter::new(io::stdout().lock())),
        Some(path) => {
            let file = std::fs::File::create(path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
    })
}

/// Says on standard error what was done, and chooses the exit code.
pub(crate) fn finish(totals: &Totals, unit: &str) -> ExitCode {
    eprintln!("{}", totals.sentence(unit));
    match &totals.stopped_at {
        None => ExitCode::SUCCESS,
        Some(fault) => {
            eprintln!("stopped: {fault}");
            ExitCode::from(EXIT_BAD_RECORD)
        }
    }
}
