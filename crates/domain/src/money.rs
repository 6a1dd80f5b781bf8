//! Exact money: whole minor units of one currency.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth.
///
/// # Source
/// ISO 4217, table A.1, as of 2024.
const MINOR_DIGITS: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Currency {
    /// The euro, which is what an unstated currency means.
    pub const EUR: Self = Self(*b"EUR");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal places the minor unit has.
    pub fn minor_digits(self) -> u8 {
        let code = self.as_str();
        MINOR_DIGITS
            .iter()
            .find(|(name, _)| *name == code)
            .map_or(2, |(_, digits)| *digits)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    /// Reads a code in either case.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let bytes: [u8; 3] = text
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyError::UnknownCurrency)?;
        if bytes.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(bytes.map(|byte| byte.to_ascii_uppercase())))
        } else {
            Err(MoneyError::UnknownCurrency)
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why an amount could not be read or computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not three letters.
    #[error("currency must be three letters (ISO 4217)")]
    UnknownCurrency,
    /// Two currencies met in one sum.
    #[error("currencies {left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// Currency on the left.
        left: Currency,
        /// Currency on the right.
        right: Currency,
    },
    /// Outside ±9.2e18 minor units.
    #[error("amount is out of range")]
    Overflow,
    /// The text is no decimal number.
    #[error("amount is not a number")]
    NotANumber,
    /// More decimal places than the currency has.
    #[error("amount has more than {digits} decimal places")]
    ExcessDecimals {
        /// Decimal places of the currency.
        digits: u8,
    },
}

/// An exact amount: signed minor units of one currency; outgoing is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Signed minor units (cents for the euro).
    pub minor: i64,
    /// The currency they count.
    pub currency: Currency,
}

impl Money {
    /// An amount from minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads the text of a JSON number exactly.
    ///
    /// Digits beyond the minor unit are rounded away only when they are what binary floating
    /// point leaves behind: at most a millionth of a minor unit from a whole one.
    ///
    /// # Errors
    /// `NotANumber`, `ExcessDecimals`, or `Overflow` outside ±9.2e18 minor units.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.minor_digits();
        let number = Decimal::parse(text).ok_or(MoneyError::NotANumber)?;
        let minor = number.to_minor(digits)?;
        Ok(Self { minor, currency })
    }

    /// Adds two amounts of one currency.
    ///
    /// # Errors
    /// `CurrencyMismatch`, or `Overflow` outside ±9.2e18 minor units.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Whether money comes in.
    pub const fn is_credit(self) -> bool {
        self.minor > 0
    }

    /// Whether money goes out.
    pub const fn is_debit(self) -> bool {
        self.minor < 0
    }

    /// The amount in major units as the shortest decimal text, e.g. `-13.5` or `6000`.
    pub fn to_decimal_text(self) -> String {
        let digits = usize::from(self.currency.minor_digits());
        let magnitude = self.minor.unsigned_abs().to_string();
        let padded = format!("{magnitude:0>width$}", width = digits.saturating_add(1));
        let (whole, fraction) = padded.split_at(padded.len().saturating_sub(digits));
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.minor < 0 { "-" } else { "" };
        let dot = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{dot}{fraction}")
    }
}

/// Significant digits kept while reading; what lies beyond cannot move a minor unit.
const SIGNIFICANT_DIGITS_MAX: u32 = 36;
/// Largest exponent that is looked at; anything beyond is out of range or zero.
const EXPONENT_ABS_MAX: i32 = 1_000;
/// A minor unit's tolerance for what floating point leaves behind is one part in this many.
const ARTEFACT_PARTS: u128 = 1_000_000;

/// A decimal number as written: `±significand × 10^exponent`.
struct Decimal {
    negative: bool,
    significand: u128,
    exponent: i32,
}

impl Decimal {
    /// Reads JSON's number grammar (RFC 8259 §6).
    fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, written_exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let well_formed = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !well_formed(whole) || !well_formed(fraction) {
            return None;
        }
        let (significand, dropped) = significand(whole, fraction);
        let places = i32::try_from(fraction.len()).ok()?;
        let exponent = written_exponent.checked_sub(places)?.checked_add(dropped)?;
        Some(Self {
            negative,
            significand,
            exponent,
        })
    }

    fn to_minor(&self, digits: u8) -> Result<i64, MoneyError> {
        if self.significand == 0 {
            return Ok(0);
        }
        let scale = self.exponent.saturating_add(i32::from(digits));
        let magnitude = match scale.cmp(&0) {
            Ordering::Less => self.divide(scale.unsigned_abs(), digits)?,
            Ordering::Equal => self.significand,
            Ordering::Greater => 10u128
                .checked_pow(scale.unsigned_abs())
                .and_then(|power| self.significand.checked_mul(power))
                .ok_or(MoneyError::Overflow)?,
        };
        let magnitude = i64::try_from(magnitude).map_err(|_| MoneyError::Overflow)?;
        Ok(if self.negative {
            magnitude.saturating_neg()
        } else {
            magnitude
        })
    }

    /// Divides by a power of ten, allowing only an artefact-sized remainder.
    fn divide(&self, places: u32, digits: u8) -> Result<u128, MoneyError> {
        let Some(power) = 10u128.checked_pow(places) else {
            // Smaller than 1e-2 minor units by construction: an artefact of zero, or nonsense.
            let tiny = places > SIGNIFICANT_DIGITS_MAX.saturating_add(8);
            return if tiny {
                Ok(0)
            } else {
                Err(MoneyError::ExcessDecimals { digits })
            };
        };
        let quotient = self
            .significand
            .checked_div(power)
            .ok_or(MoneyError::Overflow)?;
        let remainder = self
            .significand
            .checked_rem(power)
            .ok_or(MoneyError::Overflow)?;
        let above = power.saturating_sub(remainder);
        let distance = remainder.min(above);
        let allowed = power.checked_div(ARTEFACT_PARTS).unwrap_or(0);
        if distance > allowed {
            return Err(MoneyError::ExcessDecimals { digits });
        }
        Ok(if remainder > above {
            quotient.saturating_add(1)
        } else {
            quotient
        })
    }
}

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits
        .parse::<i32>()
        .unwrap_or(EXPONENT_ABS_MAX)
        .min(EXPONENT_ABS_MAX);
    Some(if text.starts_with('-') {
        magnitude.saturating_neg()
    } else {
        magnitude
    })
}

