//! Tags that no rule sets, and lists of names that no rule reads.

use std::collections::BTreeSet;

use crate::file::Words;
use crate::lint::TREES;
use crate::lint::problem::{ProblemKind, Report};
use crate::lint::read::Entry;
use crate::names::{Guard, Names};
use crate::pack::RulePack;

/// Reports leaves of the taxonomy that no rule sets. A broken rule counts: it has its own report.
pub(super) fn leaves(pack: &RulePack, entries: &[Entry], report: &mut Report) {
    let taxonomy = pack.taxonomy();
    let set: BTreeSet<_> = entries
        .iter()
        .filter(|entry| !entry.rule.status.contains_key("removed"))
        .map(|entry| (entry.tree, entry.rule.tag.as_str()))
        .collect();
    for tree in TREES {
        for tag in taxonomy.tags(tree).filter(|tag| taxonomy.is_leaf(*tag)) {
            let name = taxonomy.name(tag);
            // Some tags are what money becomes that comes back from a spending.
            let returned = pack.weighing().refunds.is_refund(tag);
            if !returned && !set.contains(&(tree, name)) {
                let message = format!("no rule of {tree} sets {name}");
                report.of_file("taxonomy.csv", None, ProblemKind::LeafWithoutRule, message);
            }
        }
    }
}

/// Reports lists that no rule reads: knowledge that decides nothing.
pub(super) fn lists(names: &Names, entries: &[Entry], report: &mut Report) {
    let mut used: BTreeSet<(&str, Guard)> = BTreeSet::new();
    for words in entries.iter().flat_map(words) {
        for (lists, guard) in [
            (&words.listed, Guard::None),
            (&words.guarded, Guard::Business),
            (&words.carded, Guard::Card),
        ] {
            used.extend(lists.iter().map(|list| (list.as_str(), guard)));
        }
    }
    for (list, guard) in names.lists() {
        if !used.contains(&(list.as_str(), *guard)) {
            let message = format!("no rule reads the list {list:?} (guard: {guard:?})");
            report.of_file("names.tsv", None, ProblemKind::UnusedList, message);
        }
    }
}

/// Every condition on words of a rule.
fn words(entry: &Entry) -> impl Iterator<Item = &Words> {
    let rule = &entry.rule;
    std::iter::once(&rule.conditions)
        .chain(&rule.either)
        .flat_map(|one| {
            [
                &one.counterparty,
                &one.purpose,
                &one.booking_text,
                &one.text,
            ]
        })
        .flatten()
}
