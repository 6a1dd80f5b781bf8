//! `cargo xtask bench contracts`: how well contracts are found, and how long it takes.

use std::path::PathBuf;
use std::process::ExitCode;

use analysis::calendar::BusinessCalendar;
use anyhow::Result;
use benches::contracts::generator::Generator;
use benches::contracts::scale::{self, Timing};
use benches::contracts::score::{Counts, Score};
use benches::contracts::stability::Stability;
use benches::contracts::{berka, evaluate, evaluate_tagged, scenario, variant};
use clap::Parser;
use rules::RulePack;
use serde::Serialize;

/// Users whose data is made to grow.
const GROWING_USERS: u64 = 25;

/// Measures the detection of contracts.
#[derive(Parser)]
struct Arguments {
    /// Prints JSON instead of Markdown.
    #[arg(long)]
    json: bool,
    /// Invented users; each has about twenty contracts.
    #[arg(long, default_value_t = 520)]
    users: u64,
    /// Another seed makes other users and other changes to real accounts.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder with `berka` and `scenarios`; what is missing is left out.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Largest user whose time is measured, in transactions; 0 measures none.
    #[arg(long, default_value_t = 1_000_000)]
    largest: usize,
    /// Prints what was missed or wrong in the data set of this name.
    #[arg(long)]
    explain: Option<String>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Measured {
    scores: Vec<(String, Score)>,
    stability: Stability,
    timings: Vec<Timing>,
    /// Of the whole chain.
    chain: Option<Timing>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let calendar = BusinessCalendar::german(None);
    let generator = Generator::default();
    let first = arguments.seed.saturating_mul(1_000_000);
    let invented = (1..=arguments.users).map(|number| generator.user(first + number));
    let mut scores = vec![("generator".to_owned(), evaluate(invented, &calendar))];
    scores.extend(real(arguments, &calendar)?);
    let mut stability = Stability::default();
    for number in 1..=arguments.users.min(GROWING_USERS) {
        stability.add(&generator.user(number), &calendar);
    }
    let (timings, chain) = timings(&generator, arguments.largest, &calendar)?;
    print(
        arguments,
        &Measured {
            scores,
            stability,
            timings,
            chain,
        },
    )
}

/// How long contracts take in one growing user and in more and more users, and the whole chain.
fn timings(
    generator: &Generator,
    largest: usize,
    calendar: &BusinessCalendar,
) -> Result<(Vec<Timing>, Option<Timing>)> {
    let mut timings = Vec::new();
    let mut size = 1_000;
    while size <= largest {
        timings.push(scale::measure(
            &[scale::one_user(generator, size)],
            calendar,
        ));
        size = size.saturating_mul(10);
    }
    let mut chain = None;
    for count in [10, 100].into_iter().filter(|_| largest > 0) {
        let users = 1..=count;
        let users: Vec<_> = users
            .map(|number| generator.user(number).accounts)
            .collect();
        timings.push(scale::measure(&users, calendar));
        chain = Some(scale::measure_chain(&users, &RulePack::builtin()?));
    }
    Ok((timings, chain))
}

/// What is measured with data that is not part of the repository.
fn real(arguments: &Arguments, calendar: &BusinessCalendar) -> Result<Vec<(String, Score)>> {
    let mut scores = Vec::new();
    let folder = arguments.data.join("berka");
    if folder.is_dir() {
        let samples = berka::read(&folder)?;
        let mut harder = samples.clone();
        for (seed, sample) in (arguments.seed * 1_000_000 + 1..).zip(&mut harder) {
            variant::harden(sample, seed);
        }
        for (name, samples) in [("berka", samples), ("berka-variant", harder)] {
            scores.push((name.to_owned(), evaluate(samples.iter().cloned(), calendar)));
            let hidden = samples.into_iter().map(|mut sample| {
                berka::hide(&mut sample);
                sample
            });
            scores.push((format!("{name}-hidden"), evaluate(hidden, calendar)));
        }
    } else {
        eprintln!("left out: there is no {}", folder.display());
    }
    let folder = arguments.data.join("scenarios");
    if folder.is_dir() {
        let samples = scenario::read(&folder)?;
        scores.push((
            "scenarios".to_owned(),
            evaluate(samples.iter().cloned(), calendar),
        ));
        let pack = RulePack::builtin()?;
        scores.push((
            "scenarios with tags".to_owned(),
            evaluate_tagged(samples.into_iter(), &pack),
        ));
    } else {
        eprintln!("left out: there is no {}", folder.display());
    }
    Ok(scores)
}

fn print(arguments: &Arguments, measured: &Measured) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(measured)?);
        return Ok(());
    }
    for (name, score) in &measured.scores {
        println!("## {name}\n\n{}", table(score));
        if arguments.explain.as_ref() == Some(name) {
            println!("{}\n", score.misses.join("\n"));
        }
    }
    let Stability {
        kept,
        renamed,
        lost,
    } = measured.stability;
    println!(
        "growing data: {kept} contracts seen again, {renamed} of them under another key, {lost} lost\n"
    );
    println!("| users | transactions | contracts | ns per transaction |\n|---:|---:|---:|---:|");
    for timing in &measured.timings {
        let (users, transactions) = (timing.users, timing.transactions);
        let (contracts, nanoseconds) = (timing.contracts, timing.nanoseconds);
        println!("| {users} | {transactions} | {contracts} | {nanoseconds} |");
    }
    if let Some(chain) = &measured.chain {
        let (users, nanoseconds) = (chain.users, chain.nanoseconds);
        println!("\nwhole chain, {users} users: {nanoseconds} ns per transaction");
    }
    Ok(())
}

fn table(score: &Score) -> String {
    let mut text = String::from(
        "| | known | recall | reported | precision | interval right | next inside | median width |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (name, counts) in score.by_interval.iter().chain([(&"all", &score.all)]) {
        text += &row(name, counts);
    }
    let (annual, annual_found) = score.annual_twice;
    let (shops, shops_taken) = score.shops;
    let (cash, cash_taken) = score.cash;
    let (states, states_wrong) = (score.all.state_known, score.all.state_wrong);
    let rest = format!(
        "\nannual with two payments: {annual_found} of {annual} found; shops taken for contracts: \
         {shops_taken} of {shops}; rows of cash in contracts: {cash_taken} of {cash}; state wrong: \
         {states_wrong} of {states}\n"
    );
    text + &rest
}

fn row(name: &str, counts: &Counts) -> String {
    let mut widths = counts.widths.clone();
    widths.sort_unstable();
    let width = widths.get(widths.len() / 2).copied().unwrap_or(0);
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {width} |\n",
        counts.known,
        share(counts.found, counts.known),
        counts.reported,
        share(counts.right, counts.reported),
        share(counts.interval_right, counts.found),
        share(counts.next_inside, counts.next_known),
    )
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.3}", part as f64 / whole as f64)
}
