//! What a decision consists of: the tag, who set it, by which rule, and how sure that is.

use domain::Transaction;

use crate::evidence::{Evidence, Span};
use crate::intermediary::IntermediaryId;
use crate::rule::RuleId;
use crate::taxonomy::TagId;

/// Whose knowledge decided. The later kinds go before the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The rules that ship with the product.
    Pack,
    /// The rules of the tenant.
    Tenant,
    /// A pattern or a single decision of the user.
    User,
}

impl Origin {
    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Tenant => "tenant",
            Self::User => "user",
        }
    }
}

/// How often decisions like this one are right, fitted on labelled data: see `calibration.toml`.
///
/// # Units
/// Of ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Confidence(u16);

impl Confidence {
    /// What a user decided is right.
    pub const CERTAIN: Self = Self(10_000);

    /// A confidence, `None` above ten thousand.
    pub const fn try_new(per_ten_thousand: u16) -> Option<Self> {
        if per_ten_thousand <= Self::CERTAIN.0 {
            Some(Self(per_ten_thousand))
        } else {
            None
        }
    }

    /// The number of right decisions among ten thousand.
    pub const fn per_ten_thousand(self) -> u16 {
        self.0
    }
}

/// The decision about one transaction. Resolve its ids through the [`crate::Categorizer`] that
/// made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The most specific tag.
    pub tag: TagId,
    /// Whose knowledge decided.
    pub origin: Origin,
    /// The rule of the origin that set it.
    pub rule: RuleId,
    /// What decided.
    pub evidence: Evidence,
    /// The payment service that was looked through, if any.
    pub intermediary: Option<IntermediaryId>,
    /// Where the merchant behind the payment service is named, if he is.
    pub merchant: Option<Span>,
    /// For money that comes back: the tag that the spending had.
    pub refund_of: Option<TagId>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether the tag is only what remains: nothing was known, or not surely enough.
    pub abstained: bool,
}

impl Decision {
    /// The name of the merchant behind the payment service.
    pub fn merchant(self, transaction: &Transaction) -> Option<&str> {
        self.merchant.map(|span| span.of(transaction))
    }
}

/// Most alternatives that an explanation names.
pub const ALTERNATIVES_MAX: usize = 20;

/// A decision and what else would have been possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision, as [`crate::Categorizer::decide`] makes it.
    pub decision: Decision,
    /// What every other matching rule or pattern would have decided, best first, at most
    /// [`ALTERNATIVES_MAX`]. What was too unsure to be the decision stands here, not abstained.
    pub alternatives: Vec<Decision>,
}
