//! From a series to what is told about it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{Currency, Money};

use super::amounts::Likeness;
use super::contract::{
    AdditionalInfo, AmountConsistency, Contract, ContractKey, ContractPartner, Maturity, Payment,
    PriceChange,
};
use super::interval::Interval;
use super::judge::EVIDENCE_MIN;
use super::outlook::{self, Outlook};
use super::row::Row;
use super::search::Search;
use super::series::{Series, Tie};
use super::{category, civil, identity};
use crate::event::Event;
use crate::stats;

/// Payments from which on a contract is well known; an annual one is after two.
const MATURE_FROM: usize = 3;

/// Tells about a series; `None` if it has no payments.
pub(crate) fn describe(search: &Search<'_>, series: &Series, as_of: NaiveDate) -> Option<Contract> {
    let events: Vec<&Event<'_>> = series
        .rows
        .iter()
        .filter_map(|row| search.event(row))
        .collect();
    let (first, newest) = (*events.first()?, *events.last()?);
    let outlook = outlook::next(series, search.calendar)?;
    let range = (civil::date(outlook.first), civil::date(outlook.last));
    let is_active = as_of <= range.1;
    let currency = newest.transaction.amount.currency;
    let signed = |minor: i64| signed(newest.minor() < 0, minor, currency);
    let tag = most_frequent_tag(&events);
    Some(Contract {
        key: key(first),
        interval: series.interval,
        amount: signed(series.amounts.regular),
        amount_consistency: consistency(series),
        category: category::category(tag),
        tag: tag.to_owned(),
        is_active,
        first_booking_date: first.day(),
        last_booking_date: newest.day(),
        next_booking_date: civil::date(outlook.day),
        next_booking_range: range,
        mandate_id: identity::names(newest).mandate.into(),
        partner: partner(&events, newest),
        payments: payments(search, series),
        additional_info: AdditionalInfo {
            price_changes: price_changes(series, signed),
            missed: missed(search, series),
            doubled: places(search, series.doubled.iter().collect()),
            maturity: maturity(series, is_active),
            probability_permille: stats::probability_permille(
                series.evidence.saturating_sub(EVIDENCE_MIN),
            ),
            reasons: reasons(series, &outlook),
        },
    })
}

fn signed(is_debit: bool, minor: i64, currency: Currency) -> Money {
    let minor = if is_debit {
        minor.saturating_neg()
    } else {
        minor
    };
    Money::new(minor, currency)
}

fn consistency(series: &Series) -> AmountConsistency {
    match series.amounts.likeness {
        Likeness::Levels => AmountConsistency::Fix,
        Likeness::Alike | Likeness::Wild => AmountConsistency::Variable,
    }
}

fn maturity(series: &Series, is_active: bool) -> Maturity {
    let least = if series.interval == Interval::Annually {
        2
    } else {
        MATURE_FROM
    };
    if !is_active {
        Maturity::Ended
    } else if series.rows.len() < least {
        Maturity::Early
    } else {
        Maturity::Mature
    }
}

fn most_frequent_tag<'a>(events: &[&Event<'a>]) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        let count = counts.entry(event.tag).or_default();
        *count = count.saturating_add(1);
    }
    let top = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    top.map_or("", |(tag, _)| tag)
}

fn partner(events: &[&Event<'_>], newest: &Event<'_>) -> ContractPartner {
    let creditor_ids: BTreeSet<&str> = events
        .iter()
        .map(|event| identity::names(event).creditor)
        .filter(|creditor| !creditor.is_empty())
        .collect();
    ContractPartner {
        name: newest.transaction.counterparty.name.clone(),
        iban: newest.transaction.counterparty.iban.clone(),
        creditor_ids: creditor_ids.into_iter().map(str::to_owned).collect(),
    }
}

fn payments(search: &Search<'_>, series: &Series) -> Vec<Payment> {
    let late = series.late.iter().map(|(_, row)| row);
    let beside = series.doubled.iter().chain(late);
    places(search, series.rows.iter().chain(beside).collect())
}

fn places(search: &Search<'_>, mut rows: Vec<&Row>) -> Vec<Payment> {
    rows.sort_by_key(|row| row.event);
    let place = |event: &Event<'_>| Payment {
        account_index: event.account_index,
        transaction_index: event.transaction_index,
    };
    let events = rows.into_iter().filter_map(|row| search.event(row));
    events.map(place).collect()
}

