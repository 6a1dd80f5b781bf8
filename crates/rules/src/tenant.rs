//! The rules of a tenant, which go before the shipped ones.

use std::collections::BTreeSet;

use domain::UserType;
use sha2::{Digest, Sha256};

use crate::categorizer::Categorizer;
use crate::error::{RuleProblem, RulesError};
use crate::file::{Conditions, RuleEntry, RuleFile, RuleTables, Words};
use crate::literal::COMPOUND_LETTERS_MIN;
use crate::matcher::{Matcher, Scratch};
use crate::pack::RulePack;
use crate::rule::{Rule, RuleId};
use crate::taxonomy::hex;
use crate::validate;

/// Most bytes of a tenant's rules.
pub const TENANT_SOURCE_BYTES_MAX: usize = 1 << 20;
/// Most rules of a tenant for one tree.
pub const TENANT_RULES_MAX: usize = 5_000;
/// Most words, names of lists and codes that a tenant's rules may look for together.
pub const TENANT_CONDITIONS_MAX: usize = 200_000;
/// Most letters of stems together; each costs a state of an automaton.
pub const TENANT_STEM_LETTERS_MAX: usize = 50_000;
/// What a tenant's rules are called in errors.
const FILE: &str = "tenant rules";
/// What is wrong with what is written in an older form of the rule language.
const OTHER_FORMAT: &str = "is not in the format of rules any more";

/// Compiled rules of a tenant for one tree.
#[derive(Debug)]
pub struct TenantRules {
    tree: UserType,
    rules: Vec<Rule>,
    matcher: Matcher,
    hash: String,
    unusable: Vec<UnusableRule>,
}

/// A rule that was accepted once and means nothing beside the present pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableRule {
    /// The rule's id; `rules[3]` when it has none that can be read, `rules` for all of them.
    pub rule: String,
    /// What is wrong; never holds a literal or another value of the rule.
    pub problem: String,
}

impl TenantRules {
    /// Reads, validates and compiles rules in the language of the shipped ones. They may name lists
    /// and payment services of the pack. No id may be one of the pack's; each must decide its own
    /// hits, and none of its misses, with all of the tenant's rules before the pack's.
    ///
    /// # Errors
    /// The first thing that is wrong, with the rule; `TooMany` above one of the limits.
    pub fn compile(pack: &RulePack, tree: UserType, source: &str) -> Result<Self, RulesError> {
        within("bytes of rules", source.len(), TENANT_SOURCE_BYTES_MAX)?;
        let parsed: RuleFile = toml::from_str(source).map_err(|source| RulesError::Format {
            file: FILE.to_owned(),
            source: Box::new(source),
        })?;
        let (rules, mut wrong) = validated(pack, tree, parsed.rule);
        if !wrong.is_empty() {
            return Err(wrong.swap_remove(0).1);
        }
        check_ids(pack, &rules)?;
        let compiled = Self::of(pack, tree, rules, source);
        compiled.check_examples(pack)?;
        Ok(compiled)
    }

    /// Compiles rules that were accepted before, perhaps beside an older pack, as far as they can be
    /// used: a rule that cannot decide as it is written is left out, and found among the
    /// [unusable](Self::unusable) ones. What a newer pack may well change is not held against a
    /// rule: it may have taken an id, or what an example shows.
    pub fn load(pack: &RulePack, tree: UserType, source: &str) -> Self {
        let (entries, mut unusable) = readable(source);
        let (rules, wrong) = validated(pack, tree, entries);
        unusable.extend(wrong.into_iter().map(|(rule, error)| UnusableRule {
            rule,
            problem: error.without_values(),
        }));
        Self {
            unusable,
            ..Self::of(pack, tree, rules, source)
        }
    }

    fn of(pack: &RulePack, tree: UserType, mut rules: Vec<Rule>, source: &str) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            tree,
            matcher: Matcher::compile(&rules, tree, &pack.weighing()),
            rules,
            hash: hex(&Sha256::digest(source)),
            unusable: Vec::new(),
        }
    }

    /// The rules that were left out.
    pub fn unusable(&self) -> &[UnusableRule] {
        &self.unusable
    }

    /// SHA-256 of the source, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The tree that the rules are for.
    pub const fn tree(&self) -> UserType {
        self.tree
    }

    /// Every rule in the order of names.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        (0..).map(RuleId).zip(&self.rules)
    }

    pub(crate) fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(usize::from(id.0))
    }

    pub(crate) const fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    fn check_examples(&self, pack: &RulePack) -> Result<(), RulesError> {
        let categorizer = Categorizer::new(pack, self.tree).with_tenant(Some(self));
        let mut scratch = Scratch::default();
        for (_, rule) in self.rules().filter(|(_, rule)| rule.is_applied()) {
            let fault = |problem| RulesError::rule(FILE, &rule.id, problem);
            for (number, hit) in (1..).zip(&rule.hits) {
                let view = pack.prepare(&hit.transaction, &hit.context);
                let decision = categorizer.decide(&view, &mut scratch);
                let decided = categorizer.rule_name(&decision);
                if decided != rule.id {
                    let decided = decided.into_owned();
                    return Err(fault(RuleProblem::HitMissed { number, decided }));
                }
            }
            for (number, miss) in (1..).zip(&rule.misses) {
                let view = pack.prepare(&miss.transaction, &miss.context);
                let decision = categorizer.decide(&view, &mut scratch);
                if decision.refund_of.is_none() && categorizer.rule_name(&decision) == rule.id {
                    return Err(fault(RuleProblem::MissHit { number }));
                }
            }
        }
        Ok(())
    }
}

