//! Finds words by their hash.

use std::collections::BTreeMap;

use crate::literal::{Literal, Shape};
use crate::matcher::compile::GroupId;
use crate::normalize::scan::{Scan, hash_of};
use crate::view::Roles;

/// Slots per word in the table; with this many, most look-ups touch one slot.
const SLOTS_PER_WORD: usize = 4;
/// Bits per word in the filter before the table; most words of a text are in no rule.
const FILTER_BITS_PER_WORD: usize = 16;

/// A group that a literal belongs to, and the roles a text must have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) group: GroupId,
    pub(crate) roles: Roles,
    /// Whether a clause is anchored at the group; most only take part in clauses.
    pub(crate) awakes: bool,
}

/// Everything that starts with one word.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    word: String,
    /// Groups that the word alone belongs to.
    singles: Vec<Posting>,
    /// Groups that it belongs to although a line break split it.
    rejoined: Vec<Posting>,
    /// Phrases that it starts, in the order of the hashes of their second words.
    phrases: Vec<Phrase>,
    /// A bit for each second word, by its hash: most words do not go on as any phrase does.
    seconds: u64,
}

#[derive(Debug)]
struct Phrase {
    /// Hash of the second word.
    second: u64,
    /// The words after the first.
    rest: Vec<String>,
    /// Letters of all words.
    length: usize,
    postings: Vec<Posting>,
}

/// A literal found in a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordMatch<'t> {
    pub(crate) postings: &'t [Posting],
    /// Letters of the literal.
    pub(crate) length: usize,
    /// Index of the last word.
    pub(crate) last: usize,
    pub(crate) rejoined: bool,
}

/// Words and phrases of a tree.
#[derive(Debug, Default)]
pub(crate) struct WordTable {
    entries: Vec<Entry>,
    /// Open addressing: hash and entry number plus one, zero when free.
    slots: Vec<(u64, u32)>,
    filter: Vec<u64>,
}

/// Collects literals before the table is built.
#[derive(Debug, Default)]
pub(crate) struct TableBuilder {
    entries: BTreeMap<String, Entry>,
}

impl TableBuilder {
    /// Adds a literal that is no compound.
    pub(crate) fn add(&mut self, literal: &Literal, posting: Posting) {
        debug_assert_eq!(literal.shape, Shape::Whole, "compounds are another table's");
        let Some((first, rest)) = literal.words.split_first() else {
            return;
        };
        let entry = self.entries.entry(first.clone()).or_default();
        if rest.is_empty() {
            entry.singles.push(posting);
            if literal.rejoins() {
                entry.rejoined.push(posting);
            }
            return;
        }
        let second = rest.first().map_or(0, |word| hash_of(word.as_bytes()));
        let same = |phrase: &&mut Phrase| phrase.second == second && phrase.rest == rest;
        match entry.phrases.iter_mut().find(same) {
            Some(phrase) => phrase.postings.push(posting),
            None => entry.phrases.push(Phrase {
                second,
                rest: rest.to_vec(),
                length: literal.words.iter().map(String::len).sum(),
                postings: vec![posting],
            }),
        }
    }

    /// Builds the table; the groups are those at which clauses are anchored.
    pub(crate) fn build(mut self, anchored: &dyn Fn(GroupId) -> bool) -> WordTable {
        for posting in self.postings() {
            posting.awakes = anchored(posting.group);
        }
        let size = |per_word: usize| {
            self.entries
                .len()
                .saturating_mul(per_word)
                .next_power_of_two()
        };
        let mut table = WordTable {
            entries: Vec::with_capacity(self.entries.len()),
            slots: vec![(0, 0); size(SLOTS_PER_WORD)],
            filter: vec![0; size(FILTER_BITS_PER_WORD).div_ceil(64)],
        };
        for (word, mut entry) in self.entries {
            entry.phrases.sort_by_key(|phrase| phrase.second);
            let bits = entry.phrases.iter().map(|phrase| bit_of(phrase.second));
            let seconds = bits.fold(0, |all, bit| all | bit);
            table.insert(Entry {
                word,
                seconds,
                ..entry
            });
        }
        table
    }
}

impl TableBuilder {
    fn postings(&mut self) -> impl Iterator<Item = &mut Posting> {
        self.entries.values_mut().flat_map(|entry| {
            let phrases = entry.phrases.iter_mut();
            let alone = entry.singles.iter_mut().chain(&mut entry.rejoined);
            alone.chain(phrases.flat_map(|phrase| &mut phrase.postings))
        })
    }
}

