//! Which traces lead to the same account.

use std::collections::BTreeMap;

use domain::{AccountType, Currency, Sensitive};
use rules::codes;

use super::trace::{Family, Trace};
use super::{AccountEvidence, DetectedAccount, Statistics};
use crate::event::Event;
use crate::links::owners::iban_key;
use crate::links::{Place, stem};

/// Fewest bookings that show savings or a loan which nobody named as the holder's.
const BOOKINGS_MIN: usize = 2;
/// Most accounts with one partner that are told apart; what goes beyond counts as the last one.
const ACCOUNTS_MAX: usize = 16;

/// Where an event is.
pub(crate) const fn place(event: &Event<'_>) -> Place {
    Place {
        account_index: event.account_index,
        transaction_index: event.transaction_index,
    }
}

/// What the bookings of one account have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    family: Family,
    party: String,
    currency: Currency,
}

/// The accounts that traces (oldest first) lead to.
///
/// `connected` is the number of connected accounts: with several, a transfer that names nothing but
/// the holder says nothing of yet another account.
pub(crate) fn accounts(
    events: &[Event<'_>],
    traces: Vec<Trace>,
    connected: usize,
) -> Vec<DetectedAccount> {
    let mut groups: BTreeMap<Key, Vec<Trace>> = BTreeMap::new();
    for trace in traces {
        let Some(event) = events.get(trace.event) else {
            continue;
        };
        let party = party(event, trace.family);
        if connected > 1 && trace.family == Family::Own && names_only_holder(event, &trace) {
            continue;
        }
        // Without any name there is nothing to tell accounts apart by; a card is at least a card.
        if party.is_empty() && trace.family != Family::Card {
            continue;
        }
        let key = Key {
            family: trace.family,
            party,
            currency: event.transaction.amount.currency,
        };
        groups.entry(key).or_default().push(trace);
    }
    let groups = groups.into_iter().flat_map(|(key, traces)| {
        let parts = by_mandate(events, traces);
        parts
            .into_iter()
            .enumerate()
            .map(move |(ordinal, part)| (key.clone(), ordinal, part))
    });
    groups
        .filter(|(key, _, traces)| {
            matches!(key.family, Family::Own | Family::Card) || traces.len() >= BOOKINGS_MIN
        })
        .filter_map(|(key, ordinal, traces)| account(events, &key, ordinal, &traces))
        .collect()
}

/// Who is on the other side: own accounts by IBAN, others by who collects for them.
fn party(event: &Event<'_>, family: Family) -> String {
    let counterparty = &event.transaction.counterparty;
    let iban = counterparty.iban.as_str();
    let name = || stem(counterparty.name.as_str());
    if family == Family::Own {
        return if iban.is_empty() {
            name()
        } else {
            iban_key(iban)
        };
    }
    // Banks pay from several accounts, but under one name.
    let name = name();
    if !name.is_empty() {
        name
    } else if !counterparty.creditor_id.is_empty() {
        counterparty.creditor_id.clone()
    } else {
        iban_key(iban)
    }
}

fn names_only_holder(event: &Event<'_>, trace: &Trace) -> bool {
    let counterparty = &event.transaction.counterparty;
    trace.kind.is_none() && counterparty.iban.is_empty() && counterparty.bic.is_empty()
}

/// Accounts with one partner, told apart by mandates that run side by side. A mandate that starts
/// when another has ended is its successor.
fn by_mandate(events: &[Event<'_>], traces: Vec<Trace>) -> Vec<Vec<Trace>> {
    let mandate = |trace: &Trace| {
        let event = events.get(trace.event);
        event.map_or("", |event| event.transaction.mandate_id.as_str())
    };
    // First and last event of each mandate; traces are oldest first.
    let mut spans: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for trace in &traces {
        let span = spans
            .entry(mandate(trace))
            .or_insert((trace.event, trace.event));
        span.1 = trace.event;
    }
    spans.remove("");
    let mut ordered: Vec<(usize, usize, &str)> = spans
        .into_iter()
        .map(|(mandate, (first, last))| (first, last, mandate))
        .collect();
    ordered.sort_unstable();
    // The last event of each account so far, and the mandates it has had.
    let mut ends: Vec<usize> = Vec::new();
    let mut owner: BTreeMap<&str, usize> = BTreeMap::new();
    for (first, last, mandate) in ordered {
        let free = ends.iter().position(|end| *end < first);
        let at = free
            .unwrap_or(ends.len())
            .min(ACCOUNTS_MAX.saturating_sub(1));
        match ends.get_mut(at) {
            Some(end) => *end = last.max(*end),
            None => ends.push(last),
        }
        owner.insert(mandate, at);
    }
    let mut parts = vec![Vec::new(); ends.len().max(1)];
    for trace in traces {
        let at = owner.get(mandate(&trace)).copied().unwrap_or_default();
        if let Some(part) = parts.get_mut(at) {
            part.push(trace);
        }
    }
    parts
}

fn account(
    events: &[Event<'_>],
    key: &Key,
    ordinal: usize,
    traces: &[Trace],
) -> Option<DetectedAccount> {
    let bookings: Vec<&Event<'_>> = traces
        .iter()
        .filter_map(|trace| events.get(trace.event))
        .collect();
    let (first, last) = bookings.first().zip(bookings.last())?;
    let newest = |value: fn(&Event<'_>) -> String| {
        let mut values = bookings.iter().rev().map(|event| value(event));
        values.find(|value| !value.is_empty()).unwrap_or_default()
    };
    let iban = newest(|event| event.transaction.counterparty.iban.as_str().to_owned());
    let name = newest(|event| event.transaction.counterparty.name.as_str().to_owned());
    let bank_code = codes::bank_code_of(&iban)
        .and_then(|code| String::from_utf8(code.to_vec()).ok())
        .unwrap_or_default();
    let is_own = traces
        .iter()
        .any(|trace| trace.evidence == AccountEvidence::HolderName);
    let mut evidence: Vec<AccountEvidence> = traces.iter().map(|trace| trace.evidence).collect();
    evidence.sort_unstable();
    evidence.dedup();
    evidence.push(AccountEvidence::Bookings(bookings.len()));
    Some(DetectedAccount {
        account_index: None,
        key: Sensitive::new(format!(
            "{:?}|{}|{}|{ordinal}",
            key.family, key.party, key.currency
        )),
        kind: kind(traces),
        owner: Sensitive::new(if is_own { name.clone() } else { String::new() }),
        bic: newest(|event| event.transaction.counterparty.bic.clone()),
        bank_code,
        name: Sensitive::new(name),
        creditor_id: newest(|event| event.transaction.counterparty.creditor_id.clone()),
        period: Some((first.day(), last.day())),
        transactions: bookings.iter().map(|event| place(event)).collect(),
        statistics: Statistics::of(&bookings, key.currency),
        iban: Sensitive::new(iban),
        evidence,
    })
}

/// The kind that most bookings speak of; a current account when none does.
fn kind(traces: &[Trace]) -> AccountType {
    let mut counts: BTreeMap<AccountType, usize> = BTreeMap::new();
    for kind in traces.iter().filter_map(|trace| trace.kind) {
        let count = counts.entry(kind).or_default();
        *count = count.saturating_add(1);
    }
    let most = counts
        .into_iter()
        .max_by_key(|(kind, count)| (*count, std::cmp::Reverse(*kind)));
    most.map_or(AccountType::Giro, |(kind, _)| kind)
}
