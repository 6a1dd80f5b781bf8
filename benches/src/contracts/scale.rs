//! How long the search takes as one user or the number of users grows.

use std::time::Instant;

use analysis::calendar::BusinessCalendar;
use analysis::{contracts, event};
use domain::{Account, TransactionId};
use serde::Serialize;

use super::generator::Generator;
use super::sample::account;

/// A measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Timing {
    /// Users.
    pub users: usize,
    /// Transactions of all of them.
    pub transactions: usize,
    /// Contracts that were found.
    pub contracts: usize,
    /// Nanoseconds per transaction in the fastest round.
    pub nanoseconds: u128,
}

/// One user with at least so many transactions, made of many invented ones with partners of their
/// own.
pub fn one_user(generator: &Generator, transactions: usize) -> Vec<Account> {
    let mut all = account("giro");
    for number in 0.. {
        let sample = generator.user(number);
        for transaction in sample
            .accounts
            .into_iter()
            .flat_map(|account| account.transactions)
        {
            let mut transaction = transaction;
            let id = format!("{number}-{}", transaction.id.as_str());
            if let Ok(id) = TransactionId::try_new(id) {
                transaction.id = id;
            }
            let name = format!(
                "{} {}",
                transaction.counterparty.name.as_str(),
                letters(number)
            );
            transaction.counterparty.name = name.into();
            all.transactions.push(transaction);
        }
        if all.transactions.len() >= transactions {
            break;
        }
    }
    all.transactions.truncate(transactions);
    vec![all]
}

/// A number in letters, because digits in names count for nothing.
fn letters(mut number: u64) -> String {
    let mut word = String::new();
    loop {
        let letter = u8::try_from(number % 20).unwrap_or(0);
        word.push(char::from(b'a' + letter));
        number /= 20;
        if number == 0 {
            return word;
        }
    }
}

/// Measures the search in users that are given by their accounts.
pub fn measure(users: &[Vec<Account>], rounds: u32, calendar: &BusinessCalendar) -> Timing {
    let transactions: usize = users
        .iter()
        .flatten()
        .map(|account| account.transactions.len())
        .sum();
    let as_of = users
        .iter()
        .flatten()
        .flat_map(|account| &account.transactions)
        .map(|transaction| transaction.booking_date)
        .max()
        .unwrap_or_default();
    let mut fastest = u128::MAX;
    let mut found = 0;
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        found = users
            .iter()
            .map(|accounts| {
                let events = event::stream(accounts, |_, _| "");
                contracts::detect(&events, as_of, calendar).len()
            })
            .sum();
        fastest = fastest.min(start.elapsed().as_nanos());
    }
    Timing {
        users: users.len(),
        transactions,
        contracts: found,
        nanoseconds: fastest / u128::try_from(transactions.max(1)).unwrap_or(1),
    }
}
