//! Daily balances by hand.

use analysis::balances::{self, Days, Standing, agreed_limit};
use domain::{Account, AccountType, Money, MoneyError, Overdraft};
use proptest::prelude::*;

use crate::ledger::{account, after, booking, currency, day};

fn euros(minor: i64) -> Money {
    Money::new(minor, currency("EUR"))
}

fn giro(bookings: &[(&str, i64)], balance: i64) -> Account {
    let mut giro = account("giro", AccountType::Giro, "Jana Okafor", "");
    giro.balance = euros(balance);
    for (index, (date, minor)) in bookings.iter().enumerate() {
        giro.transactions
            .push(booking(&format!("t{index}"), date, *minor, "", ""));
    }
    giro
}

#[test]
fn balances_go_back_from_the_stated_one() {
    let giro = giro(
        &[
            ("2025-03-03", -2_550),
            ("2025-03-01", 100_000),
            ("2025-03-03", -1_001),
        ],
        96_449,
    );
    let history = balances::history(&giro, Days::at(day("2025-03-04"))).expect("in range");
    let told: Vec<(String, i64, Standing)> = history
        .days
        .iter()
        .take(6)
        .map(|told| (told.date.to_string(), told.balance.minor, told.standing))
        .collect();
    assert_eq!(
        told,
        [
            ("2025-03-04".to_owned(), 96_449, Standing::Quiet),
            ("2025-03-03".to_owned(), 96_449, Standing::Booked),
            ("2025-03-02".to_owned(), 100_000, Standing::Quiet),
            ("2025-03-01".to_owned(), 100_000, Standing::Booked),
            ("2025-02-28".to_owned(), 0, Standing::BeforeData),
            ("2025-02-27".to_owned(), 0, Standing::BeforeData),
        ]
    );
    // 2024 was a leap year.
    assert_eq!(history.days.len(), 732);
    assert_eq!(history.starting_balance.date, day("2023-03-04"));
    assert_eq!(history.starting_balance, history.days[731]);
    assert_eq!(history.first_booking_date, Some(day("2025-03-01")));
}

#[test]
fn what_is_only_announced_stays_apart() {
    let giro = giro(
        &[
            ("2025-03-05", -3_000),
            ("2025-03-01", 10_000),
            ("2025-03-07", 500),
        ],
        10_000,
    );
    let history = balances::history(&giro, Days::at(day("2025-03-04"))).expect("in range");
    assert_eq!(history.days[0].balance, euros(10_000));
    assert_eq!(history.pending.transactions, [0, 2]);
    assert_eq!(history.pending.sum, euros(-2_500));
    assert_eq!(history.pending.balance_after, euros(7_500));
    // Looked at from earlier, the stated balance contains what was booked meanwhile.
    let days = Days {
        stated_on: day("2025-03-06"),
        as_of: day("2025-03-04"),
    };
    let history = balances::history(&giro, days).expect("in range");
    assert_eq!(history.days[0].balance, euros(13_000));
    assert_eq!(history.pending.transactions, [2]);
}

#[test]
fn long_silence_is_marked_unless_it_is_usual() {
    let weekly: Vec<String> = (0..10_u64)
        .chain(30..40)
        .map(|week| after(day("2024-01-01"), 7 * week).to_string())
        .collect();
    let rows: Vec<(&str, i64)> = weekly.iter().map(|date| (date.as_str(), -100)).collect();
    let as_of = day("2024-10-01");
    let history = balances::history(&giro(&rows, 0), Days::at(as_of)).expect("in range");
    let gaps: Vec<String> = history
        .gaps
        .iter()
        .map(|gap| format!("{}/{}", gap.since, gap.until))
        .collect();
    assert_eq!(gaps, ["2024-03-05/2024-07-28"]);
    let marked = history
        .days
        .iter()
        .filter(|told| told.standing == Standing::Gap);
    assert_eq!(marked.count(), 146);

    let quarterly = [("2024-03-30", 12), ("2024-06-30", 12), ("2024-09-30", 12)];
    let history = balances::history(&giro(&quarterly, 36), Days::at(as_of)).expect("in range");
    assert_eq!(history.gaps, []);
}

#[test]
fn other_currencies_are_never_added() {
    let mut giro = giro(&[("2025-03-01", 10_000), ("2025-03-02", -500)], 10_000);
    giro.transactions[1].amount = Money::new(-500, currency("USD"));
    let history = balances::history(&giro, Days::at(day("2025-03-04"))).expect("in range");
    assert_eq!(history.left_out, [1]);
    assert_eq!(history.days[3].balance, euros(10_000));
}

#[test]
fn overdraft_days_count_below_the_limit() {
    let mut giro = giro(
        &[
            ("2025-03-01", -5_000),
            ("2025-03-02", -6_000),
            ("2025-03-03", 20_000),
        ],
        9_000,
    );
    giro.overdraft = Some(Overdraft {
        amount: Some(euros(10_000)),
        available: Some(true),
    });
    let history = balances::history(&giro, Days::at(day("2025-03-04"))).expect("in range");
    let told = |limit: Money| -> Vec<(String, i64)> {
        let days = history.overdraft_days(limit);
        days.iter()
            .map(|told| (told.date.to_string(), told.beyond_limit.minor))
            .collect()
    };
    let both = [
        ("2025-03-02".to_owned(), 11_000),
        ("2025-03-01".to_owned(), 5_000),
    ];
    assert_eq!(told(euros(0)), both);
    assert_eq!(agreed_limit(&giro), euros(10_000));
    assert_eq!(
        told(agreed_limit(&giro)),
        [("2025-03-02".to_owned(), 1_000)]
    );
    giro.overdraft = Some(Overdraft {
        amount: Some(euros(10_000)),
        available: Some(false),
    });
    assert_eq!(agreed_limit(&giro), euros(0));
}

#[test]
fn sums_out_of_range_are_refused() {
    let giro = giro(&[("2025-03-01", -1)], i64::MAX);
    let history = balances::history(&giro, Days::at(day("2025-03-04")));
    assert_eq!(history, Err(MoneyError::Overflow));
}

proptest! {
    #[test]
    fn each_day_is_the_balance_before_and_its_bookings(
        rows in prop::collection::vec((0..900_u64, -100_000..100_000_i64), 0..60),
        balance in -1_000_000..1_000_000_i64,
        seed in any::<u64>(),
    ) {
        let since = day("2023-01-01");
        let dated: Vec<(String, i64)> = rows
            .iter()
            .map(|(days, minor)| (after(since, *days).to_string(), *minor))
            .collect();
        let rows: Vec<(&str, i64)> = dated.iter().map(|(date, minor)| (date.as_str(), *minor)).collect();
        let mut account = giro(&rows, balance);
        let days = Days::at(day("2025-01-15"));
        let history = balances::history(&account, days).expect("in range");
        for pair in history.days.windows(2) {
            let booked: i64 = account
                .transactions
                .iter()
                .filter(|t| t.booking_date == pair[0].date)
                .map(|t| t.amount.minor)
                .sum();
            prop_assert_eq!(pair[0].balance.minor, pair[1].balance.minor + booked);
        }
        let middle = usize::try_from(seed % 61).unwrap_or_default().min(account.transactions.len());
        account.transactions.rotate_left(middle);
        let turned = balances::history(&account, days).expect("in range");
        prop_assert_eq!(turned.days, history.days);
        prop_assert_eq!(turned.gaps, history.gaps);
    }
}
