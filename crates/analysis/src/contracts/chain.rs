//! The most plausible sequence of payments of one interval among the bookings of a group.

use super::civil;
use super::interval::{Interval, Step};
use super::row::{Row, permille};

/// What a payment more is worth.
const HIT: i64 = 100;
/// What a payment costs that should have been there.
const MISSED: i64 = 25;
/// Earlier bookings that are looked at for one step; more of them are no rhythm.
const CANDIDATES_MAX: usize = 24;

/// How far amounts may differ from one payment to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leeway {
    /// Not at all: nothing but the amount says that they belong together.
    Exact,
    /// Steps of prices and bills of consumption.
    Bills,
    /// Anything: a mandate or a number says that they belong together.
    Any,
}

impl Leeway {
    /// What a step from one amount to another costs; `None` when it is not possible.
    fn cost(self, from: i64, to: i64) -> Option<i64> {
        let cost = match permille(from, to) {
            0 => 0,
            1..=10 => 8,
            11..=60 => 20,
            61..=130 => 28,
            131..=250 => 45,
            251..=400 => 65,
            401..=600 => 80,
            _ => 90,
        };
        let most = match self {
            Self::Exact => 0,
            Self::Bills => 45,
            Self::Any => 90,
        };
        (cost <= most).then_some(cost)
    }
}

/// A sequence of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The interval that was looked for.
    pub(crate) interval: Interval,
    /// Positions in the group, ascending.
    pub(crate) members: Vec<usize>,
    /// How good it is; comparable between intervals.
    pub(crate) score: i64,
}

/// Finds the best chain of an interval by dynamic programming: the best one that ends at each row
/// extends the best one that ends an interval earlier.
pub(crate) fn best(rows: &[Row], interval: Interval, leeway: Leeway) -> Option<Chain> {
    let mut ends: Vec<(i64, Option<usize>)> = Vec::with_capacity(rows.len());
    let mut sweep = Sweep::new(interval);
    for (at, row) in rows.iter().enumerate() {
        let mut top: (i64, Option<usize>) = (HIT, None);
        sweep.candidates(rows, at, |earlier, missed| {
            let Some((score, from)) = ends.get(earlier).copied().zip(rows.get(earlier)) else {
                return;
            };
            let Some(amount) = leeway.cost(from.minor, row.minor) else {
                return;
            };
            let steps = missed.saturating_add(1);
            let date = date_cost(interval, from, row, steps);
            let cost = amount
                .saturating_add(date)
                .saturating_add(MISSED.saturating_mul(i64::from(missed)));
            let total = score.0.saturating_add(HIT).saturating_sub(cost);
            if total > top.0 {
                top = (total, Some(earlier));
            }
        });
        ends.push(top);
    }
    trace(&ends, interval)
}

/// Follows the best end back to its start.
fn trace(ends: &[(i64, Option<usize>)], interval: Interval) -> Option<Chain> {
    let (mut at, (score, _)) = ends
        .iter()
        .copied()
        .enumerate()
        .rev()
        .max_by_key(|(_, (score, _))| *score)?;
    let mut members = vec![at];
    while let Some((_, Some(earlier))) = ends.get(at) {
        members.push(*earlier);
        at = *earlier;
    }
    members.reverse();
    (members.len() > 1).then_some(Chain {
        interval,
        members,
        score,
    })
}

/// How far a step is from the interval.
fn date_cost(interval: Interval, from: &Row, to: &Row, steps: i32) -> i64 {
    let off = match interval.step() {
        Step::Days(days) => to
            .day
            .saturating_sub(from.day)
            .saturating_sub(days.saturating_mul(steps)),
        Step::Months(months) => off_by_month(from, to, months.saturating_mul(steps)),
        Step::HalfMonth if steps % 2 == 0 => off_by_month(from, to, steps / 2),
        Step::HalfMonth => {
            let days = interval.tenth_days().saturating_mul(steps) / 10;
            // Two days of a month need not be half a month apart.
            let off = to
                .day
                .saturating_sub(from.day)
                .saturating_sub(days)
                .saturating_abs();
            off.saturating_sub(1).max(0)
        }
    };
    let weight = match interval {
        Interval::Weekly => 14,
        Interval::Biweekly | Interval::FourWeekly => 11,
        Interval::SemiMonthly => 10,
        Interval::Monthly
        | Interval::BiMonthly
        | Interval::Quarterly
        | Interval::SemiAnnually
        | Interval::Annually
        | Interval::Irregular => 8,
    };
    i64::from(off.saturating_abs()).saturating_mul(weight)
}

/// Days between a booking and the same day of a later month, counted from the month's start or its
/// end, whichever is nearer.
fn off_by_month(from: &Row, to: &Row, months: i32) -> i32 {
    let month = from.in_month.month.saturating_add(months);
    let by_start = to
        .day
        .saturating_sub(civil::day_of(month, from.in_month.day));
    if from.in_month.day < 26 {
        return by_start;
    }
    let before_end = civil::month_end(from.in_month.month).saturating_sub(from.day);
    let by_end = to
        .day
        .saturating_sub(civil::month_end(month).saturating_sub(before_end));
    if by_end.saturating_abs() < by_start.saturating_abs() {
        by_end
    } else {
        by_start
    }
}

/// Windows of earlier rows that move along with the row that is looked at.
struct Sweep {
    /// For no, one, two missed payments: the shortest and longest gap.
    gaps: Vec<(i32, i32)>,
    /// For each of them the first row that is not too early.
    starts: Vec<usize>,
}

impl Sweep {
    fn new(interval: Interval) -> Self {
        let tolerance = interval.tolerance_days();
        let gaps: Vec<(i32, i32)> = (1..=interval.missed_max().saturating_add(1))
            .map(|steps| {
                let centre = interval.tenth_days().saturating_mul(steps) / 10;
                (
                    centre.saturating_sub(tolerance),
                    centre.saturating_add(tolerance),
                )
            })
            .collect();
        Self {
            starts: vec![0; gaps.len()],
            gaps,
        }
    }

    /// Calls back for each earlier row at a possible distance, with the number of payments missed.
    fn candidates(&mut self, rows: &[Row], at: usize, mut visit: impl FnMut(usize, i32)) {
        let Some(row) = rows.get(at) else { return };
        for ((least, most), (start, missed)) in
            self.gaps.iter().zip(self.starts.iter_mut().zip(0..))
        {
            while rows
                .get(*start)
                .is_some_and(|early| row.day.saturating_sub(early.day) > *most)
            {
                *start = start.saturating_add(1);
            }
            let reachable = rows.iter().enumerate().skip(*start).take(CANDIDATES_MAX);
            for (earlier, candidate) in reachable {
                if row.day.saturating_sub(candidate.day) < *least {
                    break;
                }
                visit(earlier, missed);
            }
        }
    }
}
