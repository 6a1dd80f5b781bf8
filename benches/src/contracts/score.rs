//! Compares what was found with what is known.

use std::collections::{BTreeMap, BTreeSet};

use analysis::contracts::{Contract, Interval};
use serde::Serialize;

use super::sample::{Sample, Truth};

/// Two sets of transactions match from this share of common ones on, in hundredths.
const MATCH_PERCENT: usize = 80;

/// Counts over all users.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Contracts that are there.
    pub known: usize,
    /// Of them, found.
    pub found: usize,
    /// Contracts reported that count.
    pub reported: usize,
    /// Of them, right.
    pub right: usize,
    /// Matches with the right interval.
    pub interval_right: usize,
    /// Next payments that are known, of contracts that were found.
    pub next_known: usize,
    /// Of them, inside the range.
    pub next_inside: usize,
    /// Widths of ranges in days.
    #[serde(skip)]
    pub widths: Vec<i64>,
    /// Contracts whose state is known.
    pub state_known: usize,
    /// Of them, wrong.
    pub state_wrong: usize,
}

/// Figures of one data set.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Score {
    /// By interval; reported ones count for the interval that was reported.
    pub by_interval: BTreeMap<&'static str, Counts>,
    /// All together.
    pub all: Counts,
    /// Contracts with two annual payments that are there, and found.
    pub annual_twice: (usize, usize),
    /// Shops, and of them taken for contracts.
    pub shops: (usize, usize),
    /// Rows with cash, and of them in contracts.
    pub cash: (usize, usize),
    /// Lines about what went wrong, for whoever works on the detection.
    #[serde(skip)]
    pub misses: Vec<String>,
}

impl Score {
    /// Adds a user.
    pub fn add(&mut self, sample: &Sample, contracts: &[Contract]) {
        let found: Vec<BTreeSet<&str>> = contracts
            .iter()
            .map(|contract| ids(sample, contract))
            .collect();
        let matches = matches(sample, &found);
        let mut known_of: Vec<Option<&Truth>> = vec![None; contracts.len()];
        for (truth, at) in &matches {
            known_of[*at] = Some(&sample.truth[*truth]);
        }
        for (at, truth) in sample.truth.iter().enumerate() {
            let contract = matches.get(&at).map(|index| &contracts[*index]);
            self.known(sample, truth, contract);
        }
        for ((contract, ids), truth) in contracts.iter().zip(&found).zip(&known_of) {
            self.reported(sample, contract, ids, *truth);
        }
        self.habits(sample, &found);
    }

    fn known(&mut self, sample: &Sample, truth: &Truth, contract: Option<&Contract>) {
        if truth.is_optional {
            return;
        }
        if contract.is_none() {
            let (user, label) = (&sample.user, &truth.label);
            let (interval, count) = (truth.interval.as_str(), truth.ids.len());
            let first = truth.ids.first().map_or("", String::as_str);
            self.misses.push(format!(
                "missed {user} {label} {interval} n={count} {first}"
            ));
        }
        if truth.interval == Interval::Annually && truth.ids.len() == 2 {
            self.annual_twice.0 += 1;
            self.annual_twice.1 += usize::from(contract.is_some());
        }
        let row = self.by_interval.entry(truth.interval.as_str()).or_default();
        for counts in [&mut self.all, row] {
            counts.known += 1;
            let Some(contract) = contract else { continue };
            counts.found += 1;
            counts.interval_right += usize::from(contract.interval == truth.interval);
            let (from, until) = contract.next_booking_range;
            counts.widths.push((until - from).num_days());
            if let Some(next) = truth.next {
                counts.next_known += 1;
                counts.next_inside += usize::from((from..=until).contains(&next));
            }
            if let Some(is_active) = truth.is_active {
                counts.state_known += 1;
                counts.state_wrong += usize::from(contract.is_active != is_active);
            }
        }
        if let (Some(contract), Some(next)) = (contract, truth.next) {
            let (from, until) = contract.next_booking_range;
            if !(from..=until).contains(&next) {
                let (user, interval) = (&sample.user, truth.interval.as_str());
                self.misses.push(format!(
                    "outside {user} {interval} n={} next={next} range={from}..{until} last={} {}",
                    truth.ids.len(),
                    contract.last_booking_date,
                    truth.ids.first().map_or("", String::as_str),
                ));
            }
        }
    }

