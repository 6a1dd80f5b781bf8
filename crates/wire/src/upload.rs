//! Accounts and transactions as callers send them, read without copying.
//!
//! Texts are borrowed from the body, numbers and lists stay raw text until they are converted, so
//! that a body of 50,000 transactions is read one transaction at a time. Null equals omitted.
//! Where the documents spell an identifier in several ways, each is read (C-06, C-31).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::json::Object;

/// A text, borrowed from the body unless it contains escapes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Uploads are personal data throughout.
        formatter.write_str("***")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl PartialSchema for Text<'_> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

impl ToSchema for Text<'_> {}

/// Replaces or adds accounts of a user.
#[derive(Deserialize, ToSchema)]
pub struct UploadRequest<'a> {
    /// The accounts; each replaces the stored one with its identifier completely.
    #[serde(borrow)]
    #[schema(value_type = Vec<AccountRequest>)]
    pub accounts: Option<&'a RawValue>,
}

/// One user of a corpus: an upload that says whose it is.
#[derive(Deserialize)]
pub struct CorpusRequest<'a> {
    /// The user's identifier.
    #[serde(borrow, rename = "userId", alias = "userID")]
    pub user_id: Option<Text<'a>>,
    /// `person` or `company`.
    #[serde(rename = "type")]
    pub user_type: Option<Text<'a>>,
    /// The accounts.
    pub accounts: Option<&'a RawValue>,
}

/// A transaction that stands for itself, with what is known about its account.
#[derive(Deserialize)]
pub struct TransactionRecord<'a> {
    /// The record's identifier.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// The transaction; absent when the record itself is one.
    pub transaction: Option<&'a RawValue>,
    /// Its account.
    pub account: Option<Object<RecordAccount<'a>>>,
}

/// What is known about the account of a single transaction.
#[derive(Deserialize, Default)]
pub struct RecordAccount<'a> {
    /// Holder of the account.
    #[serde(borrow)]
    pub owner: Option<Text<'a>>,
    /// IBAN.
    pub iban: Option<Text<'a>>,
    /// Kind of account.
    #[serde(rename = "type")]
    pub account_type: Option<Text<'a>>,
}

/// The answer of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadResponse {
    /// The user's identifier.
    pub user_id: String,
}

/// A bank account.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRequest<'a> {
    /// Identifier; derived from IBAN or account number when missing.
    #[serde(borrow, alias = "accountID")]
    pub account_id: Option<Text<'a>>,
    /// Domestic account number.
    pub account_number: Option<Text<'a>>,
    /// Booked balance; 0 when missing.
    #[schema(value_type = Option<f64>)]
    pub balance: Option<&'a RawValue>,
    /// Domestic bank code.
    pub bank_code: Option<Text<'a>>,
    /// Name of the bank.
    pub bank_name: Option<Text<'a>>,
    /// BIC.
    pub bic: Option<Text<'a>>,
    /// Credit line of a card.
    #[schema(value_type = Option<f64>)]
    pub credit_line: Option<&'a RawValue>,
    /// ISO 4217 code; EUR when missing.
    pub currency: Option<Text<'a>>,
    /// IBAN.
    pub iban: Option<Text<'a>>,
    /// Address of the bank's logo.
    pub icon: Option<Text<'a>>,
    /// Monthly spending limit of a card.
    #[schema(value_type = Option<f64>)]
    pub monthly_spending_limit: Option<&'a RawValue>,
    /// The bank's name of the product.
    pub name: Option<Text<'a>>,
    /// Agreed overdraft.
    #[schema(value_type = Option<OverdraftRequest>)]
    pub overdraft: Option<Object<OverdraftRequest<'a>>>,
    /// Holder of the account.
    pub owner: Option<Text<'a>>,
    /// Securities, shown and not analysed.
    #[schema(value_type = Option<Vec<Security>>)]
    pub securities: Option<&'a RawValue>,
    /// Standing orders, shown and not analysed.
    #[schema(value_type = Option<Vec<StandingOrder>>)]
    pub standing_orders: Option<&'a RawValue>,
    /// Bookings.
    #[schema(value_type = Option<Vec<TransactionRequest>>)]
    pub transactions: Option<&'a RawValue>,
    /// Kind of account; GIRO when missing.
    #[serde(rename = "type")]
    pub account_type: Option<Text<'a>>,
}

/// An agreed overdraft. The documents disagree about the types of both fields (C-25).
#[derive(Deserialize, Default, ToSchema)]

pub struct OverdraftRequest<'a> {
    /// Highest agreed amount.
    #[serde(borrow)]
    #[schema(value_type = Option<f64>)]
    pub amount: Option<&'a RawValue>,
    /// Whether one was agreed.
    #[schema(value_type = Option<bool>)]
    pub available: Option<&'a RawValue>,
}

