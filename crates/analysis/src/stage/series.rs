//! From tagged transactions to links and time series.

use chrono::NaiveDate;
use rules::RulePack;

use crate::balances::{self, Days, History};
use crate::calendar::BusinessCalendar;
use crate::links::{self, NoRates};
use crate::part::Part;
use crate::{Options, Report, Subject, accounts, contracts, event};

/// Finds links, and what builds on them: contracts and accounts. Reads the report's decisions.
pub fn find(pack: &RulePack, subject: &Subject<'_>, options: &Options, report: &mut Report) {
    // Decisions are in the order of accounts and transactions, as the tags are asked for.
    let mut decided = report.categorization.iter();
    let mut events = event::stream(subject.accounts, |_, _| {
        let decision = decided.next();
        decision.map_or("", |decision| pack.tag_name(decision.decision.tag))
    });
    report.links = links::detect(subject.accounts, &events, &NoRates);
    if options.parts.contains(Part::AccountDetection) {
        report.detected_accounts = accounts::detect(subject.accounts, &events, &report.links);
    }
    if options.parts.contains(Part::Contracts) {
        report.links.mark(&mut events);
        let calendar = BusinessCalendar::of_german_banks();
        report.contracts = contracts::detect(&events, options.as_of, calendar);
    }
}

/// The daily balances of each account.
pub fn histories(subject: &Subject<'_>, as_of: NaiveDate) -> Vec<Option<History>> {
    let days = Days::at(as_of);
    let accounts = subject.accounts.iter();
    accounts
        .map(|account| balances::history(account, days).ok())
        .collect()
}
