//! What is told about a contract.

use chrono::NaiveDate;
use domain::{Money, Sensitive};

use super::interval::Interval;

/// Whether a contract is always paid with the same amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AmountConsistency {
    /// Apart from changes of price, yes.
    Fix,
    /// Amounts vary.
    Variable,
}

/// How far a contract has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Maturity {
    /// Few payments so far.
    Early,
    /// Well known and running.
    Mature,
    /// The next payment did not come.
    Ended,
}

impl Maturity {
    /// The word in `additionalInfo`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Early => "EARLY",
            Self::Mature => "MATURE",
            Self::Ended => "ENDED",
        }
    }
}

/// What makes a contract the same one in every run: direction, currency and the identity of its
/// first payment. Identifiers are derived from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContractKey(pub(crate) Sensitive<String>);

impl ContractKey {
    /// The key as text, which holds personal data.
    pub fn text(&self) -> &str {
        self.0.as_str()
    }
}

/// A payment by its place in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payment {
    /// Index of the account.
    pub account_index: usize,
    /// Index of the transaction within the account.
    pub transaction_index: usize,
}

/// The other side, as the newest payment names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContractPartner {
    /// Name.
    pub name: Sensitive<String>,
    /// IBAN.
    pub iban: Sensitive<String>,
    /// SEPA creditor identifiers, sorted.
    pub creditor_ids: Vec<String>,
}

/// A new regular amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceChange {
    /// Booking day of the first payment with the new amount.
    pub day: NaiveDate,
    /// The amount before.
    pub from: Money,
    /// The amount from then on.
    pub to: Money,
}

/// What is known beyond the documented fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionalInfo {
    /// New regular amounts of a contract with fixed ones.
    pub price_changes: Vec<PriceChange>,
    /// Due dates between the first and the last payment that were not paid.
    pub missed: Vec<NaiveDate>,
    /// Payments beyond the first for a due date; they are among `payments` too.
    pub doubled: Vec<Payment>,
    /// How far the contract has come.
    pub maturity: Maturity,
    /// How likely it is that this is a contract, in thousandths.
    pub probability_permille: u16,
    /// Why it is taken for one, in English.
    pub reasons: Vec<String>,
}

/// Payments that recur between two sides for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its identity.
    pub key: ContractKey,
    /// How often it is paid.
    pub interval: Interval,
    /// The regular amount; outgoing is negative.
    pub amount: Money,
    /// Whether amounts vary.
    pub amount_consistency: AmountConsistency,
    /// The contract category.
    pub category: String,
    /// The tag of most payments; empty when nothing was decided.
    pub tag: String,
    /// Whether the next payment can still come.
    pub is_active: bool,
    /// First payment.
    pub first_booking_date: NaiveDate,
    /// Newest payment.
    pub last_booking_date: NaiveDate,
    /// When the next payment is expected.
    pub next_booking_date: NaiveDate,
    /// First and last day between which nine of ten payments come.
    pub next_booking_range: (NaiveDate, NaiveDate),
    /// The mandate of the newest payment; may be empty.
    pub mandate_id: Sensitive<String>,
    /// The other side.
    pub partner: ContractPartner,
    /// All payments, oldest first.
    pub payments: Vec<Payment>,
    /// What is known beyond the documented fields.
    pub additional_info: AdditionalInfo,
}