    fn reported(
        &mut self,
        sample: &Sample,
        contract: &Contract,
        ids: &BTreeSet<&str>,
        truth: Option<&Truth>,
    ) {
        let is_ignored = |id: &&&str| {
            let optional = sample.truth.iter().filter(|truth| truth.is_optional);
            sample.ignored.contains(**id) || optional.into_iter().any(|t| t.ids.contains(**id))
        };
        let ignored = ids.iter().filter(is_ignored).count();
        let is_right = truth.is_some_and(|truth| !truth.is_optional);
        if !is_right && ignored * 100 >= ids.len() * MATCH_PERCENT {
            return;
        }
        if !is_right {
            self.misses.push(format!(
                "false {} {} n={} {:?} {} {:?}",
                sample.user,
                contract.interval.as_str(),
                ids.len(),
                ids.iter().take(3).collect::<Vec<_>>(),
                contract.amount.to_decimal_text(),
                contract.additional_info.reasons,
            ));
        }
        let row = self
            .by_interval
            .entry(contract.interval.as_str())
            .or_default();
        for counts in [&mut self.all, row] {
            counts.reported += 1;
            counts.right += usize::from(is_right);
        }
    }

    fn habits(&mut self, sample: &Sample, found: &[BTreeSet<&str>]) {
        self.shops.0 += sample.habits.len();
        for shop in &sample.habits {
            let is_taken = found.iter().any(|ids| {
                let common = ids.iter().filter(|id| shop.contains(**id)).count();
                common * 100 >= ids.len() * MATCH_PERCENT
            });
            self.shops.1 += usize::from(is_taken);
        }
        let cash = found
            .iter()
            .flatten()
            .filter(|id| sample.cash.contains(**id));
        self.cash.0 += sample.cash.len();
        self.cash.1 += cash.count();
    }
}

/// The transactions of a contract.
fn ids<'a>(sample: &'a Sample, contract: &Contract) -> BTreeSet<&'a str> {
    let id = |payment: &analysis::contracts::Payment| {
        let account = &sample.accounts[payment.account_index];
        account.transactions[payment.transaction_index].id.as_str()
    };
    contract.payments.iter().map(id).collect()
}

/// Pairs of known and found contracts, the most similar ones first, each once.
fn matches(sample: &Sample, found: &[BTreeSet<&str>]) -> BTreeMap<usize, usize> {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, ids) in found.iter().enumerate() {
        for id in ids {
            owners.entry(id).or_default().push(at);
        }
    }
    let mut pairs: Vec<(std::cmp::Reverse<usize>, usize, usize)> = Vec::new();
    for (truth_at, truth) in sample.truth.iter().enumerate() {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for id in &truth.ids {
            for at in owners.get(id.as_str()).into_iter().flatten() {
                *common.entry(*at).or_default() += 1;
            }
        }
        for (at, shared) in common {
            let counted = found[at]
                .iter()
                .filter(|id| !truth.optional_ids.contains(**id));
            let union = truth.ids.len() + counted.count() - shared;
            if shared * 100 >= union * MATCH_PERCENT {
                let similarity = shared * 10_000 / union.max(1);
                pairs.push((std::cmp::Reverse(similarity), truth_at, at));
            }
        }
    }
    pairs.sort_unstable();
    let mut matched = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (_, truth, at) in pairs {
        if !matched.contains_key(&truth) && taken.insert(at) {
            matched.insert(truth, at);
        }
    }
    matched
}
