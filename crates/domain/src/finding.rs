//! Bad customer data, reported beside the result instead of failing it.

use std::fmt;

/// What is wrong with a value. The wire name never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingCode {
    /// The IBAN's check digits do not fit.
    IbanChecksum,
    /// The IBAN's country, length or structure is unknown.
    IbanStructure,
    /// A required value is missing.
    Missing,
    /// A value could not be read and was left out.
    Invalid,
    /// The same transaction id came twice; the later one counts.
    DuplicateId,
    /// A transaction's currency differs from its account's.
    CurrencyMismatch,
    /// The whole line is no readable record.
    UnreadableLine,
    /// A tenant's rule was accepted once, does not fit the shipped rules any more and was left out.
    UnusableRule,
    /// A user's decision was accepted once, does not fit the taxonomy any more and was left out.
    UnusablePattern,
}

impl FindingCode {
    /// The stable wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IbanChecksum => "ibanChecksum",
            Self::IbanStructure => "ibanStructure",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::DuplicateId => "duplicateId",
            Self::CurrencyMismatch => "currencyMismatch",
            Self::UnreadableLine => "unreadableLine",
            Self::UnusableRule => "unusableRule",
            Self::UnusablePattern => "unusablePattern",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One piece of bad data: where and what, never the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Finding {
    /// Where, as a path into the input: `accounts[0].iban`.
    pub path: String,
    /// What.
    pub code: FindingCode,
    /// A sentence for people, without personal data.
    pub message: String,
}

impl Finding {
    /// A finding.
    pub fn new(path: impl Into<String>, code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            code,
            message: message.into(),
        }
    }
}
