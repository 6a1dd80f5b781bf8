//! End-of-day balances to the cent.

use analysis::balances::{self, Days, History};
use chrono::Datelike;
use domain::{Account, AccountType, Money};

use crate::sources::{self, User, berka, scenarios};

fn history(user: &User, account: &Account) -> History {
    balances::history(account, Days::at(user.truth.as_of())).expect("in range")
}

fn told(history: &History, day: chrono::NaiveDate) -> Money {
    let found = history.days.iter().find(|told| told.date == day);
    found.map(|told| told.balance).expect("a day of two years")
}

#[test]
fn berka_s_days_are_exact() {
    let mut days = 0;
    for user in berka() {
        let [account] = &user.accounts[..] else {
            panic!("{} has one account", user.id);
        };
        let history = history(&user, account);
        for (day, expected) in &user.truth.end_of_day_balances {
            let expected = Money::parse(expected, account.currency).expect("an amount");
            assert_eq!(
                told(&history, sources::day(day)),
                expected,
                "{} {day}",
                user.id
            );
            days += 1;
        }
    }
    println!("{days} end-of-day balances are exact");
}

#[test]
fn scenarios_days_and_overdrafts_are_exact() {
    let (mut days, mut months) = (0, 0);
    for user in scenarios() {
        for account in &user.accounts {
            let history = history(&user, account);
            let known = user.truth.daily_balances.get(account.id.as_str());
            for (day, expected) in known.into_iter().flatten() {
                let text = expected.to_string();
                let expected = Money::parse(&text, account.currency).expect("an amount");
                assert_eq!(
                    told(&history, sources::day(day)),
                    expected,
                    "{} {day}",
                    user.id
                );
                days += 1;
            }
        }
        let current = user
            .accounts
            .iter()
            .filter(|account| account.account_type == AccountType::Giro);
        let overdrawn: Vec<_> = current
            .flat_map(|account| {
                let nothing = Money::new(0, account.balance.currency);
                history(&user, account).overdraft_days(nothing)
            })
            .collect();
        for (month, risk) in &user.truth.risk {
            let in_month = overdrawn
                .iter()
                .filter(|told| format!("{}-{:02}", told.date.year(), told.date.month()) == *month);
            assert_eq!(in_month.count(), risk.overdraft_days, "{} {month}", user.id);
            months += 1;
        }
    }
    println!("{days} balances and {months} months of overdraft are exact");
}
