//! From a chain of bookings to a series that follows a rule, and whether that is a contract.

use super::amounts::{self, Amounts};
use super::chain::{Chain, Leeway};
use super::interval::Interval;
use super::judge;
use super::row::Row;
use super::schedule::{self, Fit};
use super::search::Search;

/// How often a rule is fitted again without the bookings that are too far from it.
const REFITS_MAX: usize = 2;

/// What says that the bookings of a series belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    /// The same mandate.
    Mandate,
    /// The same contract or customer number.
    Number,
    /// The same partner.
    Partner,
    /// Nothing but amount and date.
    Amount,
}

/// Payments that follow a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    /// The interval.
    pub(crate) interval: Interval,
    /// The payments, oldest first, at most one for each due date.
    pub(crate) rows: Vec<Row>,
    /// Payments beyond the first for a due date.
    pub(crate) doubled: Vec<Row>,
    /// Payments long after the due date of a slot that has no other, such as those presented
    /// again.
    pub(crate) late: Vec<(i32, Row)>,
    /// The rules that explain them, the best one first. Their slots follow `rows`.
    pub(crate) fits: Vec<Fit>,
    /// Due dates without payment between the first and the last.
    pub(crate) missed: usize,
    /// What is known of the amounts.
    pub(crate) amounts: Amounts,
    /// What holds the payments together.
    pub(crate) tie: Tie,
    /// How strongly all of this speaks for a contract, in thousandths of a nat.
    pub(crate) evidence: i64,
}

impl Series {
    /// The best rule.
    pub(crate) fn best(&self) -> Option<&Fit> {
        self.fits.first()
    }

    pub(crate) fn first_day(&self) -> i32 {
        self.rows.first().map_or(0, |row| row.day)
    }

    pub(crate) fn last_day(&self) -> i32 {
        self.rows.last().map_or(0, |row| row.day)
    }
}

/// Where a series is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// How far amounts may differ from one payment to the next.
    pub(crate) leeway: Leeway,
    /// What the bookings have in common.
    pub(crate) tie: Tie,
    /// The amounts of all bookings that have it in common, explained or not, ascending.
    pub(crate) whole: &'a [i64],
    /// How many of them are not explained yet, whatever their amount.
    pub(crate) unexplained: usize,
}

/// Makes a series of a chain if it is regular enough to be a contract.
pub(crate) fn settle(
    search: &Search<'_>,
    pool: &[Row],
    chain: &Chain,
    scope: Scope<'_>,
) -> Option<Series> {
    let rows: Vec<Row> = chain
        .members
        .iter()
        .filter_map(|at| pool.get(*at).copied())
        .collect();
    if !judge::is_hopeful(search, pool, (chain.interval, &rows), scope)? {
        return None;
    }
    let series = regular(search, chain.interval, rows, scope.tie)?;
    judge::judge(search, pool, series, scope)
}

/// Fits a rule, leaves out what is too far from it, and measures the rest.
pub(crate) fn regular(
    search: &Search<'_>,
    interval: Interval,
    mut rows: Vec<Row>,
    tie: Tie,
) -> Option<Series> {
    let mut fits = schedule::fit(&rows, interval, search.calendar);
    for _ in 0..REFITS_MAX {
        let outside = outside(fits.first()?, interval);
        if !outside.contains(&true) {
            break;
        }
        let mut keep = outside.iter().map(|is_outside| !is_outside);
        rows.retain(|_| keep.next().unwrap_or(false));
        fits = schedule::fit(&rows, interval, search.calendar);
    }
    drop_outside(&mut rows, &mut fits, interval)?;
    let slots = &fits.first()?.slots;
    let span = slots.last()?.0.saturating_sub(slots.first()?.0);
    let missed = usize::try_from(span)
        .ok()?
        .saturating_add(1)
        .saturating_sub(rows.len());
    Some(Series {
        interval,
        doubled: Vec::new(),
        late: Vec::new(),
        missed,
        amounts: amounts::summarize(&rows),
        tie,
        evidence: 0,
        fits,
        rows,
    })
}

/// Leaves out what no other rule has brought nearer.
fn drop_outside(rows: &mut Vec<Row>, fits: &mut Vec<Fit>, interval: Interval) -> Option<()> {
    let outside = outside(fits.first()?, interval);
    if outside.contains(&true) {
        fits.truncate(1);
        let mut keep = outside.iter().map(|is_outside| !is_outside);
        rows.retain(|_| keep.next().unwrap_or(false));
        let mut keep = outside.iter().map(|is_outside| !is_outside);
        let slots = &mut fits.first_mut()?.slots;
        slots.retain(|_| keep.next().unwrap_or(false));
    }
    (rows.len() > 1).then_some(())
}

/// Which bookings are too far from their due date, or not the best ones for it.
fn outside(fit: &Fit, interval: Interval) -> Vec<bool> {
    let tolerance = interval.tolerance_days();
    let mut outside: Vec<bool> = Vec::with_capacity(fit.slots.len());
    let mut kept: Option<(usize, i32, i32)> = None;
    for (at, (slot, off)) in fit.slots.iter().enumerate() {
        let off = off.saturating_abs();
        let mut is_outside = off > tolerance;
        if !is_outside && let Some((before, same, other)) = kept.filter(|kept| kept.1 == *slot) {
            debug_assert_eq!(same, *slot, "rows of one slot are neighbours");
            is_outside = other <= off;
            if !is_outside && let Some(worse) = outside.get_mut(before) {
                *worse = true;
            }
        }
        if !is_outside {
            kept = Some((at, *slot, off));
        }
        outside.push(is_outside);
    }
    outside
}
