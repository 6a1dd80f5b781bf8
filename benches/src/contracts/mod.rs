//! How well contracts are found: in invented users, in real accounts, in real accounts made harder,
//! and in written scenarios; and how long it takes.

pub mod berka;
pub mod generator;
pub mod habit;
pub mod party;
pub mod random;
pub mod sample;
pub mod scale;
pub mod scenario;
pub mod score;
pub mod variant;

use analysis::calendar::BusinessCalendar;
use analysis::{contracts, event};

use sample::Sample;
use score::Score;

/// Looks for the contracts of all users.
pub fn evaluate(samples: impl Iterator<Item = Sample>, calendar: &BusinessCalendar) -> Score {
    let mut score = Score::default();
    for sample in samples {
        let events = event::stream(&sample.accounts, |_, _| "");
        let found = contracts::detect(&events, sample.as_of, calendar);
        score.add(&sample, &found);
    }
    score
}
