//! The compiled rules of both trees.

use std::collections::BTreeMap;

use domain::{Transaction, UserType};
use sha2::{Digest, Sha256};

use crate::calibration::Calibration;
use crate::categorizer::Categorizer;
use crate::decision::{Confidence, Decision, Origin};
use crate::embedded;
use crate::error::{RuleProblem, RulesError};
use crate::intermediary::{Intermediaries, Intermediary, IntermediaryId};
use crate::matcher::{Matcher, Scratch, Step, Weighing};
use crate::names::Names;
use crate::people::FirstNames;
use crate::refund::Refunds;
use crate::rule::{Direction, Rule, RuleId, Stage, Strength};
use crate::taxonomy::{TagId, Taxonomy, hex};
use crate::validate::{self, Surroundings};
use crate::view::{AccountContext, View};

/// Most rules that both trees may hold together.
pub const RULES_MAX: usize = 60_000;

/// The texts that a pack is made of. Each file is its name and its content.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// `taxonomy.csv`.
    pub taxonomy: &'a str,
    /// `evidence.toml`.
    pub evidence: &'a str,
    /// `calibration.toml`.
    pub calibration: &'a str,
    /// `refunds.toml`.
    pub refunds: &'a str,
    /// `intermediaries.toml`.
    pub intermediaries: &'a str,
    /// `first_names.csv`.
    pub first_names: &'a str,
    /// `names.tsv`.
    pub names: &'a str,
    /// Rule files for persons.
    pub person: &'a [(&'a str, &'a str)],
    /// Rule files for companies.
    pub company: &'a [(&'a str, &'a str)],
}

/// Rules of both trees, ready to match.
#[derive(Debug)]
pub struct RulePack {
    taxonomy: Taxonomy,
    strengths: BTreeMap<String, Strength>,
    calibration: Calibration,
    refunds: Refunds,
    names: Names,
    services: Intermediaries,
    first_names: FirstNames,
    rules: Vec<Rule>,
    person: Matcher,
    company: Matcher,
    hash: String,
}

impl RulePack {
    /// The pack that ships with this version.
    ///
    /// # Errors
    /// As [`RulePack::from_sources`]; a test makes sure that the shipped files give none.
    pub fn builtin() -> Result<Self, RulesError> {
        Self::from_sources(&embedded::SOURCES)
    }

    /// Reads, validates and compiles a pack.
    ///
    /// # Errors
    /// The first thing that is wrong, with file and rule.
    pub fn from_sources(sources: &Sources<'_>) -> Result<Self, RulesError> {
        let taxonomy = Taxonomy::parse(sources.taxonomy)?;
        let strengths = validate::strengths("evidence.toml", sources.evidence)?;
        let calibration = Calibration::parse(
            "calibration.toml",
            sources.calibration,
            &strengths,
            &taxonomy,
        )?;
        let refunds = Refunds::parse("refunds.toml", sources.refunds, &strengths, &taxonomy)?;
        let services = Intermediaries::parse("intermediaries.toml", sources.intermediaries)?;
        let names = Names::parse("names.tsv", sources.names)?;
        let around = Surroundings {
            taxonomy: &taxonomy,
            strengths: &strengths,
            services: &services,
            names: &names,
        };
        let mut rules = Vec::new();
        for (tree, files) in [
            (UserType::Person, sources.person),
            (UserType::Company, sources.company),
        ] {
            for (file, text) in files {
                rules.extend(validate::rules(file, text, tree, &around)?);
            }
        }
        let rules = in_order(rules)?;
        let weighing = Weighing {
            calibration: &calibration,
            refunds: &refunds,
        };
        Ok(Self {
            person: Matcher::compile(&rules, UserType::Person, &weighing),
            company: Matcher::compile(&rules, UserType::Company, &weighing),
            hash: content_hash(sources, &taxonomy),
            first_names: FirstNames::parse(sources.first_names)?,
            taxonomy,
            strengths,
            calibration,
            refunds,
            names,
            services,
            rules,
        })
    }

