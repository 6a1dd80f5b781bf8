//! The rule by which a partner books: which day of which month, and what weekends do to it.

use super::civil::{self, DayInMonth};
use super::interval::{Interval, Step};
use super::row::Row;
use crate::calendar::{BusinessCalendar, Shift};

/// Days of the month that are tried for one series, the most frequent ones.
const DAYS_TRIED_MAX: usize = 8;
/// Days off beyond which a booking says nothing more about a rule.
const OFF_MAX: i32 = 8;
/// Bookings from which on a rule without deviation is the rule.
const PERFECT_FROM: usize = 12;
/// First day of the month from which a due date can be counted from the month's end.
const LATE_DAY: i32 = 22;
/// Last day of the month until which a due date can be a bank day counted from its start.
const EARLY_DAY: i32 = 9;

/// When payments fall due. Slots number the due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Every so many days from a first one.
    Every {
        /// Days from one due date to the next.
        days: i32,
        /// A due date.
        origin: i32,
        /// What closed days do.
        shift: Shift,
    },
    /// A day of every so many months.
    DayOfMonth {
        /// Months from one due date to the next.
        months: i32,
        /// A month with a due date.
        origin: i32,
        /// The day, clamped to short months.
        day: i32,
        /// What closed days do.
        shift: Shift,
    },
    /// A bank day counted from the start of a month or, if negative, from its end.
    BankDay {
        /// Months from one due date to the next.
        months: i32,
        /// A month with a due date.
        origin: i32,
        /// 1 is the first, -1 the last bank day.
        nth: i32,
    },
    /// Two days of each month.
    TwiceAMonth {
        /// A month with due dates.
        origin: i32,
        /// The earlier day.
        first: i32,
        /// The later day.
        second: i32,
        /// What closed days do.
        shift: Shift,
    },
}

impl Rule {
    /// The due date of a slot.
    pub(crate) fn due(self, slot: i32, calendar: &BusinessCalendar) -> i32 {
        match self {
            Self::Every {
                days,
                origin,
                shift,
            } => calendar.shifted(origin.saturating_add(days.saturating_mul(slot)), shift),
            Self::DayOfMonth {
                months,
                origin,
                day,
                shift,
            } => {
                let month = origin.saturating_add(months.saturating_mul(slot));
                calendar.shifted(civil::day_of(month, day), shift)
            }
            Self::BankDay {
                months,
                origin,
                nth,
            } => bank_day(
                origin.saturating_add(months.saturating_mul(slot)),
                nth,
                calendar,
            ),
            Self::TwiceAMonth {
                origin,
                first,
                second,
                shift,
            } => {
                let month = origin.saturating_add(slot.div_euclid(2));
                let day = if slot.rem_euclid(2) == 0 {
                    first
                } else {
                    second
                };
                calendar.shifted(civil::day_of(month, day), shift)
            }
        }
    }

    /// The slot whose due date is nearest to a day, and how far the day is behind it.
    pub(crate) fn nearest(
        self,
        day: i32,
        in_month: DayInMonth,
        calendar: &BusinessCalendar,
    ) -> (i32, i32) {
        let guess = self.guess(day, in_month);
        let off = day.saturating_sub(self.due(guess, calendar));
        if off.saturating_abs() <= self.certain_days() {
            return (guess, off);
        }
        // Only the due date on the other side of the day can be nearer.
        let other = guess.saturating_add(off.signum());
        let other_off = day.saturating_sub(self.due(other, calendar));
        if other_off.saturating_abs() < off.saturating_abs() {
            (other, other_off)
        } else {
            (guess, off)
        }
    }

    /// Days off up to which no other due date can be nearer.
    const fn certain_days(self) -> i32 {
        match self {
            Self::Every {
                days,
                shift: Shift::None,
                ..
            } => days / 2,
            Self::Every { days, .. } => (days / 2).saturating_sub(3),
            Self::DayOfMonth { .. } | Self::BankDay { .. } => 10,
            Self::TwiceAMonth { .. } => 1,
        }
    }

