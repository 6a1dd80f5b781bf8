//! What a run did.

use std::time::Duration;

/// What one record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    /// Records that were used.
    pub(crate) records: u64,
    /// Transactions in them.
    pub(crate) transactions: u64,
    /// Pieces of bad data in them.
    pub(crate) findings: u64,
    /// Records that could not be used.
    pub(crate) broken: u64,
}

impl Count {
    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.records = self.records.saturating_add(other.records);
        self.transactions = self.transactions.saturating_add(other.transactions);
        self.findings = self.findings.saturating_add(other.findings);
        self.broken = self.broken.saturating_add(other.broken);
    }
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// All records together.
    pub(crate) count: Count,
    /// How long it took.
    pub(crate) duration: Duration,
    /// The record at which a strict run stopped, and why.
    pub(crate) stopped_at: Option<String>,
}

impl Totals {
    /// The summary in one sentence.
    pub(crate) fn sentence(&self, unit: &str) -> String {
        let count = self.count;
        let millis = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
        let rate = count
            .transactions
            .saturating_mul(1_000)
            .checked_div(millis.max(1))
            .unwrap_or_default();
        let (seconds, rest) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
        format!(
            "{} {unit}, {} transactions, {} findings, {} broken records in {seconds}.{rest:03} s \
             ({} transactions/s)",
            grouped(count.records),
            grouped(count.transactions),
            grouped(count.findings),
            grouped(count.broken),
            grouped(rate),
        )
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (16_705, "16,705"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn the_summary_says_it_all() {
        let totals = Totals {
            count: Count {
                records: 330,
                transactions: 16_705,
                findings: 2,
                broken: 1,
            },
            duration: Duration::from_millis(1_050),
            stopped_at: None,
        };
        assert_eq!(
            totals.sentence("users"),
            "330 users, 16,705 transactions, 2 findings, 1 broken records in 1.050 s \
             (15,909 transactions/s)"
        );
        assert!(
            Totals::default()
                .sentence("users")
                .contains("(0 transactions/s)")
        );
    }
}
