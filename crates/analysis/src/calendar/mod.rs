//! Days on which banks book.
//!
//! A German bank books on the days of TARGET2 that are no national holidays. Holidays of a single
//! federal state close its branches but not the booking systems; a calendar can count them for a
//! state that is known to matter.

mod easter;
mod holidays;

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};

pub use easter::easter_sunday;
pub use holidays::FederalState;

/// First day of the table: 1899-01-01, a year before the first possible booking.
const FIRST_YEAR: i32 = 1899;
/// Last year of the table, a year after the last possible booking.
const LAST_YEAR: i32 = 2200;

/// Which way a date moves that falls on a closed day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shift {
    /// It stays.
    None,
    /// To the next open day, as direct debits and standing orders do.
    Following,
    /// To the open day before, as salaries and pensions do.
    Preceding,
}

/// The closed days of a bank, as a table from 1899 to 2200. Outside it every day is open.
///
/// # Units
/// Days are numbers from the common era, `NaiveDate::num_days_from_ce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessCalendar {
    /// One bit per day from `origin`; set when the bank is closed.
    closed: Vec<u64>,
    origin: i32,
}

impl BusinessCalendar {
    /// A calendar on which every day is open.
    pub const fn empty() -> Self {
        Self {
            closed: Vec::new(),
            origin: 0,
        }
    }

    /// Closed on Saturdays and Sundays only.
    pub fn weekends() -> Self {
        let mut calendar = Self::blank();
        calendar.close_weekends();
        calendar
    }

    /// The days of TARGET2: weekends and six holidays.
    ///
    /// # Source
    /// European Central Bank, TARGET closing days since 2000.
    pub fn target2() -> Self {
        let mut calendar = Self::weekends();
        for year in FIRST_YEAR..=LAST_YEAR {
            holidays::target2(year).for_each(|day| calendar.close(day));
        }
        calendar
    }

    /// German banks: TARGET2, the national holidays and the two bank holidays in December; with a
    /// federal state, its holidays too.
    pub fn german(state: Option<FederalState>) -> Self {
        let mut calendar = Self::target2();
        for year in FIRST_YEAR..=LAST_YEAR {
            holidays::national(year).for_each(|day| calendar.close(day));
            if let Some(state) = state {
                holidays::of_state(year, state).for_each(|day| calendar.close(day));
            }
        }
        calendar
    }

    /// The calendar of German banks, made once.
    pub fn of_german_banks() -> &'static Self {
        static GERMAN: LazyLock<BusinessCalendar> =
            LazyLock::new(|| BusinessCalendar::german(None));
        &GERMAN
    }

    fn blank() -> Self {
        let day =
            |year| NaiveDate::from_ymd_opt(year, 1, 1).map_or(0, |first| first.num_days_from_ce());
        let origin = day(FIRST_YEAR);
        let days = day(LAST_YEAR.saturating_add(1)).saturating_sub(origin);
        let words = usize::try_from(days).unwrap_or_default().div_ceil(64);
        Self {
            closed: vec![0; words],
            origin,
        }
    }

    fn close_weekends(&mut self) {
        let end = self.closed.len().saturating_mul(64);
        for offset in 0..end {
            let offset = i32::try_from(offset).unwrap_or(i32::MAX);
            let day = self.origin.saturating_add(offset);
            // Day 1 of the common era was a Monday.
            if day.saturating_sub(1).rem_euclid(7) >= 5 {
                self.close_number(day);
            }
        }
    }

    fn close(&mut self, day: NaiveDate) {
        self.close_number(day.num_days_from_ce());
    }

    fn close_number(&mut self, day: i32) {
        if let Some((word, bit)) = self.place(day)
            && let Some(bits) = self.closed.get_mut(word)
        {
            *bits |= 1 << bit;
        }
    }

    fn place(&self, day: i32) -> Option<(usize, u32)> {
        let offset = u32::try_from(day.checked_sub(self.origin)?).ok()?;
        Some((usize::try_from(offset / 64).ok()?, offset % 64))
    }

    /// Whether the bank books on a day.
    pub fn is_open(&self, day: i32) -> bool {
        let bits = self
            .place(day)
            .and_then(|(word, bit)| Some(self.closed.get(word)? >> bit & 1));
        bits != Some(1)
    }

    /// Whether the bank books on a date.
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        self.is_open(date.num_days_from_ce())
    }

    /// The day itself if it is open, or the one the shift moves it to.
    pub fn shifted(&self, day: i32, shift: Shift) -> i32 {
        let step = match shift {
            Shift::None => return day,
            Shift::Following => 1,
            Shift::Preceding => -1,
        };
        let mut moved = day;
        while !self.is_open(moved) {
            moved = moved.saturating_add(step);
        }
        moved
    }

    /// The `nth` open day on or after a day; 1 is the first.
    pub fn nth_from(&self, day: i32, nth: u32) -> i32 {
        self.walk(day, nth, Shift::Following)
    }

    /// The `nth` open day on or before a day; 1 is the first.
    pub fn nth_until(&self, day: i32, nth: u32) -> i32 {
        self.walk(day, nth, Shift::Preceding)
    }

    fn walk(&self, day: i32, nth: u32, shift: Shift) -> i32 {
        let step = if shift == Shift::Preceding { -1 } else { 1 };
        let mut moved = self.shifted(day, shift);
        for _ in 1..nth.max(1) {
            moved = self.shifted(moved.saturating_add(step), shift);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> i32 {
        text.parse::<NaiveDate>()
            .expect("a date")
            .num_days_from_ce()
    }

    #[test]
    fn banks_are_closed_on_holidays() {
        let target = BusinessCalendar::target2();
        let german = BusinessCalendar::german(None);
        let bavaria = BusinessCalendar::german(Some(FederalState::Bavaria));
        for (date, in_target, in_germany, in_bavaria) in [
            ("2024-03-29", false, false, false), // Good Friday
            ("2024-04-01", false, false, false), // Easter Monday
            ("2024-05-01", false, false, false),
            ("2024-05-09", true, false, false), // Ascension
            ("2024-05-20", true, false, false), // Whit Monday
            ("2024-05-30", true, true, false),  // Corpus Christi
            ("2024-10-03", true, false, false),
            ("2024-12-24", true, false, false),
            ("2024-12-30", true, true, true),
            ("2024-12-31", true, false, false),
            ("2024-06-15", false, false, false), // a Saturday
            ("2024-06-17", true, true, true),
            ("1989-10-03", true, true, true), // before unification
        ] {
            let day = number(date);
            let open = [&target, &german, &bavaria].map(|calendar| calendar.is_open(day));
            assert_eq!(open, [in_target, in_germany, in_bavaria], "{date}");
            assert!(BusinessCalendar::empty().is_open(day));
        }
    }

    #[test]
    fn dates_move_over_closed_days() {
        let german = BusinessCalendar::german(None);
        let easter_saturday = number("2025-04-19");
        for (shift, expected) in [
            (Shift::None, "2025-04-19"),
            (Shift::Following, "2025-04-22"),
            (Shift::Preceding, "2025-04-17"),
        ] {
            assert_eq!(german.shifted(easter_saturday, shift), number(expected));
        }
        assert_eq!(
            german.nth_until(number("2024-12-31"), 1),
            number("2024-12-30")
        );
        assert_eq!(
            german.nth_until(number("2024-05-31"), 3),
            number("2024-05-29")
        );
        assert_eq!(
            german.nth_from(number("2025-01-01"), 2),
            number("2025-01-03")
        );
    }
}
