//! Payments that were taken back, what took them back, and what the bank charged for it.

use chrono::{Datelike, NaiveDate};
use domain::Currency;

use super::assign::{self, Edge};
use super::facts::{Fact, Facts, index, numbered};
use super::link::{Counts, Evidence, Link, LinkKind, Member, MemberRole};
use super::weigh::Leg;
use super::wording::{self, Topics, folded};
use super::{Linked, charges, place};
use crate::event::{Event, Role};

/// A payment is taken back within so many days.
///
/// # Source
/// SEPA Direct Debit Core: eight weeks for authorised collections, and two weeks for processing.
const RETURN_DAYS_MAX: i32 = 70;
/// Some banks book the return a day before the payment.
const RETURN_DAYS_BEFORE: i32 = 1;
/// Most payments that a return is compared with; the newest are taken.
pub(crate) const ORIGINALS_MAX: usize = 64;

/// Reasons for returns.
///
/// # Source
/// ISO 20022 external status reason codes, those that banks give to customers.
const REASON_CODES: [&str; 20] = [
    "AC01", "AC04", "AC06", "AC13", "AG01", "AG02", "AM04", "AM05", "BE04", "BE05", "CUST", "FOCR",
    "MD01", "MD06", "MD07", "MS02", "MS03", "RR04", "SL01", "TECH",
];

/// Finds the chains.
pub(crate) fn link(facts: &Facts<'_>, linked: &mut Linked) {
    let returns = returns(facts);
    if returns.is_empty() {
        return;
    }
    let mut chains = chains(facts, &returns);
    for chain in &chains {
        linked.mark(chain.back, Role::Return);
        if let Some(original) = chain.original {
            linked.mark(original, Role::Returned);
        }
    }
    charges::assign(facts, &mut chains, linked);
    for chain in chains {
        let (first, link) = told(facts, &chain);
        linked.push(first, link);
    }
}

/// A booking that takes another back.
struct Back {
    event: u32,
    /// Whether it is one even if the payment is not among the bookings.
    is_certain: bool,
    evidence: Evidence,
}

fn returns(facts: &Facts<'_>) -> Vec<Back> {
    numbered(facts.events)
        .zip(&facts.known)
        .filter_map(|((number, event), fact)| back(number, event, fact))
        .collect()
}

fn back(number: u32, event: &Event<'_>, fact: &Fact) -> Option<Back> {
    let back = |is_certain, evidence| {
        Some(Back {
            event: number,
            is_certain,
            evidence,
        })
    };
    if fact.minor == 0 || charges::is_fee(event, fact) {
        return None;
    }
    if matches!(event.tag, "back_debit" | "transfer_return") {
        return back(true, Evidence::Tag);
    }
    let is_credit = fact.minor > 0;
    match event.transaction.transaction_code {
        // A merchant's credit to a card is a refund.
        Some(182) => return None,
        Some(159 | 160 | 181 | 183 | 184) if is_credit => {
            return back(true, Evidence::TransactionCode);
        }
        Some(9 | 59 | 108..=111) if !is_credit => return back(true, Evidence::TransactionCode),
        _ => {}
    }
    if !event.transaction.merchant_category_code.is_empty() {
        return None;
    }
    if fact.topics.meet(Topics::RETURN) {
        let by_bank = wording::topics_of(&event.transaction.booking_text).meet(Topics::RETURN);
        return back(by_bank, Evidence::Wording);
    }
    let has_code = is_credit && has_reason_code(event.transaction.remittance_info.as_str());
    has_code
        .then(|| back(false, Evidence::ReasonCode))
        .flatten()
}

fn has_reason_code(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.len() == 4 && REASON_CODES.contains(&word))
}

/// A chain, as numbers of events.
pub(crate) struct Chain {
    pub(crate) back: u32,
    pub(crate) original: Option<u32>,
    pub(crate) fees: Vec<u32>,
    evidence: Vec<Evidence>,
}

/// A payment that may have been taken back.
type Original = ((usize, Currency, u64, bool), i32, u32);

