//! The day on which an analysis looks back.

use chrono::NaiveDate;
use domain::Account;

/// The newest booking day that is not after `today`, or `today` when there is none.
///
/// Bookings announced for the future do not move it, so that an old corpus is analysed as if it
/// were fresh and a fresh one as of today.
pub fn newest_booking_day(accounts: &[Account], today: NaiveDate) -> NaiveDate {
    accounts
        .iter()
        .flat_map(|account| &account.transactions)
        .map(|transaction| transaction.booking_date)
        .filter(|day| *day <= today)
        .max()
        .unwrap_or(today)
}
