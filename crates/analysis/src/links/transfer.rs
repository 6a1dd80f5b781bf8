//! The two sides of transfers between the user's accounts.

use domain::{AccountType, Currency};

use super::assign::{self, Edge};
use super::facts::{Fact, Facts, is_cash_or_purchase, numbered};
use super::link::{Counts, Evidence, Link, LinkKind, Member, MemberRole};
use super::rates::{self, Rates};
use super::weigh::{self, Leg, Weight};
use super::{Linked, place};
use crate::event::Role;

/// Most days between the two sides, by booking or by value day.
pub const DAYS_MAX: i32 = 4;
/// Booking days may be farther apart when the value days are not: Easter takes four days.
const BOOKING_DAYS_MAX: i32 = 6;
/// Without any other evidence, sides that are farther apart have met by chance.
const DAYS_MAX_BY_AMOUNT: i32 = 2;
/// Fewest points of a pair.
const POINTS_MIN: i64 = 4;
/// Most partners that a side is compared with; the nearest in time are taken.
const PARTNERS_MAX: usize = 64;

/// Finds the pairs and links them.
pub(crate) fn pair(facts: &Facts<'_>, rates: &dyn Rates, linked: &mut Linked) {
    if facts.accounts.len() < 2 {
        return;
    }
    let legs = legs(facts, linked);
    let mut edges = Vec::new();
    for bucket in legs.chunk_by(|a, b| (a.currency, a.magnitude) == (b.currency, b.magnitude)) {
        candidates(facts, bucket, &mut edges);
    }
    join(facts, edges, linked);
    let edges = exchanged(facts, rates, &legs, linked);
    join(facts, edges, linked);
}

/// A booking that could be one side.
#[derive(Debug, Clone, Copy)]
struct Side {
    currency: Currency,
    magnitude: u64,
    account: usize,
    is_credit: bool,
    day: i32,
    event: u32,
}

/// The sides by currency, amount, direction and day.
fn legs(facts: &Facts<'_>, linked: &Linked) -> Vec<Side> {
    let mut legs: Vec<Side> = numbered(facts.events)
        .zip(&facts.known)
        .filter(|((number, event), fact)| {
            fact.minor != 0
                && linked.role(*number) == Role::Ordinary
                && !is_cash_or_purchase(event, fact.topics)
        })
        .map(|((event, booked), fact)| Side {
            currency: booked.transaction.amount.currency,
            magnitude: fact.minor.unsigned_abs(),
            account: fact.account,
            is_credit: fact.minor > 0,
            day: fact.day,
            event,
        })
        .collect();
    let key = |leg: &Side| {
        (
            leg.currency,
            leg.magnitude,
            leg.is_credit,
            leg.day,
            leg.event,
        )
    };
    legs.sort_unstable_by_key(key);
    legs
}

/// Pairs of opposite bookings of one amount.
fn candidates(facts: &Facts<'_>, bucket: &[Side], edges: &mut Vec<(Edge, Vec<Evidence>)>) {
    let middle = bucket.partition_point(|leg| !leg.is_credit);
    let (debits, credits) = bucket.split_at(middle);
    let is_single = debits.len() == 1 && credits.len() == 1;
    for debit in debits {
        let Some(out) = facts.get(debit.event) else {
            continue;
        };
        for credit in near(credits, debit.day) {
            let Some(into) = facts.get(credit.event) else {
                continue;
            };
            if out.1.account == into.1.account {
                continue;
            }
            let Some(mut weight) = weigh::sides(facts, out, into) else {
                continue;
            };
            if is_single {
                rarity(debit.magnitude, &mut weight);
            }
            edges.extend(edge(debit, credit, (out, into), weight));
        }
    }
}

/// A pair, if days and points are right.
fn edge(
    debit: &Side,
    credit: &Side,
    (out, into): (Leg<'_>, Leg<'_>),
    mut weight: Weight,
) -> Option<(Edge, Vec<Evidence>)> {
    let days = days_apart(out.1, into.1);
    let most = if weight.has_identity {
        DAYS_MAX
    } else {
        DAYS_MAX_BY_AMOUNT
    };
    // Money rarely arrives before it leaves.
    let inverted = i64::from(into.1.day < out.1.day);
    let points = weight
        .points
        .saturating_sub(i64::from(days))
        .saturating_sub(inverted);
    weight
        .evidence
        .push(Evidence::DaysApart(u16::try_from(days).unwrap_or(u16::MAX)));
    let edge = Edge {
        left: debit.event,
        right: credit.event,
        points,
    };
    (days <= most && points >= POINTS_MIN).then_some((edge, weight.evidence))
}

/// An amount that occurs once on each side is more telling, the more so if it is no round one.
fn rarity(magnitude: u64, weight: &mut Weight) {
    let bonus = if magnitude.is_multiple_of(100) { 3 } else { 7 };
    weight.points = weight.points.saturating_add(bonus);
    weight.evidence.push(Evidence::RareAmount);
}

fn days_apart(out: &Fact, into: &Fact) -> i32 {
    let by_booking = out.day.saturating_sub(into.day).saturating_abs();
    let by_value = out
        .value_day
        .saturating_sub(into.value_day)
        .saturating_abs();
    by_booking.min(by_value)
}

