//! `kontor rules check`: every problem, with what to do about it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use domain::UserType;
use rules::lint::{self, Problem};
use serde::Serialize;

use super::folder::{self, Folder};
use super::layers::{LayerArgs, Layers};
use super::{OutputFormat, write_json};
use crate::exit;

/// Which rules to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no problem; 2 wrong arguments; 4 no such folder or file; \
                        7 problems were found."
)]
pub(crate) struct CheckArgs {
    /// A folder with the layout of `rules/` instead of the shipped pack; parts that are absent are
    /// the shipped ones.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,

    /// A tenant's rules instead of the pack, which then has to be in order.
    #[arg(long, value_name = "FILE", requires = "user_type")]
    tenant: Option<PathBuf>,

    /// The tree that the tenant's rules are for: person or company.
    #[arg(long = "type", value_name = "TYPE")]
    user_type: Option<UserType>,

    /// How to write the report.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Runs the command.
pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let problems = problems(args)?;
    match args.format {
        OutputFormat::Text => write_text(out, &problems)?,
        OutputFormat::Json => write_json(out, &Report::of(&problems))?,
    }
    if problems.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(exit::PROBLEMS))
    }
}

fn problems(args: &CheckArgs) -> Result<Vec<Problem>> {
    if let (Some(path), Some(tree)) = (&args.tenant, args.user_type) {
        let source = folder::read_text(path)?;
        let layers = LayerArgs {
            rules: args.rules.clone(),
            tenant: None,
        };
        let pack = Layers::load(&layers, tree)?.pack;
        let mut problems = lint::check_tenant(&pack, tree, &source);
        for problem in &mut problems {
            problem.file = path.display().to_string();
        }
        return Ok(problems);
    }
    Ok(match &args.rules {
        None => lint::check(&lint::shipped()),
        Some(path) => Folder::read(path)?.with(lint::check),
    })
}

fn write_text(out: &mut dyn Write, problems: &[Problem]) -> Result<()> {
    for problem in problems {
        let line = problem.line.map(|line| format!(":{line}"));
        let rule = problem.rule.as_ref().map(|rule| format!("{rule}: "));
        writeln!(
            out,
            "{}{}: {}{} [{}]",
            problem.file,
            line.unwrap_or_default(),
            rule.unwrap_or_default(),
            problem.message,
            problem.kind.as_str(),
        )?;
    }
    // What to do stands once for each kind: a pack may have hundreds of the same.
    let kinds: BTreeSet<_> = problems.iter().map(|problem| problem.kind).collect();
    if !kinds.is_empty() {
        writeln!(out)?;
    }
    for kind in kinds {
        writeln!(out, "{}: {}", kind.as_str(), kind.advice())?;
    }
    let count = problems.len();
    writeln!(
        out,
        "{count} {}",
        if count == 1 { "problem" } else { "problems" }
    )?;
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    problems: Vec<ProblemReport<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemReport<'a> {
    file: &'a str,
    line: Option<usize>,
    rule: Option<&'a str>,
    kind: &'static str,
    message: &'a str,
    advice: &'static str,
}

impl<'a> Report<'a> {
    fn of(problems: &'a [Problem]) -> Self {
        let problems = problems.iter().map(|problem| ProblemReport {
            file: &problem.file,
            line: problem.line,
            rule: problem.rule.as_deref(),
            kind: problem.kind.as_str(),
            message: &problem.message,
            advice: problem.kind.advice(),
        });
        Self {
            problems: problems.collect(),
        }
    }
}
