//! The compiled matcher: one pass over the text, hashed words, and only clauses that were awoken.
//!
//! A transaction's texts are normalised into one buffer of words ([`Scan`]); each word is looked up
//! in a hash table that also knows the phrases it starts, and a filter of letters finds the
//! stems of compounds. Every hit marks the groups of literals it belongs to. A group that is marked for the
//! first time awakes the clauses anchored there; those are evaluated by looking at marks and codes.
//! The cost depends on the text, hardly on the number of rules.

mod compile;
mod compounds;
mod decide;
mod steps;
mod table;
mod weigh;

use crate::codes;
use crate::evidence::{Field, Note};
use crate::normalize::scan::Scan;
use crate::patterns::Lookup;
use crate::rule::{Direction, RuleId};
use crate::view::View;

pub(crate) use compile::GroupId;
use compile::{Anchors, ClauseNumber, CompiledClause, CompiledTest, side};
use compounds::Compounds;
pub(crate) use decide::{Hit, code_hit, guards_hold, other_side_holds};
use decide::{merchant_category, purpose_code};
pub use steps::Step;
use table::{Posting, WordTable};
pub(crate) use weigh::{Found, Match, Question, Ranking, Scales, Verdict, Weighing};

/// The compiled rules of one tree.
#[derive(Debug)]
pub(crate) struct Matcher {
    words: WordTable,
    compounds: Compounds,
    anchors: Anchors,
    clauses: Vec<CompiledClause>,
    /// By clause, apart from the clauses, so that what cannot win is passed over without a look at
    /// its conditions.
    verdicts: Vec<Verdict>,
    scales: Scales,
    literals: Vec<String>,
}

/// Working memory of one thread; see [`crate::RulePack::scratch`].
#[derive(Debug, Default)]
pub struct Scratch {
    scan: Scan,
    marks: Marks,
    /// Groups that the current transaction has hit and that awake clauses.
    hit: Vec<GroupId>,
    /// Clauses whose anchor was found in the current transaction.
    awake: Vec<ClauseNumber>,
    /// Rules that match the current transaction and may decide or contest.
    matches: Vec<Found>,
    pub(crate) lookup: Lookup,
}

impl Scratch {
    /// Reads the texts of a transaction, once for all matchers.
    pub(crate) fn read(&mut self, view: &View<'_>) {
        self.scan.clear();
        for (number, segment) in (0..).zip(view.segments()) {
            self.scan.read(segment.text, number);
        }
    }
}

/// How many words a hit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    /// One, which in a person's name means nothing.
    Single,
    Phrase,
}

/// Which groups the current transaction has hit.
#[derive(Debug, Default)]
struct Marks {
    /// By group: the transaction that hit it last, and the best hit there.
    groups: Vec<(u64, Option<Hit>)>,
    /// The number of the current transaction; older marks count as none.
    epoch: u64,
}

impl Marks {
    fn begin(&mut self, groups: usize) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.groups.len() < groups {
            self.groups.resize(groups, (0, None));
        }
    }

    fn hit(&self, group: GroupId) -> Option<Hit> {
        let (epoch, hit) = self.groups.get(group.0 as usize)?;
        hit.filter(|_| *epoch == self.epoch)
    }

    /// Keeps the better hit; says whether it is the first of the transaction.
    fn add(&mut self, group: GroupId, hit: Hit) -> bool {
        let Some((epoch, best)) = self.groups.get_mut(group.0 as usize) else {
            return false;
        };
        let first = *epoch != self.epoch;
        *best = if first {
            Some(hit)
        } else {
            (*best).max(Some(hit))
        };
        *epoch = self.epoch;
        first
    }
}

impl Matcher {
    /// The best match of a transaction that [`Scratch::read`] has read; for a pack there always is
    /// one: the fallback.
    pub(crate) fn find(&self, view: &View<'_>, scratch: &mut Scratch) -> Option<Match> {
        self.awake(view, scratch);
        self.best(Question::Meaning, view, scratch)
    }

    /// The best match that says that nothing is known, after [`Matcher::find`].
    pub(crate) fn find_rest(&self, view: &View<'_>, scratch: &mut Scratch) -> Option<Match> {
        let direction = view.direction();
        self.awake_again(direction, view, scratch);
        add(&mut scratch.awake, &self.anchors.fallbacks[side(direction)]);
        self.best(Question::Rest, view, scratch)
    }

