//! Money that comes back from where it was spent: `refunds.toml`.
//!
//! A rule for spending looks at debits. When a credit comes from somebody whom such a rule would
//! know by name, and nothing better is known of the credit, the money is a refund, and what it was
//! spent for is known as well.

use std::collections::BTreeMap;

use domain::UserType;

use crate::calibration;
use crate::error::{RuleProblem, RulesError};
use crate::file::{RefundEntry, RefundFile};
use crate::rule::{Direction, Rank, Rule, Strength};
use crate::taxonomy::{TagId, Taxonomy};

/// Which spending becomes what when it comes back.
#[derive(Debug, Default)]
pub(crate) struct Refunds {
    below: Rank,
    sure: Rank,
    /// By spending tag, every tag below included.
    tags: BTreeMap<TagId, TagId>,
}

impl Refunds {
    pub(crate) fn parse(
        file: &str,
        text: &str,
        strengths: &BTreeMap<String, Strength>,
        taxonomy: &Taxonomy,
    ) -> Result<Self, RulesError> {
        let parsed: RefundFile = toml::from_str(text).map_err(|source| RulesError::Format {
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        let rank = |name: &String| {
            let unknown = || RuleProblem::UnknownStrength {
                strength: name.clone(),
            };
            let strength = strengths.get(name);
            strength
                .map(Rank::of)
                .ok_or_else(|| RulesError::rule(file, name, unknown()))
        };
        let mut refunds = Self {
            below: rank(&parsed.below)?,
            sure: rank(&parsed.sure)?,
            ..Self::default()
        };
        let mut written = BTreeMap::new();
        for entry in &parsed.refund {
            let added = read(entry, taxonomy, &mut written);
            added.map_err(|problem| RulesError::rule(file, &entry.spending, problem))?;
        }
        for tree in [UserType::Person, UserType::Company] {
            for tag in taxonomy.tags(tree) {
                // The nearest line above counts.
                let mut above = std::iter::successors(Some(tag), |tag| taxonomy.parent(*tag));
                let refund = above.find_map(|tag| written.get(&tag));
                refunds.tags.extend(refund.map(|refund| (tag, *refund)));
            }
        }
        Ok(refunds)
    }

    /// The tag of money that comes back from a rule's kind of spending.
    pub(crate) fn of(&self, rule: &Rule) -> Option<TagId> {
        let refund = self.tags.get(&rule.tag).copied();
        refund.filter(|_| rule.direction == Some(Direction::Debit) && !rule.fallback)
    }

    /// Whether a tag is one that refunds get.
    pub(crate) fn is_refund(&self, tag: TagId) -> bool {
        self.tags.values().any(|refund| *refund == tag)
    }

    /// Precedence and weight from which on rules for money that comes in do not give way.
    pub(crate) const fn below(&self) -> Rank {
        self.below
    }

    /// Precedence and weight from which on rules for spending count whoever the other side is.
    pub(crate) const fn sure(&self) -> Rank {
        self.sure
    }
}

fn read(
    entry: &RefundEntry,
    taxonomy: &Taxonomy,
    written: &mut BTreeMap<TagId, TagId>,
) -> Result<(), RuleProblem> {
    let tree = calibration::tree(&entry.tree)?;
    let find = |name: &String| {
        let unknown = || RuleProblem::UnknownTag { tag: name.clone() };
        taxonomy.find(tree, name).ok_or_else(unknown)
    };
    if entry.why.trim().is_empty() {
        return Err(RuleProblem::Undocumented { field: "why" });
    }
    match written.insert(find(&entry.spending)?, find(&entry.refund)?) {
        None => Ok(()),
        Some(_) => Err(RuleProblem::DuplicateId),
    }
}
