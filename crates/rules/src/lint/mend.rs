//! Puts a problem out of the way, so that the next one of the same rule is seen.

use std::collections::BTreeMap;

use domain::UserType;

use crate::error::RuleProblem;
use crate::file::{Conditions, RuleEntry, Words};
use crate::validate::Surroundings;

/// An example that can be read.
const EXAMPLE: &str = "A | b | -1.00";

/// Replaces what a problem is about by something harmless; says whether that was possible.
///
/// The number makes what is put in place of literals differ from call to call.
pub(super) fn mend(
    entry: &mut RuleEntry,
    problem: &RuleProblem,
    (tree, number): (UserType, usize),
    around: &Surroundings<'_>,
) -> bool {
    let filler = format!("mended{number}");
    if matches!(problem, RuleProblem::BadId) {
        entry.id = filler;
        return true;
    }
    if matches!(
        problem,
        RuleProblem::UnknownTag { .. } | RuleProblem::RootTag { .. }
    ) {
        return any_tag(entry, tree, around);
    }
    if matches!(problem, RuleProblem::UnknownStrength { .. }) {
        let known = around.strengths.keys().next();
        return known.map(|name| entry.strength.clone_from(name)).is_some();
    }
    if let RuleProblem::Undocumented { field } = problem {
        let text = if *field == "why" {
            &mut entry.why
        } else {
            &mut entry.source
        };
        "-".clone_into(text);
        return true;
    }
    if let RuleProblem::UnknownWord { field, .. } = problem {
        return word(entry, field);
    }
    example(entry, problem) || literal(entry, problem, &filler)
}

fn any_tag(entry: &mut RuleEntry, tree: UserType, around: &Surroundings<'_>) -> bool {
    let mut tags = around.taxonomy.tags(tree);
    let tag = tags.find(|tag| around.taxonomy.parent(*tag).is_some());
    tag.map(|tag| around.taxonomy.name(tag).clone_into(&mut entry.tag))
        .is_some()
}

fn word(entry: &mut RuleEntry, field: &str) -> bool {
    match field {
        "direction" => entry.direction = None,
        "status" => entry.status = BTreeMap::from([("preview".to_owned(), "0".to_owned())]),
        _ => return false,
    }
    true
}

fn example(entry: &mut RuleEntry, problem: &RuleProblem) -> bool {
    let (field, number) = if let RuleProblem::NoExample { field } = problem {
        (field, None)
    } else if let RuleProblem::BadExample { field, number, .. } = problem {
        (field, Some(*number))
    } else {
        return false;
    };
    let list = if *field == "hit" {
        &mut entry.hit
    } else {
        &mut entry.miss
    };
    let Some(number) = number else {
        list.push(EXAMPLE.to_owned());
        return true;
    };
    let at = number.checked_sub(1).and_then(|at| list.get_mut(at));
    at.map(|text| EXAMPLE.clone_into(text)).is_some()
}

fn literal(entry: &mut RuleEntry, problem: &RuleProblem, filler: &str) -> bool {
    let (RuleProblem::EmptyLiteral { literal: written }
    | RuleProblem::ShortLiteral { literal: written }
    | RuleProblem::BadCompound {
        literal: written, ..
    }
    | RuleProblem::RedundantLiteral { literal: written }) = problem
    else {
        return false;
    };
    let conditions = std::iter::once(&mut entry.conditions).chain(&mut entry.either);
    let mut literals = conditions.flat_map(words).flat_map(|words| {
        let Words { any, all, none, .. } = words;
        any.iter_mut()
            .chain(all)
            .chain(none)
            .rev()
            .collect::<Vec<_>>()
    });
    let found = literals.find(|literal| *literal == written);
    found.map(|literal| filler.clone_into(literal)).is_some()
}

fn words(conditions: &mut Conditions) -> impl Iterator<Item = &mut Words> {
    let Conditions {
        counterparty,
        purpose,
        booking_text,
        text,
        ..
    } = conditions;
    [counterparty, purpose, booking_text, text]
        .into_iter()
        .flatten()
}
