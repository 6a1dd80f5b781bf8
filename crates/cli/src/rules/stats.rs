//! `kontor rules stats`: what each rule does on a corpus, and what nothing is known about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use domain::UserType;
use rules::{Origin, Rule, RuleId, Scratch};
use serde::Serialize;
use serde_json::value::RawValue;

use super::corpus::{self, CorpusArgs, Item, Tally};
use super::layers::{LayerArgs, Layers};
use super::ratio::{decimal, number, per_ten_thousand, percent};
use super::words::WordCounts;
use super::{OutputFormat, write_json};

/// Which rules on which corpus.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done; 1 an input cannot be read; 2 wrong arguments or rules; \
                        3 --strict met a record that cannot be used; 4 no such folder of rules."
)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    corpus: CorpusArgs,

    /// So many of the most frequent words of undecided transactions.
    #[arg(long, value_name = "N", default_value_t = 20)]
    words: usize,

    /// How to write the report.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Runs the command.
pub(super) fn run(args: &StatsArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let sources = args.corpus.open()?;
    let layers = Layers::load(&args.layers, args.corpus.user_type)?;
    let (figures, totals) = corpus::gather(&args.corpus, sources, |figures, scratch, item| {
        visit(&layers, figures, scratch, item);
    })?;
    corpus::report(&totals, || {
        let report = Report::of(&layers, &figures, args.words);
        match args.format {
            OutputFormat::Text => report.write_text(out),
            OutputFormat::Json => write_json(out, &report),
        }
    })
}

/// What the rules did.
#[derive(Debug, Default)]
struct Figures {
    transactions: u64,
    decided: u64,
    trees: BTreeSet<UserType>,
    rules: BTreeMap<(Origin, RuleId), Counts>,
    words: WordCounts,
}

/// What one rule did.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    /// Transactions that it matched.
    hits: u64,
    /// Transactions whose tag it set.
    decided: u64,
}

impl Tally for Figures {
    fn merge(&mut self, other: Self) {
        self.transactions += other.transactions;
        self.decided += other.decided;
        self.trees.extend(other.trees);
        for (rule, counts) in other.rules {
            let sum = self.rules.entry(rule).or_default();
            sum.hits += counts.hits;
            sum.decided += counts.decided;
        }
        self.words.merge(other.words);
    }
}

fn visit(layers: &Layers, figures: &mut Figures, scratch: &mut Scratch, item: &Item<'_>) {
    let view = layers.pack.prepare(item.transaction, item.context);
    let explained = layers.categorizer(item.tree).explain(&view, scratch);
    let decision = explained.decision;
    figures.transactions += 1;
    figures.trees.insert(item.tree);
    let own = figures.rules.entry((decision.origin, decision.rule));
    let own = own.or_default();
    own.hits += 1;
    own.decided += 1;
    let mut counted = BTreeSet::new();
    for other in &explained.alternatives {
        let key = (other.origin, other.rule);
        if counted.insert(key) {
            figures.rules.entry(key).or_default().hits += 1;
        }
    }
    if decision.abstained {
        figures.words.add(item.transaction);
    } else {
        figures.decided += 1;
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    rule_pack_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_rules_hash: Option<&'a str>,
    transactions: u64,
    decided: u64,
    coverage: Option<Box<RawValue>>,
    origins: Vec<ShareLine<'a>>,
    strengths: Vec<ShareLine<'a>>,
    rules: Vec<RuleLine<'a>>,
    never_hit: Vec<RuleName<'a>>,
    undecided_words: Vec<WordLine<'a>>,
}

#[derive(Serialize)]
struct ShareLine<'a> {
    name: &'a str,
    decided: u64,
    share: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct RuleLine<'a> {
    #[serde(flatten)]
    name: RuleName<'a>,
    tag: &'a str,
    strength: &'a str,
    hits: u64,
    decided: u64,
}

#[derive(Serialize)]
struct RuleName<'a> {
    origin: &'static str,
    tree: &'static str,
    rule: &'a str,
}

#[derive(Serialize)]
struct WordLine<'a> {
    word: &'a str,
    transactions: u64,
}

