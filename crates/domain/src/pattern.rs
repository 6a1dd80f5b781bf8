//! What a user decided about tags: for single transactions, and by the name or the creditor id of
//! the other side.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};

use crate::Sensitive;

/// A user's own decisions, which go before every rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatternSet {
    /// Tags by the id of a transaction, or of a payment partner.
    pub ids: BTreeMap<String, Vec<String>>,
    /// The patterns in the order in which they were given; of two that match, the later one wins.
    pub patterns: Vec<Pattern>,
}

impl PatternSet {
    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.patterns.is_empty()
    }

    /// How many decisions there are, of both kinds.
    pub fn len(&self) -> usize {
        self.ids.len().saturating_add(self.patterns.len())
    }
}

/// One decision about every transaction with a certain counterparty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What is compared.
    pub kind: PatternKind,
    /// What it is compared with.
    pub value: Sensitive<String>,
    /// The first instant it holds for, in the offset it was given in.
    pub since: Option<DateTime<FixedOffset>>,
    /// The last instant it holds for, in the offset it was given in.
    pub until: Option<DateTime<FixedOffset>>,
    /// The tags that the transactions get.
    pub tags: Vec<String>,
}

/// What of a transaction a [`Pattern`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternKind {
    /// The counterparty's name.
    Name,
    /// The counterparty's creditor identifier.
    CreditorId,
}

impl PatternKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreditorId => "creditorId",
        }
    }
}
