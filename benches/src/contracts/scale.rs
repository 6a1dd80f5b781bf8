//! How long the search takes as one user or the number of users grows.

use std::time::Instant;

use analysis::calendar::BusinessCalendar;
use analysis::{Options, Parts, Subject, contracts, event};
use chrono::NaiveDate;
use domain::{Account, TransactionId, UserType};
use rules::RulePack;
use serde::Serialize;

use super::generator::Generator;
use super::sample::account;

/// Rounds, the fastest of which counts.
const ROUNDS: u32 = 3;
/// A round repeats small users until it has seen so many transactions.
const TRANSACTIONS_PER_ROUND: usize = 200_000;

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

/// Time of this thread on a processor, where the system tells it: other programs do not count.
struct Clock {
    on_processor: Option<u128>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            on_processor: on_processor(),
            wall: Instant::now(),
        }
    }

    fn nanoseconds(&self) -> u128 {
        match (self.on_processor, on_processor()) {
            (Some(start), Some(now)) => now.saturating_sub(start),
            _ => self.wall.elapsed().as_nanos(),
        }
    }
}

/// # Source
/// The kernel's documentation of `/proc/<pid>/schedstat`: the first number.
fn on_processor() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
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
pub fn measure(users: &[Vec<Account>], calendar: &BusinessCalendar) -> Timing {
    timed(users, |accounts, as_of| {
        let events = event::stream(accounts, |_, _| "");
        contracts::detect(&events, as_of, calendar).len()
    })
}

/// Measures the whole chain up to contracts.
pub fn measure_chain(users: &[Vec<Account>], pack: &RulePack) -> Timing {
    timed(users, |accounts, as_of| {
        let subject = Subject {
            user_type: UserType::Person,
            accounts,
            layers: analysis::Layers::NONE,
        };
        let options = Options {
            as_of,
            parts: Parts::all(),
        };
        analysis::analyze(pack, &subject, &options).contracts.len()
    })
}

fn timed(users: &[Vec<Account>], work: impl Fn(&[Account], NaiveDate) -> usize) -> Timing {
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
    let repeats = TRANSACTIONS_PER_ROUND.div_ceil(transactions.max(1));
    let mut fastest = u128::MAX;
    let mut found = 0;
    for _ in 0..ROUNDS {
        let start = Clock::start();
        for _ in 0..repeats {
            found = users.iter().map(|accounts| work(accounts, as_of)).sum();
        }
        fastest = fastest.min(start.nanoseconds());
    }
    let counted = transactions.max(1) * repeats;
    Timing {
        users: users.len(),
        transactions,
        contracts: found,
        nanoseconds: fastest / u128::try_from(counted).unwrap_or(1),
    }
}
