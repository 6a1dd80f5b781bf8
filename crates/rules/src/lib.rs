//! Rule packs and taxonomy: which tag a transaction gets, and the evidence for it.
//!
//! Reading order: [`taxonomy`] names the tags, [`file`] is the format of a rule file, [`rule`] what
//! it becomes after validation, [`normalize`] the stages every text goes through, [`view`] the
//! prepared transaction, [`pack`] the compiled rules, [`reference`](mod@reference) the slow matcher
//! that the compiled one must agree with.
//!
//! **Invariant:** the same transaction and the same pack always give the same assignment; nothing
//! here reads a file, a clock or a network. The rule files are part of the binary.
#![deny(clippy::arithmetic_side_effects)]

mod business;
mod calibration;
mod categorizer;
pub mod codes;
pub mod decision;
pub mod descriptions;
mod embedded;
pub mod error;
pub mod evidence;
pub mod example;
pub mod file;
pub mod intermediary;
pub mod language;
pub mod lint;
pub mod literal;
mod matcher;
mod names;
pub mod normalize;
pub mod pack;
pub mod patterns;
mod people;
pub mod reference;
mod refund;
pub mod rule;
pub mod taxonomy;
pub mod tenant;
mod validate;
pub mod view;

pub use categorizer::Categorizer;
pub use decision::{Confidence, Decision, Explanation, Origin};
pub use descriptions::Descriptions;
pub use error::{RuleProblem, RulesError};
pub use evidence::{Evidence, Field, Note, Span};
pub use intermediary::{Intermediary, IntermediaryId};
pub use language::Language;
pub use matcher::{Scratch, Step};
pub use pack::{RulePack, Sources};
pub use patterns::{PatternProblem, UserPatterns};
pub use rule::{Direction, Rule, RuleId, Stage, Status};
pub use taxonomy::{TagId, Taxonomy};
pub use tenant::{TenantRules, UnusableRule};
pub use view::{AccountContext, View};