/// A booking.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionRequest<'a> {
    /// Signed amount; required.
    #[serde(borrow)]
    #[schema(value_type = f64)]
    pub amount: Option<&'a RawValue>,
    /// Unix seconds at which it was booked; required.
    #[schema(value_type = i64)]
    pub booking_date: Option<&'a RawValue>,
    /// The bank's word for the kind of booking.
    pub booking_text: Option<Text<'a>>,
    /// ISO 4217 code; the account's when missing.
    pub currency: Option<Text<'a>>,
    /// Ultimate creditor.
    pub different_creditor: Option<Text<'a>>,
    /// Ultimate debtor.
    #[serde(alias = "differentDebtor")]
    pub different_debitor: Option<Text<'a>>,
    /// End-to-end reference.
    pub eref: Option<Text<'a>>,
    /// Merchant category code, four digits.
    pub merchant_category_code: Option<Text<'a>>,
    /// Mandate reference.
    pub mref: Option<Text<'a>>,
    /// The other side.
    #[schema(value_type = Option<PaymentPartnerRequest>)]
    pub payment_partner: Option<Object<PaymentPartnerRequest<'a>>>,
    /// Remittance information; may contain SEPA tags.
    pub purpose: Option<Text<'a>>,
    /// SEPA purpose code.
    pub sepa_purpose_code: Option<Text<'a>>,
    /// German transaction code, at most three digits.
    #[schema(value_type = Option<i64>)]
    pub transaction_code: Option<&'a RawValue>,
    /// Identifier within the account; derived from the content when missing.
    #[serde(alias = "transactionID")]
    pub transaction_id: Option<Text<'a>>,
    /// Unix seconds from which interest counts.
    #[schema(value_type = Option<i64>)]
    pub value_date: Option<&'a RawValue>,
}

/// The other side of a booking.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentPartnerRequest<'a> {
    /// BIC.
    #[serde(borrow)]
    pub bic: Option<Text<'a>>,
    /// SEPA creditor identifier.
    #[serde(alias = "creditorID")]
    pub creditor_id: Option<Text<'a>>,
    /// IBAN.
    pub iban: Option<Text<'a>>,
    /// Name.
    pub name: Option<Text<'a>>,
}

macro_rules! shown {
    (
        $(#[$doc:meta])* $name:ident
        texts { $($text:ident = $text_wire:literal),* $(,)? }
        numbers { $($number:ident = $number_wire:literal),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Deserialize, Serialize, Default, ToSchema)]

        pub struct $name<'a> {
            $(
                #[doc = concat!("`", $text_wire, "` as sent.")]
                #[serde(borrow, rename = $text_wire, skip_serializing_if = "Option::is_none")]
                pub $text: Option<Text<'a>>,
            )*
            $(
                #[doc = concat!("`", $number_wire, "` as sent.")]
                #[serde(rename = $number_wire, skip_serializing_if = "Option::is_none")]
                #[schema(value_type = Option<f64>)]
                pub $number: Option<&'a RawValue>,
            )*
        }

        impl<'a> $name<'a> {
            /// The texts with their wire names.
            pub fn texts(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
                [$(($text_wire, self.$text.as_ref().map(Text::as_str))),*].into_iter()
            }

            /// The numbers with their wire names.
            pub fn numbers(&self) -> impl Iterator<Item = (&'static str, Option<&'a RawValue>)> {
                [$(($number_wire, self.$number)),*].into_iter()
            }
        }
    };
}

shown! {
    /// A security of a depot; every field is optional and only shown.
    Security
    texts {
        account_id = "accountId",
        currency = "currency",
        isin = "isin",
        market = "market",
        name = "name",
        price_currency = "priceCurrency",
        purchase_price_currency = "purchasePriceCurrency",
        security_id = "securityId",
        wkn = "wkn",
    }
    numbers {
        amount = "amount",
        amount_original_currency = "amountOriginalCurrency",
        exchange_rate = "exchangeRate",
        price = "price",
        purchase_price = "purchasePrice",
        quantity = "quantity",
    }
}

shown! {
    /// A standing order; every field is optional and only shown.
    StandingOrder
    texts {
        account_id = "accountId",
        creation_timestamp = "creationTimestamp",
        currency = "currency",
        first_execution_date = "firstExecutionDate",
        iban = "iban",
        interval = "interval",
        last_execution_date = "lastExecutionDate",
        name = "name",
        purpose = "purpose",
        standing_order_id = "standingOrderId",
    }
    numbers {
        amount = "amount",
        execution_day = "executionDay",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn texts_are_borrowed_and_numbers_keep_their_text() {
        let body = br#"{"amount":-0.10,"purpose":"Miete","paymentPartner":{"name":"A\u00df"},
                        "bookingDate":1705928941,"valueDate":null,"transactionID":"T1"}"#;
        let Object(sent) = read::<Object<TransactionRequest<'_>>>(body).expect("reads");
        assert_eq!(sent.amount.map(RawValue::get), Some("-0.10"));
        assert!(matches!(sent.purpose, Some(Text(Cow::Borrowed("Miete")))));
        let partner = sent.payment_partner.expect("partner").0;
        assert_eq!(partner.name.as_ref().map(Text::as_str), Some("A\u{df}"));
        assert!(sent.value_date.is_none());
        assert_eq!(sent.transaction_id.as_ref().map(Text::as_str), Some("T1"));
    }

    #[test]
    fn shown_objects_drop_unknown_keys_and_keep_numbers_as_written() {
        let body = br#"{"price":1.230,"name":"Fund","market":null,"colour":"red","quantity":40}"#;
        let Object(security) = read::<Object<Security<'_>>>(body).expect("reads");
        let text = serde_json::to_string(&security).expect("writes");
        assert_eq!(text, r#"{"name":"Fund","price":1.230,"quantity":40}"#);
        assert_eq!(
            security
                .numbers()
                .filter(|(_, number)| number.is_some())
                .count(),
            2
        );
    }
}
