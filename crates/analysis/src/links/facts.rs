//! What is known of each booking before it is compared with others.

use std::collections::HashMap;

use chrono::Datelike;
use domain::{Account, AccountType};

use super::owners::{NameFit, Owners, iban_key};
use super::wording::{self, Topics};
use crate::event::Event;

/// Who the other side of a booking is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party {
    /// The connected account with its IBAN, other than the one it is booked on.
    pub(crate) account: Option<usize>,
    /// Whether its name is the holder's.
    pub(crate) name: NameFit,
    /// Whether it has an IBAN that is no connected account's.
    pub(crate) has_foreign_iban: bool,
    /// Whether that IBAN bears the holder's name wherever it bears one.
    pub(crate) is_known: bool,
}

/// What is known of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) day: i32,
    pub(crate) value_day: i32,
    pub(crate) minor: i64,
    pub(crate) account: usize,
    pub(crate) party: Party,
    /// Number of the other side's name, or of its IBAN where it has no name, in `Facts::partners`.
    pub(crate) partner: Option<u32>,
    pub(crate) topics: Topics,
}

/// Everything that is looked at.
pub(crate) struct Facts<'a> {
    pub(crate) accounts: &'a [Account],
    pub(crate) events: &'a [Event<'a>],
    pub(crate) owners: Owners,
    /// What is known of each event.
    pub(crate) known: Vec<Fact>,
    /// The names and IBANs of other sides, each once.
    pub(crate) partners: Vec<&'a str>,
}

/// Numbers of events, in their order.
pub(crate) fn numbered<T>(items: &[T]) -> impl Iterator<Item = (u32, &T)> {
    (0_u32..).zip(items)
}

/// A number of an event as index.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<'a> Facts<'a> {
    pub(crate) fn new(accounts: &'a [Account], events: &'a [Event<'a>]) -> Self {
        let owners = Owners::new(accounts);
        let mut parties = Parties::new(&owners);
        let mut seen: Vec<Option<(Fact, u32)>> = vec![None; events.len()];
        for number in in_memory_order(accounts, events) {
            let Some(event) = events.get(index(number)) else {
                continue;
            };
            let (party, partner, bearer) = parties.party(event);
            let fact = fact(event, party, partner);
            if let Some(slot) = seen.get_mut(index(number)) {
                *slot = Some((fact, bearer));
            }
        }
        let known = seen.into_iter().flatten().map(|(mut fact, bearer)| {
            fact.party.is_known = fact.party.has_foreign_iban && parties.is_holder_only(bearer);
            fact
        });
        Self {
            accounts,
            events,
            known: known.collect(),
            partners: parties.partners,
            owners,
        }
    }

    /// An event and what is known of it.
    pub(crate) fn get(&self, number: u32) -> Option<(&'a Event<'a>, &Fact)> {
        let at = index(number);
        Some((self.events.get(at)?, self.known.get(at)?))
    }

    /// The kind of an account.
    pub(crate) fn kind(&self, account: usize) -> AccountType {
        let account = self.accounts.get(account);
        account.map_or(AccountType::Unknown, |account| account.account_type)
    }
}

/// Whether cash was moved, or a card used at a merchant.
pub(crate) fn is_cash_or_purchase(event: &Event<'_>, topics: Topics) -> bool {
    matches!(event.tag, "cash_withdrawal" | "cash_deposit")
        || matches!(event.transaction.transaction_code, Some(82 | 83 | 106))
        || !event.transaction.merchant_category_code.is_empty()
        || topics.meet(Topics::CASH)
}

/// Whether the tag is one of transfers between own accounts.
pub(crate) fn is_internal(tag: &str) -> bool {
    matches!(tag, "internal_transfer" | "internal_booking")
}