    /// What money that went to the same other side would be spent for, after [`Matcher::find`].
    pub(crate) fn find_spending(&self, view: &View<'_>, scratch: &mut Scratch) -> Option<Match> {
        self.awake_again(Direction::Debit, view, scratch);
        let found = self.best(Question::Spending, view, scratch);
        found.filter(|found| found.is_spending(view, self.scales))
    }

    /// Every rule that matches, best first.
    pub(crate) fn candidates(&self, view: &View<'_>, scratch: &mut Scratch) -> Vec<Found> {
        self.awake(view, scratch);
        let mut found: Vec<Found> = scratch
            .awake
            .iter()
            .filter_map(|number| self.evaluate(*number, Question::Meaning, view, scratch))
            .collect();
        found.sort_by(|a, b| b.order(a));
        // Alternatives of one rule may stand apart; the best of them speaks for the rule.
        let mut named: Vec<RuleId> = Vec::new();
        found.retain(|found| {
            let first = !named.contains(&found.rule());
            named.push(found.rule());
            first
        });
        found
    }

    /// A match that a validated pack never needs, because it has a fallback for each direction.
    pub(crate) fn nothing(&self) -> Found {
        Found::new(RuleId(0), self.verdicts[0])
    }

    /// The distinct literals, normalised.
    pub(crate) fn literals(&self) -> Vec<String> {
        self.literals.clone()
    }

    /// What weights are compared with.
    pub(crate) const fn scales(&self) -> Scales {
        self.scales
    }

    /// The best of the awake clauses that answer a question, and whether it is contested.
    fn best(&self, question: Question, view: &View<'_>, scratch: &mut Scratch) -> Option<Match> {
        // Taken out and put back, so that the rest of the memory can be read meanwhile.
        let mut matches = std::mem::take(&mut scratch.matches);
        matches.clear();
        let mut ranking = Ranking::default();
        for (number, verdict) in self.awoken(scratch) {
            if verdict.answer(question).is_none() || verdict.is_far(ranking.best(), self.scales) {
                continue;
            }
            if let Some(found) = self.evaluate(number, question, view, scratch) {
                ranking.offer(found);
                matches.push(found);
            }
        }
        let best = ranking.best().map(|best| Match {
            found: *best,
            contested: matches
                .iter()
                .any(|other| best.is_contested_by(other, question, self.scales)),
        });
        scratch.matches = matches;
        best
    }

    fn awoken(&self, scratch: &Scratch) -> impl Iterator<Item = (ClauseNumber, &Verdict)> {
        let numbers = scratch.awake.iter();
        numbers.map(|number| (*number, &self.verdicts[*number as usize]))
    }

    /// Collects the clauses that may match what was read.
    fn awake(&self, view: &View<'_>, scratch: &mut Scratch) {
        self.begin(scratch);
        self.mark_words(view, scratch);
        self.mark_compounds(view, scratch);
        self.awake_by_codes(view, &mut scratch.awake);
        add(
            &mut scratch.awake,
            &self.anchors.fallbacks[side(view.direction())],
        );
    }

    fn begin(&self, scratch: &mut Scratch) {
        scratch.marks.begin(self.anchors.groups.len());
        scratch.hit.clear();
        scratch.awake.clear();
    }

    /// Collects the clauses of a direction that may match, from the marks that are there, except
    /// for the fallback.
    fn awake_again(&self, direction: Direction, view: &View<'_>, scratch: &mut Scratch) {
        let Scratch { hit, awake, .. } = scratch;
        awake.clear();
        for group in hit.iter() {
            add(awake, self.anchors.groups.of(*group, direction));
        }
        self.awake_by_codes(view, awake);
    }

    fn mark_words(&self, view: &View<'_>, scratch: &mut Scratch) {
        let Scratch {
            scan,
            marks,
            hit: groups,
            awake,
            ..
        } = scratch;
        for at in 0..scan.words().len() {
            self.words.find(scan, at, |found| {
                let (first, last) = (&scan.words()[at], &scan.words()[found.last]);
                let note = if found.rejoined {
                    Note::RejoinedWord
                } else {
                    Note::Word
                };
                let span = (first.start as usize, last.end as usize);
                let hit = Hit::word(found.length, first.text, span, note);
                let words = if found.last > at && !found.rejoined {
                    Words::Phrase
                } else {
                    Words::Single
                };
                self.mark(view, found.postings, (hit, words), (marks, groups, awake));
            });
        }
    }

