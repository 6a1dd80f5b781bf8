//! Transfers to or from own accounts whose other side is not among the bookings.

use domain::AccountType;

use super::facts::{Facts, is_cash_or_purchase, is_internal, numbered};
use super::link::{Counts, Evidence, Link, LinkKind, Member, MemberRole};
use super::owners::NameFit;
use super::transfer::{meaning, own_role};
use super::weigh::Leg;
use super::wording::Topics;
use super::{Linked, place};
use crate::event::Role;

/// A settlement concerns what was bought in so many days before.
const CARD_PERIOD_DAYS: i32 = 45;

/// Links what is left over after pairing.
pub(crate) fn link(facts: &Facts<'_>, linked: &mut Linked) {
    let card = only_card(facts);
    for (number, event) in numbered(facts.events) {
        let Some(leg) = facts.get(number) else {
            continue;
        };
        let is_free = linked.role(number) == Role::Ordinary && !linked.is_linked(number);
        if !is_free || leg.1.minor == 0 || is_cash_or_purchase(event, leg.1.topics) {
            continue;
        }
        let found = other_side(facts, leg).or_else(|| settlement(leg, card.as_ref()));
        if let Some((other, mut evidence)) = found {
            evidence.push(Evidence::OneSided);
            let link = one_sided(facts, leg, other, evidence);
            let counts = link
                .members
                .first()
                .map_or(Counts::Itself, |member| member.counts);
            linked.mark(number, own_role(link.kind, counts));
            linked.push(number, link);
        }
    }
}

/// The own account on the other side, if there is one, and what says so.
fn other_side(facts: &Facts<'_>, leg: Leg<'_>) -> Option<(Option<usize>, Vec<Evidence>)> {
    let (event, fact) = leg;
    let party = fact.party;
    if let Some(account) = party.account {
        return Some((Some(account), vec![Evidence::OwnIban]));
    }
    if is_internal(event.tag) {
        return Some((None, holder_evidence(leg, Evidence::Tag)));
    }
    let is_open =
        matches!(party.name, NameFit::Absent | NameFit::Holder) && !party.has_foreign_iban;
    if is_open {
        let text = event.transaction.remittance_info.as_str();
        if let Some(account) = facts.owners.named_in(text, fact.account) {
            return Some((Some(account), vec![Evidence::OwnNumber]));
        }
    }
    if !may_be_own(event.tag) {
        return None;
    }
    if party.name == NameFit::Holder {
        return Some((None, holder_evidence(leg, Evidence::HolderName)));
    }
    // The IBAN bears the holder's name elsewhere, and no other.
    if party.is_known {
        return Some((None, vec![Evidence::KnownIban]));
    }
    let says_so = fact.topics.meet(Topics::TRANSFER) && !fact.topics.meet(Topics::FEE);
    let is_silent = party.name == NameFit::Absent
        && !party.has_foreign_iban
        && event.transaction.counterparty.creditor_id.is_empty();
    (is_silent && says_so).then(|| (None, vec![Evidence::Wording]))
}

fn holder_evidence(leg: Leg<'_>, first: Evidence) -> Vec<Evidence> {
    let mut evidence = vec![first];
    if leg.1.party.name == NameFit::Holder && first != Evidence::HolderName {
        evidence.push(Evidence::HolderName);
    }
    if leg.1.party.is_known {
        evidence.push(Evidence::KnownIban);
    }
    evidence
}

/// Whether the tag leaves room for a transfer: a wage paid under the holder's own name is a wage.
fn may_be_own(tag: &str) -> bool {
    matches!(
        tag,
        "" | "transfer_in" | "transfer_out" | "other" | "unknown"
    ) || tag.starts_with("savings")
}

/// The only card account, and the days on which something was bought with it.
struct Card {
    account: usize,
    days: Vec<i32>,
}

fn only_card(facts: &Facts<'_>) -> Option<Card> {
    let is_card = |account: &usize| facts.kind(*account) == AccountType::KreditKarte;
    let mut cards = (0..facts.accounts.len()).filter(is_card);
    let account = cards.next()?;
    let bought = facts
        .known
        .iter()
        .filter(|fact| fact.account == account && fact.minor < 0);
    let card = Card {
        account,
        days: bought.map(|fact| fact.day).collect(),
    };
    cards.next().is_none().then_some(card)
}

/// The settlement of the only card, where its own side is missing.
fn settlement(leg: Leg<'_>, card: Option<&Card>) -> Option<(Option<usize>, Vec<Evidence>)> {
    let (event, fact) = leg;
    let card = card.filter(|card| card.account != fact.account && fact.minor < 0)?;
    let evidence = if event.tag == "credit_card_settlement" {
        Evidence::Tag
    } else if fact.topics.meet(Topics::CARD) {
        Evidence::Wording
    } else {
        return None;
    };
    let until = card.days.partition_point(|day| *day <= fact.day);
    let newest = until.checked_sub(1).and_then(|at| card.days.get(at))?;
    let is_recent = fact.day.saturating_sub(*newest) <= CARD_PERIOD_DAYS;
    is_recent.then(|| (Some(card.account), vec![evidence, Evidence::AccountKind]))
}

fn one_sided(
    facts: &Facts<'_>,
    leg: Leg<'_>,
    other: Option<usize>,
    evidence: Vec<Evidence>,
) -> Link {
    let is_outgoing = leg.1.minor < 0;
    let receiver = if is_outgoing {
        other
    } else {
        Some(leg.1.account)
    };
    let (kind, outgoing) = receiver.map_or((LinkKind::OwnTransfer, Counts::Nowhere), |receiver| {
        meaning(facts, receiver)
    });
    let (role, counts) = if is_outgoing {
        (MemberRole::Outgoing, outgoing)
    } else {
        (MemberRole::Incoming, Counts::Nowhere)
    };
    Link {
        kind,
        members: vec![Member {
            place: place(leg.0),
            role,
            counts,
        }],
        evidence,
        other_account: other,
    }
}
