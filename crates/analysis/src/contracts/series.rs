//! From a chain of bookings to a series that follows a rule, and whether that is a contract.

use super::amounts::{self, Amounts, Likeness};
use super::category::{self, Leaning};
use super::chain::{Chain, Leeway};
use super::interval::Interval;
use super::kind::Operation;
use super::row::{Row, permille};
use super::schedule::{self, Fit};
use super::search::Search;
use crate::stats::{self, Dates};

/// Evidence from which a series counts as a contract, in thousandths of a nat.
pub(crate) const EVIDENCE_MIN: i64 = 4_500;
/// Similar amounts are within this of the series' own.
const SIMILAR_PERMILLE: i64 = 250;

/// How often a rule is fitted again without the bookings that are too far from it.
const REFITS_MAX: usize = 2;
/// Days that closed days in a row move a payment at most.
const SHIFT_DAYS_MAX: i32 = 4;
/// Up to so many payments could be picked from anything that the partner ever booked.
const FEW: usize = 4;

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
    // If not even the best that closed days can explain would be enough, there is no need to find
    // the rule.
    let glance = schedule::glance(&rows, chain.interval)?;
    let unexplained = width(&glance).saturating_sub(SHIFT_DAYS_MAX).max(0);
    let amounts = amounts::summarize(&rows);
    let hope = Case {
        interval: chain.interval,
        rows: &rows,
        missed: 0,
        window: unexplained.saturating_add(uncertainty(rows.len())),
        amounts: &amounts,
    };
    if evidence(search, pool, &hope, scope)? < EVIDENCE_MIN {
        return None;
    }
    let series = regular(search, chain.interval, rows, scope.tie)?;
    judge(search, pool, series, scope)
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

/// Keeps a series if enough speaks for a contract.
pub(crate) fn judge(
    search: &Search<'_>,
    pool: &[Row],
    mut series: Series,
    scope: Scope<'_>,
) -> Option<Series> {
    if series.missed.saturating_mul(2) > series.rows.len() {
        return None;
    }
    let case = Case {
        interval: series.interval,
        rows: &series.rows,
        missed: series.missed,
        window: window(&series),
        amounts: &series.amounts,
    };
    series.evidence = evidence(search, pool, &case, scope)?;
    (series.evidence >= EVIDENCE_MIN).then_some(series)
}

/// What is weighed.
struct Case<'a> {
    interval: Interval,
    rows: &'a [Row],
    missed: usize,
    /// Width of the window around due dates that holds the payments, in days.
    window: i32,
    amounts: &'a Amounts,
}

impl Case<'_> {
    fn first_day(&self) -> i32 {
        self.rows.first().map_or(0, |row| row.day)
    }

    fn last_day(&self) -> i32 {
        self.rows.last().map_or(0, |row| row.day)
    }
}

/// Adds up what speaks for a contract and against it; `None` if there cannot be one.
fn evidence(search: &Search<'_>, pool: &[Row], case: &Case<'_>, scope: Scope<'_>) -> Option<i64> {
    let traits = Traits::of(search, case.rows);
    let hits = case.rows.len();
    if !enough(case, scope.tie, &traits) {
        return None;
    }
    let unchanged = i64::try_from(case.amounts.unchanged.min(6)).unwrap_or(6);
    let amounts = match case.amounts.likeness {
        Likeness::Levels | Likeness::Alike => unchanged.saturating_mul(400),
        Likeness::Wild if traits.binds(scope.tie) && hits >= 5 => -2_000,
        Likeness::Wild => return None,
    };
    let (least, most) = similar(case, scope.leeway);
    let (others, mut left_out) = others(pool, case, (least, most));
    if hits <= FEW {
        let until = |amount: i64| scope.whole.partition_point(|other| *other <= amount);
        let anywhere = until(most).saturating_sub(until(least.saturating_sub(1)));
        left_out = left_out.max(anywhere.saturating_sub(hits));
        if left_out > hits {
            return None;
        }
    }
    let days = case.last_day().saturating_sub(case.first_day());
    let dates = stats::date_evidence(Dates {
        hits,
        missed: case.missed,
        others,
        left_out,
        kinds: kinds(hits, scope, left_out),
        span: days.saturating_add(case.interval.tenth_days() / 10),
        window: case.window,
    });
    Some(
        dates
            .saturating_add(amounts)
            .saturating_add(traits.evidence(scope.tie)),
    )
}

/// Fewest payments of a contract.
fn enough(case: &Case<'_>, tie: Tie, traits: &Traits) -> bool {
    let least = match case.interval {
        Interval::Weekly | Interval::Biweekly | Interval::SemiMonthly => 4,
        Interval::FourWeekly | Interval::Monthly | Interval::BiMonthly | Interval::Quarterly => 3,
        Interval::SemiAnnually | Interval::Annually | Interval::Irregular => 2,
    };
    let is_early = case.rows.len() == 2
        && case.missed == 0
        && case.amounts.unchanged == 1
        && case.interval >= Interval::Monthly
        && traits.binds(tie);
    case.rows.len() >= least || is_early
}

