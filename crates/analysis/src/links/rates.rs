//! Exchange rates, which callers bring along.

use chrono::NaiveDate;
use domain::{Currency, Money};

/// Exchange rates by day.
pub trait Rates {
    /// Units of `to` for a million units of `from` on a day; `None` when it is not known. A rate is
    /// never guessed, least of all as 1.
    fn per_million(&self, from: Currency, to: Currency, day: NaiveDate) -> Option<u64>;
}

/// No rates at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRates;

impl Rates for NoRates {
    fn per_million(&self, _: Currency, _: Currency, _: NaiveDate) -> Option<u64> {
        None
    }
}

/// How far the amounts of a transfer may be from the day's rate: banks add a margin.
const TOLERANCE_PERCENT: i128 = 2;

/// Whether two amounts fit the day's rate; `None` when it is not known.
pub(crate) fn fit(rates: &dyn Rates, from: Money, to: Money, day: NaiveDate) -> Option<bool> {
    let rate = rates.per_million(from.currency, to.currency, day)?;
    let scale = |currency: Currency| 10_i128.checked_pow(u32::from(currency.minor_digits()));
    let expected = i128::from(from.minor.unsigned_abs())
        .checked_mul(i128::from(rate))?
        .checked_mul(scale(to.currency)?)?
        .checked_div(scale(from.currency)?.checked_mul(1_000_000)?)?;
    let off = i128::from(to.minor.unsigned_abs())
        .checked_sub(expected)?
        .checked_abs()?;
    Some(off.checked_mul(100)? <= expected.checked_mul(TOLERANCE_PERCENT)?)
}