    /// A slot that is at most one away from the nearest.
    fn guess(self, day: i32, in_month: DayInMonth) -> i32 {
        let month = in_month.month;
        match self {
            Self::Every { days, origin, .. } => {
                let half = days / 2;
                day.saturating_sub(origin)
                    .saturating_add(half)
                    .div_euclid(days.max(1))
            }
            Self::DayOfMonth { months, origin, .. } | Self::BankDay { months, origin, .. } => {
                let half = months / 2;
                let since = month.saturating_sub(origin);
                since.saturating_add(half).div_euclid(months.max(1))
            }
            Self::TwiceAMonth {
                origin,
                first,
                second,
                ..
            } => {
                let middle = first.saturating_add(second) / 2;
                let late = i32::from(in_month.day > middle);
                month
                    .saturating_sub(origin)
                    .saturating_mul(2)
                    .saturating_add(late)
            }
        }
    }
}

fn bank_day(month: i32, nth: i32, calendar: &BusinessCalendar) -> i32 {
    if nth < 0 {
        calendar.nth_until(civil::month_end(month), nth.unsigned_abs())
    } else {
        calendar.nth_from(civil::month_start(month), nth.unsigned_abs())
    }
}

/// A rule with what it leaves unexplained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The rule.
    pub(crate) rule: Rule,
    /// For each booking its slot and how many days it is off.
    pub(crate) slots: Vec<(i32, i32)>,
    /// Sum of the days off, each capped.
    pub(crate) cost: i32,
}

/// Finds the rules that explain the bookings best: the best one first, then those that explain them
/// nearly as well. `rows` ascend.
pub(crate) fn fit(rows: &[Row], interval: Interval, calendar: &BusinessCalendar) -> Vec<Fit> {
    let slack = i32::try_from(rows.len()).unwrap_or(i32::MAX) / 8;
    let mut worst = i32::MAX;
    let mut fits: Vec<Fit> = Vec::new();
    for (at, rule) in candidates(rows, interval).into_iter().enumerate() {
        // Candidates come by day, each with every shift. So many bookings without deviation leave
        // nothing to look for.
        if worst == slack && rows.len() >= PERFECT_FROM && at.is_multiple_of(SHIFTS.len()) {
            break;
        }
        if let Some(fit) = explain(rule, rows, worst, calendar) {
            worst = worst.min(fit.cost.saturating_add(slack));
            fits.push(fit);
        }
    }
    // The order of candidates says which of two equally good rules is the simpler one.
    fits.sort_by_key(|fit| fit.cost);
    fits.retain(|fit| fit.cost <= worst);
    fits
}

/// What the likeliest rule leaves unexplained if closed days do nothing.
pub(crate) fn glance(rows: &[Row], interval: Interval) -> Option<Fit> {
    let rule = *candidates(rows, interval).first()?;
    explain(rule, rows, i32::MAX, &BusinessCalendar::empty())
}

/// What a rule leaves unexplained, unless that is more than `worst`.
fn explain(rule: Rule, rows: &[Row], worst: i32, calendar: &BusinessCalendar) -> Option<Fit> {
    let mut slots = Vec::with_capacity(rows.len());
    let mut cost = 0_i32;
    for row in rows {
        let (slot, off) = rule.nearest(row.day, row.in_month, calendar);
        cost = cost.saturating_add(off.saturating_abs().min(OFF_MAX));
        if cost > worst {
            return None;
        }
        slots.push((slot, off));
    }
    Some(Fit { rule, slots, cost })
}

fn candidates(rows: &[Row], interval: Interval) -> Vec<Rule> {
    match interval.step() {
        Step::Days(period) => by_days(rows, period),
        Step::Months(months) => by_month(rows, months),
        Step::HalfMonth => twice_a_month(rows),
    }
}

const SHIFTS: [Shift; 3] = [Shift::None, Shift::Following, Shift::Preceding];

