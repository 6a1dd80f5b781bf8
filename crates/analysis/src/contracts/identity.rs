//! Who the other side is: bookings that share a creditor identifier, an IBAN or a name belong to one
//! partner, and what tells his contracts apart.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::Datelike;
use domain::Currency;
use rules::normalize;
use rules::normalize::sepa::{self, PartKind};

use super::kind::{Operation, Operations};
use super::row::Row;
use crate::event::Event;

/// Words of a company's name that say nothing about who it is.
const LEGAL_FORMS: [&str; 16] = [
    "gmbh", "mbh", "ag", "kg", "se", "co", "ohg", "gbr", "ev", "eg", "ug", "kgaa", "sa", "sarl",
    "inc", "ltd",
];
/// Fewest digits of a contract or customer number.
const NUMBER_DIGITS_MIN: usize = 5;

/// What is known of the identity of a booking. 0 is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    /// The mandate.
    pub(crate) mandate: u32,
    /// IBAN, or name where there is none.
    pub(crate) party: u32,
}

/// The bookings that one partner could have to do with.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Whether the other side is unknown, so that only amounts can tell contracts apart.
    pub(crate) is_hidden: bool,
    /// The bookings, oldest first.
    pub(crate) rows: Vec<Row>,
}

/// The bookings by partner.
#[derive(Debug)]
pub(crate) struct Partners {
    /// The groups, in no order that matters.
    pub(crate) groups: Vec<Group>,
    /// The identity of each event.
    pub(crate) identities: Vec<Identity>,
    /// The operation of each event.
    pub(crate) operations: Vec<Operation>,
}

/// The texts that say who the other side is, wherever the bank put them.
pub(crate) struct Names<'a> {
    pub(crate) mandate: &'a str,
    pub(crate) creditor: &'a str,
}

/// The mandate and the creditor identifier, from their fields or the remittance information.
pub(crate) fn names<'a>(event: &Event<'a>) -> Names<'a> {
    let transaction = event.transaction;
    let mut names = Names {
        mandate: transaction.mandate_id.as_str().trim(),
        creditor: transaction.counterparty.creditor_id.trim(),
    };
    let text = transaction.remittance_info.as_str();
    let has_fields = names.mandate.is_empty() && (text.contains("MREF") || text.contains("andat"));
    if has_fields || (names.creditor.is_empty() && text.contains("CRED")) {
        for part in sepa::split(text).as_slice() {
            let value = text.get(part.start..part.end).unwrap_or_default();
            match part.kind {
                PartKind::Mandate if names.mandate.is_empty() => names.mandate = value,
                PartKind::Creditor if names.creditor.is_empty() => names.creditor = value,
                PartKind::Mandate
                | PartKind::Creditor
                | PartKind::Text
                | PartKind::Reference
                | PartKind::UltimateDebtor
                | PartKind::UltimateCreditor
                | PartKind::Counterparty => {}
            }
        }
    }
    if names.mandate.eq_ignore_ascii_case("NOTPROVIDED") {
        names.mandate = "";
    }
    names
}

/// Sorts the events, oldest first, into groups.
pub(crate) fn partners(events: &[Event<'_>]) -> Partners {
    let mut parts = Parts::default();
    let mut kinds = Operations::default();
    let mut identities = Vec::with_capacity(events.len());
    let mut firsts = Vec::with_capacity(events.len());
    let mut operations = Vec::with_capacity(events.len());
    for event in events {
        let (identity, first) = parts.identify(event);
        identities.push(identity);
        firsts.push(first);
        operations.push(kinds.of(event));
    }
    let mut keyed: Vec<(GroupKey<'_>, u32)> = Vec::with_capacity(events.len());
    for (index, event) in (0_u32..).zip(events) {
        let at = usize::try_from(index).unwrap_or_default();
        let operation = operations.get(at).copied().unwrap_or(Operation::Unknown);
        if matches!(operation, Operation::Cash | Operation::Return) || event.minor() == 0 {
            continue;
        }
        let first = firsts.get(at).copied().unwrap_or_default();
        keyed.push((group_key(event, operation, parts.root(first)), index));
    }
    keyed.sort_unstable();
    let groups = keyed
        .chunk_by(|a, b| a.0 == b.0)
        .map(|run| group(events, run))
        .collect();
    Partners {
        groups,
        identities,
        operations,
    }
}

/// What all bookings of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey<'a> {
    root: u32,
    is_credit: bool,
    currency: Currency,
    /// Only for bookings of unknown partners.
    hidden: Option<(&'a str, Operation, &'a str)>,
}

fn group_key<'a>(event: &Event<'a>, operation: Operation, root: u32) -> GroupKey<'a> {
    GroupKey {
        root,
        is_credit: event.minor() > 0,
        currency: event.transaction.amount.currency,
        hidden: (root == 0).then_some((event.account_id.as_str(), operation, event.tag)),
    }
}

fn group(events: &[Event<'_>], run: &[(GroupKey<'_>, u32)]) -> Group {
    let rows = run.iter().filter_map(|(_, index)| {
        let event = events.get(usize::try_from(*index).ok()?)?;
        Some(Row::new(
            event.day().num_days_from_ce(),
            event.minor(),
            *index,
        ))
    });
    Group {
        is_hidden: run.first().is_some_and(|(key, _)| key.root == 0),
        rows: rows.collect(),
    }
}

