//! Words and phrases that rules look for.

use std::fmt;

use crate::error::RuleProblem;
use crate::normalize;

/// Fewest letters of the stem of a compound; shorter ones lie inside too many innocent words.
pub const COMPOUND_LETTERS_MIN: usize = 4;
/// Fewest letters of a literal that is also found without its diaereses; of shorter ones too many
/// become other words: `Küche`, `Kuchen`.
pub const BARE_LETTERS_MIN: usize = 6;
/// Fewest letters of a word that is found although a line break split it.
pub const REJOINED_LETTERS_MIN: usize = 6;

/// A word, a phrase, or the stem of compounds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// Normalised words; one for a compound.
    pub(crate) words: Vec<String>,
    /// Where letters may be added.
    pub(crate) shape: Shape,
}

/// Where a word may go on in letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Nowhere: whole words only.
    Whole,
    /// After it: `zahnarzt*`.
    Prefix,
    /// Before it: `*versicherung`.
    Suffix,
    /// On both sides: `*metzger*`.
    Infix,
}

impl Literal {
    /// Reads a literal of a rule file.
    ///
    /// # Errors
    /// `EmptyLiteral`, `ShortLiteral`, or `BadCompound`.
    pub fn parse(written: &str) -> Result<Self, RuleProblem> {
        let literal = || written.to_owned();
        let stem = written.trim().trim_matches('*');
        let shape = match (
            written.trim().starts_with('*'),
            written.trim().ends_with('*'),
        ) {
            (false, false) => Shape::Whole,
            (false, true) => Shape::Prefix,
            (true, false) => Shape::Suffix,
            (true, true) => Shape::Infix,
        };
        let words: Vec<String> = normalize::words(stem)
            .into_iter()
            .map(|word| word.folded)
            .collect();
        match words.as_slice() {
            [] => return Err(RuleProblem::EmptyLiteral { literal: literal() }),
            [word] if shape == Shape::Whole && word.len() < 2 => {
                return Err(RuleProblem::ShortLiteral { literal: literal() });
            }
            _ => {}
        }
        let compound_ok = matches!(words.as_slice(), [word] if is_stem(word));
        if stem.contains('*') || shape != Shape::Whole && !compound_ok {
            return Err(RuleProblem::BadCompound {
                literal: literal(),
                min: COMPOUND_LETTERS_MIN,
            });
        }
        Ok(Self { words, shape })
    }

    /// The literal as card schemes and foreign systems write it, which know no umlauts and do not
    /// spell them out either: `BACKEREI`. `None` if that is nothing new, or too short to be sure.
    pub(crate) fn without_diaereses(written: &str) -> Option<Self> {
        let bare: String = written.chars().map(without_diaeresis).collect();
        if bare == written {
            return None;
        }
        let literal = Self::parse(&bare).ok()?;
        let letters: usize = literal.words.iter().map(String::len).sum();
        (letters >= BARE_LETTERS_MIN).then_some(literal)
    }

    /// Whether the literal is found although a line break split it.
    pub(crate) fn rejoins(&self) -> bool {
        self.shape == Shape::Whole
            && matches!(self.words.as_slice(), [word] if word.len() >= REJOINED_LETTERS_MIN
                && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    }
}

impl fmt::Display for Literal {
    /// As a rule file may write it: normalised words, with stars where letters may be added.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = match self.shape {
            Shape::Whole => ("", ""),
            Shape::Prefix => ("", "*"),
            Shape::Suffix => ("*", ""),
            Shape::Infix => ("*", "*"),
        };
        write!(formatter, "{before}{}{after}", self.words.join(" "))
    }
}

const fn without_diaeresis(letter: char) -> char {
    match letter {
        'ä' => 'a',
        'ö' => 'o',
        'ü' => 'u',
        'Ä' => 'A',
        'Ö' => 'O',
        'Ü' => 'U',
        other => other,
    }
}

fn is_stem(word: &str) -> bool {
    word.len() >= COMPOUND_LETTERS_MIN && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, words: &[&str], shape: Shape) {
        let literal = Literal::parse(written).expect(written);
        assert_eq!(literal.words, words, "{written}");
        assert_eq!(literal.shape, shape, "{written}");
    }

    #[test]
    fn literals_are_normalised_as_texts_are() {
        check("GEHALT", &["gehalt"], Shape::Whole);
        check("Beamtenbezüge", &["beamtenbezuege"], Shape::Whole);
        check("H&M", &["h", "m"], Shape::Whole);
        check("o2", &["o2"], Shape::Whole);
        check("McDonald's", &["mcdonalds"], Shape::Whole);
        check("*metzgerei", &["metzgerei"], Shape::Suffix);
        check("zahnarzt*", &["zahnarzt"], Shape::Prefix);
        check("*bäcker*", &["baecker"], Shape::Infix);
    }

    #[test]
    fn long_literals_are_found_without_their_diaereses() {
        let bare = |written| Literal::without_diaereses(written).map(|literal| literal.to_string());
        assert_eq!(bare("*bäckerei").as_deref(), Some("*backerei"));
        assert_eq!(bare("Münchener Rück").as_deref(), Some("munchener ruck"));
        assert_eq!(bare("Küche"), None);
        assert_eq!(bare("Gehalt"), None);
    }

    #[test]
    fn careless_literals_are_refused() {
        for written in [
            "",
            " . ",
            "*",
            "a",
            "*gas*",
            "*zwei worte",
            "mit*te",
            "*abc12",
        ] {
            assert!(Literal::parse(written).is_err(), "{written:?}");
        }
    }

    #[test]
    fn only_long_words_are_rejoined() {
        for (written, expected) in [
            ("Leasing", true),
            ("BAföG", true),
            ("Miete", false),
            ("Haus Rat", false),
            ("*leasing", false),
        ] {
            assert_eq!(
                Literal::parse(written).expect(written).rejoins(),
                expected,
                "{written}"
            );
        }
    }
}
