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
pub mod stability;
pub mod variant;

use analysis::calendar::BusinessCalendar;
use analysis::{Options, Part, Subject, contracts, event};
use rules::RulePack;

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

/// The same through the whole chain, so that contracts know their tags.
pub fn evaluate_tagged(samples: impl Iterator<Item = Sample>, pack: &RulePack) -> Score {
    let mut score = Score::default();
    for sample in samples {
        let subject = Subject {
            user_type: sample.user_type,
            accounts: &sample.accounts,
            layers: analysis::Layers::NONE,
        };
        let options = Options {
            as_of: sample.as_of,
            parts: [Part::Contracts].into_iter().collect(),
        };
        let report = analysis::analyze(pack, &subject, &options);
        score.add(&sample, &report.contracts);
    }
    score
}
