//! Makes real contracts harder: prices that step, bills that vary, payments that are missed or
//! drift, contracts that end.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::random::Random;
use super::sample::Sample;

/// What happens to the payments of one contract.
struct Change {
    /// Their new amounts.
    minor: BTreeMap<String, i64>,
    /// Those that are gone.
    gone: BTreeSet<String>,
}

/// Makes the contracts of a user harder, the same in every run.
pub fn harden(sample: &mut Sample, seed: u64) {
    let mut random = Random::new(seed);
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let days = days(sample);
    for truth in &mut sample.truth {
        let mut ids: Vec<String> = truth.ids.iter().cloned().collect();
        ids.sort_by_key(|id| days.get(id).map(|(day, _)| *day));
        let change = change(&mut random, &ids, &days);
        truth.ids.retain(|id| !change.gone.contains(id));
        truth.is_optional = truth.ids.len() < 3;
        changes.extend(change.minor);
        gone.extend(change.gone);
    }
    let contracts: BTreeSet<&String> = sample.truth.iter().flat_map(|truth| &truth.ids).collect();
    for account in &mut sample.accounts {
        account
            .transactions
            .retain(|transaction| !gone.contains(transaction.id.as_str()));
        for transaction in &mut account.transactions {
            let id = transaction.id.as_str().to_owned();
            if let Some(minor) = changes.get(&id) {
                transaction.amount.minor = *minor;
            }
            if contracts.contains(&id) {
                let later = Days::new(random.between(0, 3).unsigned_abs());
                transaction.booking_date = transaction.booking_date + later - Days::new(1);
            }
        }
    }
    sample.as_of = newest(sample).unwrap_or(sample.as_of);
}

/// The newest booking day of a user.
fn newest(sample: &Sample) -> Option<NaiveDate> {
    let transactions = sample
        .accounts
        .iter()
        .flat_map(|account| &account.transactions);
    transactions
        .map(|transaction| transaction.booking_date)
        .max()
}

fn days(sample: &Sample) -> BTreeMap<String, (NaiveDate, i64)> {
    let transactions = sample
        .accounts
        .iter()
        .flat_map(|account| &account.transactions);
    transactions
        .map(|transaction| {
            let known = (transaction.booking_date, transaction.amount.minor);
            (transaction.id.as_str().to_owned(), known)
        })
        .collect()
}

fn change(
    random: &mut Random,
    ids: &[String],
    known: &BTreeMap<String, (NaiveDate, i64)>,
) -> Change {
    let is_bill = random.chance(400);
    let mut until = random.between(2, 6);
    let mut level = 1000;
    let count = i64::try_from(ids.len()).unwrap_or(0);
    let end = random.chance(200).then(|| random.between(count / 2, count));
    let mut change = Change {
        minor: BTreeMap::new(),
        gone: BTreeSet::new(),
    };
    for (at, id) in (0..).zip(ids) {
        until -= 1;
        if until == 0 && !is_bill {
            level = level * random.between(1030, 1120) / 1000;
            until = random.between(3, 8);
        }
        let factor = if is_bill {
            random.between(900, 1100)
        } else {
            level
        };
        let minor = known.get(id).map_or(0, |(_, minor)| *minor);
        change.minor.insert(id.clone(), minor * factor / 1000);
        // The first and the last payment stay, so that a gap is a gap.
        let is_inner = at > 0 && at + 1 < count;
        if end.is_some_and(|end| at >= end) || (is_inner && random.chance(80)) {
            change.gone.insert(id.clone());
        }
    }
    change
}