fn by_days(rows: &[Row], period: i32) -> Vec<Rule> {
    let first = rows.first().map_or(0, |row| row.day);
    let phases = rows
        .iter()
        .map(|row| row.day.saturating_sub(first).rem_euclid(period.max(1)));
    let mut rules = Vec::new();
    for phase in most_frequent(phases) {
        for shift in SHIFTS {
            rules.push(Rule::Every {
                days: period,
                origin: first.saturating_add(phase),
                shift,
            });
        }
    }
    rules
}

fn by_month(rows: &[Row], months: i32) -> Vec<Rule> {
    let splits: Vec<DayInMonth> = rows.iter().map(|row| row.in_month).collect();
    let mut doms = most_frequent(splits.iter().map(|split| split.day));
    let is_late = doms.iter().all(|day| *day >= LATE_DAY);
    let is_early = doms.iter().all(|day| *day <= EARLY_DAY);
    for late in [30, 31] {
        if doms.iter().any(|day| *day >= 27) && !doms.contains(&late) {
            doms.push(late);
        }
    }
    let first = splits.first().map_or(0, |split| split.month);
    let mut rules = Vec::new();
    for day in doms {
        let origin = phase(&splits, first, months, day);
        for shift in SHIFTS {
            rules.push(Rule::DayOfMonth {
                months,
                origin,
                day,
                shift,
            });
        }
    }
    let from_end = (1..=4)
        .filter(|_| is_late)
        .map(|nth: i32| nth.saturating_neg());
    let from_start = (1..=4).filter(|_| is_early);
    for nth in from_end.chain(from_start) {
        let origin = phase(&splits, first, months, if nth < 0 { 31 } else { 1 });
        rules.push(Rule::BankDay {
            months,
            origin,
            nth,
        });
    }
    rules
}

/// The month, among those of one interval from the first, in which most bookings fall due.
fn phase(splits: &[DayInMonth], first: i32, months: i32, day: i32) -> i32 {
    let due_months = splits.iter().map(|split| {
        // A due date late in a month may be booked early in the next one, and the reverse.
        let moved = match split.day.saturating_sub(day) {
            off if off > 15 => 1,
            off if off < -15 => -1,
            _ => 0,
        };
        let month = split.month.saturating_add(moved);
        month.saturating_sub(first).rem_euclid(months.max(1))
    });
    let offset = most_frequent(due_months)
        .first()
        .copied()
        .unwrap_or_default();
    first.saturating_add(offset)
}

fn twice_a_month(rows: &[Row]) -> Vec<Rule> {
    let origin = rows.first().map_or(0, |row| row.in_month.month);
    let top = most_frequent(rows.iter().map(|row| row.in_month.day));
    let mut rules = Vec::new();
    for (at, one) in top.iter().enumerate() {
        for other in top.iter().skip(at.saturating_add(1)) {
            let (first, second) = (*one.min(other), *one.max(other));
            if !(9..=21).contains(&second.saturating_sub(first)) {
                continue;
            }
            let ends = [second, 31];
            let tried = if second >= 28 { &ends[..] } else { &ends[..1] };
            for second in tried {
                for shift in SHIFTS {
                    rules.push(Rule::TwiceAMonth {
                        origin,
                        first,
                        second: *second,
                        shift,
                    });
                }
            }
        }
    }
    rules
}

/// The distinct values, the most frequent first and of equally frequent ones the smallest.
fn most_frequent(values: impl Iterator<Item = i32>) -> Vec<i32> {
    let mut sorted: Vec<i32> = values.collect();
    sorted.sort_unstable();
    let mut counted: Vec<(usize, i32)> = sorted
        .chunk_by(i32::eq)
        .filter_map(|run| Some((run.len(), *run.first()?)))
        .collect();
    counted.sort_by_key(|(count, value)| (std::cmp::Reverse(*count), *value));
    counted
        .into_iter()
        .map(|(_, value)| value)
        .take(DAYS_TRIED_MAX)
        .collect()
}
