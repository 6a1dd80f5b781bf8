//! The piece of a transaction that decided.

use std::borrow::Cow;

use domain::Transaction;

/// A field of a transaction that can be evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Name of the other side.
    Counterparty,
    /// Remittance information.
    Purpose,
    /// The bank's word for the booking.
    BookingText,
    /// Ultimate creditor.
    UltimateCreditor,
    /// Ultimate debtor.
    UltimateDebtor,
    /// Creditor identifier of the other side.
    CreditorId,
    /// IBAN of the other side.
    Iban,
    /// Merchant category code.
    MerchantCategoryCode,
    /// German transaction code.
    TransactionCode,
    /// SEPA purpose code.
    PurposeCode,
    /// Sign of the amount.
    Amount,
    /// Identifier of the transaction.
    TransactionId,
}

impl Field {
    /// A stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counterparty => "counterparty",
            Self::Purpose => "purpose",
            Self::BookingText => "booking_text",
            Self::UltimateCreditor => "ultimate_creditor",
            Self::UltimateDebtor => "ultimate_debtor",
            Self::CreditorId => "creditor_id",
            Self::Iban => "iban",
            Self::MerchantCategoryCode => "mcc",
            Self::TransactionCode => "gvc",
            Self::PurposeCode => "purpose_code",
            Self::Amount => "amount",
            Self::TransactionId => "transaction_id",
        }
    }

    /// The content of the field, empty when absent.
    pub fn content(self, transaction: &Transaction) -> Cow<'_, str> {
        match self {
            Self::TransactionCode => {
                let code = transaction
                    .transaction_code
                    .map(|code| format!("{code:03}"));
                Cow::Owned(code.unwrap_or_default())
            }
            Self::Amount => Cow::Owned(transaction.amount.to_decimal_text()),
            Self::Counterparty
            | Self::Purpose
            | Self::BookingText
            | Self::UltimateCreditor
            | Self::UltimateDebtor
            | Self::CreditorId
            | Self::Iban
            | Self::MerchantCategoryCode
            | Self::PurposeCode
            | Self::TransactionId => Cow::Borrowed(self.text(transaction)),
        }
    }

    /// The bytes of the content, without making it. Numbers have none: they are evidence as a
    /// whole.
    pub(crate) fn length(self, transaction: &Transaction) -> usize {
        self.text(transaction).len()
    }

    /// The text of a field, empty for numbers.
    pub(crate) fn text(self, transaction: &Transaction) -> &str {
        match self {
            Self::Counterparty => transaction.counterparty.name.as_str(),
            Self::Purpose => transaction.remittance_info.as_str(),
            Self::BookingText => &transaction.booking_text,
            Self::UltimateCreditor => transaction.ultimate_creditor.as_str(),
            Self::UltimateDebtor => transaction.ultimate_debtor.as_str(),
            Self::CreditorId => &transaction.counterparty.creditor_id,
            Self::Iban => transaction.counterparty.iban.as_str(),
            Self::MerchantCategoryCode => &transaction.merchant_category_code,
            Self::PurposeCode => &transaction.purpose_code,
            Self::TransactionId => transaction.id.as_str(),
            Self::TransactionCode | Self::Amount => "",
        }
    }
}

/// Why a piece of text or a code counts, in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Note {
    /// A word or phrase between word boundaries.
    Word,
    /// A part of a compound word.
    Compound,
    /// A word that a line break had split.
    RejoinedWord,
    /// A code of a payment scheme.
    Code,
    /// A payment service stands between payer and merchant.
    Intermediary,
    /// The other side is an account of the same user, or bears the holder's name.
    Holder,
    /// Nothing but the direction of the money.
    Direction,
    /// The user decided so.
    User,
}

impl Note {
    /// The words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word or phrase",
            Self::Compound => "part of a compound word",
            Self::RejoinedWord => "word split by a line break",
            Self::Code => "code",
            Self::Intermediary => "payment service without a known merchant",
            Self::Holder => "own account or holder's name",
            Self::Direction => "direction of the money only",
            Self::User => "decision of the user",
        }
    }
}

/// The piece of the transaction that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Where.
    pub field: Field,
    /// First byte of the matched piece in the field as sent; zero for numbers.
    pub start: u32,
    /// Byte after the matched piece; zero for numbers, which are evidence as a whole.
    pub end: u32,
    /// What kind of match it is.
    pub note: Note,
}

impl Evidence {
    /// The matched piece of the field, the whole field for codes and the amount.
    pub fn matched(self, transaction: &Transaction) -> Cow<'_, str> {
        let (start, end) = (self.start as usize, self.end as usize);
        match self.field.content(transaction) {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
            Cow::Owned(number) => Cow::Owned(number),
        }
    }
}

/// A piece of a field: where a name stands that is neither evidence nor a field of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Where.
    pub field: Field,
    /// First byte in the field as sent.
    pub start: u32,
    /// Byte after the piece.
    pub end: u32,
}

impl Span {
    /// The text of the piece.
    pub fn of(self, transaction: &Transaction) -> &str {
        let (start, end) = (self.start as usize, self.end as usize);
        let text = self.field.text(transaction);
        text.get(start..end).unwrap_or_default()
    }
}
