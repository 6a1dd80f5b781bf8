//! How sure decisions are, and when it is better to make none: `calibration.toml`.
//!
//! A decision is **contested** when another rule matched that sets another tag, has the same
//! precedence, weighs at most `near` less than the deciding one, and whose own best evidence does
//! not lie inside the deciding one's ("Amazon" inside "Amazon Prime Video" contests nothing). A rule
//! whose tag says that nothing is known contests nothing either.

use std::collections::BTreeMap;

use domain::UserType;

use crate::decision::Confidence;
use crate::error::{RuleProblem, RulesError};
use crate::file::{CalibrationEntry, CalibrationFile, RestEntry};
use crate::rule::Strength;
use crate::taxonomy::{TagId, Taxonomy};

/// The word that stands for refunds in place of a strength.
pub(crate) const REFUND: &str = "refund";

/// How sure decisions are.
#[derive(Debug, Default)]
pub(crate) struct Calibration {
    threshold: u16,
    near: u16,
    /// By tree and strength: uncontested and contested.
    table: BTreeMap<(UserType, String), [Confidence; 2]>,
    /// Tags of abstention.
    resting: Vec<TagId>,
}

impl Calibration {
    /// Reads `calibration.toml`; every strength must have a line for each tree.
    pub(crate) fn parse(
        file: &str,
        text: &str,
        strengths: &BTreeMap<String, Strength>,
        taxonomy: &Taxonomy,
    ) -> Result<Self, RulesError> {
        let parsed: CalibrationFile =
            toml::from_str(text).map_err(|source| RulesError::Format {
                file: file.to_owned(),
                source: Box::new(source),
            })?;
        let mut calibration = Self {
            threshold: parsed.threshold,
            near: parsed.near,
            ..Self::default()
        };
        for entry in &parsed.confidence {
            let added = calibration.add(entry, strengths);
            added.map_err(|problem| RulesError::rule(file, &entry.strength, problem))?;
        }
        for entry in &parsed.rest {
            let added = calibration.add_rest(entry, taxonomy);
            added.map_err(|problem| RulesError::rule(file, &entry.tag, problem))?;
        }
        for tree in [UserType::Person, UserType::Company] {
            for strength in strengths.keys().map(String::as_str).chain([REFUND]) {
                if !calibration.table.contains_key(&(tree, strength.to_owned())) {
                    let problem = RuleProblem::Uncalibrated {
                        tree: tree.as_str(),
                    };
                    return Err(RulesError::rule(file, strength, problem));
                }
            }
        }
        Ok(calibration)
    }

    fn add(
        &mut self,
        entry: &CalibrationEntry,
        strengths: &BTreeMap<String, Strength>,
    ) -> Result<(), RuleProblem> {
        let tree = tree(&entry.tree)?;
        if entry.strength != REFUND && !strengths.contains_key(&entry.strength) {
            return Err(RuleProblem::UnknownStrength {
                strength: entry.strength.clone(),
            });
        }
        let confidence = |number| Confidence::try_new(number).ok_or(RuleProblem::BadConfidence);
        let pair = [confidence(entry.uncontested)?, confidence(entry.contested)?];
        let key = (tree, entry.strength.clone());
        match self.table.insert(key, pair) {
            None => Ok(()),
            Some(_) => Err(RuleProblem::DuplicateId),
        }
    }

    fn add_rest(&mut self, entry: &RestEntry, taxonomy: &Taxonomy) -> Result<(), RuleProblem> {
        let tag = taxonomy.find(tree(&entry.tree)?, &entry.tag);
        self.resting
            .push(tag.ok_or_else(|| RuleProblem::UnknownTag {
                tag: entry.tag.clone(),
            })?);
        Ok(())
    }

    /// Below this confidence the engine abstains.
    pub(crate) fn threshold(&self) -> Confidence {
        Confidence::try_new(self.threshold).unwrap_or(Confidence::CERTAIN)
    }

    /// How much less a rule may weigh to contest a decision.
    pub(crate) const fn near(&self) -> u16 {
        self.near
    }

    /// The confidence of uncontested and of contested decisions by rules of a strength.
    pub(crate) fn of(&self, tree: UserType, strength: &str) -> [Confidence; 2] {
        // Reading the table has made sure that every strength stands there.
        let found = self.table.get(&(tree, strength.to_owned())).copied();
        found.unwrap_or_default()
    }

    /// Whether a tag says that nothing is known.
    pub(crate) fn is_resting(&self, tag: TagId) -> bool {
        self.resting.contains(&tag)
    }
}

/// Reads the word for a tree in a data file.
pub(crate) fn tree(word: &str) -> Result<UserType, RuleProblem> {
    word.parse().map_err(|_| RuleProblem::UnknownWord {
        field: "tree",
        allowed: "person, company",
    })
}
