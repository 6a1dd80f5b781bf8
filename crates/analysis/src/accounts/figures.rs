//! Medians and averages of amounts.

use domain::{Currency, Money};

use crate::event::Event;

/// The documented figures of an account, each `None` without bookings. Bookings in other currencies
/// are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Over all bookings.
    pub all: Option<Figures>,
    /// Over what came in.
    pub earning: Option<Figures>,
    /// Over what went out; negative.
    pub spending: Option<Figures>,
}

/// Figures over amounts, which keep their signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The middle amount; between the two in the middle of an even number.
    pub median: Money,
    /// The mean.
    pub average: Money,
    /// How many bookings.
    pub count: usize,
}

impl Statistics {
    /// The figures of bookings in one currency.
    pub(crate) fn of(bookings: &[&Event<'_>], currency: Currency) -> Self {
        let in_currency = bookings
            .iter()
            .map(|event| event.transaction.amount)
            .filter(|amount| amount.currency == currency);
        let mut minors: Vec<i64> = in_currency.map(|amount| amount.minor).collect();
        minors.sort_unstable();
        let spent = minors.partition_point(|minor| *minor < 0);
        let earned = minors.partition_point(|minor| *minor <= 0);
        Self {
            all: figures(&minors, currency),
            earning: minors
                .get(earned..)
                .and_then(|part| figures(part, currency)),
            spending: minors.get(..spent).and_then(|part| figures(part, currency)),
        }
    }
}

fn figures(sorted: &[i64], currency: Currency) -> Option<Figures> {
    let count = i128::try_from(sorted.len()).ok()?;
    let sum: i128 = sorted.iter().map(|minor| i128::from(*minor)).sum();
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
    let both = i128::from(lower).saturating_add(i128::from(upper));
    Some(Figures {
        median: Money::new(rounded(both, 2)?, currency),
        average: Money::new(rounded(sum, count)?, currency),
        count: sorted.len(),
    })
}

/// A quotient rounded to whole minor units, halves away from zero.
fn rounded(sum: i128, count: i128) -> Option<i64> {
    let doubled = sum.checked_abs()?.checked_mul(2)?.checked_add(count)?;
    let magnitude = doubled.checked_div(count.checked_mul(2)?)?;
    let signed = if sum < 0 {
        magnitude.checked_neg()?
    } else {
        magnitude
    };
    i64::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_away_from_zero() {
        for (minors, median, average) in [
            (&[-5, -2][..], -4, -4),
            (&[1, 2], 2, 2),
            (&[-18_015], -18_015, -18_015),
            (&[1, 1, 2], 1, 1),
            (&[-100, 0, 301], 0, 67),
            (&[i64::MAX, i64::MAX], i64::MAX, i64::MAX),
        ] {
            let told = figures(minors, Currency::EUR).expect("not empty");
            assert_eq!(
                (told.median.minor, told.average.minor),
                (median, average),
                "{minors:?}"
            );
        }
        assert_eq!(figures(&[], Currency::EUR), None);
    }
}
