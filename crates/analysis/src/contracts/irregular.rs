//! Contracts without rhythm: several payments under one mandate for what is only paid by contract.

use super::amounts;
use super::category::{self, Leaning};
use super::interval::Interval;
use super::judge::EVIDENCE_MIN;
use super::row::Row;
use super::schedule::{Fit, Rule};
use super::search::Search;
use super::series::{Series, Tie};

/// Fewest payments.
const PAYMENTS_MIN: usize = 4;
/// Fewest days from the first payment to the last.
const DAYS_MIN: i32 = 180;

/// A series of all rows of one mandate, if their tags are those of a contract.
pub(crate) fn series(search: &Search<'_>, rows: &[Row]) -> Option<Series> {
    let span = rows.last()?.day.saturating_sub(rows.first()?.day);
    let is_bound = |row: &Row| {
        let event = search.event(row);
        event.is_some_and(|event| category::leaning(event.tag) == Leaning::Contract)
    };
    if rows.len() < PAYMENTS_MIN || span < DAYS_MIN || !rows.iter().all(is_bound) {
        return None;
    }
    Some(Series {
        interval: Interval::Irregular,
        rows: rows.to_vec(),
        doubled: Vec::new(),
        late: Vec::new(),
        fits: vec![fit(rows)?],
        missed: 0,
        amounts: amounts::summarize(rows),
        tie: Tie::Mandate,
        evidence: EVIDENCE_MIN,
    })
}

/// The next payment is expected after the usual gap, and the gaps so far say how uncertain that is.
fn fit(rows: &[Row]) -> Option<Fit> {
    let gaps: Vec<i32> = rows
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.day.saturating_sub(pair.first()?.day)))
        .collect();
    let mut sorted = gaps.clone();
    sorted.sort_unstable();
    let usual = *sorted.get(sorted.len() / 2)?;
    let count = i32::try_from(gaps.len()).ok()?;
    let before = usual.saturating_mul(count);
    let offs = [0]
        .into_iter()
        .chain(gaps.iter().map(|gap| gap.saturating_sub(usual)));
    Some(Fit {
        rule: Rule::Every {
            days: usual.max(1),
            origin: rows.last()?.day.saturating_sub(before),
            shift: crate::calendar::Shift::None,
        },
        slots: (0..).zip(offs).collect(),
        cost: 0,
    })
}
