//! Bookings that speak of an account that is not connected.

use domain::AccountType;

use super::AccountEvidence;
use crate::event::{Event, Role};
use crate::links::facts::Fact;
use crate::links::owners::NameFit;
use crate::links::weigh::is_loan;
use crate::links::wording::Topics;
use crate::links::{LinkKind, Links, Place};

/// What bookings are put together by, before the other side: a bank that gives a loan can also
/// collect for a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Under the holder's own name.
    Own,
    /// A credit card.
    Card,
    /// A depot.
    Depot,
    /// A building society contract.
    Bausparen,
    /// Other savings.
    Saving,
    /// A loan.
    Loan,
}

/// A booking that speaks of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace {
    /// Number of the event.
    pub(crate) event: usize,
    pub(crate) family: Family,
    /// The kind that the booking suggests; `None` when it says nothing of it.
    pub(crate) kind: Option<AccountType>,
    pub(crate) evidence: AccountEvidence,
}

/// Finds the traces, oldest first.
pub(crate) fn find(events: &[Event<'_>], links: &Links) -> Vec<Trace> {
    let external = external(links);
    events
        .iter()
        .zip(&links.known)
        .zip(&links.roles)
        .enumerate()
        .filter_map(|(number, ((event, fact), role))| {
            let place = super::group::place(event);
            let is_external = external.binary_search(&(place, true)).is_ok();
            let is_connected = external.binary_search(&(place, false)).is_ok();
            let is_chain = matches!(role, Role::Return | Role::Returned | Role::ReturnFee);
            if is_connected || is_chain || fact.minor == 0 {
                return None;
            }
            let (family, kind, evidence) = trace(event, fact, is_external)?;
            Some(Trace {
                event: number,
                family,
                kind,
                evidence,
            })
        })
        .collect()
}

/// The legs of transfers, and whether their other side is not connected, sorted.
fn external(links: &Links) -> Vec<(Place, bool)> {
    let is_transfer = |kind: LinkKind| {
        matches!(
            kind,
            LinkKind::OwnTransfer | LinkKind::CardSettlement | LinkKind::LoanPayment
        )
    };
    let mut external: Vec<(Place, bool)> = links
        .links
        .iter()
        .filter(|link| is_transfer(link.kind))
        .flat_map(|link| {
            let is_external = link.members.len() == 1 && link.other_account.is_none();
            let places = link.members.iter().map(|member| member.place);
            places.map(move |place| (place, is_external))
        })
        .collect();
    external.sort_unstable();
    external
}

type Said = (Family, Option<AccountType>, AccountEvidence);

fn trace(event: &Event<'_>, fact: &Fact, is_external: bool) -> Option<Said> {
    card(event, fact)
        .or_else(|| is_external.then(|| own(event, fact)))
        .or_else(|| by_tag(event, fact))
        .or_else(|| by_word(event, fact))
}

fn card(event: &Event<'_>, fact: &Fact) -> Option<Said> {
    let evidence = if event.tag == "credit_card_settlement" {
        AccountEvidence::Tag
    } else if fact.topics.meet(Topics::CARD) {
        AccountEvidence::Wording
    } else if event.transaction.transaction_code == Some(6) {
        AccountEvidence::TransactionCode
    } else {
        return None;
    };
    let is_settled = fact.minor < 0 && !is_charge(event, fact);
    is_settled.then_some((Family::Card, Some(AccountType::KreditKarte), evidence))
}

/// Whether a bank charges for something, rather than moving money.
fn is_charge(event: &Event<'_>, fact: &Fact) -> bool {
    matches!(event.tag, "bank_fee" | "back_debit_fee" | "credit_interest")
        || (event.tag.is_empty() && fact.topics.meet(Topics::FEE))
}

/// An account under the holder's name.
fn own(event: &Event<'_>, fact: &Fact) -> Said {
    let evidence = if fact.party.name == NameFit::Holder || fact.party.is_known {
        AccountEvidence::HolderName
    } else if event.tag.is_empty() {
        AccountEvidence::Wording
    } else {
        AccountEvidence::Tag
    };
    let kind = saved(event.tag, fact.topics).map(|(_, kind)| kind);
    (Family::Own, kind, evidence)
}

/// What kind of savings tag and words speak of.
fn saved(tag: &str, topics: Topics) -> Option<(Family, AccountType)> {
    if tag == "housing_saving" || topics.meet(Topics::BAUSPAREN) {
        return Some((Family::Bausparen, AccountType::Bausparen));
    }
    if topics.meet(Topics::DEPOT)
        || matches!(tag, "savings_securities_plan" | "securities_purchase")
    {
        return Some((Family::Depot, AccountType::Depot));
    }
    let kind = if topics.meet(Topics::TERM) {
        AccountType::Festgeld
    } else if topics.meet(Topics::BOOK) {
        AccountType::Sparbuch
    } else if topics.meet(Topics::SAVING) || matches!(tag, "savings_deposit" | "savings_roundup") {
        AccountType::Tagesgeld
    } else {
        return None;
    };
    Some((Family::Saving, kind))
}

fn by_tag(event: &Event<'_>, fact: &Fact) -> Option<Said> {
    let tag = event.tag;
    if is_loan(tag) {
        // What shops let pay in parts is no account, unless its text speaks of a loan.
        let is_account = tag != "credit_consumer" || fact.topics.meet(Topics::LOAN);
        let loan = (
            Family::Loan,
            Some(AccountType::Kreditdarlehen),
            AccountEvidence::Tag,
        );
        return is_account.then_some(loan);
    }
    match tag {
        "housing_saving"
        | "savings_securities_plan"
        | "securities_purchase"
        | "savings_deposit"
        | "savings_plan" => {
            let (family, kind) =
                saved(tag, fact.topics).unwrap_or((Family::Saving, AccountType::Tagesgeld));
            Some((family, Some(kind), AccountEvidence::Tag))
        }
        "savings_capital_forming" => {
            let (family, kind) = match saved("", fact.topics) {
                Some((Family::Bausparen, kind)) => (Family::Bausparen, kind),
                _ => (Family::Depot, AccountType::Fondsdepot),
            };
            Some((family, Some(kind), AccountEvidence::Tag))
        }
        _ => None,
    }
}

/// Without a tag, only words that mean nothing else.
fn by_word(event: &Event<'_>, fact: &Fact) -> Option<Said> {
    if !event.tag.is_empty() || fact.minor > 0 || is_charge(event, fact) {
        return None;
    }
    let (family, kind) = if fact.topics.meet(Topics::LOAN) {
        (Family::Loan, AccountType::Kreditdarlehen)
    } else {
        saved("", fact.topics)?
    };
    Some((family, Some(kind), AccountEvidence::Wording))
}