fn fact(event: &Event<'_>, party: Party, partner: Option<u32>) -> Fact {
    let value_day = event.transaction.value_date.unwrap_or(event.day());
    Fact {
        day: event.day().num_days_from_ce(),
        value_day: value_day.num_days_from_ce(),
        minor: event.minor(),
        account: event.account_index,
        party,
        partner,
        topics: wording::topics(event.transaction),
    }
}

/// The numbers of the events in the order in which the accounts hold them: reading texts one after
/// the other as they lie in memory takes half the time.
fn in_memory_order(accounts: &[Account], events: &[Event<'_>]) -> Vec<u32> {
    let mut next = 0_usize;
    let mut starts = Vec::with_capacity(accounts.len());
    for account in accounts {
        starts.push(next);
        next = next.saturating_add(account.transactions.len());
    }
    let mut slots: Vec<Option<u32>> = vec![None; next];
    for (number, event) in numbered(events) {
        let start = starts.get(event.account_index).copied();
        let slot = start.map(|start| start.saturating_add(event.transaction_index));
        if let Some(slot) = slot.and_then(|slot| slots.get_mut(slot)) {
            *slot = Some(number);
        }
    }
    slots.into_iter().flatten().collect()
}

/// The other sides, each looked at once.
struct Parties<'a, 'o> {
    owners: &'o Owners,
    names: HashMap<&'a str, (NameFit, Option<u32>)>,
    ibans: HashMap<&'a str, (Option<usize>, u32, Option<u32>)>,
    /// For each IBAN whether it bears the holder's name, and whether it bears another.
    bearers: Vec<(bool, bool)>,
    numbers: HashMap<String, u32>,
    partners: Vec<&'a str>,
}

impl<'a, 'o> Parties<'a, 'o> {
    fn new(owners: &'o Owners) -> Self {
        Self {
            owners,
            names: HashMap::new(),
            ibans: HashMap::new(),
            bearers: Vec::new(),
            numbers: HashMap::new(),
            partners: Vec::new(),
        }
    }

    /// The other side of an event, the number of its name or IBAN, and that of its IBAN's bearer.
    fn party(&mut self, event: &Event<'a>) -> (Party, Option<u32>, u32) {
        let counterparty = &event.transaction.counterparty;
        let (name, named) = self.name(counterparty.name.as_str());
        let iban = counterparty.iban.as_str();
        let (account, bearer, numbered) = self.iban(iban);
        if let Some(slot) = self.bearers.get_mut(index(bearer)) {
            slot.0 |= name == NameFit::Holder;
            slot.1 |= name == NameFit::Other;
        }
        let party = Party {
            // Some banks repeat the account itself as the other side.
            account: account.filter(|account| *account != event.account_index),
            name,
            has_foreign_iban: !iban.is_empty() && account.is_none(),
            is_known: false,
        };
        (party, named.or(numbered), bearer)
    }

    fn name(&mut self, name: &'a str) -> (NameFit, Option<u32>) {
        if let Some(found) = self.names.get(name) {
            return *found;
        }
        let found = (self.owners.fit(name), self.number(name));
        self.names.insert(name, found);
        found
    }

    fn iban(&mut self, iban: &'a str) -> (Option<usize>, u32, Option<u32>) {
        if let Some(found) = self.ibans.get(iban) {
            return *found;
        }
        let next = u32::try_from(self.bearers.len()).unwrap_or(u32::MAX);
        let bearer = *self.numbers.entry(iban_key(iban)).or_insert(next);
        if bearer == next {
            self.bearers.push((false, false));
        }
        let found = (self.owners.account(iban), bearer, self.number(iban));
        self.ibans.insert(iban, found);
        found
    }

    fn number(&mut self, text: &'a str) -> Option<u32> {
        let number = u32::try_from(self.partners.len()).ok();
        let number = number.filter(|_| !text.is_empty())?;
        self.partners.push(text);
        Some(number)
    }

    fn is_holder_only(&self, bearer: u32) -> bool {
        self.bearers.get(index(bearer)) == Some(&(true, false))
    }
}
