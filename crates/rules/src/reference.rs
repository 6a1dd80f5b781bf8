//! The slow matcher: every rule against every word, written for clarity.
//!
//! It is the definition of what a rule means; the compiled matcher is held to it by a property
//! test, and it is of no other use.

use crate::categorizer::{Categorizer, of_user};
use crate::decision::{Decision, Origin};
use crate::evidence::Note;
use crate::literal::{Literal, REJOINED_LETTERS_MIN, Shape};
use crate::matcher::{
    Found, Hit, Match, Question, Scales, Verdict, code_hit, guards_hold, other_side_holds,
};
use crate::normalize::{self, Word};
use crate::pack::RulePack;
use crate::rule::{Clause, Direction, Rule, RuleId, Test};
use crate::taxonomy::TagId;
use crate::view::{Roles, View};

/// Decides as [`Categorizer::decide`] does, by trying everything.
///
/// `None` never comes from a valid pack, whose fallbacks match always.
pub fn categorize(categorizer: &Categorizer<'_>, view: &View<'_>) -> Option<Decision> {
    let user = categorizer.patterns().matching(view);
    if let Some(decision) = user.iter().find_map(|found| of_user(found, view)) {
        return Some(decision);
    }
    let pack = categorizer.pack();
    let slow = Slow {
        pack,
        view,
        texts: Text::all(view),
        scales: Scales::of(categorizer.tree(), &pack.weighing()),
    };
    let credit = view.direction() == Direction::Credit;
    let pack_rules = || {
        pack.rules()
            .filter(|(_, rule)| rule.tree == categorizer.tree())
    };
    let spending = |tenant_only: bool| {
        let tenant = categorizer.tenant();
        let of_tenant = tenant.and_then(|tenant| slow.best(tenant.rules(), Question::Spending));
        let of_tenant = of_tenant.map(|found| (found, Origin::Tenant));
        of_tenant.filter(|_| credit).or_else(|| {
            let of_pack = slow.best(pack_rules(), Question::Spending);
            of_pack
                .filter(|_| credit && !tenant_only)
                .map(|found| (found, Origin::Pack))
        })
    };
    let tenant = categorizer.tenant();
    if let Some(best) = tenant.and_then(|tenant| slow.best(tenant.rules(), Question::Meaning)) {
        return Some(slow.read_as_refund(&best, Origin::Tenant, spending(true)));
    }
    let best = slow.best(pack_rules(), Question::Meaning)?;
    let decision = slow.read_as_refund(&best, Origin::Pack, spending(false));
    if decision.refund_of.is_some() || !best.is_unsure(slow.scales) {
        return Some(decision);
    }
    let rest = slow.best(pack_rules(), Question::Rest);
    Some(rest.unwrap_or(best).abstained(view))
}

/// What a rule alone says of a transaction, if its best match is the evidence of a decision.
pub(crate) fn replay(
    pack: &RulePack,
    rule: (RuleId, &Rule),
    decision: &Decision,
    view: &View<'_>,
) -> Option<TagId> {
    let slow = Slow {
        pack,
        view,
        texts: Text::all(view),
        scales: Scales::of(rule.1.tree, &pack.weighing()),
    };
    let found = slow.best(std::iter::once(rule), Question::Meaning);
    let own = found.map(|found| found.decision(decision.origin, view));
    let spent = || {
        let found = slow.best(std::iter::once(rule), Question::Spending);
        found.map(|found| found.as_refund(decision.origin, view, slow.scales))
    };
    let replayed = own.or_else(spent)?;
    (replayed.evidence == decision.evidence).then_some(replayed.tag)
}

/// A segment's words.
struct Text {
    words: Vec<Word>,
    /// By word: what it and the next would be, if a line break may have split one word.
    rejoined: Vec<Option<String>>,
}

impl Text {
    fn all(view: &View<'_>) -> Vec<Self> {
        let segments = view.segments().iter();
        segments.map(|segment| Self::read(segment.text)).collect()
    }

    fn read(text: &str) -> Self {
        let words = normalize::words(text);
        let rejoined = (0..words.len()).map(|at| {
            let (one, two) = (&words[at], words.get(at.saturating_add(1))?);
            may_rejoin(text, one, two).then(|| format!("{}{}", one.folded, two.folded))
        });
        Self {
            rejoined: rejoined.collect(),
            words,
        }
    }
}

/// A transaction before every rule.
struct Slow<'a> {
    pack: &'a RulePack,
    view: &'a View<'a>,
    texts: Vec<Text>,
    scales: Scales,
}

