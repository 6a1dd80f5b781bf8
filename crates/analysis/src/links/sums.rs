//! Income and spending with each chain counted once.

use domain::{Currency, MoneyError};

use super::{Counts, Links};
use crate::event::Event;

/// Income and spending in one currency.
///
/// # Units
/// Minor units. Spending is positive when money went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// The currency; sums never mix two.
    pub currency: Currency,
    /// What came in, with payments that were taken back later.
    pub gross_income: i64,
    /// What went out, with payments that were taken back later, without refunds.
    pub gross_spending: i64,
    /// What came in and stayed.
    pub net_income: i64,
    /// What went out and stayed away; negative when more was given back than spent.
    pub net_spending: i64,
}

impl Sums {
    const fn nothing(currency: Currency) -> Self {
        Self {
            currency,
            gross_income: 0,
            gross_spending: 0,
            net_income: 0,
            net_spending: 0,
        }
    }

    fn add(&mut self, minor: i64, counts: Counts) -> Result<(), MoneyError> {
        let (is_gross, is_net) = match counts {
            Counts::Itself => (true, true),
            Counts::Nowhere => (false, false),
            Counts::GrossOnly => (true, false),
            Counts::LessSpending => return sum(&mut self.net_spending, minor.checked_neg()),
        };
        let (gross, net, magnitude) = if minor < 0 {
            (
                &mut self.gross_spending,
                &mut self.net_spending,
                minor.checked_neg(),
            )
        } else {
            (&mut self.gross_income, &mut self.net_income, Some(minor))
        };
        if is_gross {
            sum(gross, magnitude)?;
        }
        if is_net {
            sum(net, magnitude)?;
        }
        Ok(())
    }
}

fn sum(total: &mut i64, minor: Option<i64>) -> Result<(), MoneyError> {
    let added = minor.and_then(|minor| total.checked_add(minor));
    *total = added.ok_or(MoneyError::Overflow)?;
    Ok(())
}

impl Links {
    /// Sums the events for which `wanted` holds, by currency.
    ///
    /// # Errors
    /// `Overflow` outside ±9.2e18 minor units.
    pub fn sums(
        &self,
        events: &[Event<'_>],
        wanted: impl Fn(&Event<'_>) -> bool,
    ) -> Result<Vec<Sums>, MoneyError> {
        let mut sums: Vec<Sums> = Vec::new();
        for (event, counts) in events.iter().zip(&self.counts) {
            if !wanted(event) {
                continue;
            }
            let currency = event.transaction.amount.currency;
            let place = sums.binary_search_by_key(&currency, |sums| sums.currency);
            let at = place.unwrap_or_else(|at| {
                sums.insert(at, Sums::nothing(currency));
                at
            });
            if let Some(sums) = sums.get_mut(at) {
                sums.add(event.minor(), *counts)?;
            }
        }
        Ok(sums)
    }
}
