//! Whether a series is a contract: what its dates, amounts and kind of payment say, against chance.

use super::amounts::{self, Amounts, Likeness};
use super::category::{self, Leaning};
use super::chain::Leeway;
use super::interval::Interval;
use super::kind::Operation;
use super::row::Row;
use super::schedule::{self, Fit};
use super::search::Search;
use super::series::{Scope, Series, Tie};
use crate::stats::{self, Dates};

/// Evidence from which a series counts as a contract, in thousandths of a nat.
pub(crate) const EVIDENCE_MIN: i64 = 4_500;
/// Similar amounts are within this of the series' own.
const SIMILAR_PERMILLE: i64 = 250;
/// Days that closed days in a row move a payment at most.
const SHIFT_DAYS_MAX: i32 = 4;
/// Up to so many payments could be picked from anything that the partner ever booked.
const FEW: usize = 4;

/// Whether bookings could be a contract at all: if not even the best that closed days can explain
/// would be enough, there is no need to find their rule.
pub(crate) fn is_hopeful(
    search: &Search<'_>,
    pool: &[Row],
    (interval, rows): (Interval, &[Row]),
    scope: Scope<'_>,
) -> Option<bool> {
    let glance = schedule::glance(rows, interval)?;
    let unexplained = width(&glance).saturating_sub(SHIFT_DAYS_MAX).max(0);
    let amounts = amounts::summarize(rows);
    let hope = Case {
        interval,
        rows,
        missed: 0,
        window: unexplained.saturating_add(uncertainty(rows.len())),
        amounts: &amounts,
    };
    Some(evidence(search, pool, &hope, scope)? >= EVIDENCE_MIN)
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
