//! Rules that stand in each other's way.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::UserType;

use crate::lint::problem::{ProblemKind, Report};
use crate::literal::Literal;
use crate::names::Guard;
use crate::rule::{Clause, Direction, Guards, Rule, Test};
use crate::taxonomy::Taxonomy;
use crate::view::Roles;

/// Where a literal is looked for.
type Place = (UserType, Direction, Roles, Literal);

/// A rule, and what narrows it where it decides.
type Decider<'a> = (&'a Rule, &'a Guards);

/// What wins among rules that match by the same literal.
type Rank<'a> = (u16, u16, Reverse<&'a str>);

/// Reports equal evidence of equal weight for two tags, which the rules' names alone would decide.
pub(super) fn contradictions(rules: &[&Rule], taxonomy: &Taxonomy, report: &mut Report) {
    let mut decided: BTreeMap<(Place, (u16, u16)), Vec<Decider<'_>>> = BTreeMap::new();
    for rule in rules.iter().copied() {
        let strength = (rule.strength.precedence, rule.strength.weight);
        for (clause, place) in rule.clauses.iter().flat_map(|one| places(rule, one)) {
            let words = place.3.to_string();
            let others = decided.entry((place, strength)).or_default();
            for (other, guards) in others.iter() {
                if other.tag != rule.tag && may_both_hold(guards, &clause.guards) {
                    let message = format!(
                        "{words:?} means {} here and {} in {}, with the same strength {:?}",
                        taxonomy.name(rule.tag),
                        taxonomy.name(other.tag),
                        other.id,
                        rule.strength.name,
                    );
                    report.of_rule(rule, ProblemKind::Contradiction, message);
                }
            }
            others.push((rule, &clause.guards));
        }
    }
}

/// Reports rules whose every literal stronger rules look for in the same place.
pub(super) fn shadows(rules: &[&Rule], report: &mut Report) {
    let mut strongest: BTreeMap<Place, Rank<'_>> = BTreeMap::new();
    for rule in rules.iter().copied() {
        for (clause, place) in rule.clauses.iter().flat_map(|one| places(rule, one)) {
            if is_open(clause) {
                let best = strongest.entry(place).or_insert_with(|| rank(rule));
                *best = rank(rule).max(*best);
            }
        }
    }
    for rule in rules.iter().copied() {
        let own: Vec<Place> = rule
            .clauses
            .iter()
            .flat_map(|clause| places(rule, clause))
            .map(|(_, place)| place)
            .collect();
        let every = !own.is_empty() && rule.clauses.iter().all(|one| deciding(one).is_some());
        let above = |place: &Place| strongest.get(place).filter(|best| **best > rank(rule));
        let by: Option<Vec<&str>> = own.iter().map(|place| Some(above(place)?.2.0)).collect();
        if let (true, Some(mut by)) = (every, by) {
            by.sort_unstable();
            by.dedup();
            let message = format!("all that it looks for is decided by {}", by.join(", "));
            report.of_rule(rule, ProblemKind::ShadowedRule, message);
        }
    }
}

fn rank(rule: &Rule) -> Rank<'_> {
    let strength = &rule.strength;
    (strength.precedence, strength.weight, Reverse(&rule.id))
}

/// The literals of which each alone makes a clause match.
fn deciding(clause: &Clause) -> Option<(Roles, &[Literal])> {
    match clause.required.as_slice() {
        [Test::Words { roles, literals }] => Some((*roles, literals)),
        _ => None,
    }
}

/// Each place where a clause alone decides.
fn places<'r>(
    rule: &'r Rule,
    clause: &'r Clause,
) -> impl Iterator<Item = (&'r Clause, Place)> + use<'r> {
    let sides = match rule.direction {
        Some(direction) => vec![direction],
        None => vec![Direction::Debit, Direction::Credit],
    };
    let literals = deciding(clause)
        .into_iter()
        .flat_map(|(roles, literals)| literals.iter().map(move |literal| (roles, literal)));
    literals.flat_map(move |(roles, literal)| {
        let tree = rule.tree;
        sides
            .clone()
            .into_iter()
            .map(move |side| (clause, (tree, side, roles, literal.clone())))
    })
}

/// Whether nothing but the direction narrows a clause.
fn is_open(clause: &Clause) -> bool {
    let guards = &clause.guards;
    clause.forbidden.is_empty()
        && guards.mandate.is_none()
        && guards.amount_cents.is_none()
        && guards.account_types.is_empty()
        && guards.other_side == Guard::None
}

/// Whether one transaction can satisfy both.
fn may_both_hold(one: &Guards, two: &Guards) -> bool {
    let mandates = match (one.mandate, two.mandate) {
        (Some(one), Some(two)) => one == two,
        _ => true,
    };
    let amounts = match (one.amount_cents, two.amount_cents) {
        (Some(one), Some(two)) => one.0 <= two.1 && two.0 <= one.1,
        _ => true,
    };
    let kinds = one.account_types.is_empty()
        || two.account_types.is_empty()
        || one
            .account_types
            .iter()
            .any(|kind| two.account_types.contains(kind));
    mandates && amounts && kinds
}
