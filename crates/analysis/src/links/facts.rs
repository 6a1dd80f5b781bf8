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
    pub(crate) topics: Topics,
}

/// Everything that is looked at.
pub(crate) struct Facts<'a> {
    pub(crate) accounts: &'a [Account],
    pub(crate) events: &'a [Event<'a>],
    pub(crate) owners: Owners,
    /// What is known of each event.
    pub(crate) known: Vec<Fact>,
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
        let parties = parties(&owners, events);
        let known = events
            .iter()
            .zip(parties)
            .map(|(event, party)| Fact {
                day: event.day().num_days_from_ce(),
                value_day: event
                    .transaction
                    .value_date
                    .unwrap_or(event.day())
                    .num_days_from_ce(),
                minor: event.minor(),
                account: event.account_index,
                party,
                topics: wording::topics(event.transaction),
            })
            .collect();
        Self {
            accounts,
            events,
            owners,
            known,
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

fn parties(owners: &Owners, events: &[Event<'_>]) -> Vec<Party> {
    let mut names: HashMap<&str, NameFit> = HashMap::new();
    let mut ibans: HashMap<&str, (Option<usize>, u32)> = HashMap::new();
    // For each foreign IBAN: whether it bears the holder's name, whether it bears another.
    let mut bearers: Vec<(bool, bool)> = Vec::new();
    let mut bearer_numbers: HashMap<String, u32> = HashMap::new();
    let mut seen = Vec::with_capacity(events.len());
    for event in events {
        let counterparty = &event.transaction.counterparty;
        let name = *names
            .entry(counterparty.name.as_str())
            .or_insert_with_key(|name| owners.fit(name));
        let iban = counterparty.iban.as_str();
        let (account, bearer) = *ibans.entry(iban).or_insert_with(|| {
            let next = u32::try_from(bearer_numbers.len()).unwrap_or(u32::MAX);
            let number = *bearer_numbers.entry(iban_key(iban)).or_insert(next);
            (owners.account(iban), number)
        });
        let at = index(bearer);
        if bearers.len() <= at {
            bearers.resize(at.saturating_add(1), (false, false));
        }
        if let Some(slot) = bearers.get_mut(at) {
            slot.0 |= name == NameFit::Holder;
            slot.1 |= name == NameFit::Other;
        }
        seen.push((name, account, bearer, !iban.is_empty()));
    }
    events
        .iter()
        .zip(seen)
        .map(|(event, (name, account, bearer, has_iban))| {
            let borne = bearers.get(index(bearer)).copied().unwrap_or_default();
            let has_foreign_iban = has_iban && account.is_none();
            Party {
                // Some banks repeat the account itself as the other side.
                account: account.filter(|account| *account != event.account_index),
                name,
                has_foreign_iban,
                is_known: has_foreign_iban && borne == (true, false),
            }
        })
        .collect()
}
