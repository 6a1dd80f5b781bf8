//! Contracts: payments that recur between two sides for one purpose.
//!
//! Bookings are grouped by partner (`identity`), from the strongest identity to the weakest:
//! mandate, contract number, IBAN or name; where the other side is unknown, only kind of payment and
//! amount are left. Within a group, `chain` finds the best sequence of payments for each
//! [`Interval`], `schedule` the rule by which the partner books, and `judge` weighs what speaks for
//! a contract against chance. `join` puts together what a new name or a new price has separated,
//! `outlook` says when the next payment comes, `describe` tells all of it.
//!
//! **Invariant:** what is tested are gaps between payments, never days of the month, and a rhythm
//! counts for as little as chance would produce it among the partner's other bookings.

mod amounts;
mod category;
mod chain;
mod civil;
mod contract;
mod describe;
mod identity;
mod interval;
mod irregular;
mod join;
mod judge;
mod kind;
mod outlook;
mod row;
mod schedule;
mod search;
mod series;

use chrono::NaiveDate;

use crate::calendar::BusinessCalendar;
use crate::event::Event;

pub use category::category;
pub use contract::{
    AdditionalInfo, AmountConsistency, Contract, ContractKey, ContractPartner, Maturity, Payment,
    PriceChange,
};
pub use interval::Interval;

use domain::Sensitive;
use search::Search;

/// Finds the contracts of a user, the one with the oldest payment first.
///
/// `events` come from [`event::stream`](crate::event::stream), oldest first; `as_of` is the day on
/// which the analysis looks back, and later bookings are left out.
pub fn detect(
    events: &[Event<'_>],
    as_of: NaiveDate,
    calendar: &BusinessCalendar,
) -> Vec<Contract> {
    let known = events.partition_point(|event| event.day() <= as_of);
    let events = events.get(..known).unwrap_or(events);
    let partners = identity::partners(events);
    let search = Search {
        events,
        partners: &partners,
        calendar,
    };
    let mut found: Vec<(u32, Contract)> = Vec::new();
    for group in &partners.groups {
        for series in search.group(group) {
            let first = series.rows.first().map_or(u32::MAX, |row| row.event);
            found.extend(describe::describe(&search, &series, as_of).map(|told| (first, told)));
        }
    }
    found.sort_by_key(|(first, _)| *first);
    let mut contracts: Vec<Contract> = found.into_iter().map(|(_, contract)| contract).collect();
    number_twins(&mut contracts);
    contracts
}

/// Contracts with the same identity are told apart by their order.
fn number_twins(contracts: &mut [Contract]) {
    let mut order: Vec<usize> = (0..contracts.len()).collect();
    order.sort_by(|a, b| {
        contracts
            .get(*a)
            .map(|c| &c.key)
            .cmp(&contracts.get(*b).map(|c| &c.key))
    });
    let keys: Vec<String> = contracts.iter().map(|c| c.key.text().to_owned()).collect();
    let mut before: Option<(&str, usize)> = None;
    for at in order {
        let (Some(key), Some(contract)) = (keys.get(at), contracts.get_mut(at)) else {
            continue;
        };
        let ordinal = match before {
            Some((same, ordinal)) if same == key => ordinal.saturating_add(1),
            _ => 0,
        };
        before = Some((key, ordinal));
        contract.key = ContractKey(Sensitive::new(format!("{key}|{ordinal}")));
    }
}