/// How many bookings of other amounts there are, any of which could have made a series of its own.
fn kinds(hits: usize, scope: Scope<'_>, left_out: usize) -> usize {
    match scope.tie {
        Tie::Partner => scope
            .unexplained
            .saturating_sub(hits.saturating_add(left_out)),
        Tie::Mandate | Tie::Number | Tie::Amount => 0,
    }
}

/// How much wider than seen the window is taken to be: few payments say little about it.
const fn uncertainty(payments: usize) -> i32 {
    match payments {
        0..=2 => 3,
        3 | 4 => 2,
        _ => 1,
    }
}

/// Width of the window around due dates that holds nine of ten payments.
fn window(series: &Series) -> i32 {
    let width = series.best().map_or(0, width);
    width.saturating_add(uncertainty(series.rows.len()))
}

/// Days from the earliest to the latest payment, seen from their due dates, one of ten left out.
fn width(fit: &Fit) -> i32 {
    let mut offs: Vec<i32> = fit.slots.iter().map(|(_, off)| *off).collect();
    offs.sort_unstable();
    let cut = offs.len() / 20;
    let earliest = offs.get(cut).copied().unwrap_or_default();
    let latest = offs.iter().rev().nth(cut).copied().unwrap_or_default();
    latest.saturating_sub(earliest)
}

/// The smallest and the largest amount that is similar to those of a series.
fn similar(case: &Case<'_>, leeway: Leeway) -> (i64, i64) {
    let amounts = case.rows.iter().map(|row| row.minor);
    let least = amounts.clone().min().unwrap_or(0);
    let most = amounts.max().unwrap_or(0);
    let allowed = if leeway == Leeway::Exact || case.amounts.likeness == Likeness::Levels {
        10
    } else {
        SIMILAR_PERMILLE
    };
    let below = least.saturating_mul(allowed) / 1000;
    let kept = 1000_i64.saturating_sub(allowed).max(1);
    let above = most.saturating_mul(1000).checked_div(kept).unwrap_or(most);
    (least.saturating_sub(below), above)
}

/// Bookings with similar amounts that are no payments: between the first and the last payment, and
/// at any time.
fn others(pool: &[Row], case: &Case<'_>, (least, most): (i64, i64)) -> (usize, usize) {
    let days = case.first_day()..=case.last_day();
    let mut within = 0_usize;
    let mut all = 0_usize;
    for row in pool {
        if (least..=most).contains(&row.minor) {
            all = all.saturating_add(1);
            within = within.saturating_add(usize::from(days.contains(&row.day)));
        }
    }
    let count = case.rows.len();
    (within.saturating_sub(count), all.saturating_sub(count))
}

/// What most payments of a series have in common.
struct Traits {
    operation: Operation,
    leaning: Leaning,
}

impl Traits {
    fn of(search: &Search<'_>, rows: &[Row]) -> Self {
        let newest = rows.iter().rev().take(3);
        let operations = newest.clone().map(|row| search.operation(row));
        let leanings = newest.filter_map(|row| Some(category::leaning(search.event(row)?.tag)));
        Self {
            operation: middle(operations).unwrap_or(Operation::Unknown),
            leaning: middle(leanings).unwrap_or(Leaning::Open),
        }
    }

    /// Whether somebody has bound himself to pay: amounts need not be alike then.
    fn binds(&self, tie: Tie) -> bool {
        let by_operation = match self.operation {
            Operation::StandingOrder | Operation::Salary => true,
            Operation::DirectDebit => tie == Tie::Mandate,
            Operation::Transfer | Operation::Unknown => {
                tie == Tie::Mandate || self.leaning == Leaning::Contract
            }
            Operation::Card | Operation::Cash | Operation::Return => false,
        };
        by_operation && self.leaning != Leaning::Shopping
    }

    fn evidence(&self, tie: Tie) -> i64 {
        let by_tie = match tie {
            Tie::Mandate => 2_000,
            Tie::Number => 1_500,
            Tie::Partner => 500,
            Tie::Amount => -500,
        };
        let by_operation = match self.operation {
            Operation::StandingOrder | Operation::Salary => 2_500,
            Operation::DirectDebit => 1_000,
            Operation::Transfer | Operation::Unknown => 0,
            Operation::Card => -1_500,
            Operation::Cash | Operation::Return => -10_000,
        };
        let by_tag = match self.leaning {
            Leaning::Contract => 1_500,
            Leaning::Open => 0,
            Leaning::Shopping => -2_500,
        };
        0_i64
            .saturating_add(by_tie)
            .saturating_add(by_operation)
            .saturating_add(by_tag)
    }
}

/// The middle of up to three values.
fn middle<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
