//! The search for series within the bookings of one partner.

use super::chain::{self, Chain, Leeway};
use super::identity::{self, Group, Partners};
use super::interval::Interval;
use super::irregular;
use super::join;
use super::kind::Operation;
use super::row::Row;
use super::series::{self, Scope, Series, Tie};
use crate::calendar::BusinessCalendar;
use crate::event::Event;

/// Most contracts with one partner that are told apart.
const SERIES_MAX: usize = 64;
/// Chains that are looked at closely before a pool is given up.
const CHAINS_TRIED: usize = 4;
/// More bookings than this are only searched if they are not too dense.
const DENSE_COUNT: usize = 60;

/// So many bookings to one payment hide a rhythm.
const CROWD: usize = 4;

/// What the search reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    /// All bookings, oldest first.
    pub(crate) events: &'a [Event<'a>],
    /// Who they are with.
    pub(crate) partners: &'a Partners,
    /// Days on which banks book.
    pub(crate) calendar: &'a BusinessCalendar,
}

impl<'a> Search<'a> {
    /// The booking of a row.
    pub(crate) fn event(&self, row: &Row) -> Option<&'a Event<'a>> {
        self.events.get(usize::try_from(row.event).ok()?)
    }

    /// The operation of a row.
    pub(crate) fn operation(&self, row: &Row) -> Operation {
        let at = usize::try_from(row.event).unwrap_or(usize::MAX);
        let known = self.partners.operations.get(at);
        known.copied().unwrap_or(Operation::Unknown)
    }

    fn identity(&self, row: &Row) -> identity::Identity {
        let at = usize::try_from(row.event).unwrap_or(usize::MAX);
        let known = self.partners.identities.get(at);
        known.copied().unwrap_or_default()
    }

