//! What kind of user the data belongs to, and when it is analysed.

use std::fmt;
use std::str::FromStr;

/// Person or company; decides taxonomy, rules and modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserType {
    /// A private person.
    Person,
    /// A company or organisation.
    Company,
}

/// A word that is not in a closed set of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {allowed}")]
pub struct UnknownWord {
    /// The allowed words.
    pub allowed: &'static str,
}

impl UserType {
    /// The documented word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }
}

impl fmt::Display for UserType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for UserType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "person" => Ok(Self::Person),
            "company" => Ok(Self::Company),
            _ => Err(UnknownWord {
                allowed: "person, company",
            }),
        }
    }
}

/// Whether new data starts an analysis by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AutomaticAnalysis {
    /// Each change of data starts a run.
    #[default]
    Active,
    /// Runs start only on request.
    Suspended,
}

impl AutomaticAnalysis {
    /// The documented word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for AutomaticAnalysis {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(UnknownWord {
                allowed: "active, suspended",
            }),
        }
    }
}
