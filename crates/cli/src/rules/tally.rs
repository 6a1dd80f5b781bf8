//! What happened to a group of transactions: how many, how much money, and a few of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::corpus::Item;
use super::ratio::Moved;

/// Most transactions of a group that are named.
const SAMPLES_MAX: usize = 5;
/// Most characters of a text that is shown.
const TEXT_CHARS_MAX: usize = 80;

/// Whether texts of transactions may be shown, which are personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// Identifiers only.
    Hidden,
    /// Counterparty, remittance information and amount as well.
    Shown,
}

/// A transaction that stands for its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Sample {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// A group of transactions.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) count: u64,
    pub(super) moved: Moved,
    /// The first ones of the corpus, by their places.
    samples: BTreeMap<(u64, u64), Sample>,
}

impl Group {
    /// Adds a transaction.
    pub(super) fn add(&mut self, item: &Item<'_>, texts: Texts) {
        self.count += 1;
        self.moved.add(item.transaction.amount);
        let last = self.samples.keys().next_back();
        // Most transactions end here: the first ones of a group are already known.
        if self.samples.len() < SAMPLES_MAX || last.is_some_and(|last| item.place < *last) {
            let text = (texts == Texts::Shown).then(|| text_of(item));
            let id = item.name();
            self.samples.insert(item.place, Sample { id, text });
            self.shorten();
        }
    }

    /// Adds another part of the same group.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.moved.merge(other.moved);
        self.samples.extend(other.samples);
        self.shorten();
    }

    /// The transactions that are named.
    pub(super) fn samples(&self) -> Vec<&Sample> {
        self.samples.values().collect()
    }

    fn shorten(&mut self) {
        while self.samples.len() > SAMPLES_MAX {
            self.samples.pop_last();
        }
    }
}

/// Merges groups by their keys.
pub(super) fn merge_groups<K: Ord>(into: &mut BTreeMap<K, Group>, from: BTreeMap<K, Group>) {
    for (key, group) in from {
        into.entry(key).or_default().merge(group);
    }
}

/// Keys and groups, the largest first.
pub(super) fn by_count<K: Ord>(groups: &BTreeMap<K, Group>) -> Vec<(&K, &Group)> {
    let mut sorted: Vec<(&K, &Group)> = groups.iter().collect();
    // The sort is stable, so that equal counts stay in the order of their keys.
    sorted.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
    sorted
}

fn text_of(item: &Item<'_>) -> String {
    let transaction = item.transaction;
    format!(
        "{} | {} | {} {}",
        short(transaction.counterparty.name.as_str()),
        short(transaction.remittance_info.as_str()),
        transaction.amount.to_decimal_text(),
        transaction.amount.currency.as_str(),
    )
}

/// The start of a text in one line.
fn short(text: &str) -> String {
    let line: String = text
        .chars()
        .take(TEXT_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.len() < text.len() {
        format!("{line}…")
    } else {
        line
    }
}
