//! Holidays of TARGET2, Germany and its federal states.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::easter::easter_sunday;

/// A federal state of Germany.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FederalState {
    BadenWuerttemberg,
    Bavaria,
    Berlin,
    Brandenburg,
    Bremen,
    Hamburg,
    Hesse,
    LowerSaxony,
    MecklenburgWesternPomerania,
    NorthRhineWestphalia,
    RhinelandPalatinate,
    Saarland,
    Saxony,
    SaxonyAnhalt,
    SchleswigHolstein,
    Thuringia,
}

impl FederalState {
    /// Every state.
    pub const ALL: [Self; 16] = [
        Self::BadenWuerttemberg,
        Self::Bavaria,
        Self::Berlin,
        Self::Brandenburg,
        Self::Bremen,
        Self::Hamburg,
        Self::Hesse,
        Self::LowerSaxony,
        Self::MecklenburgWesternPomerania,
        Self::NorthRhineWestphalia,
        Self::RhinelandPalatinate,
        Self::Saarland,
        Self::Saxony,
        Self::SaxonyAnhalt,
        Self::SchleswigHolstein,
        Self::Thuringia,
    ];
}

fn fixed(year: i32, days: &[(u32, u32)]) -> impl Iterator<Item = NaiveDate> {
    days.iter()
        .filter_map(move |(month, day)| NaiveDate::from_ymd_opt(year, *month, *day))
}

/// A day before (negative) or after Easter Sunday.
fn from_easter(year: i32, days: i64) -> Option<NaiveDate> {
    let sunday = easter_sunday(year)?;
    let distance = Days::new(days.unsigned_abs());
    if days < 0 {
        sunday.checked_sub_days(distance)
    } else {
        sunday.checked_add_days(distance)
    }
}

/// The holidays of TARGET2: New Year, Good Friday, Easter Monday, Labour Day, two of Christmas.
pub(super) fn target2(year: i32) -> impl Iterator<Item = NaiveDate> {
    let movable = [-2, 1]
        .into_iter()
        .filter_map(move |days| from_easter(year, days));
    fixed(year, &[(1, 1), (5, 1), (12, 25), (12, 26)]).chain(movable)
}

/// The national holidays beyond those of TARGET2, and the days in December on which banks stay
/// closed by agreement.
pub(super) fn national(year: i32) -> impl Iterator<Item = NaiveDate> {
    let movable = [39, 50]
        .into_iter()
        .filter_map(move |days| from_easter(year, days));
    let unity = (year >= 1990)
        .then(|| NaiveDate::from_ymd_opt(year, 10, 3))
        .flatten();
    // The quincentenary of the Reformation was a holiday in all of Germany.
    let reformation = (year == 2017)
        .then(|| NaiveDate::from_ymd_opt(year, 10, 31))
        .flatten();
    fixed(year, &[(12, 24), (12, 31)])
        .chain(movable)
        .chain(unity)
        .chain(reformation)
}

/// The holidays of a federal state beyond the national ones, as in force in 2026.
///
/// # Source
/// The holiday laws of the states. Holidays of single towns are left out.
pub(super) fn of_state(year: i32, state: FederalState) -> impl Iterator<Item = NaiveDate> {
    use FederalState as S;
    const EPIPHANY: (u32, u32) = (1, 6);
    const WOMEN: (u32, u32) = (3, 8);
    const ASSUMPTION: (u32, u32) = (8, 15);
    const CHILDREN: (u32, u32) = (9, 20);
    const REFORMATION: (u32, u32) = (10, 31);
    const ALL_SAINTS: (u32, u32) = (11, 1);
    let (days, has_corpus_christi): (&[(u32, u32)], bool) = match state {
        S::BadenWuerttemberg => (&[EPIPHANY, ALL_SAINTS], true),
        S::Bavaria => (&[EPIPHANY, ASSUMPTION, ALL_SAINTS], true),
        S::Berlin => (&[WOMEN], false),
        S::Brandenburg
        | S::Bremen
        | S::Hamburg
        | S::LowerSaxony
        | S::SchleswigHolstein
        | S::Saxony => (&[REFORMATION], false),
        S::Hesse => (&[], true),
        S::MecklenburgWesternPomerania => (&[WOMEN, REFORMATION], false),
        S::NorthRhineWestphalia | S::RhinelandPalatinate => (&[ALL_SAINTS], true),
        S::Saarland => (&[ASSUMPTION, ALL_SAINTS], true),
        S::SaxonyAnhalt => (&[EPIPHANY, REFORMATION], false),
        S::Thuringia => (&[CHILDREN, REFORMATION], false),
    };
    let corpus_christi = has_corpus_christi.then(|| from_easter(year, 60)).flatten();
    let repentance = (state == S::Saxony)
        .then(|| day_of_repentance(year))
        .flatten();
    fixed(year, days).chain(corpus_christi).chain(repentance)
}

/// The Wednesday before 23 November.
fn day_of_repentance(year: i32) -> Option<NaiveDate> {
    (16..=22)
        .filter_map(|day| NaiveDate::from_ymd_opt(year, 11, day))
        .find(|day| day.weekday() == Weekday::Wed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_their_own_days() {
        let has = |state, date: &str| {
            let date: NaiveDate = date.parse().expect("a date");
            of_state(date.year(), state).any(|day| day == date)
        };
        assert!(has(FederalState::Saxony, "2025-11-19"));
        assert!(!has(FederalState::Berlin, "2025-11-19"));
        assert!(has(FederalState::Bavaria, "2025-08-15"));
        assert!(has(FederalState::Hesse, "2025-06-19"));
        assert!(has(FederalState::Thuringia, "2025-09-20"));
        for state in FederalState::ALL {
            assert!(!has(state, "2025-07-01"));
        }
    }
}