fn chains(facts: &Facts<'_>, returns: &[Back]) -> Vec<Chain> {
    let originals = originals(facts, returns);
    let mut edges = Vec::new();
    for back in returns {
        let Some(leg) = facts.get(back.event) else {
            continue;
        };
        for (_, _, original) in window(&originals, leg) {
            let Some(paid) = facts.get(*original) else {
                continue;
            };
            let (points, _) = weigh(leg, paid);
            edges.push(Edge {
                left: back.event,
                right: *original,
                points,
            });
        }
    }
    let pairs = assign::assign(edges);
    returns
        .iter()
        .filter_map(|back| {
            let at = pairs.binary_search_by_key(&back.event, |pair| pair.left);
            let original = at.ok().and_then(|at| pairs.get(at)).map(|pair| pair.right);
            let mut evidence = vec![back.evidence];
            if let (Some(leg), Some(paid)) =
                (facts.get(back.event), original.and_then(|at| facts.get(at)))
            {
                evidence.extend(weigh(leg, paid).1);
            } else if back.is_certain {
                evidence.push(Evidence::OneSided);
            } else {
                return None;
            }
            Some(Chain {
                back: back.event,
                original,
                fees: Vec::new(),
                evidence,
            })
        })
        .collect()
}

/// The payments that have an opposite return on their account, by amount and day.
fn originals(facts: &Facts<'_>, returns: &[Back]) -> Vec<Original> {
    let mut wanted: Vec<_> = returns
        .iter()
        .filter_map(|back| facts.get(back.event))
        .map(opposite)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut originals: Vec<Original> = numbered(facts.events)
        .filter(|(number, _)| {
            returns
                .binary_search_by_key(number, |back| back.event)
                .is_err()
        })
        .filter_map(|(number, event)| {
            let fact = facts.known.get(index(number))?;
            let key = (
                fact.account,
                currency(event),
                fact.minor.unsigned_abs(),
                fact.minor > 0,
            );
            let is_wanted = wanted.binary_search(&key).is_ok() && !charges::is_fee(event, fact);
            is_wanted.then_some((key, fact.day, number))
        })
        .collect();
    originals.sort_unstable();
    originals
}

const fn currency(event: &Event<'_>) -> Currency {
    event.transaction.amount.currency
}

/// What a payment that this booking takes back looks like.
fn opposite(leg: Leg<'_>) -> (usize, Currency, u64, bool) {
    let (event, fact) = leg;
    (
        fact.account,
        currency(event),
        fact.minor.unsigned_abs(),
        fact.minor < 0,
    )
}

fn window<'o>(originals: &'o [Original], leg: Leg<'_>) -> &'o [Original] {
    let key = opposite(leg);
    let since = leg.1.day.saturating_sub(RETURN_DAYS_MAX);
    let until = leg.1.day.saturating_add(RETURN_DAYS_BEFORE);
    let start = originals.partition_point(|original| (original.0, original.1) < (key, since));
    let end = originals.partition_point(|original| (original.0, original.1) <= (key, until));
    let start = start.max(end.saturating_sub(ORIGINALS_MAX));
    originals.get(start..end).unwrap_or_default()
}

