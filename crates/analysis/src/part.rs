//! The parts of a report that can be asked for.

use std::str::FromStr;

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A tag for each transaction.
    Categorization,
    /// Bookings that belong together.
    Links,
    /// Contracts, found in the tagged transactions.
    Contracts,
    /// Accounts, connected and found in the transactions.
    AccountDetection,
    /// Daily balances.
    AccountHistory,
}

impl Part {
    /// Every part, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Categorization,
        Self::Links,
        Self::Contracts,
        Self::AccountDetection,
        Self::AccountHistory,
    ];

    /// Those that can be asked for by name. Nothing writes the other parts of a report yet; they
    /// are measured and tested as they are.
    pub const BY_NAME: [Self; 1] = [Self::Categorization];

    /// Those that need tags.
    pub(crate) const WITH_TAGS: [Self; 4] = [
        Self::Categorization,
        Self::Links,
        Self::Contracts,
        Self::AccountDetection,
    ];

    /// Those that need links.
    pub(crate) const WITH_LINKS: [Self; 3] = [Self::Links, Self::Contracts, Self::AccountDetection];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Categorization => "categorization",
            Self::Links => "links",
            Self::Contracts => "contracts",
            Self::AccountDetection => "account-detection",
            Self::AccountHistory => "account-history",
        }
    }

    const fn bit(self) -> u32 {
        match self {
            Self::Categorization => 1,
            Self::Links => 2,
            Self::Contracts => 4,
            Self::AccountDetection => 8,
            Self::AccountHistory => 16,
        }
    }
}

/// A word that names no part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown part {word:?}; there is: categorization")]
pub struct UnknownPart {
    /// The word.
    pub word: String,
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(word: &str) -> Result<Self, UnknownPart> {
        let found = Self::BY_NAME.into_iter().find(|part| part.as_str() == word);
        found.ok_or_else(|| UnknownPart {
            word: word.to_owned(),
        })
    }
}

/// A set of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parts(u32);

impl Parts {
    /// Every part.
    pub fn all() -> Self {
        Part::ALL.into_iter().collect()
    }

    /// Whether a part is in the set.
    pub const fn contains(self, part: Part) -> bool {
        self.0 & part.bit() != 0
    }

    /// Whether one of some parts is in the set.
    pub fn contains_any(self, parts: &[Part]) -> bool {
        parts.iter().any(|part| self.contains(*part))
    }

    /// The parts of the set, in the order of the report.
    pub fn iter(self) -> impl Iterator<Item = Part> {
        Part::ALL
            .into_iter()
            .filter(move |part| self.contains(*part))
    }
}

impl Default for Parts {
    fn default() -> Self {
        Part::BY_NAME.into_iter().collect()
    }
}

impl FromIterator<Part> for Parts {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        Self(parts.into_iter().fold(0, |set, part| set | part.bit()))
    }
}

impl FromStr for Parts {
    type Err = UnknownPart;

    /// Reads a list separated by commas.
    fn from_str(list: &str) -> Result<Self, UnknownPart> {
        list.split(',')
            .map(|word| word.trim().parse::<Part>())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!("categorization".parse(), Ok(Parts::default()));
        assert_eq!(
            " categorization, categorization".parse(),
            Ok(Parts::default())
        );
        for list in ["", "balance", "categorization,"] {
            assert!(list.parse::<Parts>().is_err(), "{list:?}");
        }
        let none: Parts = [].into_iter().collect();
        assert!(!none.contains(Part::Categorization));
        assert_eq!(none.iter().count(), 0);
    }

    #[test]
    fn the_message_names_every_part() {
        let message = "x".parse::<Part>().expect_err("unknown").to_string();
        for part in Part::BY_NAME {
            assert!(message.contains(part.as_str()));
        }
    }
}
