//! From rule files to validated rules.

use std::collections::{BTreeMap, BTreeSet};

use domain::{AccountType, Currency, Money, UserType};

use crate::codes;
use crate::error::{RuleProblem, RulesError};
use crate::example::Example;
use crate::file::{AmountRange, Conditions, EvidenceFile, RuleEntry, RuleFile, Words};
use crate::intermediary::Intermediaries;
use crate::literal::Literal;
use crate::names::{Guard, Names};
use crate::rule::{Clause, Direction, Mandate, Rule, SelfTest, Stage, Status, Strength, Test};
use crate::taxonomy::Taxonomy;
use crate::view::Roles;

/// What the rules refer to.
pub(crate) struct Surroundings<'a> {
    pub(crate) taxonomy: &'a Taxonomy,
    pub(crate) strengths: &'a BTreeMap<String, Strength>,
    pub(crate) services: &'a Intermediaries,
    pub(crate) names: &'a Names,
}

/// Reads `evidence.toml`.
pub(crate) fn strengths(file: &str, text: &str) -> Result<BTreeMap<String, Strength>, RulesError> {
    let parsed: EvidenceFile = parse(file, text)?;
    let mut strengths = BTreeMap::new();
    for entry in parsed.strength {
        let fault = |problem| RulesError::rule(file, &entry.name, problem);
        if entry.why.trim().is_empty() {
            return Err(fault(RuleProblem::Undocumented { field: "why" }));
        }
        let strength = Strength {
            name: entry.name.clone(),
            precedence: entry.precedence,
            weight: entry.weight,
        };
        if strengths.insert(entry.name.clone(), strength).is_some() {
            return Err(fault(RuleProblem::DuplicateId));
        }
    }
    Ok(strengths)
}