impl Slow<'_> {
    /// The best match of any rule under a question, and whether another one contests it.
    fn best<'r>(
        &self,
        rules: impl Iterator<Item = (RuleId, &'r Rule)>,
        question: Question,
    ) -> Option<Match> {
        let all: Vec<Found> = rules
            .filter(|(_, rule)| rule.is_applied())
            .flat_map(|rule| self.matches(rule, question))
            .collect();
        let best = *all.iter().max_by(|one, two| one.order(two))?;
        let contested = all
            .iter()
            .any(|other| best.is_contested_by(other, question, self.scales));
        let found = Match {
            found: best,
            contested,
        };
        let counts = question != Question::Spending || found.is_spending(self.view, self.scales);
        counts.then_some(found)
    }

    fn matches(&self, (id, rule): (RuleId, &Rule), question: Question) -> Vec<Found> {
        let verdict = Verdict::of(rule, &self.pack.weighing());
        if verdict.answer(question).is_none() {
            return Vec::new();
        }
        let clauses = rule.clauses.iter();
        let hits = clauses.filter_map(|clause| self.hits(clause, question));
        let found = hits.map(|hits| {
            let mut found = Found::new(id, verdict);
            for hit in hits {
                found.add(hit);
            }
            found
        });
        found.collect()
    }

    /// A hit for each required test of a clause, if everything holds.
    fn hits(&self, clause: &Clause, question: Question) -> Option<Vec<Hit>> {
        let view = self.view;
        let hit = |test: &Test| match test {
            Test::Words { roles, literals } => words_hit(*roles, literals, view, &self.texts),
            Test::TransactionCode(_)
            | Test::MerchantCategory(_)
            | Test::PurposeCode(_)
            | Test::CreditorId(_)
            | Test::Iban(_)
            | Test::BankCode(_)
            | Test::Intermediary(_)
            | Test::Self_(_) => code_hit(test, view),
        };
        let excluded = clause.forbidden.iter().any(|test| hit(test).is_some());
        let narrowed = guards_hold(&clause.guards, question.direction(view), view)
            && other_side_holds(&clause.guards, view);
        if excluded || !narrowed {
            return None;
        }
        let hits: Vec<Hit> = clause.required.iter().map(hit).collect::<Option<_>>()?;
        let names = |(test, hit): (&Test, &Hit)| {
            let roles = match test {
                Test::Words { roles, .. } => *roles,
                Test::TransactionCode(_)
                | Test::MerchantCategory(_)
                | Test::PurposeCode(_)
                | Test::CreditorId(_)
                | Test::Iban(_)
                | Test::BankCode(_)
                | Test::Intermediary(_)
                | Test::Self_(_) => Roles::NONE,
            };
            hit.names_other_side(roles, view)
        };
        let known = clause.required.iter().zip(&hits).any(names);
        (question != Question::Spending || known).then_some(hits)
    }

    fn read_as_refund(
        &self,
        best: &Match,
        origin: Origin,
        spending: Option<(Match, Origin)>,
    ) -> Decision {
        let wanted = best.may_be_refund(self.view, self.scales);
        match spending.filter(|_| wanted) {
            Some((spending, whose)) => {
                best.refunded(origin, (&spending, whose), self.view, self.scales)
            }
            None => best.decision(origin, self.view),
        }
    }
}

/// The best hit of any literal in any text of the roles.
fn words_hit(roles: Roles, literals: &[Literal], view: &View<'_>, texts: &[Text]) -> Option<Hit> {
    let mut best: Option<Hit> = None;
    for (index, (segment, text)) in (0_u8..).zip(view.segments().iter().zip(texts)) {
        if !segment.roles.meet(roles) {
            continue;
        }
        for literal in literals {
            if literal.words.len() == 1 && view.is_personal(usize::from(index)) {
                continue;
            }
            let words = &text.words;
            for at in 0..words.len() {
                if let Some((length, last, note)) = literal_at(literal, text, at) {
                    let hit = Hit::word(length, index, (words[at].start, words[last].end), note);
                    best = best.max(Some(hit));
                }
            }
        }
    }
    best
}

/// How a literal matches at a word: its length, the index of its last word, and the kind of match.
fn literal_at(literal: &Literal, text: &Text, at: usize) -> Option<(usize, usize, Note)> {
    let wanted = &literal.words;
    let end = at.saturating_add(wanted.len());
    let length = || wanted.iter().map(String::len).sum();
    let window = text.words.get(at..end);
    let found = window.is_some_and(|window| {
        let mut pairs = window.iter().zip(wanted);
        pairs.all(|(word, wanted)| matches(literal.shape, &word.folded, wanted))
    });
    if found {
        let note = if literal.shape == Shape::Whole {
            Note::Word
        } else {
            Note::Compound
        };
        return Some((length(), end.saturating_sub(1), note));
    }
    let rejoined = text.rejoined[at].as_ref()?;
    (literal.rejoins() && wanted.first() == Some(rejoined))
        .then(|| (length(), at.saturating_add(1), Note::RejoinedWord))
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
