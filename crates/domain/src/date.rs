//! Booking days: calendar days in Europe/Berlin, read from the wire's Unix seconds.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Europe::Berlin;

/// First year that a booking can lie in.
pub const YEAR_MIN: i32 = 1900;
/// Last year that a booking can lie in.
pub const YEAR_MAX: i32 = 2199;

/// The Berlin calendar day of an instant, or `None` outside the years 1900 to 2199.
///
/// # Units
/// Seconds since 1970-01-01T00:00:00Z. Milliseconds fall outside and are refused.
pub fn berlin_day(unix_seconds: i64) -> Option<NaiveDate> {
    let day = DateTime::from_timestamp(unix_seconds, 0)?
        .with_timezone(&Berlin)
        .date_naive();
    (YEAR_MIN..=YEAR_MAX).contains(&day.year()).then_some(day)
}

/// The Berlin calendar day of a moment.
pub fn berlin_today(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&Berlin).date_naive()
}

/// A moment as RFC 3339 with Berlin's offset and whole seconds, as the documents print it.
pub fn berlin_rfc3339(moment: DateTime<Utc>) -> String {
    moment
        .with_timezone(&Berlin)
        .format("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// The instant at which Berlin's clocks show a local time, Unix seconds.
///
/// The hour that autumn repeats counts as the first one; the hour that spring skips has no
/// instant and gives `None`.
pub fn berlin_instant(local: NaiveDateTime) -> Option<i64> {
    let moment = local.and_local_timezone(Berlin).earliest()?;
    Some(moment.timestamp())
}

/// Midnight in Berlin at the start of a day, as RFC 3339 with offset.
pub fn berlin_midnight_rfc3339(day: NaiveDate) -> String {
    // Berlin changes its clocks at night but never at midnight, so the local time is unique.
    day.and_hms_opt(0, 0, 0)
        .and_then(|midnight| midnight.and_local_timezone(Berlin).single())
        .map_or_else(String::new, |local| {
            local.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<NaiveDate> {
        text.parse().ok()
    }

    #[test]
    fn days_are_berlin_s() {
        for (seconds, expected) in [
            (1_705_928_941, day("2024-01-22")),
            // 23:30 UTC on New Year's Eve is already the next year in Berlin.
            (1_704_065_400, day("2024-01-01")),
            // 22:30 UTC in summer is past midnight, in winter it is not.
            (1_719_786_600, day("2024-07-01")),
            (1_704_061_800, day("2023-12-31")),
            (730_728_000, day("1993-02-26")),
            (1_705_928_941_000, None),
            (i64::MIN, None),
        ] {
            assert_eq!(berlin_day(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn local_times_have_an_instant() {
        for (local, expected) in [
            ("2024-01-22T14:09:01", Some(1_705_928_941)),
            ("2024-07-01T00:00:00", Some(1_719_784_800)),
            // The clocks went back at 3: the first of the two.
            ("2024-10-27T02:30:00", Some(1_729_989_000)),
            // The clocks went forward at 2.
            ("2024-03-31T02:30:00", None),
        ] {
            let local_time = local.parse().expect("a local time");
            assert_eq!(berlin_instant(local_time), expected, "{local}");
        }
    }

    #[test]
    fn moments_are_printed_with_berlin_s_offset() {
        let moment = DateTime::from_timestamp(1_705_928_927, 0).expect("in range");
        assert_eq!(berlin_rfc3339(moment), "2024-01-22T14:08:47+01:00");
        let summer = day("2024-07-01").expect("a day");
        assert_eq!(berlin_midnight_rfc3339(summer), "2024-07-01T00:00:00+02:00");
    }
}
