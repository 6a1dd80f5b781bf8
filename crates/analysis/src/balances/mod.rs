//! End-of-day balances of an account, backwards from the balance that its bank states.
//!
//! **Invariant:** a balance is the stated one minus every booking after its day, to the minor unit.
//! Bookings announced for later are no part of it, and one in another currency is never added at
//! rate 1: it is listed as left out.

mod gaps;
mod overdraft;

use chrono::{Datelike, Months, NaiveDate};
use domain::{Account, Money, MoneyError};

pub use gaps::Gap;
pub use overdraft::{OverdraftDay, agreed_limit};

/// How far back balances are told, in months.
///
/// # Source
/// finoOS v2, Account History: "daily balances for the last two years".
pub const WINDOW_MONTHS: u32 = 24;

/// The days that balances are computed from and for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The day at whose end the stated balance holds; later bookings are pending.
    pub stated_on: NaiveDate,
    /// The newest day that is told.
    pub as_of: NaiveDate,
}

impl Days {
    /// The stated balance is that of the newest day.
    pub const fn at(as_of: NaiveDate) -> Self {
        Self {
            stated_on: as_of,
            as_of,
        }
    }
}

/// What is known of a day's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// Something was booked on the day.
    Booked,
    /// Nothing was booked, as on other days.
    Quiet,
    /// Nothing was booked for so long that bookings are likely to be missing.
    Gap,
    /// Before the first booking that is known: what that one started from.
    BeforeData,
}

/// The balance at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyBalance {
    /// The day.
    pub date: NaiveDate,
    /// The balance at its end.
    pub balance: Money,
    /// How well it is known.
    pub standing: Standing,
}

/// What was announced but not yet booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Indices of the transactions within the account, the earliest first.
    pub transactions: Vec<usize>,
    /// Their sum.
    pub sum: Money,
    /// The stated balance with all of them.
    pub balance_after: Money,
}

/// The balances of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// One entry for each day, the newest first.
    pub days: Vec<DailyBalance>,
    /// The balance at the end of the oldest day.
    pub starting_balance: DailyBalance,
    /// First day with a booking; `None` without any.
    pub first_booking_date: Option<NaiveDate>,
    /// Runs of days in which bookings are likely to be missing, the oldest first.
    pub gaps: Vec<Gap>,
    /// What was announced for days after the stated balance.
    pub pending: Pending,
    /// Indices of the transactions in other currencies, which no balance contains.
    pub left_out: Vec<usize>,
}

/// Computes the balances of an account.
///
/// # Errors
/// `Overflow` outside ±9.2e18 minor units.
pub fn history(account: &Account, days: Days) -> Result<History, MoneyError> {
    let bookings = Bookings::of(account, days.stated_on);
    let gaps = gaps::find(&bookings.booked, days.as_of);
    let first_booking_date = bookings.booked.first().map(|booking| booking.day);
    let mut rewind = Rewind {
        left: &bookings.booked,
        balance: account.balance,
    };
    let since = first_day(days.as_of);
    let mut told = Vec::with_capacity(span(since, days.as_of));
    let mut day = days.as_of;
    loop {
        rewind.to(day)?;
        let standing = if rewind.books_on(day) {
            Standing::Booked
        } else if first_booking_date.is_none_or(|first| day < first) {
            Standing::BeforeData
        } else if gaps::contain(&gaps, day) {
            Standing::Gap
        } else {
            Standing::Quiet
        };
        let starting_balance = DailyBalance {
            date: day,
            balance: rewind.balance,
            standing,
        };
        told.push(starting_balance);
        match day.pred_opt().filter(|before| *before >= since) {
            Some(before) => day = before,
            None => {
                return Ok(History {
                    days: told,
                    starting_balance,
                    first_booking_date,
                    gaps,
                    pending: bookings.pending(account.balance)?,
                    left_out: bookings.left_out,
                });
            }
        }
    }
}

/// The oldest day that is told: the same day two years ago.
fn first_day(as_of: NaiveDate) -> NaiveDate {
    as_of
        .checked_sub_months(Months::new(WINDOW_MONTHS))
        .unwrap_or(as_of)
}

fn span(since: NaiveDate, until: NaiveDate) -> usize {
    let days = until
        .num_days_from_ce()
        .saturating_sub(since.num_days_from_ce());
    usize::try_from(days).unwrap_or_default().saturating_add(1)
}

/// A booking, reduced to what moves a balance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Booking {
    pub(crate) day: NaiveDate,
    minor: i64,
    index: usize,
}

struct Bookings {
    /// Oldest first.
    booked: Vec<Booking>,
    later: Vec<Booking>,
    left_out: Vec<usize>,
}

impl Bookings {
    fn of(account: &Account, stated_on: NaiveDate) -> Self {
        let mut left_out = Vec::new();
        let mut booked = Vec::with_capacity(account.transactions.len());
        for (index, transaction) in account.transactions.iter().enumerate() {
            if transaction.amount.currency == account.balance.currency {
                booked.push(Booking {
                    day: transaction.booking_date,
                    minor: transaction.amount.minor,
                    index,
                });
            } else {
                left_out.push(index);
            }
        }
        let id = |index: usize| account.transactions.get(index).map(|t| &t.id);
        booked.sort_unstable_by(|a, b| {
            (a.day, a.minor)
                .cmp(&(b.day, b.minor))
                .then_with(|| id(a.index).cmp(&id(b.index)))
        });
        left_out.sort_unstable_by_key(|index| id(*index));
        let later = booked.partition_point(|booking| booking.day <= stated_on);
        let later = booked.split_off(later);
        Self {
            booked,
            later,
            left_out,
        }
    }

    fn pending(&self, stated: Money) -> Result<Pending, MoneyError> {
        let nothing = Money::new(0, stated.currency);
        let sum = self.later.iter().try_fold(nothing, |sum, booking| {
            sum.checked_add(Money::new(booking.minor, stated.currency))
        })?;
        Ok(Pending {
            transactions: self.later.iter().map(|booking| booking.index).collect(),
            sum,
            balance_after: stated.checked_add(sum)?,
        })
    }
}

/// Goes back in time, taking bookings out of the balance.
struct Rewind<'a> {
    /// Bookings that the balance contains, oldest first.
    left: &'a [Booking],
    balance: Money,
}

impl Rewind<'_> {
    /// Goes back to the end of a day.
    fn to(&mut self, day: NaiveDate) -> Result<(), MoneyError> {
        while let Some((newest, older)) = self.left.split_last() {
            if newest.day <= day {
                break;
            }
            let minor = self.balance.minor.checked_sub(newest.minor);
            self.balance.minor = minor.ok_or(MoneyError::Overflow)?;
            self.left = older;
        }
        Ok(())
    }

    fn books_on(&self, day: NaiveDate) -> bool {
        self.left.last().is_some_and(|newest| newest.day == day)
    }
}
