//! Money that a partner gives back for what was bought.

use std::collections::HashMap;

use domain::Currency;

use super::facts::{Fact, Facts, index, numbered};
use super::link::{Counts, Evidence, Link, LinkKind, Member, MemberRole};
use super::returned::shares_number;
use super::wording::{Topics, folded};
use super::{Linked, place};
use crate::event::{Event, Role};

/// A purchase is refunded within so many days.
const REFUND_DAYS_MAX: i32 = 180;
/// Without a word about it, the same amount comes back sooner.
const SAME_AMOUNT_DAYS_MAX: i32 = 60;
/// Most purchases of one partner that a refund is compared with; the newest are taken.
const PURCHASES_MAX: usize = 64;
/// Most purchases that one refund is spread over.
const SPREAD_MAX: usize = 5;
/// Words of a company's name that say nothing about who it is.
const LEGAL_FORMS: [&str; 12] = [
    "gmbh", "mbh", "ag", "kg", "se", "co", "ohg", "gbr", "sa", "sarl", "inc", "ltd",
];

/// Finds refunds and links them with what was bought.
pub(crate) fn link(facts: &Facts<'_>, linked: &mut Linked) {
    for partner in partners(facts, linked) {
        let mut ledger = Ledger::default();
        for number in partner {
            let Some((event, fact)) = facts.get(number) else {
                continue;
            };
            if fact.minor < 0 {
                ledger.buy(number, event, fact);
            } else {
                ledger.give_back(number, event, fact);
            }
        }
        for case in ledger.cases {
            if let Some((first, link)) = told(facts, &case) {
                linked.push(first, link);
            }
        }
    }
}

/// The bookings of each partner that has taken and given, oldest first.
fn partners(facts: &Facts<'_>, linked: &Linked) -> Vec<Vec<u32>> {
    let mut stems: Vec<Option<u32>> = vec![None; facts.partners.len()];
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut keyed: Vec<(u32, Currency, u32)> = Vec::new();
    for ((number, event), fact) in numbered(facts.events).zip(&facts.known) {
        let is_free = linked.role(number) == Role::Ordinary && !linked.is_linked(number);
        let partner = fact.partner.filter(|_| is_free && fact.minor != 0);
        let stem = partner.and_then(|partner| stems.get_mut(index(partner)));
        let (Some(partner), Some(slot)) = (partner, stem) else {
            continue;
        };
        let stem = slot.unwrap_or_else(|| {
            let name = facts
                .partners
                .get(index(partner))
                .copied()
                .unwrap_or_default();
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(self::stem(name)).or_insert(next)
        });
        *slot = Some(stem);
        keyed.push((stem, event.transaction.amount.currency, number));
    }
    keyed.sort_unstable();
    let events = |run: &[(u32, Currency, u32)]| run.iter().map(|(_, _, event)| *event).collect();
    let is_credit = |event: &u32| {
        facts
            .known
            .get(index(*event))
            .is_some_and(|fact| fact.minor > 0)
    };
    let mut partners: Vec<Vec<u32>> = keyed
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(events)
        .collect();
    partners
        .retain(|events: &Vec<u32>| events.iter().any(is_credit) && !events.iter().all(is_credit));
    partners
}

/// What stays of a partner's name without places, numbers and legal forms.
pub(crate) fn stem(name: &str) -> String {
    let merchant = name.split("//").next().unwrap_or(name);
    let merchant = merchant.split('*').next().unwrap_or(merchant);
    let all = folded(merchant);
    let is_telling = |word: &&str| {
        !LEGAL_FORMS.contains(word) && !word.bytes().any(|byte| byte.is_ascii_digit())
    };
    let words: Vec<&str> = all.split(' ').filter(is_telling).collect();
    if words.concat().is_empty() {
        all
    } else {
        words.join(" ")
    }
}

/// A purchase that can still be refunded.
struct Purchase<'a> {
    number: u32,
    event: &'a Event<'a>,
    day: i32,
    /// What was not given back yet.
    rest: u64,
    case: Option<usize>,
}

/// Purchases and refunds that have to do with each other.
#[derive(Default)]
struct Case {
    purchases: Vec<u32>,
    refunds: Vec<u32>,
    evidence: Vec<Evidence>,
}

/// What one partner has taken and given back so far.
#[derive(Default)]
struct Ledger<'a> {
    open: Vec<Purchase<'a>>,
    cases: Vec<Case>,
}

impl<'a> Ledger<'a> {
    fn buy(&mut self, number: u32, event: &'a Event<'a>, fact: &Fact) {
        if self.open.len() >= PURCHASES_MAX.saturating_mul(2) {
            self.open.drain(..PURCHASES_MAX);
        }
        self.open.push(Purchase {
            number,
            event,
            day: fact.day,
            rest: fact.minor.unsigned_abs(),
            case: None,
        });
    }

    fn give_back(&mut self, number: u32, event: &Event<'_>, fact: &Fact) {
        let since = fact.day.saturating_sub(REFUND_DAYS_MAX);
        let newest = self.open.len().saturating_sub(PURCHASES_MAX);
        let start = self
            .open
            .partition_point(|purchase| purchase.day < since)
            .max(newest);
        let picked = self.pick(start, event, fact);
        let Some((bought, mut evidence)) = picked else {
            return;
        };
        let days = bought
            .first()
            .and_then(|at| self.open.get(*at))
            .map(|purchase| fact.day.saturating_sub(purchase.day));
        let days = days.and_then(|days| u16::try_from(days).ok());
        evidence.extend(days.map(Evidence::DaysApart));
        let case = bought.iter().find_map(|at| self.open.get(*at)?.case);
        let case = case.unwrap_or_else(|| {
            self.cases.push(Case::default());
            self.cases.len().saturating_sub(1)
        });
        let mut left = fact.minor.unsigned_abs();
        for at in bought {
            self.take(at, case, &mut left);
        }
        if let Some(case) = self.cases.get_mut(case) {
            case.refunds.push(number);
            for found in evidence {
                if !case.evidence.contains(&found) {
                    case.evidence.push(found);
                }
            }
        }
    }

