//! Days on which an account ended overdrawn.

use chrono::NaiveDate;
use domain::{Account, Money};

use super::{History, Standing};

/// A day that ended below the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdraftDay {
    /// The day.
    pub date: NaiveDate,
    /// The balance at its end.
    pub balance: Money,
    /// How far it was below the limit, positive.
    pub beyond_limit: Money,
}

/// The agreed overdraft of an account, zero when none is known.
pub fn agreed_limit(account: &Account) -> Money {
    let agreed = account
        .overdraft
        .filter(|agreed| agreed.available != Some(false));
    let limit = agreed.and_then(|agreed| agreed.amount);
    limit
        .filter(|limit| limit.currency == account.balance.currency && limit.minor > 0)
        .unwrap_or(Money::new(0, account.balance.currency))
}

impl History {
    /// The days that ended below minus `limit`, the newest first: a limit of zero gives the days in
    /// overdraft, [`agreed_limit`] those beyond it. Days before the first booking do not count.
    ///
    /// # Source
    /// finoOS v2: persons by the end-of-day balance, companies below the agreed limit.
    pub fn overdraft_days(&self, limit: Money) -> Vec<OverdraftDay> {
        let floor = limit.minor.saturating_neg();
        let below = |minor: i64| floor.checked_sub(minor).filter(|beyond| *beyond > 0);
        self.days
            .iter()
            .filter(|day| day.standing != Standing::BeforeData)
            .filter(|day| day.balance.currency == limit.currency)
            .filter_map(|day| {
                Some(OverdraftDay {
                    date: day.date,
                    balance: day.balance,
                    beyond_limit: Money::new(below(day.balance.minor)?, limit.currency),
                })
            })
            .collect()
    }
}
