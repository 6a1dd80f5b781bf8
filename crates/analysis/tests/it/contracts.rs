//! Contracts in small histories that are written out.

use analysis::calendar::{BusinessCalendar, FederalState, Shift};
use analysis::contracts::{AmountConsistency, Contract, Interval, Maturity, Payment, detect};
use analysis::event::{self, Role};
use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use domain::{Account, Transaction};
use proptest::prelude::*;

use crate::invented;

/// Writes the history of one account.
#[derive(Debug)]
struct History {
    transactions: Vec<Transaction>,
}

impl History {
    fn new() -> Self {
        Self {
            transactions: Vec::new(),
        }
    }

    /// Books an amount in cents with `name`.
    fn book(&mut self, day: NaiveDate, minor: i64, name: &str) -> &mut Transaction {
        let template = invented::account(0, "", "", "X | Y | -1.00");
        let mut transaction = template.transactions.into_iter().next().expect("one");
        let number = self.transactions.len();
        transaction.id = domain::TransactionId::try_new(format!("t{number:04}")).expect("an id");
        transaction.booking_date = day;
        transaction.amount.minor = minor;
        transaction.counterparty.name = name.into();
        transaction.remittance_info = "".into();
        self.transactions.push(transaction);
        self.transactions.last_mut().expect("just pushed")
    }

    /// Books each month on a day, clamped to the month's end and moved over closed days.
    fn monthly(&mut self, count: u32, first: &str, minor: i64, name: &str) {
        let calendar = BusinessCalendar::german(None);
        for month in 0..count {
            let due = day(first) + Months::new(month);
            self.book(closed(due, &calendar, Shift::Following), minor, name);
        }
    }

    fn account(&self) -> Account {
        let mut account = invented::account(0, "Jana Okafor", "DE89370400440532013000", "");
        account.transactions.clone_from(&self.transactions);
        account
    }