    fn mark_compounds(&self, view: &View<'_>, scratch: &mut Scratch) {
        let Scratch {
            scan,
            marks,
            hit: groups,
            awake,
            ..
        } = scratch;
        self.compounds.find(scan, |at, length, postings| {
            let word = &scan.words()[at];
            let span = (word.start as usize, word.end as usize);
            let hit = Hit::word(length, word.text, span, Note::Compound);
            let hit = (hit, Words::Single);
            self.mark(view, postings, hit, (marks, groups, awake));
        });
    }

    /// Marks groups and awakes what is anchored there, if the text plays the right role.
    fn mark(
        &self,
        view: &View<'_>,
        postings: &[Posting],
        (hit, words): (Hit, Words),
        (marks, groups, awake): (&mut Marks, &mut Vec<GroupId>, &mut Vec<ClauseNumber>),
    ) {
        let Some(index) = hit.segment() else {
            return;
        };
        let roles = view.segments()[index].roles;
        let direction = view.direction();
        for posting in postings.iter().filter(|one| roles.meet(one.roles)) {
            if words == Words::Single && view.is_personal(index) {
                return;
            }
            if marks.add(posting.group, hit) && posting.awakes {
                groups.push(posting.group);
                add(awake, self.anchors.groups.of(posting.group, direction));
            }
        }
    }

    fn awake_by_codes(&self, view: &View<'_>, awake: &mut Vec<ClauseNumber>) {
        let anchors = &self.anchors;
        let transaction = view.transaction();
        if let Some(code) = transaction.transaction_code {
            extend(awake, anchors.transaction_codes.get(&code));
        }
        if let Some(code) = merchant_category(view) {
            extend(awake, anchors.merchant_categories.get(&code));
        }
        if let Some(code) = purpose_code(view) {
            extend(awake, anchors.purpose_codes.get(&code));
        }
        if !anchors.creditor_ids.is_empty() {
            let key = codes::creditor_key(view.creditor_id().text);
            extend(awake, key.and_then(|key| anchors.creditor_ids.get(&key)));
        }
        let iban = transaction.counterparty.iban.as_str();
        if !anchors.ibans.is_empty() {
            extend(
                awake,
                codes::iban_key(iban).and_then(|key| anchors.ibans.get(&key)),
            );
        }
        if !anchors.bank_codes.is_empty() {
            extend(
                awake,
                codes::bank_code_of(iban).and_then(|code| anchors.bank_codes.get(&code)),
            );
        }
        if view.intermediary().is_some() {
            add(awake, &anchors.intermediaries);
        }
        add(awake, &anchors.own);
    }
}

fn extend(awake: &mut Vec<ClauseNumber>, clauses: Option<&Vec<ClauseNumber>>) {
    add(awake, clauses.map_or(&[], Vec::as_slice));
}

/// Adds clauses one by one: nearly always it is one or two, too few to call for a copy.
#[inline]
fn add(awake: &mut Vec<ClauseNumber>, clauses: &[ClauseNumber]) {
    for clause in clauses {
        awake.push(*clause);
    }
}

impl Matcher {
    /// The match of a clause, if all of it holds.
    fn evaluate(
        &self,
        number: ClauseNumber,
        question: Question,
        view: &View<'_>,
        scratch: &Scratch,
    ) -> Option<Found> {
        let clause = &self.clauses[number as usize];
        let hit = |test: &CompiledTest| match test {
            CompiledTest::Group(group, _) => scratch.marks.hit(*group),
            CompiledTest::Holder => holder_hit(view, &scratch.scan),
            CompiledTest::Code(test) => code_hit(test, view),
        };
        if !guards_hold(&clause.guards, question.direction(view), view) {
            return None;
        }
        let mut found = Found::new(clause.rule, self.verdicts[number as usize]);
        let mut known = question != Question::Spending;
        for test in &clause.required {
            let hit = hit(test)?;
            found.add(hit);
            known = known || hit.names_other_side(test.roles(), view);
        }
        let forbidden = clause.forbidden.iter().any(|test| hit(test).is_some());
        let other_side = || other_side_holds(&clause.guards, view);
        (known && !forbidden && other_side()).then_some(found)
    }
}

/// Whether the counterparty's name holds every word of the account holder's.
fn holder_hit(view: &View<'_>, scan: &Scan) -> Option<Hit> {
    let holder = view.context().holder();
    let in_name = |text: u8| view.segments()[usize::from(text)].field == Field::Counterparty;
    let named = |wanted: &String| {
        let mut words = scan.words().iter().filter(|word| in_name(word.text));
        words.any(|word| scan.bytes(word) == wanted.as_bytes())
    };
    let holds = !holder.is_empty() && holder.iter().all(named);
    holds.then_some(Hit::field(Field::Counterparty, Note::Holder))
}
