//! Literals that are never found: for each one a transaction is made that should awake its rule.

use std::fmt::{self, Write as _};

use crate::categorizer::Categorizer;
use crate::decision::Origin;
use crate::example::Example;
use crate::lint::applied;
use crate::lint::problem::{ProblemKind, Report};
use crate::literal::Literal;
use crate::matcher::Scratch;
use crate::names::Guard;
use crate::pack::RulePack;
use crate::rule::{Clause, Direction, Mandate, RuleId, Test};
use crate::tenant::TenantRules;
use crate::view::Roles;

/// What the other side is dressed as; a literal is dead when it is found in none of them.
const DRESSES: [&str; 4] = [
    "",
    " | mandate=M1 | creditor_id=DE98ZZZ09999999999",
    " | booking=Kartenzahlung",
    " | mcc=9999",
];

/// Literals of the other tests of a clause that are tried beside the one in question.
const COMPANIONS_MAX: usize = 3;

/// Tries every literal of every clause that words, codes and guards can awake.
pub(super) fn check(pack: &RulePack, tenant: Option<&TenantRules>, report: &mut Report) {
    let mut scratch = pack.scratch();
    let (origin, rules) = applied(pack, tenant);
    for (id, rule) in rules {
        let categorizer = Categorizer::new(pack, rule.tree).with_tenant(tenant);
        let judge = Judge {
            pack,
            categorizer,
            wanted: (origin, id),
        };
        for (number, clause) in (1_usize..).zip(&rule.clauses) {
            let dead = judge.dead(clause, &mut scratch);
            if !dead.is_empty() {
                let message = format!(
                    "clause {number}: never found although the rest of the clause holds: {}",
                    dead.join(", ")
                );
                report.of_rule(rule, ProblemKind::DeadLiteral, message);
            }
        }
    }
}

/// Says whether a transaction awakes a rule.
struct Judge<'a> {
    pack: &'a RulePack,
    categorizer: Categorizer<'a>,
    wanted: (Origin, RuleId),
}

impl Judge<'_> {
    /// The literals of a clause that are never found.
    fn dead(&self, clause: &Clause, scratch: &mut Scratch) -> Vec<String> {
        let mut dead = Vec::new();
        for (at, test) in clause.required.iter().enumerate() {
            let Test::Words { literals, .. } = test else {
                continue;
            };
            let probe = Probe { clause, at };
            let lost = literals.iter().filter(|literal| {
                let tried = probe.examples(literal);
                tried.is_some_and(|tried| !tried.iter().any(|one| self.awakes(one, scratch)))
            });
            dead.extend(lost.map(Literal::to_string));
        }
        dead
    }

    fn awakes(&self, example: &Example, scratch: &mut Scratch) -> bool {
        let view = self.pack.prepare(&example.transaction, &example.context);
        let explained = self.categorizer.explain(&view, scratch);
        std::iter::once(&explained.decision)
            .chain(&explained.alternatives)
            .any(|one| (one.origin, one.rule) == self.wanted)
    }
}

/// A clause and the test of it whose literals are tried.
struct Probe<'a> {
    clause: &'a Clause,
    at: usize,
}

impl Probe<'_> {
    /// Transactions with the literal that should awake the rule. A clause that needs more than can
    /// be made up has none, and is never called dead.
    fn examples(&self, literal: &Literal) -> Option<Vec<Example>> {
        let lines: Option<Vec<String>> = (0..COMPANIONS_MAX)
            .map(|companion| self.line(literal, companion))
            .collect();
        let dressed = lines?.into_iter().flat_map(|line| {
            let dressed = DRESSES.iter().map(move |dress| format!("{line}{dress}"));
            dressed.filter_map(|line| Example::parse(&line).ok())
        });
        Some(dressed.collect())
    }

    /// A transaction that the clause should match, with one of the literals of its other tests.
    fn line(&self, literal: &Literal, companion: usize) -> Option<String> {
        let (mut name, mut purpose, mut codes) = (String::new(), String::new(), String::new());
        for (at, test) in self.clause.required.iter().enumerate() {
            match test {
                Test::Words { roles, literals } => {
                    let literal = if at == self.at {
                        literal
                    } else {
                        literals.get(companion).or(literals.first())?
                    };
                    let text = literal.words.join(" ");
                    if roles.meet(Roles::COUNTERPARTY) {
                        push(&mut name, &text);
                    } else if roles.meet(Roles::PURPOSE) {
                        push(&mut purpose, &text);
                    } else {
                        append(&mut codes, format_args!(" | booking={text}"));
                    }
                }
                Test::TransactionCode(list) => {
                    append(&mut codes, format_args!(" | gvc={}", list.first()?));
                }
                Test::MerchantCategory(list) => {
                    append(&mut codes, format_args!(" | mcc={:04}", list.first()?.0));
                }
                Test::PurposeCode(list) => {
                    let code = std::str::from_utf8(list.first()?).ok()?;
                    append(&mut codes, format_args!(" | purpose_code={code}"));
                }
                Test::CreditorId(_)
                | Test::Iban(_)
                | Test::BankCode(_)
                | Test::Intermediary(_)
                | Test::Self_(_) => return None,
            }
        }
        let amount = self.guards(&mut codes);
        Some(format!("{name} | {purpose} | {amount}{codes}"))
    }

    /// Lets the guards hold; gives the amount.
    fn guards(&self, codes: &mut String) -> String {
        let guards = &self.clause.guards;
        if guards.mandate == Some(Mandate::Present) {
            codes.push_str(" | mandate=M1");
        }
        if let Some(kind) = guards.account_types.first() {
            append(codes, format_args!(" | account_type={}", kind.as_str()));
        }
        // A merchant's name alone makes a card text only together with its place.
        if guards.other_side == Guard::Card && !codes.contains("mcc=") {
            codes.push_str(" | mcc=9999");
        }
        let sign = if guards.direction == Some(Direction::Credit) {
            '+'
        } else {
            '-'
        };
        let cents = guards.amount_cents.map_or(100, |(min, _)| min.max(1));
        let (euros, rest) = (cents.div_euclid(100), cents.rem_euclid(100));
        format!("{sign}{euros}.{rest:02}")
    }
}

fn append(text: &mut String, piece: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(piece);
}

fn push(text: &mut String, word: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(word);
}
