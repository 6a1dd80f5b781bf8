//! `kontor rules preview`: what other rules would change on a corpus, before they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use domain::UserType;
use rules::{Decision, Explanation, Origin, RuleId, Scratch, TagId};

use super::corpus::{self, CorpusArgs, Item, Tally};
use super::layers::{LayerArgs, Layers};
use super::tally::{Group, Texts, merge_groups};
use super::{OutputFormat, write_json};

mod report;

use report::Report;

/// Which rules on which corpus.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("new").required(true).multiple(true),
    after_help = "Exit codes: 0 done, whatever would change; 1 an input cannot be read; 2 wrong \
                  arguments or rules; 3 --strict met a record that cannot be used; 4 no such \
                  folder of rules."
)]
pub(crate) struct PreviewArgs {
    /// The new rules: a folder with the layout of `rules/`; parts that are absent are the shipped
    /// ones.
    #[arg(long, value_name = "DIR", group = "new")]
    rules: Option<PathBuf>,

    /// The new rules of a tenant for the tree of --type.
    #[arg(long, value_name = "FILE", group = "new")]
    tenant: Option<PathBuf>,

    /// The rules to compare with, instead of the shipped ones.
    #[arg(long, value_name = "DIR")]
    old_rules: Option<PathBuf>,

    /// The tenant's rules of today, which --tenant would replace.
    #[arg(long, value_name = "FILE")]
    old_tenant: Option<PathBuf>,

    #[command(flatten)]
    corpus: CorpusArgs,

    /// Show names and remittance information of the sample transactions: personal data.
    #[arg(long)]
    show_texts: bool,

    /// How to write the report.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

impl PreviewArgs {
    fn load(&self) -> Result<Change> {
        let tree = self.corpus.user_type;
        let old = LayerArgs {
            rules: self.old_rules.clone(),
            tenant: self.old_tenant.clone(),
        };
        let new = LayerArgs {
            // A change of a tenant's rules alone leaves the pack as it is.
            rules: self.rules.clone().or_else(|| self.old_rules.clone()),
            tenant: self.tenant.clone(),
        };
        Ok(Change {
            old: Layers::load(&old, tree)?,
            new: Layers::load(&new, tree)?,
            texts: if self.show_texts {
                Texts::Shown
            } else {
                Texts::Hidden
            },
        })
    }
}

/// Runs the command.
pub(super) fn run(args: &PreviewArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let sources = args.corpus.open()?;
    let change = args.load()?;
    let (effect, totals) = corpus::gather(&args.corpus, sources, |effect, scratch, item| {
        change.visit(effect, scratch, item);
    })?;
    corpus::report(&totals, || {
        let report = Report::of(&change, &effect);
        match args.format {
            OutputFormat::Text => report.write_text(out),
            OutputFormat::Json => write_json(out, &report),
        }
    })
}

/// Old and new rules.
struct Change {
    old: Layers,
    new: Layers,
    texts: Texts,
}

/// A rule by its number in its own pack.
type RuleKey = (Origin, RuleId);

/// What the change does.
#[derive(Debug, Default)]
struct Effect {
    transactions: u64,
    /// Transactions that another rule decides, with the same tag.
    other_rule: u64,
    old_undecided: u64,
    new_undecided: u64,
    old: BTreeMap<RuleKey, Counts>,
    new: BTreeMap<RuleKey, Counts>,
    /// By tree and tags, before and after.
    flips: BTreeMap<(UserType, TagId, TagId), Group>,
    /// By tree and rules of the new numbering: the one that decided before, and the one that
    /// decides now with the same weight.
    collisions: BTreeMap<(UserType, RuleKey, RuleKey), Group>,
}

/// What one rule does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    hits: u64,
    decided: u64,
}

impl Tally for Effect {
    fn merge(&mut self, other: Self) {
        self.transactions += other.transactions;
        self.other_rule += other.other_rule;
        self.old_undecided += other.old_undecided;
        self.new_undecided += other.new_undecided;
        for (into, from) in [(&mut self.old, other.old), (&mut self.new, other.new)] {
            for (rule, counts) in from {
                let sum = into.entry(rule).or_default();
                sum.hits += counts.hits;
                sum.decided += counts.decided;
            }
        }
        merge_groups(&mut self.flips, other.flips);
        merge_groups(&mut self.collisions, other.collisions);
    }
}

impl Change {
    fn visit(&self, effect: &mut Effect, scratch: &mut Scratch, item: &Item<'_>) {
        let old = explain(&self.old, scratch, item);
        let new = explain(&self.new, scratch, item);
        count(&mut effect.old, &old);
        count(&mut effect.new, &new);
        effect.transactions += 1;
        effect.old_undecided += u64::from(old.decision.abstained);
        effect.new_undecided += u64::from(new.decision.abstained);
        let before = self.old.pack.tag_name(old.decision.tag);
        let after = self.new.pack.tag_name(new.decision.tag);
        if before == after {
            let same =
                self.name(item.tree, &old.decision) == self.new_name(item.tree, &new.decision);
            effect.other_rule += u64::from(!same);
            return;
        }
        let key = (item.tree, old.decision.tag, new.decision.tag);
        let flip = effect.flips.entry(key).or_default();
        flip.add(item, self.texts);
        if let Some(loser) = self.collision(item.tree, &old.decision, &new) {
            let winner = (new.decision.origin, new.decision.rule);
            let key = (item.tree, loser, winner);
            let collision = effect.collisions.entry(key).or_default();
            collision.add(item, self.texts);
        }
    }

    fn name(&self, tree: UserType, decision: &Decision) -> (Origin, &str) {
        (decision.origin, &self.old.rule(tree, decision).id)
    }

    fn new_name(&self, tree: UserType, decision: &Decision) -> (Origin, &str) {
        (decision.origin, &self.new.rule(tree, decision).id)
    }

    /// The rule that decided before, if it matches still with the weight of the one that decides
    /// now: then only the length of the evidence or the rules' names decide between them.
    fn collision(&self, tree: UserType, before: &Decision, now: &Explanation) -> Option<RuleKey> {
        let wanted = self.name(tree, before);
        let weight = |decision: &Decision| {
            let strength = &self.new.rule(tree, decision).strength;
            (strength.precedence, strength.weight)
        };
        let loser = now.alternatives.iter().find(|other| {
            other.origin == now.decision.origin
                && weight(other) == weight(&now.decision)
                && self.new_name(tree, other) == wanted
        })?;
        Some((loser.origin, loser.rule))
    }
}

fn explain(layers: &Layers, scratch: &mut Scratch, item: &Item<'_>) -> Explanation {
    let view = layers.pack.prepare(item.transaction, item.context);
    layers.categorizer(item.tree).explain(&view, scratch)
}

fn count(rules: &mut BTreeMap<RuleKey, Counts>, explained: &Explanation) {
    let decision = (explained.decision.origin, explained.decision.rule);
    let own = rules.entry(decision).or_default();
    own.hits += 1;
    own.decided += 1;
    let others = explained.alternatives.iter();
    let others: BTreeSet<RuleKey> = others.map(|other| (other.origin, other.rule)).collect();
    for other in others {
        rules.entry(other).or_default().hits += 1;
    }
}
