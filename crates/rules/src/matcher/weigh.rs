//! Which match wins, how sure that is, and what becomes of it.

use std::cmp::Reverse;

use domain::UserType;

use crate::calibration::{self, Calibration};
use crate::decision::{Confidence, Decision, Origin};
use crate::matcher::decide::Hit;
use crate::refund::Refunds;
use crate::rule::{Direction, Rank, Rule, RuleId};
use crate::taxonomy::TagId;
use crate::view::View;

/// What a rule decides if it matches, and how much that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) tag: TagId,
    /// The tag of money that comes back, for rules about spending.
    refund: Option<TagId>,
    rank: Rank,
    /// Uncontested and contested.
    confidence: [Confidence; 2],
    /// Whether the tag says that nothing is known.
    rests: bool,
    /// Whether the rule is what remains when nothing else matches.
    fallback: bool,
    /// Whether the tag is one that refunds get.
    returns: bool,
}

impl Verdict {
    pub(crate) fn of(rule: &Rule, weighing: &Weighing<'_>) -> Self {
        Self {
            tag: rule.tag,
            refund: weighing.refunds.of(rule),
            rank: Rank::of(&rule.strength),
            confidence: weighing.calibration.of(rule.tree, &rule.strength.name),
            rests: weighing.calibration.is_resting(rule.tag),
            fallback: rule.fallback,
            returns: weighing.refunds.is_refund(rule.tag),
        }
    }

    /// Whether the rule neither wins against a match nor contests it, however specific its own
    /// evidence is.
    pub(crate) fn is_far(&self, best: Option<&Found>, scales: Scales) -> bool {
        best.is_some_and(|best| {
            self.rank < best.verdict.rank && !self.rank.is_near(best.verdict.rank, scales.near)
        })
    }

    /// The tag that the rule gives under a question, if it answers it at all.
    pub(crate) const fn answer(&self, question: Question) -> Option<TagId> {
        match question {
            Question::Meaning => Some(self.tag),
            Question::Rest if self.rests => Some(self.tag),
            Question::Rest => None,
            Question::Spending => self.refund,
        }
    }
}

/// What verdicts are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighing<'a> {
    pub(crate) calibration: &'a Calibration,
    pub(crate) refunds: &'a Refunds,
}

/// What weights are compared with; the same for every rule of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scales {
    near: u16,
    below: Rank,
    sure: Rank,
    threshold: Confidence,
    refund: [Confidence; 2],
}

impl Scales {
    pub(crate) fn of(tree: UserType, weighing: &Weighing<'_>) -> Self {
        Self {
            near: weighing.calibration.near(),
            below: weighing.refunds.below(),
            sure: weighing.refunds.sure(),
            threshold: weighing.calibration.threshold(),
            refund: weighing.calibration.of(tree, calibration::REFUND),
        }
    }
}

/// What is asked of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// What the transaction is.
    Meaning,
    /// What it is when nothing is known surely.
    Rest,
    /// For money that comes in: what money that goes to the same other side is spent for.
    Spending,
}

impl Question {
    /// The direction that rules must be for.
    pub(crate) fn direction(self, view: &View<'_>) -> Direction {
        match self {
            Self::Meaning | Self::Rest => view.direction(),
            Self::Spending => Direction::Debit,
        }
    }
}

/// A rule that matches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    rule: RuleId,
    verdict: Verdict,
    /// Letters of all required evidence together.
    specificity: u32,
    best: Hit,
}

impl Found {
    /// A match without evidence so far: the direction of the money.
    pub(crate) const fn new(rule: RuleId, verdict: Verdict) -> Self {
        Self {
            rule,
            verdict,
            specificity: 0,
            best: Hit::direction(),
        }
    }

    /// Adds the hit of a required test.
    pub(crate) fn add(&mut self, hit: Hit) {
        self.specificity = self.specificity.saturating_add(hit.length);
        self.best = self.best.max(hit);
    }