/// The rules that nothing is wrong with, and the names of the others with what is.
fn validated(
    pack: &RulePack,
    tree: UserType,
    entries: Vec<RuleEntry>,
) -> (Vec<Rule>, Vec<(String, RulesError)>) {
    let mut budget = Budget::default();
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for (place, entry) in entries.into_iter().enumerate() {
        let name = rule_name(place, Some(&entry.id));
        let fits = budget.take(pack, &entry);
        match fits.and_then(|()| read(pack, tree, entry)) {
            Ok(rule) => rules.push(rule),
            Err(error) => wrong.push((name, error)),
        }
    }
    (rules, wrong)
}

fn read(pack: &RulePack, tree: UserType, entry: RuleEntry) -> Result<Rule, RulesError> {
    let id = entry.id.clone();
    if entry.fallback {
        return Err(RulesError::rule(FILE, &id, RuleProblem::TenantFallback));
    }
    let rule = validate::rule(FILE, entry, tree, &pack.surroundings());
    rule.map_err(|problem| RulesError::rule(FILE, &id, problem))
}

fn check_ids(pack: &RulePack, rules: &[Rule]) -> Result<(), RulesError> {
    let mut taken: BTreeSet<&str> = pack.rules().map(|(_, rule)| rule.id.as_str()).collect();
    for rule in rules {
        if !taken.insert(&rule.id) {
            return Err(RulesError::rule(FILE, &rule.id, RuleProblem::DuplicateId));
        }
    }
    Ok(())
}

/// The rules that can be read, and what says so of the others.
fn readable(source: &str) -> (Vec<RuleEntry>, Vec<UnusableRule>) {
    let other_format = |rule: String| UnusableRule {
        rule,
        problem: OTHER_FORMAT.to_owned(),
    };
    if let Ok(file) = toml::from_str::<RuleFile>(source) {
        return (file.rule, Vec::new());
    }
    let Ok(tables) = toml::from_str::<RuleTables>(source) else {
        return (Vec::new(), vec![other_format("rules".to_owned())]);
    };
    let (mut entries, mut unusable) = (Vec::new(), Vec::new());
    for (place, table) in tables.rule.into_iter().enumerate() {
        let name = rule_name(place, table.get("id").and_then(toml::Value::as_str));
        match table.try_into::<RuleEntry>() {
            Ok(entry) => entries.push(entry),
            Err(_) => unusable.push(other_format(name)),
        }
    }
    (entries, unusable)
}

/// A rule's id, if it is one; anything else may be anything and is not repeated.
fn rule_name(place: usize, id: Option<&str>) -> String {
    match id {
        Some(id) if validate::is_id(id) => id.to_owned(),
        _ => format!("rules[{place}]"),
    }
}

/// Bounds what compiling costs, before anything is copied for alternatives.
#[derive(Default)]
struct Budget {
    rules: usize,
    conditions: usize,
    letters: usize,
}

impl Budget {
    /// Adds a rule, unless it is too much.
    fn take(&mut self, pack: &RulePack, entry: &RuleEntry) -> Result<(), RulesError> {
        let always = size(pack, &entry.conditions);
        let copies = entry.either.len().max(1);
        let one_of: usize = entry.either.iter().map(|one| size(pack, one).0).sum();
        let stems: usize = entry.either.iter().map(|one| size(pack, one).1).sum();
        let sum = Self {
            rules: self.rules.saturating_add(1),
            conditions: self
                .conditions
                .saturating_add(always.0.saturating_mul(copies))
                .saturating_add(one_of),
            letters: self.letters.saturating_add(always.1).saturating_add(stems),
        };
        within("rules", sum.rules, TENANT_RULES_MAX)?;
        within(
            "words, names and codes",
            sum.conditions,
            TENANT_CONDITIONS_MAX,
        )?;
        within("letters of stems", sum.letters, TENANT_STEM_LETTERS_MAX)?;
        *self = sum;
        Ok(())
    }
}

/// How much a list of conditions makes a matcher look for, and the letters of its stems.
fn size(pack: &RulePack, conditions: &Conditions) -> (usize, usize) {
    let words = [
        &conditions.counterparty,
        &conditions.purpose,
        &conditions.booking_text,
        &conditions.text,
    ];
    let mut sum = [
        conditions.gvc.len(),
        // A range stands for as many codes.
        conditions.mcc.iter().map(|range| mcc_width(range)).sum(),
        conditions.purpose_code.len(),
        conditions.creditor_id.len(),
        conditions.iban.len(),
        conditions.bank_code.len(),
        conditions.intermediary.len(),
    ]
    .iter()
    .fold(1_usize, |sum, one| sum.saturating_add(*one));
    let mut letters = 0_usize;
    for words in words.into_iter().flatten() {
        let (count, stems) = words_size(pack, words);
        sum = sum.saturating_add(count);
        letters = letters.saturating_add(stems);
    }
    (sum, letters)
}

fn mcc_width(range: &str) -> usize {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let read = |code: &str| code.parse::<usize>().unwrap_or_default();
    read(last).saturating_sub(read(first)).saturating_add(1)
}

fn words_size(pack: &RulePack, words: &Words) -> (usize, usize) {
    let written = || [&words.any, &words.all, &words.none].into_iter().flatten();
    let lists = [&words.listed, &words.guarded, &words.carded];
    let listed = lists.into_iter().flatten().map(|list| pack.list_len(list));
    let count = listed.fold(written().count(), usize::saturating_add);
    let stems = written().filter(|word| word.contains('*'));
    let letters = stems.map(|stem| stem.len().max(COMPOUND_LETTERS_MIN)).sum();
    (count, letters)
}

fn within(what: &'static str, count: usize, max: usize) -> Result<(), RulesError> {
    if count > max {
        return Err(RulesError::TooMany { what, max });
    }
    Ok(())
}
