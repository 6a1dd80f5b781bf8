//! The steps of a decision, so that a benchmark can say what each of them costs.

use crate::matcher::{Matcher, Question, Scratch, add, side};
use crate::view::View;

/// A step of the decision about a prepared transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The texts are normalised into words.
    Read,
    /// Words and phrases are looked up, and wake clauses.
    Words,
    /// Stems are looked for inside of words.
    Compounds,
    /// Codes wake clauses.
    Codes,
    /// The best of the clauses that hold is found.
    Weigh,
}

impl Step {
    /// Every step in order.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Words,
        Self::Compounds,
        Self::Codes,
        Self::Weigh,
    ];

    /// What the step does, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "normalise",
            Self::Words => "words and phrases",
            Self::Compounds => "stems of compounds",
            Self::Codes => "codes",
            Self::Weigh => "weigh clauses",
        }
    }
}

impl Matcher {
    /// Does the steps up to one, and says how much was found, so that none of them is left out.
    pub(crate) fn go(&self, last: Step, view: &View<'_>, scratch: &mut Scratch) -> usize {
        scratch.read(view);
        if last == Step::Read {
            return scratch.scan.words().len();
        }
        self.begin(scratch);
        self.mark_words(view, scratch);
        if last >= Step::Compounds {
            self.mark_compounds(view, scratch);
        }
        if last >= Step::Codes {
            self.awake_by_codes(view, &mut scratch.awake);
            let fallbacks = &self.anchors.fallbacks[side(view.direction())];
            add(&mut scratch.awake, fallbacks);
        }
        if last < Step::Weigh {
            return scratch.awake.len();
        }
        let best = self.best(Question::Meaning, view, scratch);
        usize::from(best.is_some_and(|best| best.contested))
    }
}