/// Reads a file of rules of one tree.
pub(crate) fn rules(
    file: &str,
    text: &str,
    tree: UserType,
    around: &Surroundings<'_>,
) -> Result<Vec<Rule>, RulesError> {
    let parsed: RuleFile = parse(file, text)?;
    parsed
        .rule
        .into_iter()
        .map(|entry| {
            let id = entry.id.clone();
            rule(file, entry, tree, around).map_err(|problem| RulesError::rule(file, &id, problem))
        })
        .collect()
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, RulesError> {
    toml::from_str(text).map_err(|source| RulesError::Format {
        file: file.to_owned(),
        source: Box::new(source),
    })
}

/// Validates one rule.
pub(crate) fn rule(
    file: &str,
    entry: RuleEntry,
    tree: UserType,
    around: &Surroundings<'_>,
) -> Result<Rule, RuleProblem> {
    check_texts(&entry)?;
    let tag = around
        .taxonomy
        .find(tree, &entry.tag)
        .ok_or_else(|| RuleProblem::UnknownTag {
            tag: entry.tag.clone(),
        })?;
    if around.taxonomy.parent(tag).is_none() {
        return Err(RuleProblem::RootTag { tag: entry.tag });
    }
    let strength = around.strengths.get(&entry.strength);
    let strength = strength.ok_or_else(|| RuleProblem::UnknownStrength {
        strength: entry.strength.clone(),
    })?;
    let direction = entry.direction.as_deref().map(direction).transpose()?;
    Ok(Rule {
        tree,
        tag,
        status: status(&entry.status)?,
        direction,
        strength: strength.clone(),
        fallback: entry.fallback,
        clauses: clauses(&entry, direction, around)?,
        hits: examples("hit", &entry.hit)?,
        misses: examples("miss", &entry.miss)?,
        file: file.to_owned(),
        id: entry.id,
        why: entry.why,
        source: entry.source,
    })
}

/// Whether a text is lower-case words joined by hyphens.
pub(crate) fn is_id(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

fn check_texts(entry: &RuleEntry) -> Result<(), RuleProblem> {
    if !is_id(&entry.id) {
        return Err(RuleProblem::BadId);
    }
    for (field, text) in [("why", &entry.why), ("source", &entry.source)] {
        if text.trim().is_empty() {
            return Err(RuleProblem::Undocumented { field });
        }
    }
    for (field, list) in [("hit", &entry.hit), ("miss", &entry.miss)] {
        // A fallback is what other rules leave; it has no misses of its own.
        if list.is_empty() && !(entry.fallback && field == "miss") {
            return Err(RuleProblem::NoExample { field });
        }
    }
    Ok(())
}

fn status(written: &BTreeMap<String, String>) -> Result<Status, RuleProblem> {
    let fault = RuleProblem::UnknownWord {
        field: "status",
        allowed: "preview, stable, deprecated, removed (one of them, with a version)",
    };
    let mut entries = written.iter();
    let (Some((stage, since)), None) = (entries.next(), entries.next()) else {
        return Err(fault);
    };
    let stage = match stage.as_str() {
        "preview" => Stage::Preview,
        "stable" => Stage::Stable,
        "deprecated" => Stage::Deprecated,
        "removed" => Stage::Removed,
        _ => return Err(fault),
    };
    if since.is_empty() {
        return Err(fault);
    }
    Ok(Status {
        stage,
        since: since.clone(),
    })
}

fn direction(word: &str) -> Result<Direction, RuleProblem> {
    match word {
        "debit" => Ok(Direction::Debit),
        "credit" => Ok(Direction::Credit),
        _ => Err(RuleProblem::UnknownWord {
            field: "direction",
            allowed: "debit, credit",
        }),
    }
}

fn examples(field: &'static str, texts: &[String]) -> Result<Vec<Example>, RuleProblem> {
    (1..)
        .zip(texts)
        .map(|(number, text)| {
            Example::parse(text).map_err(|reason| RuleProblem::BadExample {
                field,
                number,
                reason,
            })
        })
        .collect()
}

/// The clauses of a rule: what holds always, combined with each alternative.
fn clauses(
    entry: &RuleEntry,
    direction: Option<Direction>,
    around: &Surroundings<'_>,
) -> Result<Vec<Clause>, RuleProblem> {
    let mut always = clause(&entry.conditions, around)?;
    always.guards.direction = direction;
    if entry.fallback {
        return fallback_clause(always, entry).map(|clause| vec![clause]);
    }
    let alternatives = match entry.either.as_slice() {
        [] => vec![Clause::default()],
        [_] => return Err(RuleProblem::BadEither),
        several => several
            .iter()
            .map(|one| alternative(one, around))
            .collect::<Result<_, _>>()?,
    };
    let clauses: Vec<Clause> = alternatives
        .into_iter()
        .map(|one| join(&always, one))
        .collect();
    if clauses.iter().any(|clause| clause.required.is_empty()) {
        return Err(RuleProblem::NoEvidence);
    }
    Ok(clauses)
}

fn fallback_clause(clause: Clause, entry: &RuleEntry) -> Result<Clause, RuleProblem> {
    let guards = &clause.guards;
    let bare = clause.required.is_empty()
        && clause.forbidden.is_empty()
        && guards.mandate.is_none()
        && guards.amount_cents.is_none()
        && guards.account_types.is_empty()
        && guards.other_side == Guard::None
        && guards.direction.is_some()
        && entry.either.is_empty();
    bare.then_some(clause)
        .ok_or(RuleProblem::FallbackWithConditions)
}

fn alternative(conditions: &Conditions, around: &Surroundings<'_>) -> Result<Clause, RuleProblem> {
    let clause = clause(conditions, around)?;
    let guards = &clause.guards;
    let empty = clause.required.is_empty()
        && clause.forbidden.is_empty()
        && guards.mandate.is_none()
        && guards.amount_cents.is_none()
        && guards.account_types.is_empty()
        && guards.other_side == Guard::None;
    if empty {
        Err(RuleProblem::BadEither)
    } else {
        Ok(clause)
    }
}

fn join(always: &Clause, one: Clause) -> Clause {
    let mut clause = always.clone();
    clause.required.extend(one.required);
    clause.forbidden.extend(one.forbidden);
    clause.guards.mandate = one.guards.mandate.or(clause.guards.mandate);
    clause.guards.amount_cents = one.guards.amount_cents.or(clause.guards.amount_cents);
    clause.guards.account_types.extend(one.guards.account_types);
    clause.guards.other_side = clause.guards.other_side.max(one.guards.other_side);
    clause
}

fn clause(conditions: &Conditions, around: &Surroundings<'_>) -> Result<Clause, RuleProblem> {
    let mut clause = Clause::default();
    let text_roles = Roles::COUNTERPARTY.and(Roles::PURPOSE);
    for (words, roles) in [
        (&conditions.counterparty, Roles::COUNTERPARTY),
        (&conditions.purpose, Roles::PURPOSE),
        (&conditions.booking_text, Roles::BOOKING_TEXT),
        (&conditions.text, text_roles),
    ] {
        if let Some(words) = words {
            add_words(&mut clause, words, roles, around.names)?;
        }
    }
    clause.required.extend(code_tests(conditions)?);
    clause.required.extend(party_tests(conditions, around)?);
    if conditions.counterparty_is.as_deref() == Some("business") {
        clause.guards.other_side = clause.guards.other_side.max(Guard::Business);
    }
    clause.guards.mandate = mandate(conditions.mandate.as_deref())?;
    clause.guards.amount_cents = conditions.amount.as_ref().map(amount_range).transpose()?;
    clause.guards.account_types = conditions
        .account_type
        .iter()
        .map(|word| word.parse::<AccountType>())
        .collect::<Result<_, _>>()
        .map_err(|error| RuleProblem::UnknownWord {
            field: "account_type",
            allowed: error.allowed,
        })?;
    Ok(clause)
}

fn add_words(
    clause: &mut Clause,
    words: &Words,
    roles: Roles,
    names: &Names,
) -> Result<(), RuleProblem> {
    let mut any = words.any.clone();
    names.add(&words.listed, Guard::None, &mut any)?;
    names.add(&words.guarded, Guard::Business, &mut any)?;
    names.add(&words.carded, Guard::Card, &mut any)?;
    if !any.is_empty() {
        let literals = literals(&any)?;
        clause.required.push(Test::Words { roles, literals });
    }
    for (lists, guard) in [
        (&words.guarded, Guard::Business),
        (&words.carded, Guard::Card),
    ] {
        if !lists.is_empty() {
            clause.guards.other_side = clause.guards.other_side.max(guard);
        }
    }
    for one in &words.all {
        let literals = literals(std::slice::from_ref(one))?;
        clause.required.push(Test::Words { roles, literals });
    }
    if !words.none.is_empty() {
        let literals = literals(&words.none)?;
        clause.forbidden.push(Test::Words { roles, literals });
    }
    Ok(())
}

fn literals(written: &[String]) -> Result<Vec<Literal>, RuleProblem> {
    let mut literals: Vec<Literal> = Vec::with_capacity(written.len());
    let mut seen = BTreeSet::new();
    for text in written {
        let literal = Literal::parse(text)?;
        if !seen.insert(literal.clone()) {
            return Err(RuleProblem::RedundantLiteral {
                literal: text.clone(),
            });
        }
        literals.push(literal);
    }
    let bare = written
        .iter()
        .filter_map(|text| Literal::without_diaereses(text));
    literals.extend(bare.filter(|literal| seen.insert(literal.clone())));
    Ok(literals)
}

fn code_tests(conditions: &Conditions) -> Result<Vec<Test>, RuleProblem> {
    let mut tests = Vec::new();
    if !conditions.gvc.is_empty() {
        if let Some(code) = conditions.gvc.iter().find(|code| **code > 999) {
            return Err(bad_code("gvc", &code.to_string()));
        }
        tests.push(Test::TransactionCode(conditions.gvc.clone()));
    }
    let mcc = read_codes("mcc", &conditions.mcc, mcc_range)?;
    tests.extend(mcc.map(Test::MerchantCategory));
    let purposes = read_codes("purpose_code", &conditions.purpose_code, |code| {
        let code: [u8; 4] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(code)
    })?;
    tests.extend(purposes.map(Test::PurposeCode));
    let creditors = read_codes("creditor_id", &conditions.creditor_id, codes::creditor_key)?;
    tests.extend(creditors.map(Test::CreditorId));
    let ibans = read_codes("iban", &conditions.iban, |iban| {
        domain::iban::check(iban)
            .ok()
            .and_then(|()| codes::iban_key(iban))
    })?;
    tests.extend(ibans.map(Test::Iban));
    let banks = read_codes("bank_code", &conditions.bank_code, |code| {
        let code: [u8; 8] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_digit).then_some(code)
    })?;
    tests.extend(banks.map(Test::BankCode));
    Ok(tests)
}

fn party_tests(
    conditions: &Conditions,
    around: &Surroundings<'_>,
) -> Result<Vec<Test>, RuleProblem> {
    let mut tests = Vec::new();
    if conditions.intermediary.as_slice() == ["any"] {
        tests.push(Test::Intermediary(Vec::new()));
    } else {
        let services = read_codes("intermediary", &conditions.intermediary, |id| {
            around.services.find(id)
        })?;
        tests.extend(services.map(Test::Intermediary));
    }
    match conditions.counterparty_is.as_deref() {
        None | Some("business") => {}
        Some("own_account") => tests.push(Test::Self_(SelfTest::OwnAccount)),
        Some("holder") => tests.push(Test::Self_(SelfTest::Holder)),
        Some(_) => {
            return Err(RuleProblem::UnknownWord {
                field: "counterparty_is",
                allowed: "own_account, holder, business",
            });
        }
    }
    Ok(tests)
}

fn read_codes<T>(
    field: &'static str,
    written: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, RuleProblem> {
    let codes: Result<Vec<T>, RuleProblem> = written
        .iter()
        .map(|code| read(code).ok_or_else(|| bad_code(field, code)))
        .collect();
    codes.map(|codes| Some(codes).filter(|codes| !codes.is_empty()))
}

fn bad_code(field: &'static str, value: &str) -> RuleProblem {
    RuleProblem::BadCode {
        field,
        value: value.to_owned(),
    }
}

fn mcc_range(written: &str) -> Option<(u16, u16)> {
    let (first, last) = written.split_once('-').unwrap_or((written, written));
    let read = |code: &str| {
        let four_digits = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit());
        four_digits.then(|| code.parse::<u16>().ok()).flatten()
    };
    let range = (read(first)?, read(last)?);
    (range.0 <= range.1).then_some(range)
}

fn mandate(word: Option<&str>) -> Result<Option<Mandate>, RuleProblem> {
    match word {
        None => Ok(None),
        Some("present") => Ok(Some(Mandate::Present)),
        Some("absent") => Ok(Some(Mandate::Absent)),
        Some(_) => Err(RuleProblem::UnknownWord {
            field: "mandate",
            allowed: "present, absent",
        }),
    }
}

fn amount_range(range: &AmountRange) -> Result<(u64, u64), RuleProblem> {
    let cents = |text: &String| {
        let money = Money::parse(text, Currency::EUR).map_err(|_| RuleProblem::BadAmount)?;
        u64::try_from(money.minor).map_err(|_| RuleProblem::BadAmount)
    };
    let min = range.min.as_ref().map_or(Ok(0), cents)?;
    let max = range.max.as_ref().map_or(Ok(u64::MAX), cents)?;
    if min <= max {
        Ok((min, max))
    } else {
        Err(RuleProblem::BadAmount)
    }
}
