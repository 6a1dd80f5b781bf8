//! What is wrong, where, and what to do about it.

use std::collections::BTreeMap;
use std::error::Error;

use domain::UserType;

use crate::error::{RuleProblem, RulesError};
use crate::rule::Rule;

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A file, or a piece of it, cannot be read.
    Format,
    /// The id is taken.
    DuplicateId,
    /// The tag is not in the tree, or is a root of it.
    UnknownTag,
    /// `why` or `source` is empty.
    Undocumented,
    /// The rule breaks the rule language in another way.
    Invalid,
    /// A direction has no fallback, or two.
    Fallback,
    /// An own hit is decided by another rule.
    HitNotDecided,
    /// An own miss is decided by the rule.
    MissDecided,
    /// Not one of the own hits is decided by the rule.
    DeadRule,
    /// A literal that is never found.
    DeadLiteral,
    /// Everything that the rule looks for is decided by stronger rules.
    ShadowedRule,
    /// Equal evidence of equal weight for two tags.
    Contradiction,
    /// A literal that lies in too many innocent texts.
    OverBroad,
    /// A literal or a list of them above a limit.
    TooLarge,
    /// A leaf of the taxonomy that no rule sets.
    LeafWithoutRule,
    /// A list of names that no rule reads.
    UnusedList,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Format,
        Self::DuplicateId,
        Self::UnknownTag,
        Self::Undocumented,
        Self::Invalid,
        Self::Fallback,
        Self::HitNotDecided,
        Self::MissDecided,
        Self::DeadRule,
        Self::DeadLiteral,
        Self::ShadowedRule,
        Self::Contradiction,
        Self::OverBroad,
        Self::TooLarge,
        Self::LeafWithoutRule,
        Self::UnusedList,
    ];

    /// A stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::DuplicateId => "duplicate_id",
            Self::UnknownTag => "unknown_tag",
            Self::Undocumented => "undocumented",
            Self::Invalid => "invalid",
            Self::Fallback => "fallback",
            Self::HitNotDecided => "hit_not_decided",
            Self::MissDecided => "miss_decided",
            Self::DeadRule => "dead_rule",
            Self::DeadLiteral => "dead_literal",
            Self::ShadowedRule => "shadowed_rule",
            Self::Contradiction => "contradiction",
            Self::OverBroad => "over_broad",
            Self::TooLarge => "too_large",
            Self::LeafWithoutRule => "leaf_without_rule",
            Self::UnusedList => "unused_list",
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Format => "correct the line; docs/ADDING.md shows how a rule is written",
            Self::DuplicateId => "give one of the rules another permanent id",
            Self::UnknownTag => {
                "choose a tag of this tree below its roots, or add it to taxonomy.csv"
            }
            Self::Undocumented => {
                "say in a sentence why the rule is right and where that is known from"
            }
            Self::Invalid => "correct the rule as the message says",
            Self::Fallback => {
                "keep exactly one rule with `fallback = true` for each direction of a tree"
            }
            Self::HitNotDecided => {
                "strengthen the rule, narrow the deciding one with `none`, or remove the hit"
            }
            Self::MissDecided => {
                "narrow the rule with `none` or a second condition, or remove the miss"
            }
            Self::DeadRule => {
                "strengthen the rule, or remove it: other rules decide all of its hits"
            }
            Self::DeadLiteral => {
                "remove the literal, or look at `none`, at the guard and at intermediaries.toml"
            }
            Self::ShadowedRule => {
                "remove the rule, or give it a strength or a condition by which it can decide"
            }
            Self::Contradiction => {
                "give one rule another strength, or the literal to one of them only"
            }
            Self::OverBroad => {
                "add a second condition or a guard, or a `miss` that shows it in an innocent place"
            }
            Self::TooLarge => "shorten the literal, or split the rule",
            Self::LeafWithoutRule => "write a rule for the tag, or remove it from taxonomy.csv",
            Self::UnusedList => "read the list in a rule, or remove its rows",
        }
    }
}

impl From<&RuleProblem> for ProblemKind {
    fn from(problem: &RuleProblem) -> Self {
        if matches!(problem, RuleProblem::DuplicateId) {
            Self::DuplicateId
        } else if matches!(
            problem,
            RuleProblem::UnknownTag { .. } | RuleProblem::RootTag { .. }
        ) {
            Self::UnknownTag
        } else if matches!(problem, RuleProblem::Undocumented { .. }) {
            Self::Undocumented
        } else if matches!(
            problem,
            RuleProblem::ShortLiteral { .. } | RuleProblem::BadCompound { .. }
        ) {
            Self::OverBroad
        } else if matches!(problem, RuleProblem::EmptyLiteral { .. }) {
            Self::DeadLiteral
        } else if matches!(problem, RuleProblem::HitMissed { .. }) {
            Self::HitNotDecided
        } else if matches!(problem, RuleProblem::MissHit { .. }) {
            Self::MissDecided
        } else {
            Self::Invalid
        }
    }
}

/// Something that is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, `person/household.toml`.
    pub file: String,
    /// The line, from 1; absent where no line is at fault.
    pub line: Option<usize>,
    /// The rule's id as written, if the problem is one of a rule.
    pub rule: Option<String>,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
}

/// The name of a rule file with its tree.
pub(super) fn path(tree: UserType, file: &str) -> String {
    format!("{tree}/{file}")
}

/// Collects problems, and knows where each rule stands.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    places: BTreeMap<String, (String, usize)>,
}

impl Report {
    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Remembers where a rule stands; gives back where its id stood before.
    pub(super) fn place(&mut self, id: &str, file: &str, line: usize) -> Option<(String, usize)> {
        if let Some(first) = self.places.get(id) {
            return Some(first.clone());
        }
        self.places.insert(id.to_owned(), (file.to_owned(), line));
        None
    }

    /// The line on which a rule begins.
    pub(super) fn line_of(&self, rule: &str) -> Option<usize> {
        self.places.get(rule).map(|(_, line)| *line)
    }

    /// A problem of a rule that can be used.
    pub(super) fn of_rule(&mut self, rule: &Rule, kind: ProblemKind, message: String) {
        let line = self.line_of(&rule.id);
        self.add(Problem {
            file: path(rule.tree, &rule.file),
            line,
            rule: Some(rule.id.clone()),
            kind,
            message,
        });
    }

    /// A problem of a file.
    pub(super) fn of_file(
        &mut self,
        file: &str,
        line: Option<usize>,
        kind: ProblemKind,
        message: String,
    ) {
        self.add(Problem {
            file: file.to_owned(),
            line,
            rule: None,
            kind,
            message,
        });
    }

    /// What the loader of a pack or of a data file refused.
    pub(super) fn refused(&mut self, file: &str, error: &RulesError) {
        let named = if let RulesError::Rule { file, .. } | RulesError::Format { file, .. } = error {
            file.clone()
        } else {
            file.to_owned()
        };
        let kind = if let RulesError::Rule { problem, .. } = error {
            problem.into()
        } else {
            ProblemKind::Format
        };
        self.of_file(&named, None, kind, chain(error));
    }

    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }
}

/// An error with its causes in one line.
fn chain(error: &RulesError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text.push_str(": ");
        text.push_str(one.to_string().trim_end());
        cause = one.source();
    }
    text
}