    /// Takes a part of a refund off a purchase, and puts the purchase into the case.
    fn take(&mut self, at: usize, case: usize, left: &mut u64) {
        let Some(purchase) = self.open.get_mut(at) else {
            return;
        };
        let part = purchase.rest.min(*left);
        purchase.rest = purchase.rest.saturating_sub(part);
        *left = left.saturating_sub(part);
        let number = purchase.number;
        let earlier = purchase.case.replace(case);
        match earlier {
            Some(earlier) if earlier == case => {}
            Some(earlier) => self.merge(earlier, case),
            None => {
                if let Some(case) = self.cases.get_mut(case) {
                    case.purchases.push(number);
                }
            }
        }
    }

    fn merge(&mut self, from: usize, into: usize) {
        let moved = self
            .cases
            .get_mut(from)
            .map(std::mem::take)
            .unwrap_or_default();
        if let Some(case) = self.cases.get_mut(into) {
            case.purchases.extend(moved.purchases);
            case.refunds.extend(moved.refunds);
        }
        for purchase in &mut self.open {
            if purchase.case == Some(from) {
                purchase.case = Some(into);
            }
        }
    }

    /// The purchases that a credit refunds, if it is a refund.
    fn pick(
        &self,
        start: usize,
        event: &Event<'_>,
        fact: &Fact,
    ) -> Option<(Vec<usize>, Vec<Evidence>)> {
        let amount = fact.minor.unsigned_abs();
        let open = || {
            let open = self.open.iter().enumerate().skip(start).rev();
            open.filter(|(_, purchase)| purchase.rest > 0)
        };
        let may_be =
            may_be_refund(event.tag) || open().any(|(_, purchase)| purchase.event.tag == event.tag);
        if !may_be {
            return None;
        }
        let text = event.transaction.remittance_info.as_str();
        let numbered = open().find(|(_, purchase)| {
            let bought = purchase.event.transaction.remittance_info.as_str();
            purchase.rest >= amount && shares_number(text, bought)
        });
        let exact = open().find(|(_, purchase)| purchase.rest == amount);
        let Some(said) = said(event, fact) else {
            let (at, purchase) = exact?;
            let is_soon = fact.day.saturating_sub(purchase.day) <= SAME_AMOUNT_DAYS_MAX;
            let found = is_soon && is_business(purchase.event);
            return found.then(|| (vec![at], vec![Evidence::SameName, Evidence::SameAmount]));
        };
        let mut evidence = vec![said, Evidence::SameName];
        if let Some((at, _)) = numbered {
            evidence.push(Evidence::SameNumber);
            return Some((vec![at], evidence));
        }
        if let Some((at, _)) = exact {
            evidence.push(Evidence::SameAmount);
            return Some((vec![at], evidence));
        }
        if let Some((at, _)) = open().find(|(_, purchase)| purchase.rest >= amount) {
            return Some((vec![at], evidence));
        }
        let mut left = amount;
        let mut spread = Vec::new();
        for (at, purchase) in open().take(SPREAD_MAX) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(purchase.rest);
            spread.push(at);
        }
        (!spread.is_empty()).then_some((spread, evidence))
    }
}

/// What says that a credit is a refund.
fn said(event: &Event<'_>, fact: &Fact) -> Option<Evidence> {
    if event.tag.starts_with("refund") {
        Some(Evidence::Tag)
    } else if fact.topics.meet(Topics::REFUND) {
        Some(Evidence::Wording)
    } else if event.transaction.transaction_code == Some(182)
        || !event.transaction.merchant_category_code.is_empty()
    {
        Some(Evidence::TransactionCode)
    } else {
        None
    }
}

/// Whether the tag leaves room for a refund: a wage or a benefit is none.
fn may_be_refund(tag: &str) -> bool {
    tag.is_empty()
        || tag.starts_with("refund")
        || matches!(tag, "transfer_in" | "other" | "unknown")
}

/// Whether something was bought, not sent to a friend.
fn is_business(event: &Event<'_>) -> bool {
    let transaction = event.transaction;
    !transaction.counterparty.creditor_id.is_empty()
        || !transaction.mandate_id.is_empty()
        || !transaction.merchant_category_code.is_empty()
        || matches!(transaction.transaction_code, Some(4 | 5 | 104..=107))
        || !matches!(event.tag, "" | "transfer_out" | "other" | "unknown")
}

/// The case as link, with its oldest event.
fn told(facts: &Facts<'_>, case: &Case) -> Option<(u32, Link)> {
    let purchases = case
        .purchases
        .iter()
        .map(|at| (*at, MemberRole::Purchase, Counts::Itself));
    let refunds = case
        .refunds
        .iter()
        .map(|at| (*at, MemberRole::Refund, Counts::LessSpending));
    let mut parts: Vec<(u32, MemberRole, Counts)> = purchases.chain(refunds).collect();
    parts.sort_unstable_by_key(|(number, _, _)| *number);
    let (first, _, _) = *parts.first()?;
    let members = parts.into_iter().filter_map(|(number, role, counts)| {
        let (event, _) = facts.get(number)?;
        Some(Member {
            place: place(event),
            role,
            counts,
        })
    });
    let link = Link {
        kind: LinkKind::Refund,
        members: members.collect(),
        evidence: case.evidence.clone(),
        other_account: None,
    };
    Some((first, link))
}
