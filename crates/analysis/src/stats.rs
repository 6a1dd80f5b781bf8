//! The only place of this crate that computes with fractions: how likely chance is.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "probabilities are fractions; what leaves this module are whole thousandths"
)]

/// How a rhythm shows in dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dates {
    /// Due dates with a payment.
    pub(crate) hits: usize,
    /// Due dates without.
    pub(crate) missed: usize,
    /// Similar bookings of the same partner that do not belong to the rhythm, between its first
    /// and its last payment.
    pub(crate) others: usize,
    /// The same, at any time: the more there are, the more sequences chance could pick.
    pub(crate) left_out: usize,
    /// Bookings of other amounts in which a rhythm could have been looked for, too.
    pub(crate) kinds: usize,
    /// Days from the first payment to one interval after the last.
    pub(crate) span: i32,
    /// Width of the window around due dates that holds the payments, in days.
    pub(crate) window: i32,
}

/// A contract's payments come with this probability.
const PAID: f64 = 0.9;
/// No single date is more surprising than this.
const CHANCE_MIN: f64 = 0.002;
/// Chance never explains everything.
const CHANCE_MAX: f64 = 0.995;

/// The log-likelihood ratio of a contract against bookings at random times of the same frequency.
///
/// # Units
/// Thousandths of a nat.
pub(crate) fn date_evidence(dates: Dates) -> i64 {
    let rate = dates.hits.saturating_add(dates.others) as f64 / f64::from(dates.span.max(1));
    let chance = 1.0 - (-rate * f64::from(dates.window.max(1))).exp();
    let chance = chance.clamp(CHANCE_MIN, CHANCE_MAX);
    let hits = dates.hits.saturating_sub(1) as f64 * (PAID / chance).ln();
    let missed = dates.missed as f64 * ((1.0 - PAID) / (1.0 - chance)).ln();
    let picks = ln_choose(dates.hits, dates.left_out) + (dates.kinds as f64).ln_1p();
    ((hits + missed - picks) * 1000.0).round() as i64
}

/// The logarithm of the number of ways to pick some of a set and leave the others out.
fn ln_choose(picked: usize, left_out: usize) -> f64 {
    ln_factorial(picked.saturating_add(left_out)) - ln_factorial(picked) - ln_factorial(left_out)
}

/// # Source
/// Stirling's series with one correction; off by less than 0.01 from 1 on.
fn ln_factorial(number: usize) -> f64 {
    if number == 0 {
        return 0.0;
    }
    let number = number as f64;
    number * number.ln() - number
        + 0.5 * (std::f64::consts::TAU * number).ln()
        + 1.0 / (12.0 * number)
}

/// The probability that evidence stands for, in thousandths.
///
/// # Units
/// Evidence in thousandths of a nat.
pub(crate) fn probability_permille(evidence: i64) -> u16 {
    let odds = (evidence as f64 / 1000.0).exp();
    let permille = (odds / (1.0 + odds) * 1000.0).round();
    if permille.is_nan() {
        1000
    } else {
        permille as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENT: Dates = Dates {
        hits: 12,
        missed: 0,
        others: 0,
        left_out: 0,
        kinds: 0,
        span: 365,
        window: 2,
    };

    #[test]
    fn regular_dates_are_no_chance() {
        assert!(date_evidence(RENT) > 20_000);
        let crowd = Dates {
            others: 300,
            ..RENT
        };
        assert!(date_evidence(crowd) < 3_000, "{}", date_evidence(crowd));
        let picked = Dates {
            left_out: 30,
            ..RENT
        };
        assert!(date_evidence(picked) < date_evidence(RENT) - 20_000);
        let gaps = Dates { missed: 6, ..RENT };
        assert!(date_evidence(gaps) < date_evidence(RENT) - 10_000);
    }

    #[test]
    fn probabilities_stay_in_range() {
        for (evidence, expected) in [(0, 500), (20_000, 1000), (-20_000, 0), (i64::MAX, 1000)] {
            assert_eq!(probability_permille(evidence), expected, "{evidence}");
        }
    }
}
