//! What speaks for two bookings being the two sides of one transfer.

use domain::AccountType;

use super::facts::{Fact, Facts, is_internal};
use super::link::Evidence;
use super::owners::NameFit;
use super::wording::Topics;
use crate::event::Event;

/// A booking and what is known of it.
pub(crate) type Leg<'a> = (&'a Event<'a>, &'a Fact);

/// What speaks for a pair.
#[derive(Debug, Default)]
pub(crate) struct Weight {
    /// Points: twelve for an own account's IBAN, the strongest of all.
    pub(crate) points: i64,
    /// Whether anything says that both accounts have one holder, apart from amount and day.
    pub(crate) has_identity: bool,
    /// Whether a side bears somebody else's name, and nothing else on it speaks of a transfer.
    has_stranger: bool,
    /// In the order in which it was found.
    pub(crate) evidence: Vec<Evidence>,
}

impl Weight {
    fn add(&mut self, points: i64, evidence: Evidence) {
        self.points = self.points.saturating_add(points);
        self.has_identity = true;
        if !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
    }

    fn take(&mut self, points: i64) {
        self.points = self.points.saturating_sub(points);
    }
}

/// Weighs what both sides and their texts say; `None` when one side names somebody else.
pub(crate) fn sides(facts: &Facts<'_>, debit: Leg<'_>, credit: Leg<'_>) -> Option<Weight> {
    let mut weight = Weight::default();
    side(facts, debit, credit.1.account, &mut weight)?;
    side(facts, credit, debit.1.account, &mut weight)?;
    let (out, into) = (debit.0.transaction, credit.0.transaction);
    let (one, other) = (out.end_to_end_id.as_str(), into.end_to_end_id.as_str());
    if one.len() > 3 && one == other && !one.eq_ignore_ascii_case("NOTPROVIDED") {
        weight.add(10, Evidence::SameEndToEnd);
    }
    let text = out.remittance_info.as_str().trim();
    let other = into.remittance_info.as_str().trim();
    if text.len() >= 3 && text.eq_ignore_ascii_case(other) {
        weight.add(6, Evidence::SameText);
    }
    let is_same = [Evidence::SameEndToEnd, Evidence::SameText]
        .iter()
        .any(|same| weight.evidence.contains(same));
    (is_same || !weight.has_stranger).then_some(weight)
}

/// What one side says about the other being on the account `other`.
fn side(facts: &Facts<'_>, leg: Leg<'_>, other: usize, weight: &mut Weight) -> Option<()> {
    let (event, fact) = leg;
    let party = fact.party;
    let is_open = matches!(party.name, NameFit::Absent | NameFit::Holder)
        || fact.topics.meet(Topics::TRANSFER);
    let named = || {
        facts
            .owners
            .named_in(event.transaction.remittance_info.as_str(), fact.account)
    };
    if let Some(account) = party.account {
        if account != other {
            return None;
        }
        weight.add(12, Evidence::OwnIban);
    } else if let Some(account) = is_open.then(named).flatten() {
        if account != other {
            return None;
        }
        weight.add(10, Evidence::OwnNumber);
    } else {
        name(facts, leg, other, weight)?;
    }
    if is_internal(event.tag) {
        weight.add(6, Evidence::Tag);
    } else if fact.topics.meet(Topics::TRANSFER) {
        weight.add(6, Evidence::Wording);
    } else if is_stranger(facts, fact, other) {
        weight.has_stranger = true;
    }
    let points = kind(facts.kind(other), event.tag, fact.topics);
    if points > 0 {
        weight.add(points, Evidence::AccountKind);
    }
    // Money that comes in on a card or a loan account is its settlement, rarely anything else.
    if fact.minor > 0 && is_run_by_bank(facts.kind(fact.account)) {
        weight.points = weight.points.saturating_add(3);
    }
    Some(())
}

/// Whether somebody else's name stands where the bank of `other` has no reason to put one.
fn is_stranger(facts: &Facts<'_>, fact: &Fact, other: usize) -> bool {
    fact.party.name == NameFit::Other
        && fact.party.account.is_none()
        && !is_run_by_bank(facts.kind(other))
        && !is_run_by_bank(facts.kind(fact.account))
}

/// What the name of the other side says when no account of ours is named.
fn name(facts: &Facts<'_>, leg: Leg<'_>, other: usize, weight: &mut Weight) -> Option<()> {
    let party = leg.1.party;
    let by_bank = is_run_by_bank(facts.kind(other)) || is_run_by_bank(facts.kind(leg.1.account));
    match (party.name, party.has_foreign_iban) {
        (NameFit::Holder, false) => weight.add(8, Evidence::HolderName),
        (NameFit::Initial, false) => weight.add(4, Evidence::HolderInitial),
        (NameFit::Holder, true) if facts.owners.has_unnamed() => {
            weight.add(4, Evidence::HolderName);
        }
        (NameFit::Absent, false) => {}
        (_, true) if by_bank => weight.take(2),
        (_, true) => return None,
        (NameFit::Other, false) if by_bank => weight.take(1),
        (NameFit::Other, false) => weight.take(9),
    }
    Some(())
}

/// Points when the text speaks of what the other account is.
fn kind(kind: AccountType, tag: &str, topics: Topics) -> i64 {
    let says = |topic: Topics, points: i64| if topics.meet(topic) { points } else { 0 };
    match kind {
        AccountType::KreditKarte if tag == "credit_card_settlement" => 10,
        AccountType::KreditKarte => says(Topics::CARD, 10),
        AccountType::KreditKonto | AccountType::Kreditdarlehen if is_loan(tag) => 8,
        AccountType::KreditKonto | AccountType::Kreditdarlehen => says(Topics::LOAN, 8),
        AccountType::Sparbuch | AccountType::Tagesgeld | AccountType::Festgeld
            if tag == "savings_deposit" =>
        {
            6
        }
        AccountType::Sparbuch | AccountType::Tagesgeld | AccountType::Festgeld => {
            says(Topics::SAVING, 6)
        }
        AccountType::Depot | AccountType::Fondsdepot if tag.starts_with("savings_securities") => 6,
        AccountType::Depot | AccountType::Fondsdepot => says(Topics::DEPOT, 6),
        AccountType::Bausparen if tag == "housing_saving" => 6,
        AccountType::Bausparen => says(Topics::BAUSPAREN, 6),
        AccountType::Giro | AccountType::Unknown | AccountType::Other => 0,
    }
}

/// Whether the tag is one of payments on a loan.
pub(crate) fn is_loan(tag: &str) -> bool {
    matches!(
        tag,
        "credit_rate"
            | "credit_mortgage"
            | "credit_special_repayment"
            | "credit_consumer"
            | "credit_student"
            | "credit_energy_refurbishment"
    )
}

/// Whether a bank collects payments to such an account through one of its own.
pub(crate) const fn is_run_by_bank(kind: AccountType) -> bool {
    matches!(
        kind,
        AccountType::KreditKarte
            | AccountType::KreditKonto
            | AccountType::Kreditdarlehen
            | AccountType::Bausparen
            | AccountType::Depot
            | AccountType::Fondsdepot
    )
}
