//! The report of a preview.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use domain::UserType;
use rules::{Origin, Rule};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Change, Counts, Effect, RuleKey};
use crate::rules::layers::Layers;
use crate::rules::ratio::{number, percent};
use crate::rules::tally::{Group, Sample, by_count};

/// What would change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    old_rule_pack_hash: &'a str,
    new_rule_pack_hash: &'a str,
    transactions: u64,
    flipped: u64,
    other_rule_same_tag: u64,
    undecided_before: u64,
    undecided_after: u64,
    flips: Vec<FlipLine<'a>>,
    collisions: Vec<CollisionLine<'a>>,
    rules: Vec<RuleLine<'a>>,
}

#[derive(Serialize)]
struct FlipLine<'a> {
    #[serde(rename = "type")]
    tree: &'static str,
    from: &'a str,
    to: &'a str,
    #[serde(flatten)]
    group: GroupLine<'a>,
}

#[derive(Serialize)]
struct CollisionLine<'a> {
    #[serde(rename = "type")]
    tree: &'static str,
    before: &'a str,
    now: &'a str,
    strength: &'a str,
    #[serde(flatten)]
    group: GroupLine<'a>,
}

#[derive(Serialize)]
struct GroupLine<'a> {
    transactions: u64,
    /// Sums of absolute amounts by currency.
    moved: BTreeMap<&'a str, Option<Box<RawValue>>>,
    samples: Vec<&'a Sample>,
    #[serde(skip)]
    sums: String,
}

impl<'a> GroupLine<'a> {
    fn of(group: &'a Group) -> Self {
        let sums = group.moved.sums();
        Self {
            transactions: group.count,
            moved: sums.map(|(code, sum)| (code, number(&sum))).collect(),
            samples: group.samples(),
            sums: group.moved.text(),
        }
    }

    fn write_samples(&self, out: &mut dyn Write) -> Result<()> {
        for sample in &self.samples {
            match &sample.text {
                Some(text) => writeln!(out, "    {}: {text}", sample.id)?,
                None => writeln!(out, "    {}", sample.id)?,
            }
        }
        Ok(())
    }
}

/// A rule whose figures change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleLine<'a> {
    origin: &'static str,
    rule: &'a str,
    hits_before: u64,
    hits_after: u64,
    decided_before: u64,
    decided_after: u64,
}

impl<'a> Report<'a> {
    pub(super) fn of(change: &'a Change, effect: &'a Effect) -> Self {
        let flipped = effect.flips.values().map(|group| group.count).sum();
        Self {
            old_rule_pack_hash: change.old.pack.hash(),
            new_rule_pack_hash: change.new.pack.hash(),
            transactions: effect.transactions,
            flipped,
            other_rule_same_tag: effect.other_rule,
            undecided_before: effect.old_undecided,
            undecided_after: effect.new_undecided,
            flips: flips(change, effect),
            collisions: collisions(change, effect),
            rules: rules_of(change, effect),
        }
    }

    pub(super) fn write_text(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(
            out,
            "{} transactions, {} flipped ({}), {} with another rule and the same tag",
            self.transactions,
            self.flipped,
            percent(self.flipped, self.transactions),
            self.other_rule_same_tag,
        )?;
        let (before, after) = (self.undecided_before, self.undecided_after);
        writeln!(out, "undecided: {before} -> {after}")?;
        writeln!(out, "\nflips")?;
        for line in &self.flips {
            let group = &line.group;
            writeln!(
                out,
                "{}: {} -> {}: {}, {}",
                line.tree, line.from, line.to, group.transactions, group.sums
            )?;
            group.write_samples(out)?;
        }
        writeln!(out, "\ncollisions of equal weight")?;
        for line in &self.collisions {
            let group = &line.group;
            writeln!(
                out,
                "{}: {} now before {} ({}): {}, {}",
                line.tree, line.now, line.before, line.strength, group.transactions, group.sums
            )?;
            group.write_samples(out)?;
        }
        self.write_rules(out)
    }

    fn write_rules(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "\n{:<40} {:>20} {:>20}", "rule", "hits", "decided")?;
        for line in &self.rules {
            let hits = format!("{} -> {}", line.hits_before, line.hits_after);
            let decided = format!("{} -> {}", line.decided_before, line.decided_after);
            writeln!(out, "{:<40} {hits:>20} {decided:>20}", line.rule)?;
        }
        Ok(())
    }
}

fn flips<'a>(change: &'a Change, effect: &'a Effect) -> Vec<FlipLine<'a>> {
    by_count(&effect.flips)
        .into_iter()
        .map(|((tree, from, to), group)| FlipLine {
            tree: tree.as_str(),
            from: change.old.pack.tag_name(*from),
            to: change.new.pack.tag_name(*to),
            group: GroupLine::of(group),
        })
        .collect()
}

fn collisions<'a>(change: &'a Change, effect: &'a Effect) -> Vec<CollisionLine<'a>> {
    let lines = by_count(&effect.collisions).into_iter();
    lines
        .filter_map(|((tree, before, now), group)| {
            let before = rule_of(&change.new, *tree, *before)?;
            let now = rule_of(&change.new, *tree, *now)?;
            Some(CollisionLine {
                tree: tree.as_str(),
                before: &before.id,
                now: &now.id,
                strength: &now.strength.name,
                group: GroupLine::of(group),
            })
        })
        .collect()
}

/// The rules whose figures change, by origin and name.
fn rules_of<'a>(change: &'a Change, effect: &Effect) -> Vec<RuleLine<'a>> {
    let mut lines: BTreeMap<(Origin, &str), [Counts; 2]> = BTreeMap::new();
    let sides = [(&change.old, &effect.old), (&change.new, &effect.new)];
    for (side, (layers, counts)) in sides.into_iter().enumerate() {
        for (key, counts) in counts {
            for tree in [UserType::Person, UserType::Company] {
                let rule = rule_of(layers, tree, *key).filter(|rule| rule.tree == tree);
                if let Some(rule) = rule {
                    lines.entry((key.0, &rule.id)).or_default()[side] = *counts;
                }
            }
        }
    }
    lines
        .into_iter()
        .filter(|(_, [before, after])| before != after)
        .map(|((origin, rule), [before, after])| RuleLine {
            origin: origin.as_str(),
            rule,
            hits_before: before.hits,
            hits_after: after.hits,
            decided_before: before.decided,
            decided_after: after.decided,
        })
        .collect()
}

/// A rule by its number; `None` for what is no rule.
fn rule_of(layers: &Layers, tree: UserType, (origin, id): RuleKey) -> Option<&Rule> {
    match origin {
        Origin::Pack => Some(layers.pack.rule(id)),
        Origin::Tenant => {
            let tenant = layers
                .tenant
                .as_ref()
                .filter(|tenant| tenant.tree() == tree);
            let mut rules = tenant?.rules();
            rules
                .find(|(number, _)| *number == id)
                .map(|(_, rule)| rule)
        }
        Origin::User => None,
    }
}
