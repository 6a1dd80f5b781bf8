//! Shares and amounts as exact decimals, without floating point.

use std::collections::BTreeMap;

use domain::{Currency, Money};
use serde_json::value::RawValue;

/// A share of ten thousand, rounded to the nearest; nothing of nothing is nothing.
pub(super) fn per_ten_thousand(part: u64, whole: u64) -> u64 {
    let (part, whole) = (u128::from(part), u128::from(whole));
    if whole == 0 {
        return 0;
    }
    let rounded = (part * 20_000 + whole) / (whole * 2);
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// A share as percent, `97.25 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let share = per_ten_thousand(part, whole);
    format!("{}.{:02} %", share / 100, share % 100)
}

/// Ten-thousandths as a decimal, `0.9725`.
pub(super) fn decimal(per_ten_thousand: u64) -> String {
    format!(
        "{}.{:04}",
        per_ten_thousand / 10_000,
        per_ten_thousand % 10_000
    )
}

/// A decimal as a JSON number.
pub(super) fn number(decimal: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(decimal.to_owned()).ok()
}

/// Sums of absolute amounts by currency.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Moved(BTreeMap<String, u128>);

impl Moved {
    /// Adds an amount, whichever way it went.
    pub(super) fn add(&mut self, amount: Money) {
        let sum = self
            .0
            .entry(amount.currency.as_str().to_owned())
            .or_default();
        *sum = sum.saturating_add(u128::from(amount.minor.unsigned_abs()));
    }

    /// Adds other sums.
    pub(super) fn merge(&mut self, other: Self) {
        for (currency, minor) in other.0 {
            let sum = self.0.entry(currency).or_default();
            *sum = sum.saturating_add(minor);
        }
    }

    /// Each currency and its sum in major units, all decimals written.
    pub(super) fn sums(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(code, minor)| {
            let digits = code
                .parse()
                .map_or(2, |currency: Currency| currency.minor_digits());
            (code.as_str(), major_units(*minor, usize::from(digits)))
        })
    }

    /// The sums in one text.
    pub(super) fn text(&self) -> String {
        let sums: Vec<String> = self
            .sums()
            .map(|(code, sum)| format!("{sum} {code}"))
            .collect();
        sums.join(" + ")
    }
}

fn major_units(minor: u128, digits: usize) -> String {
    let padded = format!("{minor:0>width$}", width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    let dot = if digits == 0 { "" } else { "." };
    format!("{whole}{dot}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_the_nearest() {
        for (part, whole, expected) in [
            (0, 0, "0.00 %"),
            (1, 3, "33.33 %"),
            (2, 3, "66.67 %"),
            (3, 3, "100.00 %"),
            (u64::MAX, u64::MAX, "100.00 %"),
        ] {
            assert_eq!(percent(part, whole), expected);
        }
        assert_eq!(decimal(9_725), "0.9725");
        assert_eq!(decimal(10_000), "1.0000");
        assert!(number("0.9725").is_some());
    }

    #[test]
    fn amounts_are_summed_without_sign_and_by_currency() {
        let mut moved = Moved::default();
        let yen: Currency = "JPY".parse().expect("a currency");
        for (minor, currency) in [(-1_001, Currency::EUR), (5, Currency::EUR), (-70, yen)] {
            moved.add(Money::new(minor, currency));
        }
        let mut twice = moved.clone();
        twice.merge(moved.clone());
        assert_eq!(moved.text(), "10.06 EUR + 70 JPY");
        assert_eq!(twice.text(), "20.12 EUR + 140 JPY");
        let mut most = Moved::default();
        most.add(Money::new(i64::MIN, Currency::EUR));
        most.add(Money::new(i64::MIN, Currency::EUR));
        assert_eq!(most.text(), "184467440737095516.16 EUR");
    }
}
