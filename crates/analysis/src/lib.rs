//! Pure analysis: the chain of stages from raw transactions to results.
//!
//! [`analyze`] runs the stages in order. A stage is a pure function from what came before it to one
//! more part of the [`Report`]; a new one gets a file in `stage/`, a [`Part`] if it can be asked
//! for by itself, and a line in [`analyze`].
//!
//! **Invariant:** the same pack, subject and options give the same report. Nothing here knows a
//! database, a network, a clock or a wire format, and one user's analysis uses one thread: callers
//! run users in parallel.
#![deny(clippy::arithmetic_side_effects)]

pub mod accounts;
pub mod balances;
pub mod calendar;
pub mod contracts;
pub mod day;
pub mod event;
pub mod findings;
pub mod links;
pub mod part;
pub mod stage;
mod stats;

use chrono::NaiveDate;
use domain::{Account, Finding, UserType};
use rules::{Categorizer, RulePack, TenantRules, UserPatterns};

pub use day::newest_booking_day;
pub use part::{Part, Parts, UnknownPart};
pub use stage::categorize::CategorizedTransaction;
use stage::{categorize, prepare, series};

/// The version of the engine, which every result names.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The user whose data is analysed.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Decides taxonomy, rules and modules.
    pub user_type: UserType,
    /// All accounts, in the order of upload.
    pub accounts: &'a [Account],
    /// What goes before the shipped rules.
    pub layers: Layers<'a>,
}

impl<'a> Subject<'a> {
    /// Decides about the subject's transactions.
    pub fn categorizer(&self, pack: &'a RulePack) -> Categorizer<'a> {
        Categorizer::new(pack, self.user_type)
            .with_tenant(self.layers.tenant)
            .with_patterns(self.layers.patterns)
    }
}

/// Knowledge that goes before the shipped rules: the user's before the tenant's.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The rules of the tenant for the user's type.
    pub tenant: Option<&'a TenantRules>,
    /// The decisions of the user.
    pub patterns: &'a UserPatterns,
}

impl Layers<'_> {
    /// The shipped rules alone.
    pub const NONE: Self = Self {
        tenant: None,
        patterns: UserPatterns::none(),
    };
}

impl Default for Layers<'_> {
    fn default() -> Self {
        Self::NONE
    }
}

/// What is wanted of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The day on which the analysis looks back.
    pub as_of: NaiveDate,
    /// The parts to compute; what they build on is computed too.
    pub parts: Parts,
}

/// The results of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// One decision for each transaction, in the order of accounts and transactions.
    pub categorization: Vec<CategorizedTransaction>,
    /// Bookings that belong together.
    pub links: links::Links,
    /// The contracts, the one with the oldest payment first.
    pub contracts: Vec<contracts::Contract>,
    /// Accounts, the connected ones in the order of the subject, then those that were found.
    pub detected_accounts: Vec<accounts::DetectedAccount>,
    /// Daily balances of each account; `None` where they do not fit into money.
    pub histories: Vec<Option<balances::History>>,
    /// Bad data that was met; bounded by [`findings::FINDINGS_MAX`].
    pub findings: Vec<Finding>,
}

/// Analyses one user.
pub fn analyze(pack: &RulePack, subject: &Subject<'_>, options: &Options) -> Report {
    let mut report = Report {
        findings: findings::collect(subject.accounts),
        ..Report::default()
    };
    let prepared = prepare::prepare(subject.accounts);
    if options.parts.contains_any(&Part::WITH_TAGS) {
        let categorizer = subject.categorizer(pack);
        report.categorization = categorize::categorize(pack, &categorizer, &prepared);
    }
    if options.parts.contains_any(&Part::WITH_LINKS) {
        series::find(pack, subject, options, &mut report);
    }
    if options.parts.contains(Part::AccountHistory) {
        report.histories = series::histories(subject, options.as_of);
    }
    report
}