    /// What the match says, whether sure or not.
    pub(crate) fn decision(&self, origin: Origin, contested: bool, view: &View<'_>) -> Decision {
        Decision {
            tag: self.verdict.tag,
            origin,
            rule: self.rule,
            evidence: self.best.evidence(view),
            intermediary: view.intermediary(),
            merchant: view.merchant_span(),
            refund_of: None,
            confidence: self.verdict.confidence[usize::from(contested)],
            abstained: self.verdict.fallback,
        }
    }

    pub(crate) const fn rule(&self) -> RuleId {
        self.rule
    }

    /// Whether another match makes this one, which is the best, less sure.
    pub(crate) fn is_contested_by(&self, other: &Self, question: Question, scales: Scales) -> bool {
        self.verdict.answer(question) != other.verdict.answer(question)
            && !other.verdict.rests
            && other.verdict.rank.is_near(self.verdict.rank, scales.near)
            && !other.best.lies_inside(&self.best)
    }

    /// Precedence, then strength, then whoever says anything at all, then the more specific
    /// evidence, then the first rule by name.
    fn rank(&self) -> impl Ord + use<> {
        let Verdict { rank, rests, .. } = self.verdict;
        (
            rank,
            !rests,
            self.specificity,
            Reverse(self.rule),
            self.best,
        )
    }

    pub(crate) fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Keeps the best of the rules that match.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    best: Option<Found>,
}

impl Ranking {
    pub(crate) fn offer(&mut self, found: Found) {
        if self.best.is_none_or(|best| found.order(&best).is_gt()) {
            self.best = Some(found);
        }
    }

    pub(crate) const fn best(&self) -> Option<&Found> {
        self.best.as_ref()
    }
}

/// The best match, and whether another tag was near.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) found: Found,
    pub(crate) contested: bool,
}

impl Match {
    pub(crate) fn decision(&self, origin: Origin, view: &View<'_>) -> Decision {
        self.found.decision(origin, self.contested, view)
    }

    /// Whether it would be worth knowing if the money comes back from a spending.
    pub(crate) fn may_be_refund(&self, view: &View<'_>, scales: Scales) -> bool {
        let verdict = self.found.verdict;
        view.direction() == Direction::Credit && (verdict.returns || verdict.rank < scales.below)
    }

    /// The decision as a refund, given what the money would have been spent for.
    pub(crate) fn refunded(
        &self,
        origin: Origin,
        (spending, spending_origin): (&Self, Origin),
        view: &View<'_>,
        scales: Scales,
    ) -> Decision {
        let own = self.decision(origin, view);
        let refund_of = Some(spending.found.verdict.tag);
        let verdict = self.found.verdict;
        let same = spending.found.verdict.refund == Some(verdict.tag);
        let heavier = verdict.rank >= spending.found.verdict.rank.min(scales.sure);
        if verdict.returns && (same || heavier) {
            return Decision { refund_of, ..own };
        }
        spending.as_refund(spending_origin, view, scales)
    }

    /// A match for spending, read as money that comes back.
    pub(crate) fn as_refund(&self, origin: Origin, view: &View<'_>, scales: Scales) -> Decision {
        let verdict = self.found.verdict;
        Decision {
            tag: verdict.refund.unwrap_or(verdict.tag),
            refund_of: Some(verdict.tag),
            confidence: scales.refund[usize::from(self.contested)],
            abstained: false,
            ..self.decision(origin, view)
        }
    }

    /// Whether a match for spending counts: the rule is sure, or the other side is a business.
    pub(crate) fn is_spending(&self, view: &View<'_>, scales: Scales) -> bool {
        self.found.verdict.rank >= scales.sure || view.is_business()
    }

    /// The decision when this is what remains although something else was matched.
    pub(crate) fn abstained(&self, view: &View<'_>) -> Decision {
        Decision {
            abstained: true,
            ..self.found.decision(Origin::Pack, true, view)
        }
    }

    /// Whether the match is too unsure to be the decision.
    pub(crate) fn is_unsure(&self, scales: Scales) -> bool {
        let verdict = self.found.verdict;
        !verdict.rests && verdict.confidence[usize::from(self.contested)] < scales.threshold
    }
}
