//! Floors under the figures of the project's own labelled rows.
//!
//! The rows were seen while rules were written, so these figures say that nothing got worse, not
//! how good the engine is on rows that nobody has seen: see `docs/ACCURACY.md`.

use std::path::PathBuf;

use benches::accuracy::labelled;
use benches::accuracy::observe::observe_all;
use benches::accuracy::report::{Named, report};
use benches::accuracy::score::Score;
use benches::accuracy::{Observation, calibration};
use rules::RulePack;

/// Sets of bait, which say nothing about how often a tag is met.
const BAIT: &str = "innocuous";

/// More than unseen rows show: on rows that rules were widened by, the engine is more often right
/// than it says.
const CALIBRATION_ERROR_MAX: f64 = 0.05;

fn observed() -> Vec<Named> {
    let pack = RulePack::builtin().expect("the shipped rules are valid");
    let sets = labelled::sets(&[PathBuf::from(labelled::OWN)]).expect("the own rows are readable");
    observe_all(&pack, &sets).expect("every row can be answered")
}

fn at_least(what: &str, score: &Score, floors: (f64, f64, f64, f64)) {
    let (exact, parent, precision, macro_f1) = floors;
    assert!(score.exact >= exact, "{what}: {score:?}");
    assert!(score.same_parent >= parent, "{what}: {score:?}");
    assert!(score.precision_decided >= precision, "{what}: {score:?}");
    assert!(score.macro_f1 >= macro_f1, "{what}: {score:?}");
}

#[test]
fn every_set_keeps_its_level() {
    let sets: Vec<Named> = observed()
        .into_iter()
        .filter(|(name, _)| !name.starts_with(BAIT))
        .collect();
    let report = report(&sets, &[]);
    assert!(report.all.rows >= 1_900, "{:?}", report.all);
    for (name, score) in &report.by_set {
        at_least(name, score, (0.93, 0.96, 0.96, 0.90));
    }
    assert!(
        report.calibration_error <= CALIBRATION_ERROR_MAX,
        "calibration error {}: {:?}",
        report.calibration_error,
        calibration::bins(&sets.iter().flat_map(|(_, rows)| rows).collect::<Vec<_>>())
    );
}

/// A surname that is a trade, a street that is a shop: at most one row in a hundred may be taken
/// for what the word says.
#[test]
fn innocuous_words_are_not_taken_for_what_they_say() {
    let sets = observed()
        .into_iter()
        .filter(|(name, _)| name.starts_with(BAIT));
    let rows: Vec<Observation> = sets.flat_map(|(_, rows)| rows).collect();
    assert!(rows.len() >= 400, "{} rows", rows.len());
    let caught: Vec<String> = rows
        .iter()
        .filter(|seen| seen.is_decided() && !seen.is_right())
        .map(|seen| format!("{} {} {}", seen.row.id, seen.answer.tag, seen.answer.rule))
        .collect();
    assert!(caught.len() * 100 <= rows.len(), "{}", caught.join("\n"));
}