    /// The contracts as of a day.
    fn contracts(&self, as_of: &str) -> Vec<Contract> {
        let accounts = [self.account()];
        let events = event::stream(&accounts, |_, _| "");
        detect(&events, day(as_of), &BusinessCalendar::german(None))
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// The only contract there is.
fn only(found: &[Contract]) -> &Contract {
    assert_eq!(found.len(), 1, "{found:#?}");
    &found[0]
}

fn closed(day: NaiveDate, calendar: &BusinessCalendar, shift: Shift) -> NaiveDate {
    let moved = calendar.shifted(day.num_days_from_ce(), shift);
    NaiveDate::from_num_days_from_ce_opt(moved).expect("a date")
}

#[test]
fn two_annual_payments_are_a_contract() {
    let mut history = History::new();
    history.book(day("2021-10-01"), 336_663, "Rheinland Verlag");
    history.book(day("2022-09-30"), 322_323, "Rheinland Verlag");
    let found = history.contracts("2022-11-01");
    assert_eq!(only(&found).interval, Interval::Annually);
    assert!(only(&found).is_active);
}

#[test]
fn a_rent_is_told_whole() {
    let mut history = History::new();
    history.monthly(12, "2024-01-01", -86_600, "Wohnbau Lindenhof");
    history.monthly(7, "2025-01-01", -91_000, "Wohnbau Lindenhof");
    let found = history.contracts("2025-07-20");
    let rent = only(&found);
    assert_eq!(rent.interval, Interval::Monthly);
    assert_eq!(rent.amount.to_decimal_text(), "-910");
    assert_eq!(rent.amount_consistency, AmountConsistency::Fix);
    assert_eq!(rent.payments.len(), 19);
    assert_eq!(rent.next_booking_date, day("2025-08-01"));
    assert_eq!(
        rent.next_booking_range,
        (day("2025-07-31"), day("2025-08-02"))
    );
    let info = &rent.additional_info;
    assert_eq!(info.maturity, Maturity::Mature);
    assert_eq!(info.price_changes.len(), 1);
    assert_eq!(info.price_changes[0].day, day("2025-01-02"));
    assert!(info.probability_permille > 990);
    assert!(
        info.reasons
            .iter()
            .any(|reason| reason.starts_with("18 of 18 gaps")),
        "{info:?}"
    );
}

#[test]
fn a_contract_without_its_next_payment_has_ended() {
    let mut history = History::new();
    history.monthly(8, "2024-01-15", -2_990, "Fitness am Ring");
    for (as_of, is_active) in [("2024-09-16", true), ("2024-09-30", false)] {
        let found = history.contracts(as_of);
        assert_eq!(only(&found).is_active, is_active, "{as_of}");
    }
    let found = history.contracts("2024-12-31");
    assert_eq!(only(&found).additional_info.maturity, Maturity::Ended);
}

#[test]
fn missed_and_doubled_payments_are_named() {
    let mut history = History::new();
    history.monthly(5, "2024-01-10", -4_000, "Musikschule");
    history.monthly(6, "2024-07-10", -4_000, "Musikschule");
    history.book(day("2024-09-12"), -4_000, "Musikschule");
    let found = history.contracts("2024-12-20");
    let lessons = only(&found);
    assert_eq!(lessons.payments.len(), 12);
    assert_eq!(lessons.additional_info.missed, [day("2024-06-10")]);
    assert_eq!(lessons.additional_info.doubled.len(), 1);
}

#[test]
fn contracts_of_one_partner_are_told_apart() {
    let mut by_mandate = History::new();
    let mut by_amount = History::new();
    for month in 0..12 {
        for (mandate, first, minor) in [("M1", "2024-01-05", -1_999), ("M2", "2024-01-06", -2_099)]
        {
            let booked = day(first) + Months::new(month);
            by_mandate.book(booked, minor, "Telefon AG").mandate_id = mandate.into();
            by_amount.book(
                booked,
                minor.saturating_mul(if mandate == "M1" { 1 } else { 3 }),
                "Telefon AG",
            );
        }
    }
    for history in [by_mandate, by_amount] {
        let found = history.contracts("2024-12-24");
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found.iter().all(|contract| contract.payments.len() == 12));
        assert_ne!(found[0].key, found[1].key);
    }
}

#[test]
fn new_names_and_new_ibans_keep_the_contract_and_its_key() {
    let mut history = History::new();
    let parties = [
        ("Stadtwerke Nord", "DE11000000000000000001"),
        ("Energie Nord SE", "DE11000000000000000001"),
        ("Energie Nord SE", "DE22000000000000000002"),
    ];
    let mut keys = Vec::new();
    for (at, (name, iban)) in (0..).zip(parties) {
        for month in 0..6 {
            let booked = day("2023-01-20") + Months::new(at * 6 + month);
            history.book(booked, -7_500, name).counterparty.iban = iban.into();
        }
        let newest = history.transactions.last().expect("some").booking_date;
        let found = history.contracts(&newest.to_string());
        keys.push(only(&found).key.clone());
    }
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[1], keys[2]);
}

