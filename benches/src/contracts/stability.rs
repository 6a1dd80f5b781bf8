//! Whether a contract keeps its key when a user's data grows.

use std::collections::BTreeMap;

use analysis::calendar::BusinessCalendar;
use analysis::contracts::{Contract, Payment};
use analysis::{contracts, event};
use chrono::Days;
use serde::Serialize;

use super::sample::Sample;

/// How often the data of a user grows.
const RUNS: u64 = 20;

/// Contracts that a run and the one before have in common, and of them those with another key.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Stability {
    /// Contracts with most of the earlier contract's payments.
    pub kept: usize,
    /// Of them, under another key.
    pub renamed: usize,
    /// Contracts that are gone.
    pub lost: usize,
}

impl Stability {
    /// Adds the growth of a user's history, from its first half to all of it.
    pub fn add(&mut self, sample: &Sample, calendar: &BusinessCalendar) {
        let events = event::stream(&sample.accounts, |_, _| "");
        let Some(first) = events.first().map(event::Event::day) else {
            return;
        };
        let days = (sample.as_of - first).num_days().max(0).unsigned_abs();
        let mut before: Vec<Contract> = Vec::new();
        for run in 0..=RUNS {
            let until = first + Days::new(days / 2 + days * run / RUNS / 2);
            let found = contracts::detect(&events, until, calendar);
            self.compare(&before, &found);
            before = found;
        }
    }

    fn compare(&mut self, before: &[Contract], after: &[Contract]) {
        let mut owners: BTreeMap<Payment, usize> = BTreeMap::new();
        for (at, contract) in after.iter().enumerate() {
            owners.extend(contract.payments.iter().map(|payment| (*payment, at)));
        }
        for contract in before {
            let mut shares: BTreeMap<usize, usize> = BTreeMap::new();
            for owner in contract
                .payments
                .iter()
                .filter_map(|payment| owners.get(payment))
            {
                *shares.entry(*owner).or_default() += 1;
            }
            let most = shares.into_iter().max_by_key(|(_, share)| *share);
            match most.filter(|(_, share)| share * 2 > contract.payments.len()) {
                None => self.lost += 1,
                Some((at, _)) => {
                    self.kept += 1;
                    self.renamed += usize::from(after[at].key != contract.key);
                }
            }
        }
    }
}