/// The leading significant digits as a number, and how many digits were dropped behind them.
fn significand(whole: &str, fraction: &str) -> (u128, i32) {
    let mut value = 0u128;
    let mut kept = 0u32;
    let mut dropped = 0i32;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if kept >= SIGNIFICANT_DIGITS_MAX {
            dropped = dropped.saturating_add(1);
            continue;
        }
        let digit = u128::from(byte.saturating_sub(b'0'));
        value = value.saturating_mul(10).saturating_add(digit);
        if value > 0 {
            kept = kept.saturating_add(1);
        }
    }
    (value, dropped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minor(text: &str) -> Result<i64, MoneyError> {
        Money::parse(text, Currency::EUR).map(|money| money.minor)
    }

    #[test]
    fn reads_numbers_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("2004.41", 200_441),
            ("-13.5", -1_350),
            ("1e3", 100_000),
            ("1.5E-1", 15),
            ("12.300000", 1_230),
            ("12.00000001", 1_200),
            (
                "0.1000000000000000055511151231257827021181583404541015625",
                10,
            ),
            ("33.330000000000005", 3_333),
            ("33.32999999999999", 3_333),
            ("92233720368547758.07", i64::MAX),
            ("0e99999999999", 0),
            ("1e-400", 0),
        ] {
            assert_eq!(minor(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_exact_amount() {
        let excess = Err(MoneyError::ExcessDecimals { digits: 2 });
        for (text, expected) in [
            ("12.345", excess),
            ("0.001", excess),
            ("12.3400001", excess),
            ("1e-30", Ok(0)),
            ("92233720368547758.08", Err(MoneyError::Overflow)),
            ("1e400", Err(MoneyError::Overflow)),
            ("1e99999999999999", Err(MoneyError::Overflow)),
            ("", Err(MoneyError::NotANumber)),
            ("-", Err(MoneyError::NotANumber)),
            ("1.", Err(MoneyError::NotANumber)),
            (".5", Err(MoneyError::NotANumber)),
            ("1e", Err(MoneyError::NotANumber)),
            ("NaN", Err(MoneyError::NotANumber)),
            ("\"1\"", Err(MoneyError::NotANumber)),
        ] {
            assert_eq!(minor(text), expected, "{text}");
        }
    }

    #[test]
    fn currencies_have_their_own_minor_unit() {
        let yen = "jpy".parse::<Currency>().expect("code");
        assert_eq!(Money::parse("1200", yen).map(|m| m.minor), Ok(1_200));
        assert_eq!(
            Money::parse("12.5", yen),
            Err(MoneyError::ExcessDecimals { digits: 0 })
        );
        assert_eq!(Money::new(1_200, yen).to_decimal_text(), "1200");
        let dinar = "KWD".parse::<Currency>().expect("code");
        assert_eq!(Money::new(-1_005, dinar).to_decimal_text(), "-1.005");
        assert_eq!("EU1".parse::<Currency>(), Err(MoneyError::UnknownCurrency));
        assert_eq!("EURO".parse::<Currency>(), Err(MoneyError::UnknownCurrency));
    }

    #[test]
    fn sums_refuse_mixed_currencies() {
        let yen = "JPY".parse::<Currency>().expect("code");
        let mixed = Money::new(1, Currency::EUR).checked_add(Money::new(1, yen));
        assert!(matches!(mixed, Err(MoneyError::CurrencyMismatch { .. })));
        let over = Money::new(i64::MAX, yen).checked_add(Money::new(1, yen));
        assert_eq!(over, Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn text_and_minor_units_round_trip(minor in i64::MIN + 1..=i64::MAX) {
            let money = Money::new(minor, Currency::EUR);
            prop_assert_eq!(Money::parse(&money.to_decimal_text(), Currency::EUR), Ok(money));
        }

        #[test]
        fn a_double_s_shortest_text_reads_as_the_cents_it_meant(cents in -1_000_000_000i64..1_000_000_000) {
            let exact = Money::new(cents, Currency::EUR).to_decimal_text();
            let through_double: f64 = exact.parse().expect("number");
            let long = format!("{through_double:.20}");
            prop_assert_eq!(Money::parse(&long, Currency::EUR).map(|m| m.minor), Ok(cents));
        }

        #[test]
        fn never_panics(text in "[-+0-9.eE]{0,60}") {
            let _ = Money::parse(&text, Currency::EUR);
        }
    }
}
