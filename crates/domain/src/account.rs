//! Bank accounts as uploaded or fetched.

use std::str::FromStr;

use crate::id::AccountId;
use crate::money::{Currency, Money};
use crate::sensitive::Sensitive;
use crate::transaction::Transaction;
use crate::user::UnknownWord;

/// A bank account with its transactions. Absent texts are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Identifier within the user.
    pub id: AccountId,
    /// Domestic account number, used where the IBAN is missing.
    pub account_number: Sensitive<String>,
    /// IBAN as sent.
    pub iban: Sensitive<String>,
    /// BIC as sent.
    pub bic: String,
    /// Domestic bank code (Bankleitzahl).
    pub bank_code: String,
    /// Name of the bank.
    pub bank_name: String,
    /// The bank's name of the product.
    pub name: Sensitive<String>,
    /// Holder of the account.
    pub owner: Sensitive<String>,
    /// Kind of account.
    pub account_type: AccountType,
    /// Currency of the balance.
    pub currency: Currency,
    /// Booked balance at the time of upload.
    pub balance: Money,
    /// Agreed overdraft.
    pub overdraft: Option<Overdraft>,
    /// Credit line of a card.
    pub credit_line: Option<Money>,
    /// Monthly spending limit of a card.
    pub monthly_spending_limit: Option<Money>,
    /// Address of the bank's logo.
    pub icon: String,
    /// Securities as canonical JSON array, shown but not analysed.
    pub securities_json: Option<Sensitive<String>>,
    /// Standing orders as canonical JSON array.
    pub standing_orders_json: Option<Sensitive<String>>,
    /// Bookings, in the order in which they were sent.
    pub transactions: Vec<Transaction>,
}

/// An agreed overdraft; each part may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdraft {
    /// Highest agreed amount, positive.
    pub amount: Option<Money>,
    /// Whether one was agreed at all.
    pub available: Option<bool>,
}

/// Kind of account.
///
/// # Source
/// finoOS v2, "Meaning and importance of data fields": twelve values, GIRO by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum AccountType {
    /// Building society savings.
    Bausparen,
    /// Securities account.
    Depot,
    /// Fixed-term deposit.
    Festgeld,
    /// Fund account.
    Fondsdepot,
    /// Current account.
    #[default]
    Giro,
    /// Credit card.
    KreditKarte,
    /// Loan account.
    KreditKonto,
    /// Loan.
    Kreditdarlehen,
    /// Savings book.
    Sparbuch,
    /// Overnight deposit.
    Tagesgeld,
    /// Not known.
    Unknown,
    /// None of the others.
    Other,
}

impl AccountType {
    /// Every kind, in the documented order.
    pub const ALL: [Self; 12] = [
        Self::Bausparen,
        Self::Depot,
        Self::Festgeld,
        Self::Fondsdepot,
        Self::Giro,
        Self::KreditKarte,
        Self::KreditKonto,
        Self::Kreditdarlehen,
        Self::Sparbuch,
        Self::Tagesgeld,
        Self::Unknown,
        Self::Other,
    ];

    /// The documented word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bausparen => "BAUSPAREN",
            Self::Depot => "DEPOT",
            Self::Festgeld => "FESTGELD",
            Self::Fondsdepot => "FONDSDEPOT",
            Self::Giro => "GIRO",
            Self::KreditKarte => "KREDIT_KARTE",
            Self::KreditKonto => "KREDIT_KONTO",
            Self::Kreditdarlehen => "KREDITDARLEHEN",
            Self::Sparbuch => "SPARBUCH",
            Self::Tagesgeld => "TAGESGELD",
            Self::Unknown => "UNKNOWN",
            Self::Other => "OTHER",
        }
    }
}

impl FromStr for AccountType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord {
            allowed: "BAUSPAREN, DEPOT, FESTGELD, FONDSDEPOT, GIRO, KREDIT_KARTE, KREDIT_KONTO, \
                      KREDITDARLEHEN, SPARBUCH, TAGESGELD, UNKNOWN, OTHER",
        })
    }
}
