//! Booked transactions.

use chrono::NaiveDate;

use crate::id::TransactionId;
use crate::money::Money;
use crate::sensitive::Sensitive;

/// A booking on an account. Absent texts are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Identifier within the account.
    pub id: TransactionId,
    /// Signed amount; outgoing is negative.
    pub amount: Money,
    /// Berlin calendar day on which it was booked.
    pub booking_date: NaiveDate,
    /// Booking instant as sent, Unix seconds.
    pub booking_instant: i64,
    /// Berlin calendar day from which interest counts.
    pub value_date: Option<NaiveDate>,
    /// Value instant as sent, Unix seconds.
    pub value_instant: Option<i64>,
    /// The bank's word for the kind of booking.
    pub booking_text: String,
    /// Unstructured remittance information, finoOS `purpose`.
    pub remittance_info: Sensitive<String>,
    /// The other side.
    pub counterparty: Counterparty,
    /// Ultimate creditor, finoOS `differentCreditor`.
    pub ultimate_creditor: Sensitive<String>,
    /// Ultimate debtor, finoOS `differentDebitor`.
    pub ultimate_debtor: Sensitive<String>,
    /// End-to-end reference.
    pub end_to_end_id: Sensitive<String>,
    /// SEPA mandate reference.
    pub mandate_id: Sensitive<String>,
    /// Merchant category code (ISO 18245), four digits.
    pub merchant_category_code: String,
    /// SEPA purpose code (ISO 20022 external code set).
    pub purpose_code: String,
    /// German transaction code (Geschäftsvorfallcode).
    pub transaction_code: Option<u16>,
}

/// The other side of a transaction, finoOS `paymentPartner`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counterparty {
    /// Name.
    pub name: Sensitive<String>,
    /// IBAN as sent.
    pub iban: Sensitive<String>,
    /// BIC as sent.
    pub bic: String,
    /// SEPA creditor identifier.
    pub creditor_id: String,
}
