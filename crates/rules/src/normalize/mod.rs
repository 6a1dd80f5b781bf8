//! How texts are made comparable: a list of named stages.
//!
//! [`words`] runs the stages one after the other and is the definition; [`scan`] does the same in
//! one pass over the bytes, and a property test holds it to the definition.

pub(crate) mod scan;
pub mod sepa;
mod stages;

pub use stages::{Piece, STAGES, Stage, Word, words};

/// A normalised text: its words, one blank between them.
pub fn normalized(text: &str) -> String {
    let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    words.join(" ")
}
