//! A rule after validation.

use domain::{AccountType, UserType};

use crate::codes::CodeKey;
use crate::example::Example;
use crate::intermediary::IntermediaryId;
use crate::literal::Literal;
use crate::names::Guard;
use crate::taxonomy::TagId;
use crate::view::Roles;

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Out of the account.
    Debit,
    /// Into the account.
    Credit,
}

impl Direction {
    /// The word used in rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }
}

/// A rule of the pack that made the decision; see [`crate::RulePack::rule`].
///
/// Numbers follow the order of the rules' names within one pack and mean nothing outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub(crate) u16);

/// How far a rule has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// New; may change.
    Preview,
    /// Proven.
    Stable,
    /// Still applied, will go.
    Deprecated,
    /// Kept for its id only; never applied.
    Removed,
}

/// Stage of a rule and the version in which it reached it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The stage.
    pub stage: Stage,
    /// The version.
    pub since: String,
}

/// How much a piece of evidence weighs, as `evidence.toml` defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// The word used in rule files.
    pub name: String,
    /// What comes before any weight: the higher wins.
    pub precedence: u16,
    /// Among equal precedence the heavier wins.
    pub weight: u16,
}

/// Precedence and weight as one number, which is compared for every clause that wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Rank(u32);

impl Rank {
    pub(crate) fn of(strength: &Strength) -> Self {
        Self(u32::from(strength.precedence) << 16 | u32::from(strength.weight))
    }

    /// Whether it has the precedence of the other and weighs at most `near` less.
    pub(crate) const fn is_near(self, other: Self, near: u16) -> bool {
        self.0 >> 16 == other.0 >> 16 && self.0.saturating_add(near as u32) >= other.0
    }
}

/// A validated rule.
#[derive(Debug)]
pub struct Rule {
    /// Permanent name; says nothing about the tag.
    pub id: String,
    /// The tree it belongs to.
    pub tree: UserType,
    /// The tag that it sets.
    pub tag: TagId,
    /// How far it has come.
    pub status: Status,
    /// The direction it is limited to.
    pub direction: Option<Direction>,
    /// How much its evidence weighs.
    pub strength: Strength,
    /// Whether it is what remains when nothing else matches.
    pub fallback: bool,
    /// Why it is right.
    pub why: String,
    /// Where the knowledge comes from.
    pub source: String,
    /// Transactions that it must decide.
    pub hits: Vec<Example>,
    /// Transactions that it must not decide.
    pub misses: Vec<Example>,
    /// The file it stands in.
    pub file: String,
    pub(crate) clauses: Vec<Clause>,
}

impl Rule {
    /// Whether the rule is applied: removed ones are kept for their ids only.
    pub fn is_applied(&self) -> bool {
        self.status.stage != Stage::Removed
    }
}

/// Conditions that hold together; a rule matches when one of its clauses does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clause {
    /// Each must be there.
    pub(crate) required: Vec<Test>,
    /// None may be there.
    pub(crate) forbidden: Vec<Test>,
    /// Narrow the match without being evidence.
    pub(crate) guards: Guards,
}

/// Conditions that narrow a match without being evidence for the tag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guards {
    pub(crate) direction: Option<Direction>,
    pub(crate) mandate: Option<Mandate>,
    /// Absolute euro amounts in cents, both inclusive; other currencies never match a range.
    pub(crate) amount_cents: Option<(u64, u64)>,
    pub(crate) account_types: Vec<AccountType>,
    /// How visibly the other side must be a business.
    pub(crate) other_side: Guard,
}

/// Whether a direct-debit mandate is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mandate {
    Present,
    Absent,
}

/// One piece of evidence that can be there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// One of the literals in a text of one of the roles.
    Words {
        roles: Roles,
        literals: Vec<Literal>,
    },
    /// One of the German transaction codes.
    TransactionCode(Vec<u16>),
    /// A merchant category in one of the inclusive ranges.
    MerchantCategory(Vec<(u16, u16)>),
    /// One of the SEPA purpose codes.
    PurposeCode(Vec<[u8; 4]>),
    /// One of the creditor identifiers, without business code.
    CreditorId(Vec<CodeKey>),
    /// One of the IBANs.
    Iban(Vec<CodeKey>),
    /// One of the bank codes inside the counterparty's IBAN.
    BankCode(Vec<[u8; 8]>),
    /// One of the payment services; any when empty.
    Intermediary(Vec<IntermediaryId>),
    /// The counterparty is the user.
    Self_(SelfTest),
}

/// How the user is recognised as the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfTest {
    /// The IBAN is one of the user's accounts.
    OwnAccount,
    /// The name holds every word of the account holder's.
    Holder,
}
