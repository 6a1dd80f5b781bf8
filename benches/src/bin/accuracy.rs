//! `cargo xtask bench accuracy`: how right the tags are on labelled transactions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use benches::accuracy::Observation;
use benches::accuracy::labelled::{self, Set};
use benches::accuracy::observe::observe_all;
use benches::accuracy::report::{self, Named, Report};
use benches::rule_folder::{self, RuleFolder};
use clap::Parser;

/// Measures the tags against labelled transactions: NDJSON of
/// `{"id","transaction","account","expected","accept","difficulty"}`, one file a set. A file whose
/// name holds `company` has rows of companies, any other rows of persons.
#[derive(Parser)]
struct Arguments {
    /// Prints JSON instead of Markdown.
    #[arg(long)]
    json: bool,
    /// The folder of rules, as the repository's `rules/`.
    #[arg(long, value_name = "DIR", default_value = rule_folder::OWN)]
    rules: PathBuf,
    /// Withholds the listed names in this many parts, one part after the other, for an estimate of
    /// how names fare that no list holds; 0 leaves that out.
    #[arg(long, value_name = "PARTS", default_value_t = 4)]
    withhold: u32,
    /// Also lists every wrong row with the rule that decided.
    #[arg(long)]
    wrong: bool,
    /// Files or folders of labelled rows; the project's own by default.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let folder = RuleFolder::read(&arguments.rules)?;
    let own = [PathBuf::from(labelled::OWN)];
    let asked = if arguments.files.is_empty() {
        &own[..]
    } else {
        &arguments.files
    };
    let sets = labelled::sets(asked)?;
    let pack = folder.pack().context("the rules cannot be used")?;
    let observed = observe_all(&pack, &sets)?;
    let report = report::report(&observed, &withheld(&folder, &sets, arguments.withhold)?);
    print(arguments, &report)?;
    if arguments.wrong {
        print_wrong(&observed);
    }
    Ok(())
}

/// The rows answered without part of the listed names, part by part.
fn withheld(folder: &RuleFolder, sets: &[Set], parts: u32) -> Result<Vec<Named>> {
    let mut named = Vec::new();
    for part in 0..parts {
        let pack = folder
            .withholding(part, parts)
            .context("the rules cannot be used without part of the names")?;
        let rows = observe_all(&pack, sets)?.into_iter();
        let rows = rows.flat_map(|(_, rows)| rows).collect();
        named.push((format!("part {} of {parts}", part + 1), rows));
    }
    Ok(named)
}

fn print(arguments: &Arguments, report: &Report) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        println!("{}", report::markdown(report));
    }
    Ok(())
}

fn print_wrong(observed: &[Named]) {
    println!("| row | expected | answered | rule | confidence |\n|---|---|---|---|---:|");
    for (set, rows) in observed {
        for Observation { row, answer, .. } in rows.iter().filter(|o| !o.is_right()) {
            println!(
                "| {set}/{} | {} | {} | {} | {} |",
                row.id, row.expected, answer.tag, answer.rule, answer.confidence
            );
        }
    }
}