#[test]
fn shopping_cash_and_transfers_at_will_are_no_contracts() {
    let mut history = History::new();
    let mut date = day("2023-01-02");
    // Gaps and amounts of shopping, without rhythm: squares modulo a prime.
    for number in 0..200_u64 {
        date = date + Days::new(1 + number * number % 11);
        let minor = i64::try_from(500 + number * number * 37 % 4_999).expect("small");
        history.book(date, -minor, "Kaufhalle 17//Kassel/DE");
        if number % 3 == 0 {
            history.book(date, -390, "Rösterei am Eck");
        }
        if number % 7 == 0 {
            history.book(date, -5_000, "Mehmet Kaya");
        }
    }
    for month in 0..24 {
        let booked = day("2023-01-06") + Months::new(month);
        history.book(booked, 236_380, "").transaction_code = Some(82);
    }
    let found = history.contracts("2025-12-31");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_payment_taken_back_is_no_payment() {
    let mut history = History::new();
    history.monthly(9, "2024-01-10", -8_000, "Stadtwerke");
    history.book(day("2024-10-10"), -8_000, "Stadtwerke");
    history.book(day("2024-10-14"), 8_000, "Stadtwerke");
    history.book(day("2024-10-14"), -350, "").booking_text = "ENTGELT".to_owned();
    history.book(day("2024-10-24"), -8_000, "Stadtwerke");
    history.monthly(3, "2024-11-10", -8_000, "Stadtwerke");
    let accounts = [history.account()];
    let mut events = event::stream(&accounts, |_, _| "");
    for event in &mut events {
        event.role = match event.transaction.id.as_str() {
            "t0009" => Role::Returned,
            "t0010" => Role::Return,
            "t0011" => Role::ReturnFee,
            _ => Role::Ordinary,
        };
    }
    let found = detect(&events, day("2025-01-20"), &BusinessCalendar::german(None));
    let contract = only(&found);
    assert_eq!(contract.payments.len(), 13);
    assert!(contract.additional_info.missed.is_empty());
    let attempt = Payment {
        account_index: 0,
        transaction_index: 9,
    };
    assert!(!contract.payments.contains(&attempt));
}

#[test]
fn unknown_partners_leave_amount_and_kind_of_payment() {
    let mut history = History::new();
    for month in 0..10 {
        for (first, minor) in [("2024-01-03", -30_000), ("2024-01-12", -45_500)] {
            let booked = day(first) + Months::new(month);
            history.book(booked, minor, "").transaction_code = Some(116);
        }
    }
    let found = history.contracts("2024-10-20");
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn a_known_contract_needs_no_rhythm() {
    let mut history = History::new();
    for date in [
        "2023-01-17",
        "2023-04-02",
        "2023-11-20",
        "2024-01-08",
        "2024-03-28",
    ] {
        let booked = history.book(day(date), -12_345, "Wasserverband");
        booked.mandate_id = "W1".into();
    }
    let accounts = [history.account()];
    for (tag, expected) in [("water_waste", 1), ("household_grocery", 0), ("", 0)] {
        let events = event::stream(&accounts, |_, _| tag);
        let found = detect(&events, day("2024-04-01"), &BusinessCalendar::german(None));
        assert_eq!(found.len(), expected, "{tag}");
        for contract in found {
            assert_eq!(contract.interval, Interval::Irregular);
            assert_eq!(contract.category, "ENERGY");
        }
    }
}

/// Rent on the first and salary on the last bank day, seen from each of ten years' months by
/// somebody who does not know the federal state.
#[test]
fn next_payments_fall_into_their_range_in_every_federal_state() {
    let (mut inside, mut all) = (0, 0);
    let mut widths = Vec::new();
    for state in FederalState::ALL {
        let calendar = BusinessCalendar::german(Some(state));
        let mut dates = Vec::new();
        for month in 0..120 {
            let first = day("2016-01-01") + Months::new(month);
            let last = first + Months::new(1) - Days::new(1);
            dates.push([
                closed(first, &calendar, Shift::Following),
                closed(last, &calendar, Shift::Preceding),
            ]);
        }
        for window in dates.windows(25).step_by(7) {
            let mut history = History::new();
            for [rent, salary] in &window[..24] {
                history.book(*rent, -86_600, "Wohnbau");
                history.book(*salary, 280_120, "Landeshauptstadt");
            }
            let found = history.contracts(&window[23][1].to_string());
            assert_eq!(found.len(), 2, "{found:#?}");
            for contract in &found {
                let next = window[24][usize::from(contract.amount.is_credit())];
                let (from, until) = contract.next_booking_range;
                all += 1;
                inside += i32::from((from..=until).contains(&next));
                widths.push((until - from).num_days());
            }
        }
    }
    widths.sort_unstable();
    assert!(inside * 100 >= all * 98, "{inside} of {all}");
    assert!(widths[widths.len() / 2] <= 5, "{widths:?}");
}

#[test]
fn days_that_february_lacks_come_back_in_march() {
    for due in ["2023-10-29", "2023-10-30", "2023-10-31"] {
        let mut history = History::new();
        for month in 0..5 {
            history.book(day(due) + Months::new(month), -12_000, "Sparplan");
        }
        let found = history.contracts("2024-03-05");
        let (from, until) = only(&found).next_booking_range;
        let next = day(due) + Months::new(5);
        assert!((from..=until).contains(&next), "{due}: {from} to {until}");
        assert_eq!(only(&found).next_booking_date, next, "{due}");
    }
}

/// Histories with contracts and noise.
fn histories() -> impl Strategy<Value = History> {
    let contract = (0_u32..4, 0_u64..28, 1_i64..50, 3_u32..20);
    let noise = (0_u64..600, 1_i64..30, 0_usize..3);
    let parts = (
        prop::collection::vec(contract, 1..4),
        prop::collection::vec(noise, 0..30),
    );
    parts.prop_map(|(contracts, noise)| {
        let mut history = History::new();
        for (number, (step, offset, euros, count)) in contracts.into_iter().enumerate() {
            let months = [1, 2, 3, 12][step as usize];
            for at in 0..count.min(24 / months).max(2) {
                let booked = day("2021-01-01") + Days::new(offset) + Months::new(at * months);
                history.book(
                    booked,
                    -euros * 100,
                    &format!("Partner {}", "abcd".split_at(number).0),
                );
            }
        }
        for (offset, euros, shop) in noise {
            let booked = day("2021-01-01") + Days::new(offset);
            history.book(
                booked,
                -euros * 130,
                ["Bäcker", "Metzger", "Partner a"][shop],
            );
        }
        history
    })
}

/// What a contract says, with identifiers for places, moved back by some days.
fn told(contracts: &[Contract], account: &Account, days: i64) -> Vec<String> {
    let back = |date: NaiveDate| date - TimeDelta::days(days);
    contracts
        .iter()
        .map(|contract| {
            let ids: Vec<&str> = contract
                .payments
                .iter()
                .map(|payment| account.transactions[payment.transaction_index].id.as_str())
                .collect();
            let (from, until) = contract.next_booking_range;
            format!(
                "{:?} {:?} {} {ids:?} {} {} {} {:?}",
                contract.interval,
                contract.amount,
                contract.is_active,
                back(contract.next_booking_date),
                back(from),
                back(until),
                contract.additional_info.reasons,
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_the_upload_does_not_matter(history in histories(), seed in any::<u64>()) {
        let account = history.account();
        let calendar = BusinessCalendar::german(None);
        let as_of = day("2022-12-31");
        let expected = [account.clone()];
        let events = event::stream(&expected, |_, _| "");
        let expected = told(&detect(&events, as_of, &calendar), &account, 0);
        let mut shuffled = account;
        let count = shuffled.transactions.len() as u64;
        shuffled.transactions.sort_by_key(|transaction| {
            let number: u64 = transaction.id.as_str()[1..].parse().expect("a number");
            (number.wrapping_mul(seed | 1) % count.max(1), number)
        });
        let accounts = [shuffled.clone()];
        let events = event::stream(&accounts, |_, _| "");
        prop_assert_eq!(told(&detect(&events, as_of, &calendar), &shuffled, 0), expected);
    }

    /// 28 years repeat weekdays and leap years; holidays they do not, hence none.
    #[test]
    fn twenty_eight_years_later_all_is_the_same(history in histories()) {
        let days = 10_227;
        let calendar = BusinessCalendar::empty();
        let account = history.account();
        let accounts = [account.clone()];
        let events = event::stream(&accounts, |_, _| "");
        let expected = told(&detect(&events, day("2022-12-31"), &calendar), &account, 0);
        let mut later = account;
        for transaction in &mut later.transactions {
            transaction.booking_date += TimeDelta::days(days);
        }
        let accounts = [later.clone()];
        let events = event::stream(&accounts, |_, _| "");
        let as_of = day("2022-12-31") + TimeDelta::days(days);
        prop_assert_eq!(told(&detect(&events, as_of, &calendar), &later, days), expected);
    }
}
