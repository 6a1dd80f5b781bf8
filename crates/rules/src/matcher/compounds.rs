//! Finds the stems of compound words.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::error::RulesError;
use crate::literal::{Literal, Shape};
use crate::matcher::table::Posting;
use crate::normalize::scan::Scan;

/// Stems of a tree.
#[derive(Debug, Default)]
pub(crate) struct Compounds {
    automaton: Option<AhoCorasick>,
    /// By pattern number of the automaton.
    stems: Vec<Stem>,
}

#[derive(Debug)]
struct Stem {
    length: usize,
    postings: Vec<(Shape, Posting)>,
}

/// Collects stems before the automaton is built.
#[derive(Debug, Default)]
pub(crate) struct CompoundsBuilder {
    stems: BTreeMap<String, Vec<(Shape, Posting)>>,
}

impl CompoundsBuilder {
    /// Adds a literal with a star.
    pub(crate) fn add(&mut self, literal: &Literal, posting: Posting) {
        if let Some(stem) = literal.words.first() {
            self.stems
                .entry(stem.clone())
                .or_default()
                .push((literal.shape, posting));
        }
    }

    pub(crate) fn build(self) -> Result<Compounds, RulesError> {
        if self.stems.is_empty() {
            return Ok(Compounds::default());
        }
        let automaton = AhoCorasick::builder()
            // Stems are few, so that the fastest form still fits the cache.
            .kind(Some(AhoCorasickKind::DFA))
            .build(self.stems.keys())
            .map_err(|error| RulesError::Automaton(Box::new(error)))?;
        let stems = self.stems.into_iter().map(|(stem, postings)| Stem {
            length: stem.len(),
            postings,
        });
        Ok(Compounds {
            automaton: Some(automaton),
            stems: stems.collect(),
        })
    }
}

impl Compounds {
    /// Calls back for every stem in every word of the scan: the word's index, the letters of the
    /// stem, and the group.
    pub(crate) fn find(&self, scan: &Scan, mut report: impl FnMut(usize, usize, Posting)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        let words = scan.words();
        let mut at = 0;
        for found in automaton.find_overlapping_iter(scan.folded()) {
            // Ends never go back, so that the word is found by walking along.
            while words
                .get(at)
                .is_some_and(|word| (word.folded.1 as usize) < found.end())
            {
                at = at.wrapping_add(1);
            }
            let Some(word) = words.get(at) else {
                return;
            };
            let starts = word.folded.0 as usize == found.start();
            let ends = word.folded.1 as usize == found.end();
            let stem = &self.stems[found.pattern().as_usize()];
            for (shape, posting) in &stem.postings {
                let fits = match shape {
                    Shape::Whole => starts && ends,
                    Shape::Prefix => starts,
                    Shape::Suffix => ends,
                    Shape::Infix => true,
                };
                if fits {
                    report(at, stem.length, *posting);
                }
            }
        }
    }
}
