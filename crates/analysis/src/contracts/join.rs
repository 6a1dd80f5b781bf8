//! Puts the pieces of one contract together that a new name, a new IBAN, a new mandate or a new
//! price has separated, and adds the payments that lie beside the rule.

use super::amounts;
use super::chain::Leeway;
use super::judge;
use super::row::{Row, permille};
use super::search::Search;
use super::series::{self, Scope, Series, Tie};

/// How far the amounts of two pieces may differ if the partner is known.
const STEP_PERMILLE: i64 = 260;
/// Payments beyond those of one series that may be missing between two, if one rule explains both.
const MORE_MISSED: i32 = 4;
/// The same if only amounts say that they belong together.
const HIDDEN_STEP_PERMILLE: i64 = 130;

/// Series that one may continue; with more of them, chance would find one.
const CANDIDATES_MAX: usize = 256;
/// Most pairs of a left booking and a series that are looked at.
const PAIRS_MAX: usize = 200_000;

/// Joins series that continue one another.
pub(crate) fn join(search: &Search<'_>, found: &mut Vec<Series>, is_hidden: bool) {
    found.sort_by_key(|series| (series.first_day(), series.rows.first().map(|row| row.event)));
    let mut joined: Vec<Series> = Vec::with_capacity(found.len());
    for series in found.drain(..) {
        let candidates = joined.iter().enumerate().rev().take(CANDIDATES_MAX);
        let best = candidates
            .filter_map(|(at, earlier)| Some((cost(earlier, &series, is_hidden)?, at)))
            .min();
        let continued = best.and_then(|(_, at)| {
            let earlier = joined.get(at)?;
            Some((at, merged(search, earlier, &series)?))
        });
        match continued {
            Some((at, whole)) => {
                if let Some(slot) = joined.get_mut(at) {
                    *slot = whole;
                }
            }
            None => joined.push(series),
        }
    }
    *found = joined;
}

/// How badly a later series continues an earlier one; `None` if it does not.
fn cost(earlier: &Series, later: &Series, is_hidden: bool) -> Option<i64> {
    if earlier.interval != later.interval {
        return None;
    }
    let gap = later.first_day().saturating_sub(earlier.last_day());
    let period = earlier.interval.tenth_days();
    let steps = gap
        .saturating_mul(10)
        .saturating_add(period / 2)
        .checked_div(period)?;
    let missed_max = earlier.interval.missed_max();
    if steps < 1 || steps > missed_max.saturating_add(1).saturating_add(MORE_MISSED) {
        return None;
    }
    let off = gap
        .saturating_sub(period.saturating_mul(steps) / 10)
        .saturating_abs();
    if off > earlier.interval.tolerance_days() {
        return None;
    }
    let change = permille(earlier.rows.last()?.minor, later.rows.first()?.minor);
    let most = if is_hidden {
        HIDDEN_STEP_PERMILLE
    } else {
        STEP_PERMILLE
    };
    let days = i64::from(off).saturating_mul(20);
    let missed = i64::from(steps).saturating_mul(100);
    (change <= most).then_some(change.saturating_add(days).saturating_add(missed))
}

/// Both series as one, if one rule explains them.
fn merged(search: &Search<'_>, earlier: &Series, later: &Series) -> Option<Series> {
    let mut rows = earlier.rows.clone();
    rows.extend_from_slice(&later.rows);
    let count = rows.len();
    let tie = earlier.tie.max(later.tie);
    let whole = series::regular(search, earlier.interval, rows, tie)?;
    if whole.rows.len().saturating_mul(20) < count.saturating_mul(19) {
        return None;
    }
    let evidence = earlier.evidence.max(later.evidence);
    let scope = Scope {
        leeway: Leeway::Any,
        tie,
        whole: &[],
        unexplained: 0,
    };
    let mut whole = judge::judge(search, &[], whole, scope)?;
    whole.evidence = whole.evidence.max(evidence);
    carry(search, earlier, &mut whole);
    carry(search, later, &mut whole);
    Some(whole)
}

