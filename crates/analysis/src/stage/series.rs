//! From tagged transactions to time series.

use chrono::NaiveDate;
use rules::RulePack;

use crate::Subject;
use crate::calendar::BusinessCalendar;
use crate::contracts::{self, Contract};
use crate::event;
use crate::stage::categorize::CategorizedTransaction;

/// Finds the contracts. Without decisions they are found, too, but have no category.
pub fn contracts(
    pack: &RulePack,
    subject: &Subject<'_>,
    as_of: NaiveDate,
    decided: &[CategorizedTransaction],
) -> Vec<Contract> {
    // Decisions are in the order of accounts and transactions, as the tags are asked for.
    let mut decided = decided.iter();
    let events = event::stream(subject.accounts, |_, _| {
        let decision = decided.next();
        decision.map_or("", |decision| pack.tag_name(decision.assignment.tag))
    });
    contracts::detect(&events, as_of, BusinessCalendar::of_german_banks())
}
