//! Users made up booking by booking, for tests of what is computed from several bookings.

use analysis::event::{self, Event};
use analysis::links::{self, Links, NoRates};
use chrono::{Days, NaiveDate};
use domain::{
    Account, AccountId, AccountType, Counterparty, Currency, Money, Sensitive, Transaction,
    TransactionId,
};

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect(text)
}

pub(crate) fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day + Days::new(days)
}

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().expect(code)
}

/// An account without bookings.
pub(crate) fn account(id: &str, kind: AccountType, owner: &str, iban: &str) -> Account {
    Account {
        id: AccountId::try_new(id).expect(id),
        account_number: Sensitive::default(),
        iban: iban.into(),
        bic: String::new(),
        bank_code: String::new(),
        bank_name: String::new(),
        name: Sensitive::default(),
        owner: owner.into(),
        account_type: kind,
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

/// A booking whose other side has a name and a text.
pub(crate) fn booking(id: &str, date: &str, minor: i64, name: &str, text: &str) -> Transaction {
    Transaction {
        id: TransactionId::try_new(id).expect(id),
        amount: Money::new(minor, Currency::EUR),
        booking_date: day(date),
        booking_instant: 0,
        value_date: None,
        value_instant: None,
        booking_text: String::new(),
        remittance_info: text.into(),
        counterparty: Counterparty {
            name: name.into(),
            ..Counterparty::default()
        },
        ultimate_creditor: Sensitive::default(),
        ultimate_debtor: Sensitive::default(),
        end_to_end_id: Sensitive::default(),
        mandate_id: Sensitive::default(),
        merchant_category_code: String::new(),
        purpose_code: String::new(),
        transaction_code: None,
    }
}

/// All events, untagged.
pub(crate) fn events(accounts: &[Account]) -> Vec<Event<'_>> {
    event::stream(accounts, |_, _| "")
}

pub(crate) fn detect(accounts: &[Account]) -> Links {
    links::detect(accounts, &events(accounts), &NoRates)
}

/// Each link as text: its kind and its members by transaction id and role, sorted.
pub(crate) fn told(accounts: &[Account], links: &Links) -> Vec<String> {
    let mut told: Vec<String> = links
        .links
        .iter()
        .map(|link| {
            let mut members: Vec<String> = link
                .members
                .iter()
                .map(|member| {
                    let account = &accounts[member.place.account_index];
                    let transaction = &account.transactions[member.place.transaction_index];
                    format!(" {}={}", member.role.as_str(), transaction.id)
                })
                .collect();
            members.sort_unstable();
            format!("{}:{}", link.kind.as_str(), members.concat())
        })
        .collect();
    told.sort_unstable();
    told
}
