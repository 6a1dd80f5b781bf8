//! What kind of payment a booking is, as far as that makes a contract likely or not.

use std::collections::HashMap;

use crate::event::{Event, Role};

/// How a payment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// Notes and coins.
    Cash,
    /// A card at a till or a website.
    Card,
    /// Collected by the other side.
    DirectDebit,
    /// Sent by the bank at the customer's standing order.
    StandingOrder,
    /// Wages, pensions, benefits.
    Salary,
    /// Sent by hand, or by a computer of whom we know nothing.
    Transfer,
    /// A payment taken back, or its fee.
    Return,
    /// Nothing is known.
    Unknown,
}

/// Remembers what words mean, because a bank uses few of them.
#[derive(Debug, Default)]
pub(crate) struct Operations<'a>(HashMap<&'a str, Option<Operation>>);

impl<'a> Operations<'a> {
    /// How a booking was made.
    pub(crate) fn of(&mut self, event: &Event<'a>) -> Operation {
        operation(event, || {
            let text = event.transaction.booking_text.as_str();
            *self.0.entry(text).or_insert_with(|| by_word(text))
        })
    }
}

/// How a booking was made, by the transaction code or else the bank's word for it.
///
/// # Source
/// Deutsche Kreditwirtschaft, "Geschäftsvorfallcodes" (DFÜ-Abkommen, Anlage 3).
fn operation(event: &Event<'_>, by_word: impl FnOnce() -> Option<Operation>) -> Operation {
    if matches!(event.role, Role::Return | Role::ReturnFee | Role::Returned) {
        return Operation::Return;
    }
    let by_tag = match event.tag {
        "cash_withdrawal" | "cash_deposit" => Some(Operation::Cash),
        "back_debit" | "back_debit_fee" | "transfer_return" => Some(Operation::Return),
        _ => None,
    };
    by_tag
        .or_else(|| by_code(event.transaction.transaction_code))
        .or_else(by_word)
        .unwrap_or(Operation::Unknown)
}

fn by_code(code: Option<u16>) -> Option<Operation> {
    Some(match code? {
        82 | 83 => Operation::Cash,
        6 | 98 | 106 | 107 | 190 | 198 => Operation::Card,
        5 | 84 | 104 | 105 | 171 | 174 | 192 | 195 | 196 | 197 => Operation::DirectDebit,
        8 | 52 | 117 | 152 | 212 => Operation::StandingOrder,
        53..=56 | 153..=157 | 161..=163 => Operation::Salary,
        9 | 59 | 108..=111 | 159 | 160 | 181..=184 | 193 | 199 => Operation::Return,
        20 | 51 | 87 | 88 | 116 | 118 | 119 | 164..=169 | 177 | 188 | 189 | 191 | 194 => {
            Operation::Transfer
        }
        _ => return None,
    })
}

/// Words in the bank's text, more telling ones first.
const WORDS: [(&str, Operation); 21] = [
    ("retoure", Operation::Return),
    ("ruecklast", Operation::Return),
    ("rücklast", Operation::Return),
    ("rueckbuch", Operation::Return),
    ("rückbuch", Operation::Return),
    ("storno", Operation::Return),
    ("bargeld", Operation::Cash),
    ("geldautomat", Operation::Cash),
    ("barauszahl", Operation::Cash),
    ("bareinzahl", Operation::Cash),
    ("auszahlung", Operation::Cash),
    ("einzahlung", Operation::Cash),
    ("dauerauf", Operation::StandingOrder),
    ("dauer-", Operation::StandingOrder),
    ("lohn", Operation::Salary),
    ("gehalt", Operation::Salary),
    ("rente", Operation::Salary),
    ("lastschrift", Operation::DirectDebit),
    ("abbuchung", Operation::DirectDebit),
    ("karte", Operation::Card),
    ("überweisung", Operation::Transfer),
];

fn by_word(text: &str) -> Option<Operation> {
    let text = text.to_lowercase();
    let found = WORDS.iter().find(|(word, _)| text.contains(word));
    found.map(|(_, operation)| *operation)
}
