//! Users with known contracts.

use std::collections::BTreeSet;

use analysis::contracts::Interval;
use chrono::NaiveDate;
use domain::{
    Account, AccountId, AccountType, Counterparty, Currency, Money, Transaction, TransactionId,
    UserType,
};

/// A contract that is known to be there.
#[derive(Debug, Clone)]
pub struct Truth {
    /// What it is called in reports.
    pub label: String,
    /// How often it is paid.
    pub interval: Interval,
    /// Its transactions.
    pub ids: BTreeSet<String>,
    /// Transactions that count neither way.
    pub optional_ids: BTreeSet<String>,
    /// Whether it may be found or not.
    pub is_optional: bool,
    /// The payment after the newest one, if it is known.
    pub next: Option<NaiveDate>,
    /// Whether it still runs, if that is known.
    pub is_active: Option<bool>,
}

/// A user with everything that is known of him.
#[derive(Debug, Clone)]
pub struct Sample {
    /// His identifier.
    pub user: String,
    /// Person or company.
    pub user_type: UserType,
    /// His accounts.
    pub accounts: Vec<Account>,
    /// The day on which the analysis looks back.
    pub as_of: NaiveDate,
    /// His contracts.
    pub truth: Vec<Truth>,
    /// Transactions that say nothing about a contract found in them.
    pub ignored: BTreeSet<String>,
    /// The transactions of each shop he goes to out of habit.
    pub habits: Vec<BTreeSet<String>>,
    /// Transactions with cash or cards.
    pub cash: BTreeSet<String>,
}

/// An account without transactions.
pub fn account(id: &str) -> Account {
    Account {
        id: AccountId::try_new(id).unwrap_or_else(|_| unreachable!("ids are never empty")),
        account_number: "".into(),
        iban: "".into(),
        bic: String::new(),
        bank_code: String::new(),
        bank_name: String::new(),
        name: "".into(),
        owner: "".into(),
        account_type: AccountType::Giro,
        currency: Currency::EUR,
        balance: Money::new(0, Currency::EUR),
        overdraft: None,
        credit_line: None,
        monthly_spending_limit: None,
        icon: String::new(),
        securities_json: None,
        standing_orders_json: None,
        transactions: Vec::new(),
    }
}

/// A booking without any text.
pub fn booking(id: &str, day: NaiveDate, minor: i64) -> Transaction {
    Transaction {
        id: TransactionId::try_new(id).unwrap_or_else(|_| unreachable!("ids are never empty")),
        amount: Money::new(minor, Currency::EUR),
        booking_date: day,
        booking_instant: 0,
        value_date: None,
        value_instant: None,
        booking_text: String::new(),
        remittance_info: "".into(),
        counterparty: Counterparty::default(),
        ultimate_creditor: "".into(),
        ultimate_debtor: "".into(),
        end_to_end_id: "".into(),
        mandate_id: "".into(),
        merchant_category_code: String::new(),
        purpose_code: String::new(),
        transaction_code: None,
    }
}