/// Steps from one level to the next: the new amount is paid twice or is the newest.
fn price_changes(series: &Series, signed: impl Fn(i64) -> Money) -> Vec<PriceChange> {
    if series.amounts.likeness != Likeness::Levels {
        return Vec::new();
    }
    let runs: Vec<&[Row]> = series.rows.chunk_by(|a, b| a.minor == b.minor).collect();
    let last = runs.len().saturating_sub(1);
    let mut changes = Vec::new();
    let mut level: Option<i64> = None;
    for (at, run) in runs.into_iter().enumerate() {
        let Some(row) = run.first() else { continue };
        let is_level = run.len() > 1 || (at == last && row.minor == series.amounts.regular);
        if !is_level {
            continue;
        }
        if let Some(from) = level.filter(|from| *from != row.minor) {
            changes.push(PriceChange {
                day: civil::date(row.day),
                from: signed(from),
                to: signed(row.minor),
            });
        }
        level = Some(row.minor);
    }
    changes
}

/// Due dates without payment.
fn missed(search: &Search<'_>, series: &Series) -> Vec<NaiveDate> {
    let Some(fit) = series.best() else {
        return Vec::new();
    };
    let mut missed = Vec::new();
    for pair in fit.slots.windows(2) {
        let (Some((from, _)), Some((to, _))) = (pair.first(), pair.last()) else {
            continue;
        };
        for slot in from.saturating_add(1)..*to {
            if series.late.iter().all(|(late, _)| *late != slot) {
                missed.push(civil::date(fit.rule.due(slot, search.calendar)));
            }
        }
    }
    missed
}

fn reasons(series: &Series, outlook: &Outlook) -> Vec<String> {
    let gaps = series.rows.windows(2).filter_map(|pair| {
        let gap = pair.last()?.day.saturating_sub(pair.first()?.day);
        Some(gap)
    });
    let gaps: Vec<i32> = gaps.collect();
    let period = series.interval.tenth_days() / 10;
    let tolerance = series.interval.tolerance_days();
    let regular = |gap: &&i32| gap.saturating_sub(period).saturating_abs() <= tolerance;
    let within: Vec<i32> = gaps.iter().filter(regular).copied().collect();
    let least = within.iter().min().copied().unwrap_or(period);
    let most = within.iter().max().copied().unwrap_or(period);
    let mut reasons = vec![if series.interval == Interval::Irregular {
        "no rhythm, but paid by contract only".to_owned()
    } else {
        format!(
            "{} of {} gaps {least}–{most} days",
            within.len(),
            gaps.len()
        )
    }];
    reasons.push(match series.amounts.likeness {
        Likeness::Levels => format!(
            "{} of {} amounts unchanged",
            series.amounts.unchanged,
            gaps.len()
        ),
        Likeness::Alike => "similar amounts".to_owned(),
        Likeness::Wild => "amounts vary".to_owned(),
    });
    reasons.push(
        match series.tie {
            Tie::Mandate => "same mandate",
            Tie::Number => "same contract number",
            Tie::Partner => "same partner",
            Tie::Amount => "same kind of payment",
        }
        .to_owned(),
    );
    if series.missed > 0 {
        reasons.push(format!("{} due dates without payment", series.missed));
    }
    let width = outlook.last.saturating_sub(outlook.first).saturating_add(1);
    reasons.push(format!("next payment known to {width} days"));
    reasons
}

/// The identity of the first payment; which later payments follow does not change it.
fn key(first: &Event<'_>) -> ContractKey {
    let names = identity::names(first);
    let counterparty = &first.transaction.counterparty;
    let iban = domain::iban::normalize(counterparty.iban.as_str());
    let identity = if !names.mandate.is_empty() {
        format!("mandate|{}|{}", names.creditor, names.mandate)
    } else if !names.creditor.is_empty() {
        format!("creditor|{}", names.creditor)
    } else if !iban.is_empty() {
        format!("iban|{iban}")
    } else {
        format!("name|{}", identity::stem(counterparty.name.as_str()))
    };
    let direction = if first.minor() < 0 { "out" } else { "in" };
    let currency = first.transaction.amount.currency;
    ContractKey(format!("{direction}|{currency}|{identity}").into())
}
