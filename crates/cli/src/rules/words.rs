//! The most frequent words of transactions that nothing is known about, in bounded memory.

use std::collections::BTreeMap;

use domain::Transaction;
use rules::normalize;

/// Counters; as long as there are far fewer distinct words, each has one of its own.
const BUCKETS: u32 = 1 << 18;
/// Fewest letters of a word that is counted.
const LETTERS_MIN: usize = 4;
/// Rarer words are not shown: they may be names of people, and no rule is worth writing for them.
const COUNT_MIN: u64 = 3;

/// Counts words.
///
/// Words that fall together share a counter, which then shows the first of them in the alphabet:
/// so the order in which transactions come changes nothing.
#[derive(Debug, Default)]
pub(super) struct WordCounts {
    counters: BTreeMap<u32, (String, u64)>,
}

impl WordCounts {
    /// Counts each word of the counterparty's name and the remittance information once.
    pub(super) fn add(&mut self, transaction: &Transaction) {
        let texts = [
            transaction.counterparty.name.as_str(),
            transaction.remittance_info.as_str(),
        ];
        let mut words: Vec<String> = texts
            .into_iter()
            .flat_map(normalize::words)
            .map(|word| word.folded)
            .filter(|word| {
                word.len() >= LETTERS_MIN && word.bytes().all(|b| b.is_ascii_lowercase())
            })
            .collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            self.count(word, 1);
        }
    }

    fn count(&mut self, word: String, times: u64) {
        match self.counters.get_mut(&bucket(&word)) {
            None => {
                self.counters.insert(bucket(&word), (word, times));
            }
            Some((first, count)) => {
                *count = count.saturating_add(times);
                if word < *first {
                    *first = word;
                }
            }
        }
    }

    /// Adds other counts.
    pub(super) fn merge(&mut self, other: Self) {
        for (word, times) in other.counters.into_values() {
            self.count(word, times);
        }
    }

    /// The most frequent words and how many transactions have them.
    pub(super) fn top(&self, most: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> = self
            .counters
            .values()
            .filter(|(_, count)| *count >= COUNT_MIN)
            .map(|(word, count)| (word.as_str(), *count))
            .collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }
}

/// FNV-1a: small, and the same on every machine.
fn bucket(word: &str) -> u32 {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 18)) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_counting_changes_nothing() {
        let words = ["kern", "blumen", "kern", "kern", "blumen", "blumen", "rar"];
        let (mut one, mut two) = (WordCounts::default(), WordCounts::default());
        for word in words {
            one.count(word.to_owned(), 1);
        }
        for word in words.iter().rev() {
            let mut part = WordCounts::default();
            part.count((*word).to_owned(), 1);
            two.merge(part);
        }
        assert_eq!(one.top(9), [("blumen", 3), ("kern", 3)]);
        assert_eq!(one.top(9), two.top(9));
        assert_eq!(one.top(1).len(), 1);
    }
}
