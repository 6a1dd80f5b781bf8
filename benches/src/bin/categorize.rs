//! `cargo xtask bench categorize`: throughput of prepare and categorize on one core, as a multiple
//! of a bare automaton's scan of the same text for the same literals.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use benches::harness::{Candidate, Figure, markdown, measure};
use benches::statements;
use clap::Parser;
use domain::{Transaction, UserType};
use rules::{AccountContext, RulePack};
use serde::Serialize;

/// Measures prepare and categorize.
#[derive(Parser)]
struct Arguments {
    /// Prints JSON instead of Markdown.
    #[arg(long)]
    json: bool,
    /// How many transactions one round reads.
    #[arg(long, default_value_t = 50_000)]
    transactions: usize,
    /// How many rounds are run; the fastest counts.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
}

/// What is printed.
#[derive(Serialize)]
struct Measured {
    transactions: usize,
    bytes_per_transaction: usize,
    rules: usize,
    literals: usize,
    pack_compile_milliseconds: u128,
    figures: Vec<Figure>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (pack, compile) = match timed_pack() {
        Ok(made) => made,
        Err(error) => {
            eprintln!("the pack cannot be used: {error}");
            return ExitCode::FAILURE;
        }
    };
    let transactions = statements::transactions(arguments.transactions);
    let texts: Vec<String> = transactions.iter().map(statements::plain_text).collect();
    let literals = pack.literals(UserType::Person);
    let automaton = match bare_automaton(&literals) {
        Ok(automaton) => automaton,
        Err(error) => {
            eprintln!("the baseline cannot be built: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut candidates = [
        bare_scan(&automaton, &texts),
        touch_bytes(&texts),
        prepare(&pack, &transactions),
        categorize(&pack, &transactions),
    ];
    let bytes: usize = texts.iter().map(String::len).sum();
    print(
        &arguments,
        &Measured {
            transactions: transactions.len(),
            bytes_per_transaction: bytes / transactions.len().max(1),
            rules: pack.rules().count(),
            literals: literals.len(),
            pack_compile_milliseconds: compile.as_millis(),
            figures: measure(&mut candidates, 0, arguments.rounds, transactions.len()),
        },
    )
}

/// Builds the pack and says how long it took.
fn timed_pack() -> Result<(RulePack, Duration), rules::RulesError> {
    let start = Instant::now();
    let pack = RulePack::builtin()?;
    Ok((pack, start.elapsed()))
}

fn print(arguments: &Arguments, measured: &Measured) -> ExitCode {
    if !arguments.json {
        println!(
            "{} transactions of {} bytes, {} rules, {} literals of persons; pack compiled in {} ms\n\n{}",
            measured.transactions,
            measured.bytes_per_transaction,
            measured.rules,
            measured.literals,
            measured.pack_compile_milliseconds,
            markdown("transaction", &measured.figures),
        );
        return ExitCode::SUCCESS;
    }
    match serde_json::to_string_pretty(measured) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the figures are no JSON: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The automaton whose time is the measure: no words, no rules, only the literals.
fn bare_automaton(literals: &[String]) -> Result<AhoCorasick, aho_corasick::BuildError> {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(literals)
}

fn bare_scan<'a>(automaton: &'a AhoCorasick, texts: &'a [String]) -> Candidate<'a> {
    let matches = |text: &String| automaton.find_overlapping_iter(text.as_str()).count() as u64;
    Candidate {
        name: "bare aho-corasick scan (baseline)",
        round: Box::new(move || texts.iter().map(matches).sum()),
    }
}

fn touch_bytes(texts: &[String]) -> Candidate<'_> {
    let sum = |text: &String| text.bytes().map(u64::from).sum::<u64>();
    Candidate {
        name: "touch each byte",
        round: Box::new(move || texts.iter().map(sum).sum()),
    }
}

fn prepare<'a>(pack: &'a RulePack, transactions: &'a [Transaction]) -> Candidate<'a> {
    let context = AccountContext::default();
    Candidate {
        name: "prepare",
        round: Box::new(move || {
            let segments =
                |transaction| pack.prepare(transaction, &context).segments().len() as u64;
            transactions.iter().map(segments).sum()
        }),
    }
}

fn categorize<'a>(pack: &'a RulePack, transactions: &'a [Transaction]) -> Candidate<'a> {
    let context = AccountContext::default();
    let mut scratch = pack.scratch();
    Candidate {
        name: "prepare and categorize",
        round: Box::new(move || {
            transactions
                .iter()
                .map(|transaction| {
                    let view = pack.prepare(transaction, &context);
                    let decided = pack.categorize(UserType::Person, &view, &mut scratch);
                    u64::from(decided.evidence.end)
                })
                .sum()
        }),
    }
}