    /// SHA-256 of everything the pack is made of, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The tags.
    pub const fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// A rule that this pack assigned.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[usize::from(id.0)]
    }

    /// The permanent name of a rule that this pack assigned.
    pub fn rule_name(&self, id: RuleId) -> &str {
        &self.rule(id).id
    }

    /// The name of a tag.
    pub fn tag_name(&self, tag: TagId) -> &str {
        self.taxonomy.name(tag)
    }

    /// Every rule of both trees in the order of names.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        (0..).map(RuleId).zip(&self.rules)
    }

    /// The rule with a name.
    pub fn find_rule(&self, name: &str) -> Option<RuleId> {
        self.rules()
            .find(|(_, rule)| rule.id == name)
            .map(|(id, _)| id)
    }

    /// A payment service that this pack looked through.
    pub fn intermediary(&self, id: IntermediaryId) -> &Intermediary {
        self.services.get(id)
    }

    /// Every payment service.
    pub fn intermediaries(&self) -> impl Iterator<Item = &Intermediary> {
        self.services.all()
    }

    /// Prepares a transaction for matching.
    pub fn prepare<'a>(
        &'a self,
        transaction: &'a Transaction,
        context: &'a AccountContext,
    ) -> View<'a> {
        View::new(transaction, context, (&self.services, &self.first_names))
    }

    /// Working memory for [`RulePack::categorize`], one per thread, reused between transactions.
    pub fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    /// Decides about one transaction by the shipped rules alone: [`Categorizer::decide`] without a
    /// tenant's rules and a user's patterns.
    pub fn categorize(&self, tree: UserType, view: &View<'_>, scratch: &mut Scratch) -> Decision {
        Categorizer::new(self, tree).decide(view, scratch)
    }

    /// Does the steps of a decision up to one and throws the result away, for benchmarks. The
    /// number depends on the work, so that none of it can be left out.
    pub fn go(&self, tree: UserType, last: Step, view: &View<'_>, scratch: &mut Scratch) -> usize {
        self.matcher(tree).go(last, view, scratch)
    }

    /// Every rule that matches, the heaviest first; the fallback stands last. Says nothing about
    /// refunds and abstentions, which [`RulePack::categorize`] may decide for instead.
    pub fn candidates(
        &self,
        tree: UserType,
        view: &View<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Decision> {
        scratch.read(view);
        let found = self.matcher(tree).candidates(view, scratch);
        let decisions = found.iter().enumerate();
        decisions
            .map(|(place, found)| found.decision(Origin::Pack, place > 0, view))
            .collect()
    }

    /// The confidence below which the engine abstains.
    pub fn abstention_threshold(&self) -> Confidence {
        self.calibration.threshold()
    }

    /// The distinct words, phrases and stems that a tree looks for; what a benchmark compares with.
    pub fn literals(&self, tree: UserType) -> Vec<String> {
        self.matcher(tree).literals()
    }

    pub(crate) const fn matcher(&self, tree: UserType) -> &Matcher {
        match tree {
            UserType::Person => &self.person,
            UserType::Company => &self.company,
        }
    }
}

impl RulePack {
    /// What rules of this pack, and rules beside it, refer to.
    pub(crate) const fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            taxonomy: &self.taxonomy,
            strengths: &self.strengths,
            services: &self.services,
            names: &self.names,
        }
    }

    /// How many names a list has.
    pub(crate) fn list_len(&self, list: &str) -> usize {
        self.names.len_of(list)
    }

    /// What the verdicts of rules are made from.
    pub(crate) const fn weighing(&self) -> Weighing<'_> {
        Weighing {
            calibration: &self.calibration,
            refunds: &self.refunds,
        }
    }
}

/// Sorts by name, so that numbers do not depend on the order of files, and refuses doubles.
fn in_order(mut rules: Vec<Rule>) -> Result<Vec<Rule>, RulesError> {
    if rules.len() > RULES_MAX {
        return Err(RulesError::TooMany {
            what: "rules",
            max: RULES_MAX,
        });
    }
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = rules.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(RulesError::rule(
            &pair[1].file,
            &pair[1].id,
            RuleProblem::DuplicateId,
        ));
    }
    for tree in [UserType::Person, UserType::Company] {
        for direction in [Direction::Debit, Direction::Credit] {
            check_fallback(&rules, tree, direction)?;
        }
    }
    Ok(rules)
}

fn check_fallback(rules: &[Rule], tree: UserType, direction: Direction) -> Result<(), RulesError> {
    let fallbacks = rules.iter().filter(|rule| {
        rule.fallback
            && rule.tree == tree
            && rule.direction == Some(direction)
            && rule.status.stage != Stage::Removed
    });
    if fallbacks.count() == 1 {
        return Ok(());
    }
    Err(RulesError::Fallback {
        tree: tree.as_str(),
        direction: direction.as_str(),
    })
}

/// Hashes the taxonomy and every file by name, so that the order of files changes nothing.
fn content_hash(sources: &Sources<'_>, taxonomy: &Taxonomy) -> String {
    let mut files = BTreeMap::from([
        (("", "calibration.toml"), sources.calibration),
        (("", "evidence.toml"), sources.evidence),
        (("", "first_names.csv"), sources.first_names),
        (("", "intermediaries.toml"), sources.intermediaries),
        (("", "names.tsv"), sources.names),
        (("", "refunds.toml"), sources.refunds),
        (("", "taxonomy"), taxonomy.hash()),
    ]);
    files.extend(
        sources
            .person
            .iter()
            .map(|(name, text)| (("person", *name), *text)),
    );
    files.extend(
        sources
            .company
            .iter()
            .map(|(name, text)| (("company", *name), *text)),
    );
    let mut digest = Sha256::new();
    for ((tree, name), text) in files {
        for part in [tree, name, text] {
            // The length before each part keeps their borders unambiguous.
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
    }
    hex(&digest.finalize())
}