impl WordTable {
    fn insert(&mut self, entry: Entry) {
        let hash = hash_of(entry.word.as_bytes());
        let bit = self.filter_bit(hash);
        self.filter[bit >> 6] |= 1 << (bit & 63);
        self.entries.push(entry);
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut at = self.slot(hash);
        while self.slots[at].1 != 0 {
            at = self.next(at);
        }
        self.slots[at] = (hash, number);
    }

    /// Calls back for every literal that starts at a word of the scan.
    #[inline]
    pub(crate) fn find<'t>(
        &'t self,
        scan: &Scan,
        at: usize,
        mut report: impl FnMut(WordMatch<'t>),
    ) {
        let word = &scan.words()[at];
        if let Some(entry) = self.entry(word.hash, |candidate| scan.bytes(word) == candidate) {
            entry.report(scan, at, &mut report);
        }
        if word.may_rejoin {
            self.find_rejoined(scan, at, &mut report);
        }
    }

    /// The word that this one and the next would be without the blank between them.
    fn find_rejoined<'t>(&'t self, scan: &Scan, at: usize, report: &mut impl FnMut(WordMatch<'t>)) {
        let last = at.wrapping_add(1);
        let (one, two) = (&scan.words()[at], &scan.words()[last]);
        let hash = scan.hash_of_pair(one, two);
        if let Some(entry) = self.entry(hash, |candidate| scan.bytes_of_pair(one, two) == candidate)
        {
            report(WordMatch {
                postings: &entry.rejoined,
                length: entry.word.len(),
                last,
                rejoined: true,
            });
        }
    }

    #[inline]
    fn entry(&self, hash: u64, same: impl Fn(&[u8]) -> bool) -> Option<&Entry> {
        let bit = self.filter_bit(hash);
        if self.filter.get(bit >> 6)? & (1 << (bit & 63)) == 0 {
            return None;
        }
        let mut at = self.slot(hash);
        loop {
            let (slot_hash, number) = self.slots[at];
            let entry = self.entries.get((number as usize).checked_sub(1)?)?;
            // Equal hashes are not equal words; the bytes decide.
            if slot_hash == hash && same(entry.word.as_bytes()) {
                return Some(entry);
            }
            at = self.next(at);
        }
    }

    fn slot(&self, hash: u64) -> usize {
        (hash >> 40) as usize & self.slots.len().wrapping_sub(1)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the masks keep fewer bits than a usize has"
    )]
    fn filter_bit(&self, hash: u64) -> usize {
        hash as usize & self.filter.len().wrapping_mul(64).wrapping_sub(1)
    }

    fn next(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.slots.len().wrapping_sub(1)
    }
}

/// The bit of a second word.
const fn bit_of(hash: u64) -> u64 {
    1 << (hash & 63)
}

impl Entry {
    #[inline]
    fn report<'t>(&'t self, scan: &Scan, at: usize, report: &mut impl FnMut(WordMatch<'t>)) {
        if !self.singles.is_empty() {
            report(WordMatch {
                postings: &self.singles,
                length: self.word.len(),
                last: at,
                rejoined: false,
            });
        }
        let next = scan.words().get(at.wrapping_add(1));
        if let Some(next) = next.filter(|next| self.seconds & bit_of(next.hash) != 0) {
            self.report_phrases(scan, (at, next.hash), report);
        }
    }

    /// Calls back for the phrases that go on with a word of a hash.
    fn report_phrases<'t>(
        &'t self,
        scan: &Scan,
        (at, second): (usize, u64),
        report: &mut impl FnMut(WordMatch<'t>),
    ) {
        let text = scan.words()[at].text;
        let first = self
            .phrases
            .partition_point(|phrase| phrase.second < second);
        let phrases = self.phrases.iter().skip(first);
        for phrase in phrases.take_while(|phrase| phrase.second == second) {
            let from = at.wrapping_add(1);
            let last = at.wrapping_add(phrase.rest.len());
            let Some(window) = scan.words().get(from..=last) else {
                continue;
            };
            let mut pairs = window.iter().zip(&phrase.rest);
            if pairs
                .all(|(word, wanted)| word.text == text && scan.bytes(word) == wanted.as_bytes())
            {
                report(WordMatch {
                    postings: &phrase.postings,
                    length: phrase.length,
                    last,
                    rejoined: false,
                });
            }
        }
    }
}