/// Numbers for texts, and which of them name the same partner.
#[derive(Default)]
struct Parts<'a> {
    numbers: HashMap<(u8, Cow<'a, str>), u32>,
    names: HashMap<&'a str, u32>,
    parents: Vec<u32>,
}

const CREDITOR: u8 = 0;
const IBAN: u8 = 1;
const NAME: u8 = 2;
const MANDATE: u8 = 3;

impl<'a> Parts<'a> {
    /// The identity of an event and one of the parts that name its partner.
    fn identify(&mut self, event: &Event<'a>) -> (Identity, u32) {
        let names = names(event);
        let counterparty = &event.transaction.counterparty;
        let creditor = self.number(CREDITOR, Cow::Borrowed(names.creditor));
        let iban = self.number(IBAN, compact(counterparty.iban.as_str()));
        let name = self.name(counterparty.name.as_str());
        let mandate = self.number(MANDATE, Cow::Borrowed(names.mandate));
        let mut first = 0;
        for part in [creditor, iban, name] {
            if first == 0 {
                first = part;
            } else if part != 0 {
                self.join(first, part);
            }
        }
        if first == 0 {
            first = mandate;
        }
        let party = if iban == 0 { name } else { iban };
        (Identity { mandate, party }, first)
    }

    fn name(&mut self, raw: &'a str) -> u32 {
        if let Some(number) = self.names.get(raw) {
            return *number;
        }
        let number = self.number(NAME, Cow::Owned(stem(raw)));
        self.names.insert(raw, number);
        number
    }

    fn number(&mut self, kind: u8, text: Cow<'a, str>) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if self.parents.is_empty() {
            self.parents.push(0);
        }
        let next = u32::try_from(self.parents.len()).unwrap_or_default();
        let number = *self.numbers.entry((kind, text)).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&mut self, part: u32) -> u32 {
        let mut at = part;
        loop {
            let index = usize::try_from(at).unwrap_or_default();
            let parent = self.parents.get(index).copied().unwrap_or_default();
            if parent == at || at == 0 {
                return at;
            }
            // Halving the path keeps later walks short.
            let above = usize::try_from(parent).unwrap_or_default();
            let grandparent = self.parents.get(above).copied().unwrap_or_default();
            if let Some(slot) = self.parents.get_mut(index) {
                *slot = grandparent;
            }
            at = grandparent;
        }
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        let (low, high) = (one.min(other), one.max(other));
        if let Some(parent) = self
            .parents
            .get_mut(usize::try_from(high).unwrap_or_default())
        {
            *parent = low;
        }
    }
}

/// An IBAN without blanks, in capitals.
fn compact(iban: &str) -> Cow<'_, str> {
    let is_compact = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    if iban.bytes().all(is_compact) {
        Cow::Borrowed(iban)
    } else {
        Cow::Owned(domain::iban::normalize(iban))
    }
}

/// What stays of a name when places, branch numbers and legal forms are taken away.
pub(crate) fn stem(name: &str) -> String {
    let merchant = name.split("//").next().unwrap_or(name);
    let all = normalize::normalized(merchant);
    let words: Vec<&str> = all
        .split(' ')
        .filter(|word| !LEGAL_FORMS.contains(word))
        .filter(|word| !word.bytes().any(|byte| byte.is_ascii_digit()))
        .collect();
    if words.is_empty() {
        all
    } else {
        words.join(" ")
    }
}

/// For each row the contract or customer numbers in its text that other rows have too; empty
/// without any.
pub(crate) fn shared_numbers(events: &[Event<'_>], rows: &[Row]) -> Vec<String> {
    let found: Vec<Vec<&str>> = rows
        .iter()
        .map(|row| {
            usize::try_from(row.event)
                .ok()
                .and_then(|at| events.get(at))
        })
        .map(|event| event.map(numbers).unwrap_or_default())
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for number in found.iter().flatten() {
        let count = counts.entry(number).or_default();
        *count = count.saturating_add(1);
    }
    // A number that turns up twice among many by chance, such as a date, names no contract.
    let most = counts.values().copied().max().unwrap_or_default();
    let least = 2.max(most / 5);
    found
        .into_iter()
        .map(|numbers| {
            let shared = numbers
                .into_iter()
                .filter(|number| counts.get(number).is_some_and(|count| *count >= least));
            shared.collect::<Vec<&str>>().join(" ")
        })
        .collect()
}

/// The words of the remittance information that could be contract numbers, sorted.
fn numbers<'a>(event: &Event<'a>) -> Vec<&'a str> {
    let text = event.transaction.remittance_info.as_str();
    let parts = sepa::split(text);
    let mut numbers: Vec<&str> = parts
        .as_slice()
        .iter()
        .filter(|part| part.kind == PartKind::Text)
        .filter_map(|part| text.get(part.start..part.end))
        .flat_map(|part| part.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':')))
        .filter(|word| {
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            digits >= NUMBER_DIGITS_MIN && word.len() <= 35
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
