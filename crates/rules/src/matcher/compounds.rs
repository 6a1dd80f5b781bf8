//! Finds the stems of compound words.
//!
//! Each stem is entered by the four letters that tell where it may stand: those at the start of a
//! word, at its end, or anywhere in it. A word is passed over after a look at a bit for each of its
//! places; only where the bit is set are stems compared.

use std::collections::{BTreeMap, HashMap};

use crate::literal::{COMPOUND_LETTERS_MIN, Literal, Shape};
use crate::matcher::table::Posting;
use crate::normalize::scan::{Scan, WordHash};

/// Letters that tell stems apart; every stem has as many.
type Gram = [u8; COMPOUND_LETTERS_MIN];

/// How many bits the filter before a table has, as a power of two.
const FILTER_BITS_LOG: u32 = 16;
/// Factor that spreads grams over the filter.
const FACTOR: u32 = 0x9e37_79b1;

/// Stems of a tree.
#[derive(Debug, Default)]
pub(crate) struct Compounds {
    /// By their first letters, where a word starts.
    starts: Stems,
    /// By their last letters, where a word ends.
    ends: Stems,
    /// By their first letters, anywhere in a word.
    inside: Stems,
}

#[derive(Debug, Default)]
struct Stems {
    /// A bit for each gram; empty without stems.
    filter: Vec<u64>,
    by_gram: HashMap<Gram, Vec<Stem>, WordHash>,
}

#[derive(Debug)]
struct Stem {
    letters: Box<[u8]>,
    postings: Vec<Posting>,
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

    pub(crate) fn build(self) -> Compounds {
        let mut compounds = Compounds::default();
        for ((shape, stem), postings) in self.stems {
            let letters = stem.as_bytes();
            let (stems, gram) = match shape {
                Shape::Whole | Shape::Prefix => (&mut compounds.starts, letters.first_chunk()),
                Shape::Suffix => (&mut compounds.ends, letters.last_chunk()),
                Shape::Infix => (&mut compounds.inside, letters.first_chunk()),
            };
            if let Some(gram) = gram {
                stems.add(*gram, letters, postings);
            }
        }
        compounds
    }
}

impl Compounds {
    /// Calls back for every stem in every word of letters: the word's index, the letters of the
    /// stem, and the group.
    pub(crate) fn find(&self, scan: &Scan, mut report: impl FnMut(usize, usize, Posting)) {
        for (index, word) in scan.words().iter().enumerate() {
            if !word.letters {
                continue;
            }
            let letters = scan.bytes(word);
            let (Some(first), Some(last)) = (letters.first_chunk(), letters.last_chunk()) else {
                continue;
            };
            let mut report_all = |stem: &Stem| {
                for posting in &stem.postings {
                    report(index, stem.letters.len(), *posting);
                }
            };
            let starting = self.starts.with(*first).iter();
            starting
                .filter(|stem| letters.starts_with(&stem.letters))
                .for_each(&mut report_all);
            let ending = self.ends.with(*last).iter();
            ending
                .filter(|stem| letters.ends_with(&stem.letters))
                .for_each(&mut report_all);
            for (at, gram) in letters.windows(COMPOUND_LETTERS_MIN).enumerate() {
                let Some(gram) = gram.first_chunk() else {
                    continue;
                };
                let inside = self.inside.with(*gram).iter();
                inside
                    .filter(|stem| letters[at..].starts_with(&stem.letters))
                    .for_each(&mut report_all);
            }
        }
    }
}

impl Stems {
    fn add(&mut self, gram: Gram, letters: &[u8], postings: Vec<Posting>) {
        if self.filter.is_empty() {
            self.filter = vec![0; (1 << FILTER_BITS_LOG) / 64];
        }
        let bit = bit_of(gram);
        self.filter[bit >> 6] |= 1 << (bit & 63);
        self.by_gram.entry(gram).or_default().push(Stem {
            letters: letters.into(),
            postings,
        });
    }

    /// The stems with these letters.
    #[inline]
    fn with(&self, gram: Gram) -> &[Stem] {
        let bit = bit_of(gram);
        let known = self.filter.get(bit >> 6);
        if known.is_none_or(|bits| bits >> (bit & 63) & 1 == 0) {
            return &[];
        }
        self.by_gram.get(&gram).map_or(&[], Vec::as_slice)
    }
}

/// The place of a gram in the filter.
const fn bit_of(gram: Gram) -> usize {
    let spread = u32::from_le_bytes(gram).wrapping_mul(FACTOR);
    (spread >> (u32::BITS - FILTER_BITS_LOG)) as usize
}
