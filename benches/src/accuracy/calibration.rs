//! Whether the engine is right as often as it says.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::Observation;
use super::score::share;

/// Confidences are compared in this many bins of equal width.
const BINS: u16 = 10;
/// Confidence is given of ten thousand.
const WHOLE: u16 = 10_000;

/// A bin of answers of similar confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// Least confidence of the bin.
    pub from: f64,
    /// Number of rows.
    pub rows: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of right answers.
    pub exact: f64,
}

/// A cell of the calibration table as these rows would fill it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Its name.
    pub cell: String,
    /// Number of rows.
    pub rows: usize,
    /// Share of right answers.
    pub exact: f64,
    /// Share of right answers of ten thousand, with [`PRIOR_ROWS`] added, half of them right: a few
    /// rows do not make certainty.
    pub smoothed: u16,
    /// What the table says now, of ten thousand (mean over the rows).
    pub confidence: u16,
}

/// What remains when answers below a confidence are not used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cut {
    /// Least confidence of an answer that is used.
    pub from: f64,
    /// Share of rows with such an answer that says that the engine knows.
    pub coverage: f64,
    /// Share of right answers among those.
    pub precision: f64,
}

/// The least confidences that are tried, of ten thousand.
const CUTS: [u16; 5] = [5_000, 7_000, 8_000, 9_000, 9_500];

/// What a user who asks for more certainty gets.
pub fn cuts(observations: &[&Observation]) -> Vec<Cut> {
    let cut = |from: u16| {
        let used = |o: &&&Observation| o.is_decided() && o.answer.confidence >= from;
        let kept = observations.iter().filter(used).count();
        let right = observations.iter().filter(used).filter(|o| o.is_right());
        Cut {
            from: f64::from(from) / f64::from(WHOLE),
            coverage: share(kept, observations.len()),
            precision: share(right.count(), kept),
        }
    };
    CUTS.into_iter().map(cut).collect()
}

/// Weight of the prior, in rows.
const PRIOR_ROWS: usize = 4;

/// Expected calibration error: mean distance of confidence and rightness over the bins, weighted by
/// rows.
pub fn error(bins: &[Bin]) -> f64 {
    let rows: usize = bins.iter().map(|bin| bin.rows).sum();
    let sum: f64 = bins
        .iter()
        .map(|bin| (bin.confidence - bin.exact).abs() * bin.rows as f64)
        .sum();
    if rows == 0 { 0.0 } else { sum / rows as f64 }
}

/// The bins that hold rows.
pub fn bins(observations: &[&Observation]) -> Vec<Bin> {
    let mut counts: BTreeMap<u16, (usize, usize, usize)> = BTreeMap::new();
    let width = WHOLE / BINS;
    for observation in observations {
        let confidence = observation.answer.confidence;
        let bin = counts
            .entry((confidence / width).min(BINS - 1))
            .or_default();
        bin.0 += 1;
        bin.1 += usize::from(confidence);
        bin.2 += usize::from(observation.is_right());
    }
    counts
        .into_iter()
        .map(|(number, (rows, sum, right))| Bin {
            from: f64::from(number * width) / f64::from(WHOLE),
            rows,
            confidence: share(sum, rows * usize::from(WHOLE)),
            exact: share(right, rows),
        })
        .collect()
}

/// The cells that hold rows, by name.
pub fn cells(observations: &[&Observation]) -> Vec<Cell> {
    let mut counts: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for observation in observations {
        let cell = counts.entry(&observation.answer.cell).or_default();
        cell.0 += 1;
        cell.1 += usize::from(observation.answer.confidence);
        cell.2 += usize::from(observation.is_right());
    }
    counts
        .into_iter()
        .map(|(cell, (rows, sum, right))| Cell {
            cell: cell.to_owned(),
            rows,
            exact: share(right, rows),
            smoothed: smoothed(right, rows),
            confidence: u16::try_from(sum / rows).unwrap_or(WHOLE),
        })
        .collect()
}

fn smoothed(right: usize, rows: usize) -> u16 {
    let whole = usize::from(WHOLE);
    let share = (right + PRIOR_ROWS / 2) * whole / (rows + PRIOR_ROWS);
    u16::try_from(share).unwrap_or(WHOLE)
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    #[test]
    fn the_error_is_the_distance_of_saying_and_being() {
        let all = [
            observed("a", "a", 9_000),
            observed("a", "b", 9_000),
            observed("a", "a", 10_000),
        ];
        let bins = bins(&all.iter().collect::<Vec<_>>());
        assert_eq!(bins.len(), 1, "{bins:?}");
        let expected = (28_000.0 / 30_000.0) - 2.0 / 3.0;
        assert!((error(&bins) - expected).abs() < 1e-9, "{bins:?}");
    }

    #[test]
    fn asking_for_certainty_costs_coverage() {
        let all = [
            observed("a", "a", 9_400),
            observed("a", "b", 8_500),
            observed("a", "transfer_out", 9_900),
            observed("a", "a", 6_000),
        ];
        let cuts = cuts(&all.iter().collect::<Vec<_>>());
        let at = |from: f64| cuts.iter().find(|cut| (cut.from - from).abs() < 1e-9);
        let (low, high) = (at(0.8).expect("tried"), at(0.9).expect("tried"));
        assert!((low.coverage - 0.5).abs() < 1e-9 && (low.precision - 0.5).abs() < 1e-9);
        assert!((high.coverage - 0.25).abs() < 1e-9 && (high.precision - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_few_rows_do_not_make_certainty() {
        assert_eq!(smoothed(0, 0), 5_000);
        assert_eq!(smoothed(4, 4), 7_500);
        assert!(smoothed(400, 400) > 9_900);
    }
}
