//! Months as numbers, for due dates.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};

/// A day in its month. Day and month count from the common era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayInMonth {
    /// Months since year 0.
    pub(crate) month: i32,
    /// Day of the month, from 1.
    pub(crate) day: i32,
}

/// The month that a day lies in.
pub(crate) fn split(day: i32) -> DayInMonth {
    let date = date(day);
    let month0 = i32::try_from(date.month0()).unwrap_or_default();
    DayInMonth {
        month: date.year().saturating_mul(12).saturating_add(month0),
        day: i32::try_from(date.day()).unwrap_or(1),
    }
}

/// First year of the table of months.
const TABLE_FROM: i32 = 1890;
/// Months in the table: until 2219.
const TABLE_MONTHS: i32 = 330 * 12;

/// The first days of months, because due dates ask for them a lot.
static STARTS: LazyLock<Vec<i32>> = LazyLock::new(|| {
    let first = TABLE_FROM.saturating_mul(12);
    (first..first.saturating_add(TABLE_MONTHS))
        .map(computed_start)
        .collect()
});

/// The number of a month's first day.
pub(crate) fn month_start(month: i32) -> i32 {
    let index = month.saturating_sub(TABLE_FROM.saturating_mul(12));
    let known = usize::try_from(index)
        .ok()
        .and_then(|index| STARTS.get(index));
    known.copied().unwrap_or_else(|| computed_start(month))
}

fn computed_start(month: i32) -> i32 {
    let month0 = u32::try_from(month.rem_euclid(12)).unwrap_or_default();
    NaiveDate::from_ymd_opt(month.div_euclid(12), month0.saturating_add(1), 1)
        .unwrap_or_default()
        .num_days_from_ce()
}

/// The number of a month's last day.
pub(crate) fn month_end(month: i32) -> i32 {
    month_start(month.saturating_add(1)).saturating_sub(1)
}

/// A day of a month, clamped to the month's last one.
pub(crate) fn day_of(month: i32, day: i32) -> i32 {
    let start = month_start(month);
    start
        .saturating_add(day)
        .saturating_sub(1)
        .min(month_end(month))
}

/// The date of a day number.
pub(crate) fn date(day: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_clamped_to_their_month() {
        let number = |text: &str| {
            text.parse::<NaiveDate>()
                .expect("a date")
                .num_days_from_ce()
        };
        let january = split(number("2024-01-31"));
        assert_eq!(january.day, 31);
        for (months, expected) in [(1, "2024-02-29"), (2, "2024-03-31"), (13, "2025-02-28")] {
            assert_eq!(day_of(january.month + months, 31), number(expected));
        }
        assert_eq!(month_end(january.month), number("2024-01-31"));
    }
}
