//! Counts of right and wrong answers.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::Observation;

/// The figures of a set of rows. Shares are between 0 and 1; of nothing they are 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Number of rows.
    pub rows: usize,
    /// Share of rows whose answer is the expected tag or one as good; also micro precision, recall
    /// and F1, since each row has one answer.
    pub exact: f64,
    /// Share of rows whose answer is right or has the same parent as the expected tag.
    pub same_parent: f64,
    /// Share of rows about which the engine says that it knows.
    pub coverage: f64,
    /// Share of right answers among those.
    pub precision_decided: f64,
    /// Mean F1 over the leaves that were expected or answered.
    pub macro_f1: f64,
}

/// The figures of one tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagScore {
    /// The tree, whose tags are its own even where names are equal.
    pub tree: &'static str,
    /// The tag.
    pub tag: String,
    /// Rows that truly have it.
    pub rows: usize,
    /// Rows that were answered with it.
    pub answered: usize,
    /// Rows that have it and were answered with it.
    pub right: usize,
    /// `right / answered`.
    pub precision: f64,
    /// `right / rows`.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

/// How often one tag was taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The tag that would have been right.
    pub expected: String,
    /// The answer.
    pub answered: String,
    /// How often.
    pub rows: usize,
    /// Identifiers of some of the rows.
    pub examples: Vec<String>,
}

/// Most identifiers that stand beside a confusion.
const EXAMPLES_MAX: usize = 5;

/// A share that is 1 of nothing: what was never tried never failed.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// The figures of these rows.
pub fn score(observations: &[&Observation]) -> Score {
    let count = |test: fn(&Observation) -> bool| observations.iter().filter(|o| test(o)).count();
    let rows = observations.len();
    let decided = count(Observation::is_decided);
    let right = count(|o| o.is_decided() && o.is_right());
    Score {
        rows,
        exact: share(count(Observation::is_right), rows),
        same_parent: share(count(Observation::is_near), rows),
        coverage: share(decided, rows),
        precision_decided: share(right, decided),
        macro_f1: macro_f1(&by_tag(observations)),
    }
}

fn macro_f1(tags: &[TagScore]) -> f64 {
    let sum: f64 = tags.iter().map(|tag| tag.f1).sum();
    if tags.is_empty() {
        1.0
    } else {
        sum / tags.len() as f64
    }
}

/// The figures of each tag that was expected or answered, by tree and name.
pub fn by_tag(observations: &[&Observation]) -> Vec<TagScore> {
    let mut counts: BTreeMap<(&'static str, &str), (usize, usize, usize)> = BTreeMap::new();
    for observation in observations {
        let tree = observation.row.tree.as_str();
        counts.entry((tree, observation.truth())).or_default().0 += 1;
        let answered = counts.entry((tree, &observation.answer.tag)).or_default();
        answered.1 += 1;
        answered.2 += usize::from(observation.is_right());
    }
    let scored = counts
        .into_iter()
        .map(|((tree, tag), (rows, answered, right))| {
            let sum = rows + answered;
            TagScore {
                tree,
                tag: tag.to_owned(),
                rows,
                answered,
                right,
                precision: share(right, answered),
                recall: share(right, rows),
                f1: share(2 * right, sum),
            }
        });
    scored.collect()
}

/// What was taken for what, the most frequent first.
pub fn confusions(observations: &[&Observation]) -> Vec<Confusion> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for observation in observations.iter().filter(|o| !o.is_right()) {
        let pair = (
            observation.row.expected.as_str(),
            observation.answer.tag.as_str(),
        );
        pairs.entry(pair).or_default().push(&observation.row.id);
    }
    let mut listed: Vec<Confusion> = pairs
        .into_iter()
        .map(|((expected, answered), ids)| Confusion {
            expected: expected.to_owned(),
            answered: answered.to_owned(),
            rows: ids.len(),
            examples: ids
                .iter()
                .take(EXAMPLES_MAX)
                .map(ToString::to_string)
                .collect(),
        })
        .collect();
    listed.sort_by_key(|confusion| std::cmp::Reverse(confusion.rows));
    listed
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    #[test]
    fn abstaining_costs_coverage_and_not_precision() {
        let all = [
            observed("fuel", "fuel", 9_000),
            observed("fuel", "transfer_out", 5_000),
            observed("parking", "fuel", 9_000),
            observed("transfer_out", "transfer_out", 5_000),
        ];
        let figures = score(&all.iter().collect::<Vec<_>>());
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(figures.exact, 0.5), "{figures:?}");
        assert!(close(figures.coverage, 0.5), "{figures:?}");
        assert!(close(figures.precision_decided, 0.5), "{figures:?}");
        // fuel 1/2 and 1/2, parking 0, transfer_out 1/2 and 1/1.
        assert!(close(figures.macro_f1, (0.5 + 0.0 + 2.0 / 3.0) / 3.0));
    }

    #[test]
    fn the_most_frequent_confusion_stands_first() {
        let all = [
            observed("a", "b", 1),
            observed("c", "d", 1),
            observed("c", "d", 1),
        ];
        let listed = confusions(&all.iter().collect::<Vec<_>>());
        assert_eq!((listed[0].expected.as_str(), listed[0].rows), ("c", 2));
        assert_eq!(listed.len(), 2);
    }
}
