//! The user's accounts: connected ones, and those that bookings speak of.
//!
//! An account is found by what goes to and comes from it: credit cards by their settlement, savings,
//! depots and loans by tag or wording, accounts at other banks by the holder's name
//! ([`trace`]). Bookings that concern the same account are put together by creditor identifier, IBAN
//! or name ([`group`]), and told apart by mandate where two run side by side.
//!
//! **Invariant:** a booking whose other side is a connected account shows no other account.

mod figures;
mod group;
mod trace;

use chrono::NaiveDate;
use domain::{Account, AccountType, Sensitive};

use crate::event::Event;
use crate::links::{Links, Place};

pub use figures::{Figures, Statistics};

/// Why an account is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountEvidence {
    /// It was connected or uploaded.
    Connected,
    /// The other side has the holder's name.
    HolderName,
    /// The tag of bookings says so.
    Tag,
    /// Words of bookings say so.
    Wording,
    /// The bank's transaction code says so.
    TransactionCode,
    /// So many bookings concern it.
    Bookings(usize),
}

impl AccountEvidence {
    /// The evidence in words.
    pub fn words(self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Connected => "connected by the user".into(),
            Self::HolderName => "name of the account holder".into(),
            Self::Tag => "tag".into(),
            Self::Wording => "wording".into(),
            Self::TransactionCode => "transaction code".into(),
            Self::Bookings(1) => "1 booking".into(),
            Self::Bookings(count) => format!("{count} bookings").into(),
        }
    }
}

/// An account of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedAccount {
    /// Index of the connected account; `None` for one that was found. It is finoOS `isUserAdded`.
    pub account_index: Option<usize>,
    /// What makes a found account the same one in every run; identifiers are derived from it.
    /// It holds personal data.
    pub key: Sensitive<String>,
    /// What kind of account it is.
    pub kind: AccountType,
    /// The holder, as far as bookings name him.
    pub owner: Sensitive<String>,
    /// IBAN; for cards and loans that of the bank's collection, if any.
    pub iban: Sensitive<String>,
    /// BIC.
    pub bic: String,
    /// German bank code in the IBAN.
    pub bank_code: String,
    /// The other side's name as the newest booking gives it.
    pub name: Sensitive<String>,
    /// SEPA creditor identifier of who collects for it.
    pub creditor_id: String,
    /// First and last booking that concern it.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// The bookings that concern it, oldest first: its own for a connected account, else those on
    /// connected ones.
    pub transactions: Vec<Place>,
    /// Figures over `transactions`.
    pub statistics: Statistics,
    /// Why it is known.
    pub evidence: Vec<AccountEvidence>,
}

impl DetectedAccount {
    /// Whether it belongs among the cards (`creditsView`) rather than the accounts.
    pub fn is_card(&self) -> bool {
        self.kind == AccountType::KreditKarte
    }
}

/// Tells the connected accounts in the order of the subject, then those that were found, by kind.
///
/// `events` come from [`event::stream`](crate::event::stream) over `accounts`, `links` from
/// [`links::detect`](crate::links::detect) over both.
pub fn detect(accounts: &[Account], events: &[Event<'_>], links: &Links) -> Vec<DetectedAccount> {
    let mut own: Vec<Vec<&Event<'_>>> = vec![Vec::new(); accounts.len()];
    for event in events {
        if let Some(bookings) = own.get_mut(event.account_index) {
            bookings.push(event);
        }
    }
    let connected = accounts.iter().zip(own).enumerate();
    let mut detected: Vec<DetectedAccount> = connected
        .map(|(index, (account, bookings))| self::connected(index, account, &bookings))
        .collect();
    let traces = trace::find(events, links);
    let mut found: Vec<DetectedAccount> = group::accounts(events, traces, accounts.len());
    found.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    detected.extend(found);
    detected
}

fn connected(index: usize, account: &Account, bookings: &[&Event<'_>]) -> DetectedAccount {
    let days = bookings.first().zip(bookings.last());
    DetectedAccount {
        account_index: Some(index),
        key: Sensitive::new(account.id.to_string()),
        kind: account.account_type,
        owner: account.owner.clone(),
        iban: account.iban.clone(),
        bic: account.bic.clone(),
        bank_code: account.bank_code.clone(),
        name: account.name.clone(),
        creditor_id: String::new(),
        period: days.map(|(first, last)| (first.day(), last.day())),
        transactions: bookings.iter().map(|event| group::place(event)).collect(),
        statistics: Statistics::of(bookings, account.currency),
        evidence: vec![AccountEvidence::Connected],
    }
}
