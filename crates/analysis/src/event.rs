//! The bookings of a user as one stream, which the time series are found in.

use chrono::NaiveDate;
use domain::{Account, AccountId, Transaction};

/// What a booking is in a chain of linked ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Role {
    /// It stands for itself.
    #[default]
    Ordinary,
    /// A leg of a transfer between accounts of the user.
    OwnTransfer,
    /// A payment that was taken back.
    Returned,
    /// The booking that takes a payment back.
    Return,
    /// What the bank charges for it.
    ReturnFee,
}

/// One booking with its place in the subject and what earlier stages know of it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Index of the account.
    pub account_index: usize,
    /// Index of the transaction within the account.
    pub transaction_index: usize,
    /// The account's identifier, so that order does not depend on the order of upload.
    pub account_id: &'a AccountId,
    /// The booking.
    pub transaction: &'a Transaction,
    /// The leaf tag; empty when nothing was decided.
    pub tag: &'a str,
    /// Its part in a chain of linked bookings.
    pub role: Role,
}

impl Event<'_> {
    /// The booking day.
    pub const fn day(&self) -> NaiveDate {
        self.transaction.booking_date
    }

    /// The signed amount in minor units.
    pub const fn minor(&self) -> i64 {
        self.transaction.amount.minor
    }
}

/// All bookings of the accounts, oldest first.
///
/// `tag` gives the leaf tag of the transaction at (account, transaction); without a categorization
/// it returns the empty text. The order depends on the bookings alone, not on that of the input.
pub fn stream<'a>(
    accounts: &'a [Account],
    mut tag: impl FnMut(usize, usize) -> &'a str,
) -> Vec<Event<'a>> {
    let count = accounts.iter().map(|account| account.transactions.len());
    let mut events = Vec::with_capacity(count.sum());
    for (account_index, account) in accounts.iter().enumerate() {
        for (transaction_index, transaction) in account.transactions.iter().enumerate() {
            events.push(Event {
                account_index,
                transaction_index,
                account_id: &account.id,
                transaction,
                tag: tag(account_index, transaction_index),
                role: Role::Ordinary,
            });
        }
    }
    sort(&mut events);
    events
}

/// Sorts by day, amount and identifiers.
pub fn sort(events: &mut [Event<'_>]) {
    events.sort_unstable_by(|a, b| {
        let key = |event: &Event<'_>| (event.day(), event.minor());
        key(a)
            .cmp(&key(b))
            .then_with(|| a.transaction.id.cmp(&b.transaction.id))
            .then_with(|| a.account_id.cmp(b.account_id))
    });
}