impl<'a> Report<'a> {
    fn of(layers: &'a Layers, figures: &'a Figures, words: usize) -> Self {
        let whole = figures.transactions;
        let rules = rules_of(layers, figures);
        let sum = |key: &dyn Fn(&RuleLine<'a>) -> &'a str| shares(&rules, whole, key);
        let coverage = decimal(per_ten_thousand(figures.decided, whole));
        Self {
            rule_pack_hash: layers.pack.hash(),
            tenant_rules_hash: layers.tenant.as_ref().map(rules::TenantRules::hash),
            transactions: whole,
            decided: figures.decided,
            coverage: number(&coverage),
            origins: sum(&|line| line.name.origin),
            strengths: sum(&|line| line.strength),
            never_hit: never_hit(layers, figures),
            undecided_words: figures
                .words
                .top(words)
                .into_iter()
                .map(|(word, transactions)| WordLine { word, transactions })
                .collect(),
            rules,
        }
    }

    fn write_text(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(
            out,
            "{} transactions, {} decided ({}), {} undecided",
            self.transactions,
            self.decided,
            percent(self.decided, self.transactions),
            self.transactions - self.decided,
        )?;
        for (title, lines) in [("origin", &self.origins), ("strength", &self.strengths)] {
            writeln!(out, "\n{title:<40} {:>12} {:>9}", "decided", "share")?;
            for line in lines {
                let share = percent(line.decided, self.transactions);
                writeln!(out, "{:<40} {:>12} {share:>9}", line.name, line.decided)?;
            }
        }
        let (hits, decided) = ("hits", "decided");
        writeln!(out, "\n{:<40} {hits:>12} {decided:>12}  tag", "rule")?;
        for line in &self.rules {
            let (rule, tag) = (line.name.rule, line.tag);
            writeln!(
                out,
                "{rule:<40} {:>12} {:>12}  {tag}",
                line.hits, line.decided
            )?;
        }
        writeln!(out, "\nrules that never hit: {}", self.never_hit.len())?;
        for name in &self.never_hit {
            writeln!(out, "{} ({} {})", name.rule, name.origin, name.tree)?;
        }
        writeln!(out, "\nfrequent words of undecided transactions:")?;
        for line in &self.undecided_words {
            writeln!(out, "{:<40} {:>12}", line.word, line.transactions)?;
        }
        Ok(())
    }
}

/// Every rule that hit, the most decisive first.
fn rules_of<'a>(layers: &'a Layers, figures: &Figures) -> Vec<RuleLine<'a>> {
    let known = all_rules(layers);
    let mut lines: Vec<RuleLine<'a>> = figures
        .rules
        .iter()
        .filter_map(|(key, counts)| {
            let rule = known.get(key)?;
            Some(RuleLine {
                name: name_of(key.0, rule),
                tag: layers.pack.tag_name(rule.tag),
                strength: &rule.strength.name,
                hits: counts.hits,
                decided: counts.decided,
            })
        })
        .collect();
    lines.sort_by(|a, b| {
        let counts = |line: &RuleLine<'_>| (line.decided, line.hits);
        let names = |line: &RuleLine<'a>| (line.name.rule, line.name.origin);
        counts(b)
            .cmp(&counts(a))
            .then_with(|| names(a).cmp(&names(b)))
    });
    lines
}

/// The rules of the trees that occurred of which none hit, by origin and name.
fn never_hit<'a>(layers: &'a Layers, figures: &Figures) -> Vec<RuleName<'a>> {
    all_rules(layers)
        .into_iter()
        .filter(|(key, rule)| {
            figures.trees.contains(&rule.tree) && !figures.rules.contains_key(key)
        })
        .map(|((origin, _), rule)| name_of(origin, rule))
        .collect()
}

fn all_rules(layers: &Layers) -> BTreeMap<(Origin, RuleId), &Rule> {
    let pack = layers.pack.rules().map(|rule| (Origin::Pack, rule));
    let tenant = layers.tenant.iter().flat_map(rules::TenantRules::rules);
    let tenant = tenant.map(|rule| (Origin::Tenant, rule));
    pack.chain(tenant)
        .filter(|(_, (_, rule))| rule.is_applied())
        .map(|(origin, (id, rule))| ((origin, id), rule))
        .collect()
}

const fn name_of(origin: Origin, rule: &Rule) -> RuleName<'_> {
    RuleName {
        origin: origin.as_str(),
        tree: rule.tree.as_str(),
        rule: rule.id.as_str(),
    }
}

/// How many decisions fall to each name, the most first.
fn shares<'a>(
    rules: &[RuleLine<'a>],
    whole: u64,
    key: &dyn Fn(&RuleLine<'a>) -> &'a str,
) -> Vec<ShareLine<'a>> {
    let mut sums: BTreeMap<&'a str, u64> = BTreeMap::new();
    for line in rules {
        *sums.entry(key(line)).or_default() += line.decided;
    }
    let mut lines: Vec<ShareLine<'a>> = sums
        .into_iter()
        .map(|(name, decided)| ShareLine {
            name,
            decided,
            share: number(&decimal(per_ten_thousand(decided, whole))),
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.decided));
    lines
}
