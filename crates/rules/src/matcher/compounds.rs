//! Finds the stems of compound words.
//!
//! Each stem is entered by the four letters that tell where it may stand: those at the start of a
//! word, at its end, or anywhere in it. A word is passed over after a look at a bit for its start,
//! its end, and every other place in it; only where the bit is set are stems compared.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::literal::{COMPOUND_LETTERS_MIN, Literal, Shape};
use crate::matcher::compile::GroupId;
use crate::matcher::table::Posting;
use crate::normalize::scan::{Scan, WordHash};

/// Letters that tell stems apart; every stem has as many.
type Gram = [u8; COMPOUND_LETTERS_MIN];

/// Every how many places a word is looked at for stems that may stand anywhere in it.
const STRIDE: usize = 2;
/// Bits for each gram in the filter before a table.
const FILTER_BITS_PER_GRAM: usize = 32;
/// Fewest and most bits of a filter, as powers of two.
const FILTER_BITS_LOG: (u32, u32) = (10, 16);
/// Factor that spreads grams over the filter.
const FACTOR: u32 = 0x9e37_79b1;

/// Stems of a tree.
#[derive(Debug, Default)]
pub(crate) struct Compounds {
    /// By their first letters, where a word starts.
    starts: Stems,
    /// By their last letters, where a word ends.
    ends: Stems,
    /// By the letters that stand at one of every two places wherever the stem does.
    inside: Stems,
}

#[derive(Debug, Default)]
struct Stems {
    /// A bit for each gram; empty without stems.
    filter: Vec<u64>,
    /// How many bits of a spread gram are no part of its place in the filter.
    shift: u32,
    by_gram: HashMap<u32, Vec<Stem>, WordHash>,
    /// Every gram, until the filter is made.
    grams: Vec<Gram>,
}

#[derive(Debug, Clone)]
struct Stem {
    letters: Arc<[u8]>,
    postings: Arc<[Posting]>,
    /// Where the stem starts as seen from the gram that it is entered by.
    at: Start,
}

/// Where a stem starts.
#[derive(Debug, Clone, Copy)]
enum Start {
    LetterBefore,
    Here,
    LetterAfter,
}

/// Collects stems before they are entered.
#[derive(Debug, Default)]
pub(crate) struct CompoundsBuilder {
    stems: BTreeMap<(Shape, String), Vec<Posting>>,
}

impl CompoundsBuilder {
    /// Adds a literal with a star.
    pub(crate) fn add(&mut self, literal: &Literal, posting: Posting) {
        if let Some(stem) = literal.words.first() {
            let key = (literal.shape, stem.clone());
            self.stems.entry(key).or_default().push(posting);
        }
    }

    /// Enters the stems; the groups are those at which clauses are anchored.
    pub(crate) fn build(self, anchored: &dyn Fn(GroupId) -> bool) -> Compounds {
        let mut compounds = Compounds::default();
        for ((shape, stem), mut postings) in self.stems {
            for posting in &mut postings {
                posting.awakes = anchored(posting.group);
            }
            let letters = stem.as_bytes();
            let (Some(first), Some(last)) = (letters.first_chunk(), letters.last_chunk()) else {
                continue;
            };
            let stem = Stem {
                letters: letters.into(),
                postings: postings.into(),
                at: Start::Here,
            };
            match shape {
                Shape::Whole | Shape::Prefix => compounds.starts.add(*first, stem),
                Shape::Suffix => compounds.ends.add(*last, stem),
                Shape::Infix => compounds.inside.add_anywhere(*first, stem),
            }
        }
        Compounds {
            starts: compounds.starts.finish(),
            ends: compounds.ends.finish(),
            inside: compounds.inside.finish(),
        }
    }
}

