//! Single values: texts, amounts, instants, whole numbers.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use domain::{Currency, Money, MoneyError, date};
use serde_json::value::RawValue;
use wire::json::InvalidInput;
use wire::upload::Text;

/// Takes a text of bounded length; an absent one is empty.
///
/// # Errors
/// Longer than `max` bytes, or with a NUL character, which the database cannot store.
pub(crate) fn text(name: &str, sent: Option<Text<'_>>, max: usize) -> Result<String, InvalidInput> {
    let Some(Text(text)) = sent else {
        return Ok(String::new());
    };
    check_text(name, &text, max)?;
    Ok(text.into_owned())
}

/// Checks a text against its limit.
///
/// # Errors
/// As [`text`].
pub(super) fn check_text(name: &str, text: &str, max: usize) -> Result<(), InvalidInput> {
    if text.len() > max {
        return Err(InvalidInput::new(
            name,
            format!("must be at most {max} bytes long"),
        ));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(InvalidInput::new(name, "must not contain U+0000"));
    }
    Ok(())
}

/// Reads a currency, or takes the default.
pub(super) fn currency(
    name: &str,
    sent: Option<&Text<'_>>,
    default: Currency,
) -> Result<Currency, InvalidInput> {
    match sent.map(Text::as_str) {
        None | Some("") => Ok(default),
        Some(code) => code
            .parse()
            .map_err(|_: MoneyError| InvalidInput::new(name, "must be three letters (ISO 4217)")),
    }
}

/// Reads an amount exactly from its digits.
pub(super) fn money(name: &str, raw: &RawValue, currency: Currency) -> Result<Money, InvalidInput> {
    Money::parse(raw.get(), currency).map_err(|error| {
        let message = match error {
            MoneyError::NotANumber => "must be a number".to_owned(),
            MoneyError::ExcessDecimals { digits } => format!(
                "must have at most {digits} decimal places in {}",
                currency.as_str()
            ),
            MoneyError::Overflow
            | MoneyError::UnknownCurrency
            | MoneyError::CurrencyMismatch { .. } => "is out of range".to_owned(),
        };
        InvalidInput::new(name, message)
    })
}

/// Reads a whole number within a range.
pub(super) fn whole(
    name: &str,
    raw: &RawValue,
    range: std::ops::RangeInclusive<u16>,
) -> Result<u16, InvalidInput> {
    raw.get()
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (first, last) = range.into_inner();
            InvalidInput::new(
                name,
                format!("must be a whole number from {first} to {last}"),
            )
        })
}

/// An instant as sent and the Berlin day on which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) seconds: i64,
    pub(super) day: NaiveDate,
}

/// Reads an instant: Unix seconds, or one of the texts that the documents use elsewhere (C-34).
pub(super) fn instant(name: &str, raw: &RawValue) -> Result<Instant, InvalidInput> {
    let fault = |message: &str| InvalidInput::new(name, message);
    let seconds = match raw.get().as_bytes() {
        [b'"', ..] => instant_of_text(raw.get()).ok_or_else(|| {
            fault("must be Unix seconds, YYYY-MM-DD or an RFC 3339 date and time")
        })?,
        [b'-' | b'0'..=b'9', ..] => whole_seconds(raw.get())
            .ok_or_else(|| fault("must be a whole number of Unix seconds"))?,
        _ => return Err(fault("must be a number of Unix seconds")),
    };
    match date::berlin_day(seconds) {
        Some(day) => Ok(Instant { seconds, day }),
        None if date::berlin_day(seconds / 1_000).is_some() => {
            Err(fault("must be Unix seconds; this looks like milliseconds"))
        }
        None => Err(fault("must lie in the years 1900 to 2199")),
    }
}

/// A whole number, also when written with an empty fraction.
fn whole_seconds(text: &str) -> Option<i64> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    whole.parse().ok()
}

fn instant_of_text(json: &str) -> Option<i64> {
    let text: Cow<'_, str> = serde_json::from_str(json).ok()?;
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return date::berlin_instant(day.and_hms_opt(0, 0, 0)?);
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%SZ") {
        return Some(moment.and_utc().timestamp());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?;
    date::berlin_instant(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn instants_are_read_in_all_documented_forms() {
        for (text, expected) in [
            ("1705928941", Ok(1_705_928_941)),
            ("1705928941.0", Ok(1_705_928_941)),
            ("-86400", Ok(-86_400)),
            ("\"2024-01-22T14:09:01+01:00\"", Ok(1_705_928_941)),
            ("\"2024-01-22T13:09:01Z\"", Ok(1_705_928_941)),
            ("\"2024-01-22 13:09:01Z\"", Ok(1_705_928_941)),
            ("\"2024-01-22T14:09:01\"", Ok(1_705_928_941)),
            ("\"2024-07-01\"", Ok(1_719_784_800)),
            (
                "1705928941000",
                Err("must be Unix seconds; this looks like milliseconds"),
            ),
            (
                "99999999999999999",
                Err("must lie in the years 1900 to 2199"),
            ),
            (
                "1705928941.5",
                Err("must be a whole number of Unix seconds"),
            ),
            ("1e300", Err("must be a whole number of Unix seconds")),
            (
                "\"22.01.2024\"",
                Err("must be Unix seconds, YYYY-MM-DD or an RFC 3339 date and time"),
            ),
            ("true", Err("must be a number of Unix seconds")),
            ("[1]", Err("must be a number of Unix seconds")),
        ] {
            let read = instant("bookingDate", &raw(text)).map(|instant| instant.seconds);
            assert_eq!(
                read.map_err(|e| e.message),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
    }

    #[test]
    fn amounts_say_what_is_wrong() {
        let yen = "JPY".parse().expect("code");
        for (text, currency, expected) in [
            ("12.34", Currency::EUR, Ok(1_234)),
            (
                "12.345",
                Currency::EUR,
                Err("must have at most 2 decimal places in EUR"),
            ),
            (
                "12.5",
                yen,
                Err("must have at most 0 decimal places in JPY"),
            ),
            ("1e300", Currency::EUR, Err("is out of range")),
            ("\"12.34\"", Currency::EUR, Err("must be a number")),
            ("{}", Currency::EUR, Err("must be a number")),
        ] {
            let read = money("amount", &raw(text), currency).map(|money| money.minor);
            assert_eq!(
                read.map_err(|e| e.message),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
    }

    #[test]
    fn whole_numbers_have_a_range() {
        for (text, expected) in [
            ("0", Some(0)),
            ("999", Some(999)),
            ("1000", None),
            ("-1", None),
            ("1.5", None),
            ("\"5\"", None),
        ] {
            assert_eq!(whole("code", &raw(text), 0..=999).ok(), expected, "{text}");
        }
    }
}