/// The sides around a day, sorted by day.
fn near(sides: &[Side], day: i32) -> &[Side] {
    let since = day.saturating_sub(BOOKING_DAYS_MAX);
    let until = day.saturating_add(BOOKING_DAYS_MAX);
    let start = sides.partition_point(|side| side.day < since);
    let end = sides.partition_point(|side| side.day <= until);
    let mut window = sides.get(start..end).unwrap_or_default();
    while window.len() > PARTNERS_MAX {
        let (Some((first, after)), Some((last, before))) =
            (window.split_first(), window.split_last())
        else {
            break;
        };
        let is_first_farther = day.saturating_sub(first.day) > last.day.saturating_sub(day);
        window = if is_first_farther { after } else { before };
    }
    window
}

/// Pairs of bookings in different currencies, where one side names the other's account.
fn exchanged(
    facts: &Facts<'_>,
    rates: &dyn Rates,
    legs: &[Side],
    linked: &Linked,
) -> Vec<(Edge, Vec<Evidence>)> {
    let free = legs
        .iter()
        .filter(|leg| linked.role(leg.event) == Role::Ordinary);
    let mut free: Vec<Side> = free.copied().collect();
    let first = free.first().map(|leg| leg.currency);
    if free.iter().all(|leg| Some(leg.currency) == first) {
        return Vec::new();
    }
    free.sort_unstable_by_key(|leg| (leg.account, leg.is_credit, leg.day, leg.event));
    let mut edges = Vec::new();
    for side in &free {
        let Some(account) = facts.get(side.event).and_then(|leg| leg.1.party.account) else {
            continue;
        };
        let key = |leg: &Side| (leg.account, leg.is_credit);
        let wanted = (account, !side.is_credit);
        let start = free.partition_point(|leg| key(leg) < wanted);
        let end = free.partition_point(|leg| key(leg) <= wanted);
        let others = free.get(start..end).unwrap_or_default();
        for other in near(others, side.day) {
            let (debit, credit) = if side.is_credit {
                (other, side)
            } else {
                (side, other)
            };
            edges.extend(exchange(facts, rates, debit, credit));
        }
    }
    edges.sort_unstable_by_key(|(edge, _)| (edge.left, edge.right));
    edges.dedup_by_key(|(edge, _)| (edge.left, edge.right));
    edges
}

fn exchange(
    facts: &Facts<'_>,
    rates: &dyn Rates,
    debit: &Side,
    credit: &Side,
) -> Option<(Edge, Vec<Evidence>)> {
    let (out, into) = (facts.get(debit.event)?, facts.get(credit.event)?);
    if debit.currency == credit.currency || out.1.account == into.1.account {
        return None;
    }
    let mut weight = weigh::sides(facts, out, into)?;
    let (from, to) = (out.0.transaction.amount, into.0.transaction.amount);
    match rates::fit(rates, from, to, out.0.day()) {
        Some(true) => {
            weight.points = weight.points.saturating_add(4);
            weight.evidence.push(Evidence::FitsRate);
        }
        Some(false) => return None,
        // Without a rate, each side has to name the other.
        None if weight.points < 22 => return None,
        None => {}
    }
    edge(debit, credit, (out, into), weight)
}

/// Decides between candidates and links what is left.
fn join(facts: &Facts<'_>, mut candidates: Vec<(Edge, Vec<Evidence>)>, linked: &mut Linked) {
    candidates.sort_unstable_by_key(|(edge, _)| (edge.left, edge.right));
    let edges = candidates.iter().map(|(edge, _)| *edge).collect();
    for picked in assign::assign(edges) {
        let at = candidates.binary_search_by_key(&(picked.left, picked.right), |(edge, _)| {
            (edge.left, edge.right)
        });
        let evidence = at.ok().and_then(|at| candidates.get_mut(at));
        let evidence = evidence.map(|(_, evidence)| std::mem::take(evidence));
        let (Some(out), Some(into)) = (facts.get(picked.left), facts.get(picked.right)) else {
            continue;
        };
        let (kind, counts) = meaning(facts, into.1.account);
        linked.mark(picked.left, own_role(kind, counts));
        linked.mark(picked.right, Role::OwnTransfer);
        let mut members = vec![
            Member {
                place: place(out.0),
                role: MemberRole::Outgoing,
                counts,
            },
            Member {
                place: place(into.0),
                role: MemberRole::Incoming,
                counts: Counts::Nowhere,
            },
        ];
        if into.1.day < out.1.day {
            members.reverse();
        }
        let first = picked.left.min(picked.right);
        linked.push(
            first,
            Link {
                kind,
                members,
                evidence: evidence.unwrap_or_default(),
                other_account: None,
            },
        );
    }
}

/// What a payment to an account is, and what its outgoing side means for sums.
pub(crate) fn meaning(facts: &Facts<'_>, receiver: usize) -> (LinkKind, Counts) {
    match facts.kind(receiver) {
        // What was bought counts, on the card.
        AccountType::KreditKarte => (LinkKind::CardSettlement, Counts::Nowhere),
        // The instalment counts, on the account that pays it.
        AccountType::KreditKonto | AccountType::Kreditdarlehen => {
            (LinkKind::LoanPayment, Counts::Itself)
        }
        AccountType::Bausparen
        | AccountType::Depot
        | AccountType::Festgeld
        | AccountType::Fondsdepot
        | AccountType::Giro
        | AccountType::Sparbuch
        | AccountType::Tagesgeld
        | AccountType::Unknown
        | AccountType::Other => (LinkKind::OwnTransfer, Counts::Nowhere),
    }
}

/// An instalment stays an ordinary payment for whatever looks for contracts.
pub(crate) const fn own_role(kind: LinkKind, counts: Counts) -> Role {
    match (kind, counts) {
        (LinkKind::LoanPayment, Counts::Itself) => Role::Ordinary,
        _ => Role::OwnTransfer,
    }
}
