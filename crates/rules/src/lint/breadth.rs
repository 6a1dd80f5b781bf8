//! Literals that lie in too many innocent texts, and rules above the limits of size.

use crate::example::Example;
use crate::lint::problem::{ProblemKind, Report};
use crate::literal::{Literal, Shape};
use crate::names::Guard;
use crate::normalize;
use crate::rule::{Clause, Rule, Test};
use crate::view::Roles;

/// Fewest letters of a word that decides alone.
pub const WORD_LETTERS_MIN: usize = 3;
/// Fewest letters of a stem that may have letters on both sides and decides alone.
pub const INFIX_LETTERS_MIN: usize = 5;
/// Most letters of a literal.
pub const LITERAL_LETTERS_MAX: usize = 70;
/// Most words of a phrase.
pub const LITERAL_WORDS_MAX: usize = 10;
/// Most literals that a rule may name by itself, without the lists of `names.tsv`.
pub const RULE_LITERALS_MAX: usize = 4_000;

/// Words so frequent in statements that none of them says what a payment is, folded and in order.
const COMMON: [&str; 104] = [
    "ab",
    "abbuchung",
    "abrechnung",
    "ag",
    "am",
    "an",
    "anlage",
    "auf",
    "auftrag",
    "aus",
    "bank",
    "basislastschrift",
    "bei",
    "beleg",
    "bestellung",
    "betrag",
    "bezahlung",
    "bic",
    "bis",
    "buchung",
    "co",
    "danke",
    "das",
    "datum",
    "dauerauftrag",
    "debit",
    "der",
    "des",
    "deutsche",
    "deutschland",
    "die",
    "direct",
    "ein",
    "eine",
    "einkauf",
    "einzug",
    "entgelt",
    "eref",
    "eur",
    "euro",
    "europe",
    "firma",
    "folgenr",
    "frau",
    "fuer",
    "gesellschaft",
    "gmbh",
    "gutschrift",
    "haus",
    "herr",
    "iban",
    "ihr",
    "ihre",
    "im",
    "in",
    "inh",
    "international",
    "kartenzahlung",
    "kauf",
    "kfn",
    "kg",
    "konto",
    "kontonummer",
    "kunde",
    "kundennr",
    "kundennummer",
    "lastschrift",
    "ltd",
    "mandat",
    "mandatsref",
    "mbh",
    "mit",
    "monat",
    "mref",
    "nr",
    "nummer",
    "ohg",
    "online",
    "paypal",
    "rechnung",
    "rechnungsnr",
    "rechnungsnummer",
    "ref",
    "referenz",
    "se",
    "sepa",
    "service",
    "shop",
    "stadt",
    "svwz",
    "tag",
    "teil",
    "ueberweisung",
    "uhr",
    "umsatz",
    "und",
    "verwendungszweck",
    "visa",
    "vom",
    "von",
    "zahlung",
    "zu",
    "zum",
    "zur",
];

/// Reports what is too broad or too large.
pub(super) fn check(rules: &[&Rule], report: &mut Report) {
    for rule in rules.iter().copied() {
        for clause in &rule.clauses {
            broad(rule, clause, report);
        }
        large(rule, report);
    }
}

/// A literal that decides alone needs letters, and must not be a word of every statement. One that
/// has to be short all the same shows in a miss that its author knows where else it stands.
fn broad(rule: &Rule, clause: &Clause, report: &mut Report) {
    let [Test::Words { roles, literals }] = clause.required.as_slice() else {
        return;
    };
    let party_or_purpose = Roles::COUNTERPARTY.and(Roles::PURPOSE);
    if clause.guards.other_side != Guard::None || !roles.meet(party_or_purpose) {
        return;
    }
    for literal in literals {
        let Some(reason) = breadth(literal) else {
            continue;
        };
        if !rule.misses.iter().any(|miss| shows(miss, literal)) {
            let message = format!("{:?} decides alone, but {reason}", literal.to_string());
            report.of_rule(rule, ProblemKind::OverBroad, message);
        }
    }
}

/// Why a literal is too broad.
fn breadth(literal: &Literal) -> Option<String> {
    let [word] = literal.words.as_slice() else {
        return None;
    };
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    match literal.shape {
        Shape::Whole if letters && word.len() < WORD_LETTERS_MIN => {
            Some(format!("has fewer than {WORD_LETTERS_MIN} letters"))
        }
        Shape::Whole if COMMON.binary_search(&word.as_str()).is_ok() => {
            Some("is a word of very many statements".to_owned())
        }
        Shape::Infix if word.len() < INFIX_LETTERS_MIN => Some(format!(
            "has fewer than {INFIX_LETTERS_MIN} letters and may stand inside of any word"
        )),
        Shape::Whole | Shape::Prefix | Shape::Suffix | Shape::Infix => None,
    }
}

/// Whether an example holds the literal's letters in a word, where a careless look would find it.
fn shows(miss: &Example, literal: &Literal) -> bool {
    let words = normalize::words(&miss.text);
    let found = |wanted: &String| words.iter().any(|word| word.folded.contains(wanted));
    literal.words.iter().all(found)
}

fn large(rule: &Rule, report: &mut Report) {
    let tests = rule.clauses.iter().flat_map(|clause| {
        let all = clause.required.iter().chain(&clause.forbidden);
        all.filter_map(|test| {
            let Test::Words { literals, .. } = test else {
                return None;
            };
            Some(literals)
        })
    });
    let mut count = 0_usize;
    for literal in tests.flatten() {
        count = count.saturating_add(1);
        let letters: usize = literal.words.iter().map(String::len).sum();
        if letters > LITERAL_LETTERS_MAX || literal.words.len() > LITERAL_WORDS_MAX {
            let start: String = literal.to_string().chars().take(20).collect();
            let message = format!(
                "the literal {start:?}… has more than {LITERAL_LETTERS_MAX} letters or \
                 {LITERAL_WORDS_MAX} words"
            );
            report.of_rule(rule, ProblemKind::TooLarge, message);
        }
    }
    if count > RULE_LITERALS_MAX {
        let message = format!("{count} literals, more than {RULE_LITERALS_MAX}");
        report.of_rule(rule, ProblemKind::TooLarge, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_words_are_in_order_and_folded() {
        assert!(COMMON.is_sorted());
        for word in COMMON {
            let folded: Vec<String> = normalize::words(word)
                .into_iter()
                .map(|word| word.folded)
                .collect();
            assert_eq!(folded, [word]);
        }
    }

    #[test]
    fn only_careless_literals_are_broad() {
        for (written, broad) in [
            ("BP", true),
            ("o2", false),
            ("H&M", false),
            ("Danke", true),
            ("Danke schön", false),
            ("*kino*", true),
            ("*kino", false),
            ("*hotel*", false),
        ] {
            let literal = Literal::parse(written).expect(written);
            assert_eq!(breadth(&literal).is_some(), broad, "{written}");
        }
    }
}
