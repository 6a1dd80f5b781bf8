//! When the next payment is expected.

use super::row::Row;
use super::schedule::Fit;
use super::series::Series;
use crate::calendar::BusinessCalendar;

/// Payments from which on the range is learnt from the partner's own deviations.
const LEARNT_FROM: usize = 4;
/// Days on each side of the expected one before that.
const UNKNOWN_DAYS: i32 = 5;
/// Payments from which on the deviations seen are all that is to be expected.
const WELL_KNOWN: usize = 10;

/// The next payment.
///
/// # Units
/// Day numbers from the common era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// The expected day.
    pub(crate) day: i32,
    /// First day of the range that holds nine of ten payments.
    pub(crate) first: i32,
    /// Last day of it.
    pub(crate) last: i32,
}

/// The outlook of a series: the next due date with the deviations learnt so far. As long as several
/// rules explain the past, the range holds the due dates of all of them.
pub(crate) fn next(series: &Series, calendar: &BusinessCalendar) -> Option<Outlook> {
    let best = expectation(series.best()?, &series.rows, calendar)?;
    let mut first = best.first;
    let mut last = best.last;
    for fit in series.fits.iter().skip(1) {
        if let Some(other) = expectation(fit, &series.rows, calendar) {
            first = first.min(other.first);
            last = last.max(other.last);
        }
    }
    Some(Outlook {
        day: best.day,
        first: first.min(best.day.saturating_sub(1)),
        last: last.max(best.day.saturating_add(1)),
    })
}

fn expectation(fit: &Fit, rows: &[Row], calendar: &BusinessCalendar) -> Option<Outlook> {
    let slot = fit.slots.last()?.0.saturating_add(1);
    let due = fit.rule.due(slot, calendar);
    let mut offs: Vec<i32> = fit.slots.iter().map(|(_, off)| *off).collect();
    offs.sort_unstable();
    let count = offs.len();
    let cut = count / 25;
    let middle = *offs.get(count / 2)?;
    let (mut least, mut most) = (*offs.get(cut)?, *offs.iter().rev().nth(cut)?);
    if rows.len() < LEARNT_FROM {
        least = middle.saturating_sub(UNKNOWN_DAYS);
        most = middle.saturating_add(UNKNOWN_DAYS);
    } else if count < WELL_KNOWN && least < most {
        least = least.saturating_sub(1);
        most = most.saturating_add(1);
    }
    Some(Outlook {
        day: due.saturating_add(middle),
        first: due.saturating_add(least),
        last: due.saturating_add(most),
    })
}
