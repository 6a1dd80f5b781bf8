//! Accounts and transactions as answered.
//!
//! Unknown texts are answered as `""`, unknown lists as `[]`; numbers and objects that are not
//! known are left out, because a number would claim something.

use domain::{Account, Currency, Sensitive, Transaction};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::number::Amount;
use crate::upload::{Security, StandingOrder};

/// Accounts of a user.
#[derive(Serialize, ToSchema)]
pub struct AccountsResponse<'a> {
    /// The accounts, in the order in which they were uploaded.
    pub accounts: Vec<AccountResponse<'a>>,
}

impl<'a> AccountsResponse<'a> {
    /// Shows accounts.
    pub fn new(accounts: &'a [Account], transactions: Transactions) -> Self {
        let accounts = accounts
            .iter()
            .map(|account| AccountResponse::new(account, transactions))
            .collect();
        Self { accounts }
    }
}

/// Whether transactions are part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transactions {
    /// They are.
    #[default]
    Included,
    /// They are left out.
    LeftOut,
}

/// A bank account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountResponse<'a> {
    /// Identifier within the user.
    #[schema(example = "A38253.f837c3ab353")]
    pub account_id: &'a str,
    /// Domestic account number.
    pub account_number: &'a str,
    /// Booked balance.
    pub balance: Amount,
    /// Domestic bank code.
    pub bank_code: &'a str,
    /// Connection to the bank; empty for uploaded accounts.
    pub bank_login_id: &'a str,
    /// Name of the bank.
    pub bank_name: &'a str,
    /// BIC.
    pub bic: &'a str,
    /// Credit line of a card; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_line: Option<Amount>,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "EUR")]
    pub currency: CurrencyCode,
    /// IBAN.
    pub iban: &'a str,
    /// Address of the bank's logo.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub icon: &'a str,
    /// Monthly spending limit of a card; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_spending_limit: Option<Amount>,
    /// The bank's name of the product.
    pub name: &'a str,
    /// Agreed overdraft; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdraft: Option<OverdraftResponse>,
    /// Holder of the account.
    pub owner: &'a str,
    /// Securities as uploaded.
    #[schema(value_type = Vec<Security>)]
    pub securities: Shown<'a>,
    /// Standing orders as uploaded.
    #[schema(value_type = Vec<StandingOrder>)]
    pub standing_orders: Shown<'a>,
    /// Kinds of payment that the account can make; none for uploaded accounts.
    pub supported_payments: [&'static str; 0],
    /// Bookings, in the order in which they were uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Vec<TransactionResponse<'a>>>,
    /// Kind of account.
    #[serde(rename = "type")]
    #[schema(example = "GIRO")]
    pub account_type: &'static str,
}

impl<'a> AccountResponse<'a> {
    /// Shows an account.
    pub fn new(account: &'a Account, transactions: Transactions) -> Self {
        let transactions = match transactions {
            Transactions::LeftOut => None,
            Transactions::Included => Some(
                account
                    .transactions
                    .iter()
                    .map(|transaction| TransactionResponse::new(account.id.as_str(), transaction))
                    .collect(),
            ),
        };
        Self {
            account_id: account.id.as_str(),
            account_number: account.account_number.as_str(),
            balance: account.balance.into(),
            bank_code: &account.bank_code,
            bank_login_id: "",
            bank_name: &account.bank_name,
            bic: &account.bic,
            credit_line: account.credit_line.map(Amount),
            currency: CurrencyCode(account.currency),
            iban: account.iban.as_str(),
            icon: &account.icon,
            monthly_spending_limit: account.monthly_spending_limit.map(Amount),
            name: account.name.as_str(),
            overdraft: account.overdraft.map(|overdraft| OverdraftResponse {
                amount: overdraft.amount.map(Amount),
                available: overdraft.available,
            }),
            owner: account.owner.as_str(),
            securities: Shown(account.securities_json.as_ref().map(Sensitive::as_str)),
            standing_orders: Shown(account.standing_orders_json.as_ref().map(Sensitive::as_str)),
            supported_payments: [],
            transactions,
            account_type: account.account_type.as_str(),
        }
    }
}

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// A stored JSON array, written as it is; `[]` when there is none.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub Option<&'a str>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.unwrap_or("[]");
        let array: &RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
        array.serialize(serializer)
    }
}

/// An agreed overdraft; what is not known is absent.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct OverdraftResponse {
    /// Highest agreed amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Whether one was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
}

/// A booking.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionResponse<'a> {
    /// The account's identifier.
    pub account_id: &'a str,
    /// Signed amount; outgoing is negative.
    pub amount: Amount,
    /// Unix seconds at which it was booked, as sent.
    #[schema(example = 1_705_928_941)]
    pub booking_date: i64,
    /// The bank's word for the kind of booking.
    pub booking_text: &'a str,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "EUR")]
    pub currency: CurrencyCode,
    /// Ultimate creditor.
    pub different_creditor: &'a str,
    /// Ultimate debtor.
    pub different_debitor: &'a str,
    /// End-to-end reference.
    pub eref: &'a str,
    /// Merchant category code; absent when unknown.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub merchant_category_code: &'a str,
    /// Mandate reference.
    pub mref: &'a str,
    /// The other side.
    pub payment_partner: PaymentPartnerResponse<'a>,
    /// Remittance information.
    pub purpose: &'a str,
    /// SEPA purpose code.
    pub sepa_purpose_code: &'a str,
    /// German transaction code; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_code: Option<u16>,
    /// Identifier within the account.
    pub transaction_id: &'a str,
    /// Unix seconds from which interest counts, as sent; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_date: Option<i64>,
}

impl<'a> TransactionResponse<'a> {
    /// Shows a booking of an account.
    pub fn new(account_id: &'a str, transaction: &'a Transaction) -> Self {
        let partner = &transaction.counterparty;
        Self {
            account_id,
            amount: transaction.amount.into(),
            booking_date: transaction.booking_instant,
            booking_text: &transaction.booking_text,
            currency: CurrencyCode(transaction.amount.currency),
            different_creditor: transaction.ultimate_creditor.as_str(),
            different_debitor: transaction.ultimate_debtor.as_str(),
            eref: transaction.end_to_end_id.as_str(),
            merchant_category_code: &transaction.merchant_category_code,
            mref: transaction.mandate_id.as_str(),
            payment_partner: PaymentPartnerResponse {
                bic: &partner.bic,
                creditor_id: &partner.creditor_id,
                iban: partner.iban.as_str(),
                name: partner.name.as_str(),
            },
            purpose: transaction.remittance_info.as_str(),
            sepa_purpose_code: &transaction.purpose_code,
            transaction_code: transaction.transaction_code,
            transaction_id: transaction.id.as_str(),
            value_date: transaction.value_instant,
        }
    }
}

/// The other side of a booking.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentPartnerResponse<'a> {
    /// BIC.
    pub bic: &'a str,
    /// SEPA creditor identifier.
    pub creditor_id: &'a str,
    /// IBAN.
    pub iban: &'a str,
    /// Name.
    pub name: &'a str,
}
