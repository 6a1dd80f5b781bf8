//! The slow matcher: every rule against every word, written for clarity.
//!
//! It is the definition of what a rule means; the compiled matcher is held to it by a property
//! test, and it is of no other use.

use domain::UserType;

use crate::evidence::{Assignment, Note};
use crate::literal::{Literal, REJOINED_LETTERS_MIN, Shape};
use crate::matcher::{Found, Hit, Ranking, Verdict, code_hit, guards_hold};
use crate::normalize::{self, Word};
use crate::pack::RulePack;
use crate::rule::{Clause, Rule, RuleId, Stage, Test};
use crate::view::{Roles, View};

/// Decides as [`RulePack::categorize`] does, by trying everything.
///
/// `None` never comes from a valid pack, whose fallbacks match always.
pub fn categorize(pack: &RulePack, tree: UserType, view: &View<'_>) -> Option<Assignment> {
    let texts: Vec<Vec<Word>> = view
        .segments()
        .iter()
        .map(|segment| normalize::words(segment.text))
        .collect();
    let mut ranking = Ranking::default();
    for (id, rule) in pack.rules() {
        if rule.tree == tree && rule.status.stage != Stage::Removed {
            try_rule(&mut ranking, (id, rule), view, &texts);
        }
    }
    ranking.best().map(|found| found.assignment(view))
}

fn try_rule(
    ranking: &mut Ranking,
    (id, rule): (RuleId, &Rule),
    view: &View<'_>,
    texts: &[Vec<Word>],
) {
    for clause in &rule.clauses {
        if let Some(found) = try_clause((id, rule), clause, view, texts) {
            ranking.offer(found);
        }
    }
}

fn try_clause(
    (id, rule): (RuleId, &Rule),
    clause: &Clause,
    view: &View<'_>,
    texts: &[Vec<Word>],
) -> Option<Found> {
    let hit = |test: &Test| match test {
        Test::Words { roles, literals } => words_hit(*roles, literals, view, texts),
        Test::TransactionCode(_)
        | Test::MerchantCategory(_)
        | Test::PurposeCode(_)
        | Test::CreditorId(_)
        | Test::Iban(_)
        | Test::BankCode(_)
        | Test::Intermediary(_)
        | Test::Self_(_) => code_hit(test, view),
    };
    if !guards_hold(&clause.guards, view) || clause.forbidden.iter().any(|test| hit(test).is_some())
    {
        return None;
    }
    let hits: Option<Vec<Hit>> = clause.required.iter().map(hit).collect();
    Some(Found::new(id, Verdict::of(rule), hits?.into_iter()))
}

/// The best hit of any literal in any text of the roles.
fn words_hit(
    roles: Roles,
    literals: &[Literal],
    view: &View<'_>,
    texts: &[Vec<Word>],
) -> Option<Hit> {
    let mut best: Option<Hit> = None;
    for (index, (segment, words)) in (0_u8..).zip(view.segments().iter().zip(texts)) {
        if !segment.roles.meet(roles) {
            continue;
        }
        for literal in literals {
            for at in 0..words.len() {
                if segment.personal && literal.words.len() == 1 {
                    continue;
                }
                if let Some((length, last, note)) = literal_at(literal, words, at, segment.text) {
                    let hit = Hit::word(length, index, (words[at].start, words[last].end), note);
                    best = best.max(Some(hit));
                }
            }
        }
    }
    best
}

/// How a literal matches at a word: its length, the index of its last word, and the kind of match.
fn literal_at(
    literal: &Literal,
    words: &[Word],
    at: usize,
    text: &str,
) -> Option<(usize, usize, Note)> {
    let count = literal.words.len();
    let length = literal.words.iter().map(String::len).sum();
    let window = words.get(at..at.saturating_add(count));
    let found = window.is_some_and(|window| {
        let pairs = window.iter().zip(&literal.words);
        pairs.clone().count() == count
            && pairs
                .into_iter()
                .all(|(word, wanted)| matches(literal.shape, &word.folded, wanted))
    });
    if found {
        let note = if literal.shape == Shape::Whole {
            Note::Word
        } else {
            Note::Compound
        };
        return Some((length, at.saturating_add(count).saturating_sub(1), note));
    }
    let next = at.saturating_add(1);
    let (one, two) = (words.get(at)?, words.get(next)?);
    let whole = format!("{}{}", one.folded, two.folded);
    let rejoined =
        literal.rejoins() && literal.words.first() == Some(&whole) && may_rejoin(text, one, two);
    rejoined.then_some((length, next, Note::RejoinedWord))
}

fn matches(shape: Shape, word: &str, wanted: &str) -> bool {
    // References mix letters and digits; a stem inside of one is chance.
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    match shape {
        Shape::Whole => word == wanted,
        Shape::Prefix => letters && word.starts_with(wanted),
        Shape::Suffix => letters && word.ends_with(wanted),
        Shape::Infix => letters && word.contains(wanted),
    }
}

/// Whether two words may be one that a line break split: letters, one blank or line feed, letters.
fn may_rejoin(text: &str, one: &Word, two: &Word) -> bool {
    let letters = |word: &Word| word.folded.bytes().all(|byte| byte.is_ascii_lowercase());
    let gap = &text[one.end..two.start];
    let length = one.folded.len().saturating_add(two.folded.len());
    matches!(gap, " " | "\n") && letters(one) && letters(two) && length >= REJOINED_LETTERS_MIN
}