impl Compounds {
    /// Calls back for every stem in every word of letters: the word's index, the letters of the
    /// stem, and its groups.
    pub(crate) fn find(&self, scan: &Scan, mut report: impl FnMut(usize, usize, &[Posting])) {
        for (index, word) in scan.words().iter().enumerate() {
            if !word.letters {
                continue;
            }
            let letters = scan.bytes(word);
            let (Some(first), Some(last)) = (letters.first_chunk(), letters.last_chunk()) else {
                continue;
            };
            let mut report_all = |stem: &Stem| report(index, stem.letters.len(), &stem.postings);
            let starting = self.starts.with(*first).iter();
            starting
                .filter(|stem| letters.starts_with(&stem.letters))
                .for_each(&mut report_all);
            let ending = self.ends.with(*last).iter();
            ending
                .filter(|stem| letters.ends_with(&stem.letters))
                .for_each(&mut report_all);
            let mut at = 0;
            while let Some(gram) = letters.get(at..).and_then(<[u8]>::first_chunk) {
                let inside = self.inside.with(*gram).iter();
                inside
                    .filter(|stem| stem.lies_in(letters, at))
                    .for_each(&mut report_all);
                at = at.wrapping_add(STRIDE);
            }
        }
    }
}

impl Stem {
    /// Whether it stands in a word where its gram was found.
    fn lies_in(&self, word: &[u8], gram_at: usize) -> bool {
        let at = match self.at {
            Start::LetterBefore => gram_at.checked_sub(1),
            Start::Here => Some(gram_at),
            Start::LetterAfter => gram_at.checked_add(1),
        };
        at.and_then(|at| word.get(at..))
            .is_some_and(|rest| rest.starts_with(&self.letters))
    }
}

impl Stems {
    /// Enters a stem so that it is found wherever it starts although every other place is looked
    /// at: by its first letters, and by those around its second one.
    fn add_anywhere(&mut self, first: Gram, stem: Stem) {
        let second = stem.letters.get(1..).and_then(<[u8]>::first_chunk);
        if let Some(second) = second.copied() {
            let at = Start::LetterBefore;
            self.add(second, Stem { at, ..stem.clone() });
        } else {
            // Too short for that: any letter may stand before it.
            let [a, b, c, _] = first;
            for letter in b'a'..=b'z' {
                let at = Start::LetterAfter;
                self.add([letter, a, b, c], Stem { at, ..stem.clone() });
            }
        }
        self.add(first, stem);
    }

    fn add(&mut self, gram: Gram, stem: Stem) {
        self.by_gram.entry(number_of(gram)).or_default().push(stem);
        self.grams.push(gram);
    }

    /// Sets the bits of the filter once every stem is there.
    fn finish(mut self) -> Self {
        let grams = std::mem::take(&mut self.grams);
        if grams.is_empty() {
            return self;
        }
        let (min, max) = FILTER_BITS_LOG;
        let bits = self.by_gram.len().saturating_mul(FILTER_BITS_PER_GRAM);
        let bits_log = bits.next_power_of_two().ilog2().clamp(min, max);
        self.shift = u32::BITS.saturating_sub(bits_log);
        let mut filter = vec![0; (1_usize << bits_log) / 64];
        for gram in grams {
            let bit = self.bit_of(gram);
            filter[bit >> 6] |= 1 << (bit & 63);
        }
        self.filter = filter;
        self
    }

    /// The stems with these letters.
    #[inline]
    fn with(&self, gram: Gram) -> &[Stem] {
        let bit = self.bit_of(gram);
        let known = self.filter.get(bit >> 6);
        if known.is_none_or(|bits| bits >> (bit & 63) & 1 == 0) {
            return &[];
        }
        self.by_gram
            .get(&number_of(gram))
            .map_or(&[], Vec::as_slice)
    }

    /// The place of a gram in the filter.
    const fn bit_of(&self, gram: Gram) -> usize {
        let spread = number_of(gram).wrapping_mul(FACTOR);
        (spread >> self.shift) as usize
    }
}

const fn number_of(gram: Gram) -> u32 {
    u32::from_le_bytes(gram)
}
