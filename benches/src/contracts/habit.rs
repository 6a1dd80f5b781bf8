//! What is no contract: shops that somebody goes to out of habit, cash, transfers at will.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::random::Random;
use super::sample::{Sample, booking};

/// How somebody goes to a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Whenever something is needed.
    AtWill,
    /// Most Saturdays, a day more or less.
    Weekend,
    /// Once in most months, on any day.
    Monthly,
    /// Often, one of three prices.
    Menu,
    /// A round sum to a friend, now and then.
    Friend,
    /// Always the same price, at any time.
    OnePrice,
    /// Always the same price, every five to seven weeks.
    Hairdresser,
    /// Alike amounts, every nine to seventeen days.
    Fuel,
    /// Direct debits with a mandate of their own for each purchase.
    Slip,
}

const HABITS: [Habit; 12] = [
    Habit::AtWill,
    Habit::AtWill,
    Habit::AtWill,
    Habit::Weekend,
    Habit::Monthly,
    Habit::Menu,
    Habit::Menu,
    Habit::Friend,
    Habit::OnePrice,
    Habit::Hairdresser,
    Habit::Fuel,
    Habit::Slip,
];

/// Adds a shop.
pub fn shop(sample: &mut Sample, random: &mut Random, start: NaiveDate, number: usize) {
    let habit = random.pick(&HABITS);
    let mean = random.pick(&[2.5, 4.0, 7.0, 7.0, 14.0, 14.0, 30.0, 45.0, 90.0]);
    let middle = random.between(300, 9_000);
    let is_card = random.chance(500);
    let mut ids = BTreeSet::new();
    let mut day = start + Days::new(random.between(0, 30).unsigned_abs());
    let mut visit = 0;
    while day <= sample.as_of {
        let id = format!("h{number}-{visit}");
        let minor = match habit {
            Habit::AtWill | Habit::Weekend | Habit::Monthly | Habit::Slip => {
                random.around(middle, 0.45).max(50)
            }
            Habit::OnePrice | Habit::Hairdresser => middle,
            Habit::Fuel => random.between(5_500, 7_500),
            Habit::Menu => middle * random.pick(&[10, 10, 13, 18]) / 10,
            Habit::Friend => random.pick(&[1_000, 2_000, 2_000, 5_000, 10_000]),
        };
        let mut transaction = booking(&id, day, -minor);
        let place = number * 7 + 11;
        transaction.counterparty.name = format!("Laden {} {place}//Kassel/DE", word(number)).into();
        if habit == Habit::Slip {
            "LASTSCHRIFT".clone_into(&mut transaction.booking_text);
            transaction.mandate_id = format!("ELV{}", random.bits() % 100_000_000).into();
            transaction.counterparty.creditor_id = format!("DE98ZZZ{number:011}");
        } else if is_card && habit != Habit::Friend {
            "KARTENZAHLUNG".clone_into(&mut transaction.booking_text);
        }
        sample.accounts[0].transactions.push(transaction);
        ids.insert(id);
        visit += 1;
        day = next(random, habit, day, mean);
    }
    sample.habits.push(ids);
}

fn next(random: &mut Random, habit: Habit, day: NaiveDate, mean: f64) -> NaiveDate {
    let days = match habit {
        Habit::AtWill | Habit::Menu | Habit::Friend | Habit::OnePrice | Habit::Slip => {
            random.wait(mean)
        }
        Habit::Hairdresser => random.between(35, 49),
        Habit::Fuel => random.between(9, 17),
        Habit::Weekend => {
            let to_saturday = 7 - i64::from(day.weekday().days_since(Weekday::Sat));
            let skipped = if random.chance(200) { 7 } else { 0 };
            to_saturday + skipped + random.between(-1, 1)
        }
        Habit::Monthly => {
            let to_next = 32 - i64::from(day.day());
            to_next + random.between(0, 27)
        }
    };
    day + Days::new(days.max(1).unsigned_abs())
}

/// Adds withdrawals of cash.
pub fn cash(sample: &mut Sample, random: &mut Random, start: NaiveDate) {
    let mut day = start;
    let mut number = 0;
    while day <= sample.as_of {
        let id = format!("c{number}");
        let minor = random.pick(&[5_000, 5_000, 10_000, 20_000]);
        let mut transaction = booking(&id, day, -minor);
        "GELDAUTOMAT".clone_into(&mut transaction.booking_text);
        transaction.counterparty.name = "Sparkasse Musterstadt".into();
        sample.accounts[0].transactions.push(transaction);
        sample.cash.insert(id);
        number += 1;
        day = day + Days::new(random.wait(8.0).max(1).unsigned_abs());
    }
}

fn word(number: usize) -> &'static str {
    const WORDS: [&str; 12] = [
        "Adler", "Birke", "Caspar", "Dorn", "Eiche", "Fuchs", "Ginster", "Hirsch", "Igel",
        "Jaguar", "Kiefer", "Luchs",
    ];
    WORDS[number % WORDS.len()]
}