/// Keeps the payments beside the rule when the rule is a new one.
fn carry(search: &Search<'_>, from: &Series, into: &mut Series) {
    into.doubled.extend_from_slice(&from.doubled);
    let Some(rule) = into.best().map(|fit| fit.rule) else {
        return;
    };
    for (_, row) in &from.late {
        let (slot, _) = rule.nearest(row.day, row.in_month, search.calendar);
        into.late.push((slot, *row));
        into.missed = into.missed.saturating_sub(1);
    }
}

/// Gives left bookings of fitting amount to the due date that they are nearest to: as its payment
/// if there is none, or as a second one.
pub(crate) fn absorb(search: &Search<'_>, found: &mut [Series], pool: &mut Vec<Row>) {
    if pool.len().saturating_mul(found.len()) > PAIRS_MAX {
        return;
    }
    pool.retain(|row| {
        let best = found
            .iter()
            .enumerate()
            .filter_map(|(at, series)| Some((place(search, series, row)?, at)))
            .min();
        let Some((place, at)) = best else { return true };
        let Some(series) = found.get_mut(at) else {
            return true;
        };
        match place.kind {
            Fitting::Late => {
                series.late.push((place.slot, *row));
                series.missed = series.missed.saturating_sub(1);
            }
            Fitting::Double => series.doubled.push(*row),
            Fitting::Open => fill(search, series, row),
        }
        false
    });
}

/// How a booking would fit in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fitting {
    /// As the payment for a due date that has none.
    Open,
    /// The same, but long after it.
    Late,
    /// As a second payment for a due date.
    Double,
}

/// Where a booking would go.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: Fitting,
    change: i64,
    off: i32,
    slot: i32,
}

fn place(search: &Search<'_>, series: &Series, row: &Row) -> Option<Place> {
    let fit = series.best()?;
    let (slot, off) = fit.rule.nearest(row.day, row.in_month, search.calendar);
    // Slots ascend with the rows.
    let found = fit.slots.binary_search_by_key(&slot, |(taken, _)| *taken);
    let after = found.unwrap_or_else(|after| after.min(fit.slots.len().saturating_sub(1)));
    let change = permille(series.rows.get(after)?.minor, row.minor);
    if change > HIDDEN_STEP_PERMILLE {
        return None;
    }
    let is_taken = found.is_ok() || series.late.iter().any(|(taken, _)| *taken == slot);
    let (first, last) = (fit.slots.first()?.0, fit.slots.last()?.0);
    let reach = fit
        .slots
        .iter()
        .map(|(_, off)| off.saturating_abs())
        .max()?;
    let allowed = reach
        .saturating_add(2)
        .min(series.interval.tolerance_days());
    let beyond = series.interval.missed_max().saturating_add(1);
    let reachable = first.saturating_sub(beyond)..=last.saturating_add(beyond);
    let kind = if off.saturating_abs() <= allowed {
        if is_taken {
            Fitting::Double
        } else {
            Fitting::Open
        }
    } else {
        Fitting::Late
    };
    let fits = match kind {
        Fitting::Open => reachable.contains(&slot),
        Fitting::Double => change == 0,
        Fitting::Late => {
            let is_known = series.tie != Tie::Amount && change == 0;
            is_known && !is_taken && off > 0 && (first..last).contains(&slot)
        }
    };
    fits.then_some(Place {
        kind,
        change,
        off: off.saturating_abs(),
        slot,
    })
}

/// Adds a payment for a due date that has none; the rules stay.
fn fill(search: &Search<'_>, series: &mut Series, row: &Row) {
    let at = series.rows.partition_point(|other| other.event < row.event);
    series.rows.insert(at, *row);
    series.fits.retain_mut(|fit| {
        let (slot, off) = fit.rule.nearest(row.day, row.in_month, search.calendar);
        let is_open = fit
            .slots
            .binary_search_by_key(&slot, |(taken, _)| *taken)
            .is_err();
        if is_open {
            fit.slots.insert(at, (slot, off));
        }
        is_open
    });
    series.amounts = amounts::summarize(&series.rows);
    let slots = series.best().map(|fit| &fit.slots);
    let span = slots.and_then(|slots| {
        let (first, last) = (slots.first()?.0, slots.last()?.0);
        usize::try_from(last.saturating_sub(first)).ok()
    });
    series.missed = span
        .map_or(0, |span| span.saturating_add(1))
        .saturating_sub(series.rows.len())
        .saturating_sub(series.late.len());
}