/// What speaks for a payment being the one that was taken back. The newer of two alike is.
fn weigh(back: Leg<'_>, paid: Leg<'_>) -> (i64, Vec<Evidence>) {
    let mut points = 30_i64;
    let mut evidence = vec![Evidence::SameAmount];
    let mut add = |holds: bool, more: i64, found: Evidence| {
        if holds {
            points = points.saturating_add(more);
            evidence.push(found);
        }
    };
    let (one, other) = (back.0.transaction, paid.0.transaction);
    let same = |one: &str, other: &str| !one.is_empty() && one.eq_ignore_ascii_case(other);
    let reference = one.end_to_end_id.as_str();
    let has_reference = !reference.eq_ignore_ascii_case("NOTPROVIDED");
    add(
        has_reference && same(reference, other.end_to_end_id.as_str()),
        800,
        Evidence::SameEndToEnd,
    );
    add(
        same(one.mandate_id.as_str(), other.mandate_id.as_str()),
        800,
        Evidence::SameMandate,
    );
    let (from, to) = (&one.counterparty, &other.counterparty);
    add(
        same(&from.creditor_id, &to.creditor_id),
        600,
        Evidence::SameCreditor,
    );
    add(
        same(from.iban.as_str(), to.iban.as_str()),
        600,
        Evidence::SameIban,
    );
    let (text, name) = (one.remittance_info.as_str(), to.name.as_str());
    let is_named = same_name(from.name.as_str(), name) || names(text, name);
    add(is_named, 600, Evidence::SameName);
    add(
        shares_number(text, other.remittance_info.as_str()),
        500,
        Evidence::SameNumber,
    );
    add(names_day(text, paid.0.day()), 500, Evidence::NamesDay);
    let days = back.1.day.saturating_sub(paid.1.day).saturating_abs();
    add(
        true,
        0,
        Evidence::DaysApart(u16::try_from(days).unwrap_or(u16::MAX)),
    );
    let is_collected = matches!(other.transaction_code, Some(104 | 105 | 5 | 107))
        || !other.mandate_id.is_empty()
        || other
            .booking_text
            .to_ascii_lowercase()
            .contains("lastschrift");
    if is_collected {
        points = points.saturating_add(100);
    }
    let is_stranger = !from.name.is_empty() && !name.is_empty() && !is_named;
    if is_stranger {
        points = points.saturating_sub(100);
    }
    (points.saturating_sub(i64::from(days) / 3), evidence)
}

fn same_name(one: &str, other: &str) -> bool {
    if one.is_empty() || other.is_empty() {
        return false;
    }
    one == other || folded(one) == folded(other)
}

/// Whether a text contains the first telling word of a name.
pub(crate) fn names(text: &str, name: &str) -> bool {
    let name = folded(name);
    let Some(first) = name.split(' ').find(|word| word.len() >= 4) else {
        return false;
    };
    folded(text).split(' ').any(|word| word == first)
}

/// Whether two texts share a number of six digits or more.
pub(crate) fn shares_number(one: &str, other: &str) -> bool {
    let is_number = |word: &&str| word.bytes().filter(u8::is_ascii_digit).count() >= 6;
    one.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(is_number)
        .any(|number| other.contains(number))
}

/// Whether a text names a day as Germans write it.
pub(crate) fn names_day(text: &str, day: NaiveDate) -> bool {
    let short = format!("{:02}.{:02}.", day.day(), day.month());
    text.match_indices(&short).any(|(at, found)| {
        let rest = text
            .get(at.saturating_add(found.len())..)
            .unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let year = day.year().to_string();
        digits.is_empty() || digits == year || year.get(2..) == Some(&digits)
    })
}

/// The chain as link, with its oldest event.
fn told(facts: &Facts<'_>, chain: &Chain) -> (u32, Link) {
    let fees = chain
        .fees
        .iter()
        .map(|fee| (*fee, MemberRole::Fee, Counts::Itself));
    let mut parts = vec![(chain.back, MemberRole::Return, Counts::Nowhere)];
    parts.extend(
        chain
            .original
            .map(|at| (at, MemberRole::Original, Counts::GrossOnly)),
    );
    parts.extend(fees);
    parts.sort_unstable_by_key(|(number, _, _)| {
        facts.get(*number).map(|(_, fact)| (fact.day, *number))
    });
    let first = parts.iter().map(|(number, _, _)| *number).min();
    let members = parts.into_iter().filter_map(|(number, role, counts)| {
        let (event, _) = facts.get(number)?;
        Some(Member {
            place: place(event),
            role,
            counts,
        })
    });
    let link = Link {
        kind: LinkKind::ReturnChain,
        members: members.collect(),
        evidence: chain.evidence.clone(),
        other_account: None,
    };
    (first.unwrap_or(chain.back), link)
}
