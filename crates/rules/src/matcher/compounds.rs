//! Finds the stems of compound words.

use std::collections::BTreeMap;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, PatternID};

use crate::error::RulesError;
use crate::literal::{COMPOUND_LETTERS_MIN, Literal, Shape};
use crate::matcher::table::Posting;
use crate::normalize::scan::Scan;

/// Stems of a tree.
#[derive(Debug, Default)]
pub(crate) struct Compounds {
    automaton: Option<DFA>,
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
        let automaton =
            DFA::new(self.stems.keys()).map_err(|error| RulesError::Automaton(Box::new(error)))?;
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
    /// Calls back for every stem in every word of letters: the word's index, the letters of the
    /// stem, and the group.
    pub(crate) fn find(&self, scan: &Scan, mut report: impl FnMut(usize, usize, Posting)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        let Ok(start) = automaton.start_state(Anchored::No) else {
            return;
        };
        for (index, word) in scan.words().iter().enumerate() {
            let letters = scan.bytes(word);
            if !word.letters || letters.len() < COMPOUND_LETTERS_MIN {
                continue;
            }
            let mut state = start;
            for (end, letter) in (1..).zip(letters) {
                state = automaton.next_state(Anchored::No, state, *letter);
                if automaton.is_special(state) && automaton.is_match(state) {
                    for at in 0..automaton.match_len(state) {
                        let stem = self.stem(automaton.match_pattern(state, at));
                        stem.report(end, letters.len(), |posting| {
                            report(index, stem.length, posting);
                        });
                    }
                }
            }
        }
    }

    fn stem(&self, pattern: PatternID) -> &Stem {
        &self.stems[pattern.as_usize()]
    }
}

impl Stem {
    /// Calls back for the groups whose shape fits a stem that ends at `end` in a word.
    fn report(&self, end: usize, word_length: usize, mut report: impl FnMut(Posting)) {
        let (starts, ends) = (end == self.length, end == word_length);
        for (shape, posting) in &self.postings {
            let fits = match shape {
                Shape::Whole => starts && ends,
                Shape::Prefix => starts,
                Shape::Suffix => ends,
                Shape::Infix => true,
            };
            if fits {
                report(*posting);
            }
        }
    }
}
