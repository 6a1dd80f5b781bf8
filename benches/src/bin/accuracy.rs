//! `cargo xtask bench accuracy`: how right the tags are on labelled transactions.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use benches::accuracy::labelled::{self, Row};
use benches::accuracy::report::{self, Named, Report};
use benches::accuracy::{Answer, Observation};
use benches::rule_folder::RuleFolder;
use clap::Parser;
use domain::UserType;
use formats::{UploadLimits, record};
use rules::{AccountContext, Categorizer, Decision, RulePack, Scratch};

/// The rules of the repository.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
/// The labelled rows of the repository.
const LABELLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labelled");

/// Measures the tags against labelled transactions: NDJSON of
/// `{"id","transaction","account","expected","accept","difficulty"}`, one file a set. A file whose
/// name holds `company` has rows of companies, any other rows of persons.
#[derive(Parser)]
struct Arguments {
    /// Prints JSON instead of Markdown.
    #[arg(long)]
    json: bool,
    /// The folder of rules, as the repository's `rules/`.
    #[arg(long, value_name = "DIR", default_value = RULES)]
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
    let sets = sets(&arguments.files)?;
    let pack = folder.pack().context("the rules cannot be used")?;
    let observed = observe_all(&pack, &sets)?;
    let report = report::report(&observed, &withheld(&folder, &sets, arguments.withhold)?);
    print(arguments, &report)?;
    if arguments.wrong {
        print_wrong(&observed);
    }
    Ok(())
}

/// The rows of each file, by the file's name.
fn sets(files: &[PathBuf]) -> Result<Vec<(String, Vec<Row>)>> {
    let own = [PathBuf::from(LABELLED)];
    let asked = if files.is_empty() { &own } else { files };
    let mut sets = Vec::new();
    for path in asked {
        let files = if path.is_dir() {
            labelled::files(path)?
        } else {
            vec![path.clone()]
        };
        for file in files {
            sets.push((name(&file), labelled::read(&file)?));
        }
    }
    Ok(sets)
}

fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn observe_all(pack: &RulePack, sets: &[(String, Vec<Row>)]) -> Result<Vec<Named>> {
    let mut scratch = pack.scratch();
    let mut observed = Vec::new();
    for (name, rows) in sets {
        let answered = rows
            .iter()
            .map(|row| observe(pack, row, &mut scratch).with_context(|| row.id.clone()));
        observed.push((name.clone(), answered.collect::<Result<_>>()?));
    }
    Ok(observed)
}

fn observe(pack: &RulePack, row: &Row, scratch: &mut Scratch) -> Result<Observation> {
    let read = record::read(&row.line, &UploadLimits::FILE)
        .map_err(|fault| anyhow::anyhow!("{}: {}", fault.path, fault.message))?;
    let context = AccountContext::new(&read.account, std::slice::from_ref(&read.account));
    let transaction = read
        .account
        .transactions
        .first()
        .context("no transaction")?;
    let view = pack.prepare(transaction, &context);
    let categorizer = Categorizer::new(pack, row.tree);
    let decision = categorizer.decide(&view, scratch);
    let taxonomy = pack.taxonomy();
    let expected = taxonomy
        .find(row.tree, &row.expected)
        .with_context(|| format!("{} is no tag of the tree", row.expected))?;
    let parent = |tag| taxonomy.path(tag).nth(1).unwrap_or_default().to_owned();
    Ok(Observation {
        row: row.clone(),
        answer: Answer {
            tag: taxonomy.name(decision.tag).to_owned(),
            parent: parent(decision.tag),
            confidence: decision.confidence.per_ten_thousand(),
            rule: categorizer.rule_name(&decision).into_owned(),
            cell: cell(&categorizer, &decision, row.tree),
        },
        expected_parent: parent(expected),
    })
}

/// The line of the calibration table that a decision's confidence comes from.
fn cell(categorizer: &Categorizer<'_>, decision: &Decision, tree: UserType) -> String {
    let strength = categorizer
        .rule(decision)
        .map_or("pattern", |rule| rule.strength.name.as_str());
    let kind = match (decision.abstained, decision.refund_of) {
        (true, _) => "rest",
        (false, Some(_)) => "refund",
        (false, None) => strength,
    };
    let confidence = decision.confidence.per_ten_thousand();
    format!("{} {kind} {confidence}", tree.as_str())
}

/// The rows answered without part of the listed names, part by part.
fn withheld(folder: &RuleFolder, sets: &[(String, Vec<Row>)], parts: u32) -> Result<Vec<Named>> {
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
