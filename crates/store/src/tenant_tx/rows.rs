//! Stored rows turned into accounts and transactions.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    Account, AccountId, Counterparty, Currency, Money, Overdraft, Sensitive, Transaction,
    TransactionId,
};

use super::accounts::account_id;
use crate::error::StoreError;

/// A row of `account`, as the queries read it.
pub(super) struct AccountRow {
    pub(super) account_id: String,
    pub(super) account_number: String,
    pub(super) iban: String,
    pub(super) bic: String,
    pub(super) bank_code: String,
    pub(super) bank_name: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) account_type: String,
    pub(super) currency: String,
    pub(super) balance_minor: i64,
    pub(super) overdraft_minor: Option<i64>,
    pub(super) overdraft_available: Option<bool>,
    pub(super) credit_line_minor: Option<i64>,
    pub(super) spending_limit_minor: Option<i64>,
    pub(super) icon: String,
    pub(super) securities: Option<String>,
    pub(super) standing_orders: Option<String>,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let currency = currency(&row.currency, "account.currency")?;
        let money = |minor: Option<i64>| minor.map(|minor| Money::new(minor, currency));
        let account_type = row.account_type.parse().map_err(|_| StoreError::Corrupt {
            column: "account.account_type",
        })?;
        let overdraft = Overdraft {
            amount: money(row.overdraft_minor),
            available: row.overdraft_available,
        };
        let stated = overdraft.amount.is_some() || overdraft.available.is_some();
        Ok(Self {
            id: account_id(row.account_id)?,
            account_number: row.account_number.into(),
            iban: row.iban.into(),
            bic: row.bic,
            bank_code: row.bank_code,
            bank_name: row.bank_name,
            name: row.name.into(),
            owner: row.owner.into(),
            account_type,
            currency,
            balance: Money::new(row.balance_minor, currency),
            overdraft: stated.then_some(overdraft),
            credit_line: money(row.credit_line_minor),
            monthly_spending_limit: money(row.spending_limit_minor),
            icon: row.icon,
            securities_json: row.securities.map(Sensitive::new),
            standing_orders_json: row.standing_orders.map(Sensitive::new),
            transactions: Vec::new(),
        })
    }
}

/// A row of `transaction`, as the queries read it.
pub(super) struct TransactionRow {
    pub(super) account_id: String,
    pub(super) transaction_id: String,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) booking_date: NaiveDate,
    pub(super) booking_instant: i64,
    pub(super) value_date: Option<NaiveDate>,
    pub(super) value_instant: Option<i64>,
    pub(super) booking_text: String,
    pub(super) purpose: String,
    pub(super) partner_name: String,
    pub(super) partner_iban: String,
    pub(super) partner_bic: String,
    pub(super) partner_creditor_id: String,
    pub(super) ultimate_creditor: String,
    pub(super) ultimate_debtor: String,
    pub(super) end_to_end_id: String,
    pub(super) mandate_id: String,
    pub(super) merchant_category_code: String,
    pub(super) purpose_code: String,
    pub(super) transaction_code: Option<i16>,
}

impl TransactionRow {
    /// The account it is on, and the transaction.
    pub(super) fn into_parts(self) -> Result<(AccountId, Transaction), StoreError> {
        let currency = currency(&self.currency, "transaction.currency")?;
        let code = self.transaction_code.map(u16::try_from).transpose();
        let transaction = Transaction {
            id: transaction_id(self.transaction_id)?,
            amount: Money::new(self.amount_minor, currency),
            booking_date: self.booking_date,
            booking_instant: self.booking_instant,
            value_date: self.value_date,
            value_instant: self.value_instant,
            booking_text: self.booking_text,
            remittance_info: self.purpose.into(),
            counterparty: Counterparty {
                name: self.partner_name.into(),
                iban: self.partner_iban.into(),
                bic: self.partner_bic,
                creditor_id: self.partner_creditor_id,
            },
            ultimate_creditor: self.ultimate_creditor.into(),
            ultimate_debtor: self.ultimate_debtor.into(),
            end_to_end_id: self.end_to_end_id.into(),
            mandate_id: self.mandate_id.into(),
            merchant_category_code: self.merchant_category_code,
            purpose_code: self.purpose_code,
            transaction_code: code.map_err(|_| StoreError::Corrupt {
                column: "transaction.transaction_code",
            })?,
        };
        Ok((account_id(self.account_id)?, transaction))
    }
}

/// Hands each transaction to its account; the order within an account is kept.
pub(super) fn attach(accounts: &mut [Account], transactions: Vec<(AccountId, Transaction)>) {
    let mut by_account: BTreeMap<AccountId, Vec<Transaction>> = BTreeMap::new();
    for (account, transaction) in transactions {
        by_account.entry(account).or_default().push(transaction);
    }
    for account in accounts {
        account.transactions = by_account.remove(&account.id).unwrap_or_default();
    }
}

pub(super) fn transaction_id(text: String) -> Result<TransactionId, StoreError> {
    TransactionId::try_new(text).map_err(|_| StoreError::Corrupt {
        column: "transaction.transaction_id",
    })
}

fn currency(text: &str, column: &'static str) -> Result<Currency, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt { column })
}
