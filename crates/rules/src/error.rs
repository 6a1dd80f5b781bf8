//! What can be wrong with a pack of rules.

use std::borrow::Cow;

use domain::{Classify, ErrorKind};

/// Why a rule pack cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The taxonomy table cannot be read as CSV.
    #[error("the taxonomy is no readable table")]
    TaxonomyTable(#[source] csv::Error),
    /// The table of first names cannot be read as CSV.
    #[error("the first names are no readable table")]
    FirstNames(#[source] csv::Error),
    /// The table of names cannot be read.
    #[error("the names are no readable table")]
    Names(#[source] csv::Error),
    /// The descriptions cannot be read as CSV.
    #[error("the descriptions are no readable table")]
    DescriptionTable(#[source] csv::Error),
    /// A line of the descriptions describes nothing, or what another line describes.
    #[error("descriptions, tag {tag:?} of {tree}: {reason}")]
    Description {
        /// The tree as written.
        tree: String,
        /// The tag as written.
        tag: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A line of the taxonomy contradicts the rest.
    #[error("taxonomy, tag {tag:?} of {tree}: {reason}")]
    Taxonomy {
        /// The tree as written.
        tree: String,
        /// The tag as written.
        tag: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A data file is not the TOML that it should be.
    #[error("{file} is not in the format of its kind")]
    Format {
        /// The file.
        file: String,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A rule breaks a rule of the rule language.
    #[error("{file}, rule {rule:?}: {problem}")]
    Rule {
        /// The file.
        file: String,
        /// The rule's id as written.
        rule: String,
        /// What is wrong.
        problem: RuleProblem,
    },
    /// A tree has no fallback for a direction, or two.
    #[error("{tree} rules need exactly one fallback for {direction}")]
    Fallback {
        /// The tree.
        tree: &'static str,
        /// The direction.
        direction: &'static str,
    },
    /// More of something than the compiled form can number.
    #[error("more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

impl RulesError {
    /// What is wrong, without anything that stands in a rule: for findings, logs and answers. A
    /// tenant's rules may name people.
    pub(crate) fn without_values(&self) -> String {
        match self {
            Self::Rule { problem, .. } => problem.without_values().into_owned(),
            Self::TaxonomyTable(_)
            | Self::FirstNames(_)
            | Self::Names(_)
            | Self::DescriptionTable(_)
            | Self::Description { .. }
            | Self::Taxonomy { .. }
            | Self::Format { .. }
            | Self::Fallback { .. }
            | Self::TooMany { .. } => self.to_string(),
        }
    }

    pub(crate) fn rule(file: &str, rule: &str, problem: RuleProblem) -> Self {
        Self::Rule {
            file: file.to_owned(),
            rule: rule.to_owned(),
            problem,
        }
    }
}

/// What is wrong with one rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// Not lower-case words joined by hyphens.
    #[error("the id must be lower-case words joined by hyphens")]
    BadId,
    /// The id is taken.
    #[error("another rule has the same id")]
    DuplicateId,
    /// The tag is not in the taxonomy of the file's tree.
    #[error("the tag {tag:?} is not in this tree")]
    UnknownTag {
        /// The tag as written.
        tag: String,
    },
    /// The tag is the root of a tree, which every transaction of a direction has anyway.
    #[error("the tag {tag:?} is a root; choose one below it")]
    RootTag {
        /// The tag as written.
        tag: String,
    },
    /// The strength is not defined in `evidence.toml`.
    #[error("the strength {strength:?} is not defined")]
    UnknownStrength {
        /// The strength as written.
        strength: String,
    },
    /// A text that documents the rule is missing.
    #[error("`{field}` must not be empty")]
    Undocumented {
        /// The field.
        field: &'static str,
    },
    /// No row of the names has this list with this guard.
    #[error("no names stand in the list {list:?} with this guard")]
    UnknownList {
        /// The list as written.
        list: String,
    },
    /// A closed set of words does not contain the value.
    #[error("`{field}` must be one of: {allowed}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// The allowed words.
        allowed: &'static str,
    },
    /// Nothing would have to match.
    #[error("no evidence: a rule needs a word, a phrase or a code that must be there")]
    NoEvidence,
    /// A fallback has conditions.
    #[error("a fallback has a direction and nothing else")]
    FallbackWithConditions,
    /// An alternative is empty.
    #[error("`either` needs two alternatives or more, each with a condition")]
    BadEither,
    /// A literal holds no letter and no digit.
    #[error("the literal {literal:?} has neither letter nor digit")]
    EmptyLiteral {
        /// The literal as written.
        literal: String,
    },
    /// A single letter or digit would match nearly anything.
    #[error("the literal {literal:?} is a single character")]
    ShortLiteral {
        /// The literal as written.
        literal: String,
    },
    /// A star stands in a phrase, inside a word, or at a stem that is too short or has digits.
    #[error(
        "the compound {literal:?} must be one word of letters, {min} or more, with stars at its ends"
    )]
    BadCompound {
        /// The literal as written.
        literal: String,
        /// Fewest letters.
        min: usize,
    },
    /// The same literal, after normalisation, stands twice in a list.
    #[error("the literal {literal:?} adds nothing to its list")]
    RedundantLiteral {
        /// The literal as written.
        literal: String,
    },
    /// A code that does not have the form of its kind.
    #[error("`{field}` holds {value:?}, which is no such code")]
    BadCode {
        /// The field.
        field: &'static str,
        /// The value as written.
        value: String,
    },
    /// An amount is no positive decimal, or the range is empty.
    #[error("`amount` must hold positive decimals with min <= max")]
    BadAmount,
    /// A strength has no confidence in `calibration.toml`.
    #[error("the strength has no confidence for {tree}")]
    Uncalibrated {
        /// The tree.
        tree: &'static str,
    },
    /// A confidence is above one.
    #[error("a confidence counts right decisions among 10000")]
    BadConfidence,
    /// A tenant's rule would be what remains when nothing else matches.
    #[error("a fallback cannot be a rule of one's own")]
    TenantFallback,
    /// An example is not decided by its rule.
    #[error("`hit` example {number} is decided by {decided:?}")]
    HitMissed {
        /// Position in the list, from 1.
        number: usize,
        /// The rule that decides instead.
        decided: String,
    },
    /// An example is decided by the rule that it is to spare.
    #[error("`miss` example {number} is decided by this rule")]
    MissHit {
        /// Position in the list, from 1.
        number: usize,
    },
    /// An example is missing.
    #[error("`{field}` needs an example")]
    NoExample {
        /// The field.
        field: &'static str,
    },
    /// An example cannot be read.
    #[error("`{field}` example {number}: {reason}")]
    BadExample {
        /// The field.
        field: &'static str,
        /// Position in the list, from 1.
        number: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl RuleProblem {
    /// What is wrong, without anything that stands in the rule: for findings, logs and answers. A
    /// tenant's rules may name people.
    pub fn without_values(&self) -> Cow<'static, str> {
        let fixed = match self {
            Self::UnknownTag { .. } => "the tag is not in this tree",
            Self::RootTag { .. } => "the tag is a root; choose one below it",
            Self::UnknownStrength { .. } => "the strength is not defined",
            Self::UnknownList { .. } => "no names stand in a list with this guard",
            Self::EmptyLiteral { .. } => "a literal has neither letter nor digit",
            Self::ShortLiteral { .. } => "a literal is a single character",
            Self::RedundantLiteral { .. } => "a literal adds nothing to its list",
            Self::BadCompound { min, .. } => {
                return Cow::Owned(format!(
                    "a compound must be one word of letters, {min} or more, with stars at its ends"
                ));
            }
            Self::BadCode { field, .. } => {
                return Cow::Owned(format!("`{field}` holds what is no such code"));
            }
            Self::BadId
            | Self::DuplicateId
            | Self::Undocumented { .. }
            | Self::UnknownWord { .. }
            | Self::NoEvidence
            | Self::FallbackWithConditions
            | Self::BadEither
            | Self::BadAmount
            | Self::Uncalibrated { .. }
            | Self::BadConfidence
            | Self::TenantFallback
            | Self::HitMissed { .. }
            | Self::MissHit { .. }
            | Self::NoExample { .. }
            | Self::BadExample { .. } => return Cow::Owned(self.to_string()),
        };
        Cow::Borrowed(fixed)
    }
}

impl Classify for RulesError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TaxonomyTable(_)
            | Self::FirstNames(_)
            | Self::Names(_)
            | Self::DescriptionTable(_)
            | Self::Description { .. }
            | Self::Taxonomy { .. }
            | Self::Format { .. }
            | Self::Rule { .. }
            | Self::Fallback { .. } => ErrorKind::InvalidInput,
            Self::TooMany { .. } => ErrorKind::TooLarge,
        }
    }
}
