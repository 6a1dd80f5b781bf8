//! What banks charge for payments that were taken back.

use super::Linked;
use super::facts::{Fact, Facts, index, numbered};
use super::returned::{Chain, ORIGINALS_MAX, names, names_day, shares_number};
use super::wording::Topics;
use crate::event::{Event, Role};

/// A higher charge is none for a return.
///
/// # Units
/// Minor units.
const FEE_MINOR_MAX: u64 = 5_000;
/// A charge follows the return within so many days: some banks charge once a quarter.
const FEE_DAYS_MAX: i32 = 95;
/// A charge whose text says nothing of returns comes at once.
const SILENT_FEE_DAYS_MAX: i32 = 1;
/// A charge may be booked so many days before the return.
const FEE_DAYS_BEFORE: i32 = 7;
/// Words of charges for other things.
const OTHER_FEES: [&str; 4] = ["kontofuehr", "kontoführ", "jahres", "monats"];

/// Gives each charge to a chain.
pub(crate) fn assign(facts: &Facts<'_>, chains: &mut [Chain], linked: &mut Linked) {
    let mut places: Vec<(usize, i32, usize)> = Vec::with_capacity(chains.len());
    for (at, chain) in chains.iter().enumerate() {
        if let Some((_, fact)) = facts.get(chain.back) {
            places.push((fact.account, fact.day, at));
        }
    }
    places.sort_unstable();
    for (number, event) in numbered(facts.events) {
        let Some(fact) = facts.known.get(index(number)) else {
            continue;
        };
        let is_silent = !is_fee(event, fact);
        if linked.role(number) != Role::Ordinary || (is_silent && !may_be_fee(event, fact)) {
            continue;
        }
        let reach = if is_silent {
            SILENT_FEE_DAYS_MAX
        } else {
            FEE_DAYS_MAX
        };
        let ahead = if is_silent { 0 } else { FEE_DAYS_BEFORE };
        let since = (fact.account, fact.day.saturating_sub(reach), 0);
        let until = (fact.account, fact.day.saturating_add(ahead), usize::MAX);
        let start = places.partition_point(|place| *place < since);
        let end = places.partition_point(|place| *place <= until);
        let start = start.max(end.saturating_sub(ORIGINALS_MAX));
        let near = places.get(start..end).unwrap_or_default();
        let text = event.transaction.remittance_info.as_str();
        let best = near.iter().max_by_key(|(_, day, at)| {
            let chain = chains.get(*at);
            let is_named = chain.is_some_and(|chain| names_one(facts, chain, text));
            let is_free = chain.is_some_and(|chain| chain.fees.is_empty());
            let days = fact.day.saturating_sub(*day).saturating_abs();
            (is_named, is_free, std::cmp::Reverse((days, *at)))
        });
        let chain = best.and_then(|(_, _, at)| chains.get_mut(*at));
        if let Some(chain) = chain.filter(|chain| !is_silent || chain.fees.is_empty()) {
            chain.fees.push(number);
            linked.mark(number, Role::ReturnFee);
        }
    }
}

/// Whether a small booking at the time of a return could be the charge for it.
fn may_be_fee(event: &Event<'_>, fact: &Fact) -> bool {
    let transaction = event.transaction;
    let is_small = fact.minor < 0 && fact.minor.unsigned_abs() <= FEE_MINOR_MAX / 2;
    let by_bank = matches!(event.tag, "" | "bank_fee" | "back_debit_fee")
        && transaction.counterparty.creditor_id.is_empty()
        && transaction.mandate_id.is_empty()
        && transaction.counterparty.iban.is_empty();
    if !is_small || !by_bank {
        return false;
    }
    let says_so = fact.topics.meet(Topics::FEE.and(Topics::RETURN))
        || matches!(transaction.transaction_code, Some(808));
    let text = transaction.remittance_info.as_str().to_lowercase();
    says_so && !OTHER_FEES.iter().any(|other| text.contains(other))
}

/// Whether a text names a day of the chain or the partner of its payment.
fn names_one(facts: &Facts<'_>, chain: &Chain, text: &str) -> bool {
    [Some(chain.back), chain.original]
        .into_iter()
        .flatten()
        .filter_map(|number| facts.get(number))
        .any(|(event, _)| {
            names_day(text, event.day())
                || names(text, event.transaction.counterparty.name.as_str())
                || shares_number(text, event.transaction.remittance_info.as_str())
        })
}

/// Whether a booking charges for a return.
pub(crate) fn is_fee(event: &Event<'_>, fact: &Fact) -> bool {
    let is_small = fact.minor < 0 && fact.minor.unsigned_abs() <= FEE_MINOR_MAX;
    let says_both = fact.topics.meet(Topics::RETURN) && fact.topics.meet(Topics::FEE);
    is_small && (event.tag == "back_debit_fee" || says_both)
}
