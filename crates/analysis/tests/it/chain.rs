//! Laws of the chain: repeatable, complete, independent of what is asked for.

use std::sync::LazyLock;

use analysis::{Layers, Options, Part, Parts, Report, Subject, analyze, newest_booking_day};
use chrono::NaiveDate;
use domain::{Account, UserType};
use proptest::prelude::*;
use rules::RulePack;

use crate::invented;

static PACK: LazyLock<RulePack> = LazyLock::new(|| RulePack::builtin().expect("valid"));

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn run(pack: &RulePack, accounts: &[Account], parts: Parts) -> Report {
    let subject = Subject {
        user_type: UserType::Person,
        accounts,
        layers: Layers::NONE,
    };
    let options = Options {
        as_of: day("2026-03-31"),
        parts,
    };
    analyze(pack, &subject, &options)
}

#[test]
fn the_same_input_gives_the_same_report() {
    let accounts = invented::employee();
    let report = run(&PACK, &accounts, Parts::all());
    for _ in 0..3 {
        // A pack that was built anew numbers its rules and tags alike.
        let pack = RulePack::builtin().expect("valid");
        assert_eq!(run(&pack, &accounts, Parts::all()), report);
        assert_eq!(run(&pack, &accounts, Parts::all()), report);
    }
}

#[test]
fn every_transaction_is_decided_in_order() {
    let accounts = invented::employee();
    let report = run(&PACK, &accounts, Parts::all());
    let places: Vec<_> = report
        .categorization
        .iter()
        .map(|decided| (decided.account_index, decided.transaction_index))
        .collect();
    let expected: Vec<_> = (0..accounts.len())
        .flat_map(|account| (0..accounts[account].transactions.len()).map(move |at| (account, at)))
        .collect();
    assert_eq!(places, expected);
}

#[test]
fn parts_not_asked_for_are_left_out() {
    let accounts = invented::employee();
    let none: Parts = std::iter::empty::<Part>().collect();
    let report = run(&PACK, &accounts, none);
    assert!(report.categorization.is_empty());
}

#[test]
fn the_default_day_is_the_newest_booking_not_after_today() {
    let mut accounts = invented::employee();
    for (transaction, date) in
        accounts[0]
            .transactions
            .iter_mut()
            .zip(["2026-03-01", "2026-03-15", "2026-04-02"])
    {
        transaction.booking_date = day(date);
    }
    assert_eq!(
        newest_booking_day(&accounts, day("2026-03-20")),
        day("2026-03-15")
    );
    assert_eq!(
        newest_booking_day(&accounts, day("2026-05-01")),
        day("2026-04-02")
    );
    assert_eq!(
        newest_booking_day(&[], day("2026-05-01")),
        day("2026-05-01")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The decision about a transaction does not depend on its neighbours.
    #[test]
    fn order_does_not_matter(seed in any::<prop::sample::Index>()) {
        let accounts = invented::employee();
        let straight = run(&PACK, &accounts, Parts::all());
        let mut turned = accounts.clone();
        let count = turned[0].transactions.len();
        let by = seed.index(count);
        turned[0].transactions.rotate_left(by);
        let report = run(&PACK, &turned, Parts::all());
        for at in 0..count {
            let before = straight.categorization[(at + by) % count].decision;
            prop_assert_eq!(report.categorization[at].decision, before);
        }
    }
}