    /// Finds the series of a group.
    pub(crate) fn group(&self, group: &Group) -> Vec<Series> {
        if group.rows.len() < 2 {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut pool = group.rows.clone();
        if group.is_hidden {
            let scope = Scope {
                leeway: Leeway::Bills,
                tie: Tie::Amount,
                whole: &[],
                unexplained: 0,
            };
            self.by_amount(&mut pool, scope, &mut found);
            self.exhaust(&mut pool, scope, &mut found);
        } else {
            self.by_identity(&mut pool, &mut found);
        }
        join::join(self, &mut found, group.is_hidden);
        join::absorb(self, &mut found, &mut pool);
        if !pool.is_empty() && !group.is_hidden {
            self.without_rhythm(pool, &mut found);
        }
        found
    }

    /// Contracts among what is left.
    fn without_rhythm(&self, mut pool: Vec<Row>, found: &mut Vec<Series>) {
        pool.retain(|row| self.identity(row).mandate != 0);
        pool.sort_by_key(|row| (self.identity(row).mandate, row.event));
        let by_mandate = pool.chunk_by(|a, b| self.identity(a).mandate == self.identity(b).mandate);
        found.extend(by_mandate.filter_map(|rows| irregular::series(self, rows)));
    }

    /// From the strongest identity to the weakest; what belongs to no series is looked at again
    /// with the next weaker one.
    fn by_identity(&self, pool: &mut Vec<Row>, found: &mut Vec<Series>) {
        let mandates: Vec<u32> = pool.iter().map(|row| self.identity(row).mandate).collect();
        self.split(pool, &mandates, (Leeway::Any, Tie::Mandate), found);
        if pool.len() < 2 {
            return;
        }
        if pool
            .iter()
            .any(|row| self.operation(row) != Operation::Card)
        {
            let numbers = identity::shared_numbers(self.events, pool);
            self.split(pool, &numbers, (Leeway::Any, Tie::Number), found);
        }
        let parties: Vec<u32> = pool.iter().map(|row| self.identity(row).party).collect();
        let is_one_party = parties.windows(2).all(|pair| pair.first() == pair.last());
        if !is_one_party {
            self.split(pool, &parties, (Leeway::Bills, Tie::Partner), found);
        }
        self.mixed(pool, Leeway::Bills, Tie::Partner, found);
    }

    /// Searches each part of the pool that shares a key other than the empty one.
    fn split<K: Ord + Default>(
        &self,
        pool: &mut Vec<Row>,
        keys: &[K],
        (leeway, tie): (Leeway, Tie),
        found: &mut Vec<Series>,
    ) {
        let mut keyed: Vec<(&K, Row)> = keys.iter().zip(pool.iter().copied()).collect();
        keyed.sort_by(|a, b| a.0.cmp(b.0));
        let mut rest = Vec::new();
        for run in keyed.chunk_by(|a, b| a.0 == b.0) {
            let mut part: Vec<Row> = run.iter().map(|(_, row)| *row).collect();
            let is_known = run.first().is_some_and(|(key, _)| **key != K::default());
            if is_known && part.len() > 1 {
                self.mixed(&mut part, leeway, tie, found);
            }
            rest.append(&mut part);
        }
        rest.sort_by_key(|row| row.event);
        *pool = rest;
    }

    /// One contract, or several mixed with single payments.
    fn mixed(&self, pool: &mut Vec<Row>, leeway: Leeway, tie: Tie, found: &mut Vec<Series>) {
        if pool.len() < 2 {
            return;
        }
        let mut whole: Vec<i64> = pool.iter().map(|row| row.minor).collect();
        whole.sort_unstable();
        let scope = Scope {
            leeway,
            tie,
            whole: &whole,
            unexplained: pool.len(),
        };
        let mut here = Vec::new();
        let first = if is_dense(pool) {
            None
        } else {
            self.next(pool, scope)
        };
        let is_hopeless = first.is_none();
        if let Some(series) = first.filter(|series| covers(series, pool)) {
            take(pool, &series);
            here.push(series);
            join::absorb(self, &mut here, pool);
        } else if pool.len() > 5 {
            self.by_amount(pool, scope, &mut here);
            join::join(self, &mut here, false);
            join::absorb(self, &mut here, pool);
        }
        // Nothing has changed since there was no series.
        if !(is_hopeless && here.is_empty()) {
            self.exhaust(pool, scope, &mut here);
        }
        found.append(&mut here);
    }

    /// Searches among bookings of exactly the same amount.
    fn by_amount(&self, pool: &mut Vec<Row>, scope: Scope<'_>, found: &mut Vec<Series>) {
        let mut sorted = pool.clone();
        sorted.sort_by_key(|row| (row.minor, row.event));
        let scope = Scope {
            leeway: Leeway::Exact,
            ..scope
        };
        let mut rest = Vec::new();
        for run in sorted.chunk_by(|a, b| a.minor == b.minor) {
            let mut part = run.to_vec();
            if part.len() > 2 {
                self.exhaust(&mut part, scope, found);
            }
            rest.append(&mut part);
        }
        rest.sort_by_key(|row| row.event);
        *pool = rest;
    }

    /// Takes series out of the pool until there are no more.
    fn exhaust(&self, pool: &mut Vec<Row>, scope: Scope<'_>, found: &mut Vec<Series>) {
        if is_dense(pool) {
            return;
        }
        for _ in 0..SERIES_MAX {
            let Some(series) = self.next(pool, scope) else {
                return;
            };
            take(pool, &series);
            found.push(series);
        }
    }

    /// The series that nearly all bookings of a pool belong to, if their gaps show one at a glance.
    fn obvious(&self, pool: &[Row], scope: Scope<'_>) -> Option<Series> {
        let series = Interval::rhythms()
            .filter(|interval| is_obvious(pool, *interval))
            .filter_map(|interval| chain::best(pool, interval, scope.leeway))
            .max_by_key(|chain| (chain.score, std::cmp::Reverse(chain.interval)))
            .and_then(|chain| series::settle(self, pool, &chain, scope))?;
        covers(&series, pool).then_some(series)
    }

    /// The best series of a pool.
    fn next(&self, pool: &[Row], scope: Scope<'_>) -> Option<Series> {
        self.obvious(pool, scope)
            .or_else(|| self.hidden(pool, scope))
    }

    /// The best series among bookings that do not belong to it.
    fn hidden(&self, pool: &[Row], scope: Scope<'_>) -> Option<Series> {
        let span = pool.last()?.day.saturating_sub(pool.first()?.day);
        let mut chains: Vec<Chain> = Interval::rhythms()
            .filter(|interval| is_worth_a_look(*interval, span, pool.len(), scope.leeway))
            .filter_map(|interval| chain::best(pool, interval, scope.leeway))
            .collect();
        chains.sort_by_key(|chain| std::cmp::Reverse(chain.score));
        chains
            .iter()
            .take(CHAINS_TRIED)
            .find_map(|chain| series::settle(self, pool, chain, scope))
    }
}

/// Whether an interval can be found among so many bookings in so many days.
fn is_worth_a_look(interval: Interval, span: i32, count: usize, leeway: Leeway) -> bool {
    let period = interval.tenth_days() / 10;
    if period.saturating_sub(interval.tolerance_days()) > span {
        return false;
    }
    let payments = usize::try_from(span.checked_div(period).unwrap_or(0)).unwrap_or_default();
    // Where most bookings are no payments, only their amounts could tell which ones are.
    let crowded = payments.saturating_add(1).saturating_mul(CROWD);
    leeway != Leeway::Bills || count <= crowded
}

/// Whether a series is nearly all of a pool.
fn covers(series: &Series, pool: &[Row]) -> bool {
    series.rows.len().saturating_mul(5) >= pool.len().saturating_mul(4)
}

/// Whether three of four gaps have the length of an interval.
fn is_obvious(pool: &[Row], interval: Interval) -> bool {
    let period = interval.tenth_days() / 10;
    let tolerance = interval.tolerance_days();
    let fitting = pool
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.day.saturating_sub(pair.first()?.day)))
        .filter(|gap| gap.saturating_sub(period).saturating_abs() <= tolerance)
        .count();
    fitting > 1 && fitting.saturating_mul(4) >= pool.len().saturating_sub(1).saturating_mul(3)
}

/// Whether there are too many bookings in too little time for a rhythm to show.
fn is_dense(pool: &[Row]) -> bool {
    let days = |(first, last): (&Row, &Row)| last.day.saturating_sub(first.day);
    let span = pool.first().zip(pool.last()).map_or(0, days);
    let span = usize::try_from(span).unwrap_or_default();
    pool.len() > DENSE_COUNT && pool.len().saturating_mul(2) > span
}

/// Removes the payments of a series from the pool.
fn take(pool: &mut Vec<Row>, series: &Series) {
    let mut taken: Vec<u32> = series.rows.iter().map(|row| row.event).collect();
    taken.sort_unstable();
    pool.retain(|row| taken.binary_search(&row.event).is_err());
}
