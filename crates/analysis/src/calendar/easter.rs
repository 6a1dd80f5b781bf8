//! The date of Easter.

use chrono::NaiveDate;

/// Easter Sunday of a year of the Gregorian calendar, between 1583 and 9999.
///
/// # Source
/// Lichtenberg's form of Gauss's Easter formula (Physikalisch-Technische Bundesanstalt).
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let century = year.checked_div(100)?;
    let secular_moon = combine(15, &[(century, 3, 3, 4), (century, 8, 13, -25)])?;
    let secular_sun = 2_i32.checked_sub(century.checked_mul(3)?.checked_add(3)?.checked_div(4)?)?;
    let moon = year.rem_euclid(19);
    let seed = moon
        .checked_mul(19)?
        .checked_add(secular_moon)?
        .rem_euclid(30);
    let correction = seed.checked_add(moon.checked_div(11)?)?.checked_div(29)?;
    let limit = seed.checked_add(21)?.checked_sub(correction)?;
    let years = year.checked_add(year.checked_div(4)?)?;
    let first_sunday = 7_i32.checked_sub(years.checked_add(secular_sun)?.rem_euclid(7))?;
    let distance = 7_i32.checked_sub(limit.checked_sub(first_sunday)?.rem_euclid(7))?;
    let march = limit.checked_add(distance)?;
    let first = NaiveDate::from_ymd_opt(year, 3, 1)?;
    let days = u64::try_from(march.checked_sub(1)?).ok()?;
    first.checked_add_days(chrono::Days::new(days))
}

/// `start` plus the sum of (value · factor + offset) / divisor, each rounded down; a negative
/// divisor subtracts.
fn combine(start: i32, terms: &[(i32, i32, i32, i32)]) -> Option<i32> {
    terms
        .iter()
        .try_fold(start, |sum, (value, factor, offset, divisor)| {
            let scaled = value.checked_mul(*factor)?.checked_add(*offset)?;
            let term = scaled.checked_div(divisor.checked_abs()?)?;
            sum.checked_add(term.checked_mul(divisor.signum())?)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_on_the_published_days() {
        for date in [
            "1900-04-15",
            "1954-04-18",
            "1981-04-19",
            "1993-04-11",
            "1994-04-03",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2100-03-28",
            "2160-03-23",
        ] {
            let expected: NaiveDate = date.parse().expect("a date");
            let year = chrono::Datelike::year(&expected);
            assert_eq!(easter_sunday(year), Some(expected), "{year}");
        }
    }
}
