//! Tells people from merchants, so that a surname is not taken for a trade.

use std::collections::HashMap;

use domain::Transaction;
use serde::Deserialize;

use crate::business;
use crate::error::RulesError;
use crate::normalize::scan::{self, WordHash};

/// Most words of a person's name, titles included.
const WORDS_MAX: usize = 6;
/// Words before a name that only people bear, folded.
const TITLES: [&str; 21] = [
    "herr",
    "herrn",
    "frau",
    "familie",
    "fam",
    "eheleute",
    "ehel",
    "oma",
    "opa",
    "tante",
    "onkel",
    "mama",
    "papa",
    "mutti",
    "vati",
    "mr",
    "mrs",
    "ms",
    "schwester",
    "bruder",
    "nachbarin",
];
/// Words of a name that say nothing about whose it is, folded.
const PARTICLES: [&str; 44] = [
    "dr", "prof", "dipl", "ing", "med", "von", "vom", "van", "der", "den", "de", "del", "della",
    "di", "da", "dos", "das", "do", "du", "la", "le", "el", "al", "bin", "ben", "ibn", "zu", "zur",
    "zum", "und", "u", "y", "e", "geb", "jun", "jr", "sen", "sr", "st", "ten", "ter", "af", "av",
    "o",
];
/// Beginnings of booking texts that a payment from person to person does not have, folded.
const MERCHANT_BOOKINGS: [&str; 17] = [
    "lastschr",
    "karte",
    "card",
    "visa",
    "debit",
    "sdd",
    "girocard",
    "basislast",
    "erstlast",
    "folgelast",
    "direct",
    "master",
    "einzug",
    "paypal",
    "purchase",
    "presentment",
    "ecom",
];
/// Words of booking texts that hold one of [`MERCHANT_BOOKINGS`] and are transfers all the same.
const TRANSFERS: [&str; 2] = ["debit transfer", "direct transfer"];
/// What remittance information repeats of a direct debit.
const MERCHANT_PURPOSES: [&str; 2] = ["MREF+", "CRED+"];

/// First names that are borne in Germany, and the words that stand beside them.
#[derive(Debug, Default)]
pub(crate) struct FirstNames {
    /// By folded word; only ever asked, never walked through.
    words: HashMap<Box<[u8]>, NameWord, WordHash>,
}

/// What a word of a name can be, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct NameWord(u8);

impl NameWord {
    const FIRST_NAME: Self = Self(1);
    const TITLE: Self = Self(2);
    const PARTICLE: Self = Self(4);

    const fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
}

impl FirstNames {
    /// Reads a table with the column `name`.
    pub(crate) fn parse(csv: &str) -> Result<Self, RulesError> {
        let mut all = Self::default();
        for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
            let row: Row = row.map_err(RulesError::FirstNames)?;
            let folded = scan::fold_word(&row.name);
            all.add(folded.as_slice(), NameWord::FIRST_NAME);
        }
        for word in TITLES {
            all.add(word.as_bytes(), NameWord::TITLE);
        }
        for word in PARTICLES {
            all.add(word.as_bytes(), NameWord::PARTICLE);
        }
        Ok(all)
    }

    fn add(&mut self, folded: &[u8], kind: NameWord) {
        let known = self.words.entry(folded.into()).or_default();
        *known = NameWord(known.0 | kind.0);
    }

    /// Whether the other side is a person: a name of two to six words that holds a first name, a
    /// form of address or initials, or is written "Surname, First name"; no word that only a
    /// business bears; and nothing in the booking that only a merchant's payment has.
    ///
    /// What only a merchant's payment has among the codes, [`is_merchants`], the caller looks at.
    pub(crate) fn is_person(&self, transaction: &Transaction) -> bool {
        let purpose = transaction.remittance_info.as_str();
        self.is_persons_name(transaction.counterparty.name.as_str())
            && !business::is_card_text(purpose)
            && !MERCHANT_PURPOSES.iter().any(|mark| purpose.contains(mark))
    }

    fn is_persons_name(&self, name: &str) -> bool {
        if !may_be_persons(name) {
            return false;
        }
        let Some(found) = self.read(name) else {
            return false;
        };
        let reversed = is_reversed(name);
        found.is_person(reversed) && !self.names_a_business(name, reversed)
    }

    /// Whether a word of the name is one that no person bears. "Pension Anna" is a business, "Anna
    /// Pension" and "Pension, Anna" are people.
    fn names_a_business(&self, name: &str, reversed: bool) -> bool {
        let mut parts = words(name);
        let (first, second) = (parts.next(), parts.next());
        let two = second.is_some() && parts.next().is_none() && !name.contains('-');
        let headed =
            first.is_some_and(|word| business::is_head_or_place(word) && !self.is_first_name(word));
        let surname = |word| {
            let after_first =
                two && second == Some(word) && first.is_some_and(|first| self.is_first_name(first));
            business::may_be_surname(word) && (two && reversed || after_first)
        };
        headed && !(two && reversed)
            || words(name).any(|word| business::is_business_word(word) && !surname(word))
    }

    /// Counts what speaks for a person; nothing when the words are too few, too many, or joined as
    /// in a company's name.
    fn read(&self, name: &str) -> Option<Found> {
        let mut found = Found::default();
        for part in name
            .split([' ', '\t', ',', '/', '+'])
            .filter(|part| !part.is_empty())
        {
            found.words = found.words.saturating_add(1);
            if part == "&" {
                found.joined = true;
                continue;
            }
            if part.contains('&') {
                return None;
            }
            let inner = part.trim_matches('.');
            let known = self.word(inner);
            let is_first_name = || {
                if inner.bytes().any(|byte| matches!(byte, b'-' | b'.')) {
                    inner.split(['-', '.']).any(|half| self.is_first_name(half))
                } else {
                    known.is(NameWord::FIRST_NAME)
                }
            };
            if part.len() <= 2 && part.ends_with('.') {
                found.initials = found.initials.saturating_add(1);
            } else if known.is(NameWord::TITLE) {
                found.titles = true;
            } else if known.is(NameWord::PARTICLE) {
            } else if is_first_name() {
                found.first_names = found.first_names.saturating_add(1);
                found.hyphened |= part.contains('-');
            } else {
                found.others = found.others.saturating_add(1);
            }
        }
        // "Kern-Anna" is how banks' apps name contacts.
        let min = if found.hyphened { 1 } else { 2 };
        (min..=WORDS_MAX).contains(&found.words).then_some(found)
    }

    fn is_first_name(&self, word: &str) -> bool {
        self.word(word).is(NameWord::FIRST_NAME)
    }

    fn word(&self, word: &str) -> NameWord {
        let known = self.words.get(scan::fold_word(word).as_slice());
        known.copied().unwrap_or_default()
    }
}

/// The words of a name by kind.
#[derive(Debug, Default)]
struct Found {
    words: usize,
    first_names: usize,
    initials: usize,
    others: usize,
    titles: bool,
    joined: bool,
    hyphened: bool,
}

impl Found {
    fn is_person(&self, reversed: bool) -> bool {
        // Companies are named after people as well, with an ampersand: "Ernst & Young".
        let couple = !self.joined || self.first_names >= 2;
        let named = self.first_names > 0 || self.titles || reversed;
        let initialled = self.initials > 0 && self.others > 0;
        couple && (named || initialled) && self.others <= 3
    }
}

/// Whether a name has no other characters than people's: what a surname is made of, and joints:
/// "Anna & Peter Kern", "KERN ANNA/PETER".
fn may_be_persons(name: &str) -> bool {
    let mut before = ' ';
    name.chars().all(|c| {
        let slashes = c == '/' && before == '/';
        before = c;
        let joint = matches!(c, '-' | '\'' | '’' | '.' | ',' | '&' | '+' | '/');
        !slashes && (c.is_alphabetic() || c.is_whitespace() || joint)
    })
}

/// Whether a name is written "Surname, First name".
fn is_reversed(name: &str) -> bool {
    let mut halves = name.split(',').map(|half| half.split_whitespace().count());
    matches!(
        (halves.next(), halves.next(), halves.next()),
        (Some(1..=2), Some(1..=2), None)
    )
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
}

/// Whether a payment has what only merchants' payments have: a card, a mandate, a creditor.
pub(crate) fn is_merchants(transaction: &Transaction) -> bool {
    let booking = &transaction.booking_text;
    !transaction.merchant_category_code.is_empty()
        || !transaction.counterparty.creditor_id.is_empty()
        || !transaction.mandate_id.is_empty()
        || matches!(
            transaction.transaction_code,
            Some(4 | 5 | 104..=110 | 182 | 190 | 198)
        )
        || holds_merchant_booking(booking.as_bytes())
            && !TRANSFERS.iter().any(|word| contains(booking, word))
}

/// Whether a booking text holds one of [`MERCHANT_BOOKINGS`]. Nearly every place of it is passed
/// over after a look at two letters.
fn holds_merchant_booking(booking: &[u8]) -> bool {
    let mut first = 0;
    booking.iter().enumerate().any(|(at, byte)| {
        let known = SECOND_LETTERS[usize::from(first)] & letter_bit(*byte) != 0;
        first = *byte;
        known && is_merchant_booking(&booking[at.saturating_sub(1)..])
    })
}

fn is_merchant_booking(text: &[u8]) -> bool {
    MERCHANT_BOOKINGS.iter().any(|word| {
        let head = text.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// By the first letter of a word of [`MERCHANT_BOOKINGS`], in either case: a bit for each second
/// letter.
const SECOND_LETTERS: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < MERCHANT_BOOKINGS.len() {
        let word = MERCHANT_BOOKINGS[at].as_bytes();
        table[word[0] as usize] |= letter_bit(word[1]);
        table[word[0].to_ascii_uppercase() as usize] |= letter_bit(word[1]);
        at = at.saturating_add(1);
    }
    table
};

/// Letters of either case as bits; some other characters share theirs.
const fn letter_bit(letter: u8) -> u32 {
    1 << (letter & 31)
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::Example;

    fn check(line: &str, expected: bool) {
        let names = "name\nAnna\nJürgen\nPeter\nFinn\nKarl\nHeinz\nErnst\nMax\n";
        let names = FirstNames::parse(names).expect("valid");
        let example = Example::parse(line).expect(line);
        let transaction = &example.transaction;
        let person = !is_merchants(transaction) && names.is_person(transaction);
        assert_eq!(person, expected, "{line}");
    }

    #[test]
    fn people_have_a_first_name_and_no_card() {
        check("Anna Metzger | danke | -10.00", true);
        check(
            "METZGER, ANNA | danke | -10.00 | booking=ONLINE-UEBERWEISUNG",
            true,
        );
        check("Juergen Strom | danke | -10.00 | gvc=116", true);
        check("Huk Finn Reimers | Floss | -10.00", true);
        check("Karl-Heinz von der Reise | danke | -10.00", true);
        check("Dr. Anna Maria Kern-Metzger | danke | -10.00", true);
        check("Anna & Max Metzger | danke | -10.00", true);
        check("METZGER ANNA/PETER | danke | -10.00", true);
        check(
            "Anna Metzger | danke | -10.00 | booking=Debit Transfer",
            true,
        );
        check("Ikea-Anna Metzger | danke | -10.00", true);
        check("Provinzial-Anna | danke | -10.00", true);
        check("Anna | danke | -10.00", false);
        check(" | danke | -10.00", false);
    }

    #[test]
    fn people_are_known_by_address_initials_or_order() {
        check("Familie Metzger | danke | -10.00", true);
        check("Oma Hertz | danke | -10.00", true);
        check("D. M. Sander | dm | -10.00", true);
        check("Görtz, Malwine | danke | -10.00", true);
        check("Oper, Malwine | danke | -10.00", true);
        check("Hertz Malwine | danke | -10.00", false);
        check("Rundfunk ARD, ZDF, DRadio | Beitrag | -10.00", false);
        check("Stadt Kiel, Kasse | Bescheid | -10.00", false);
    }

    #[test]
    fn businesses_are_named_after_people() {
        check("Metzgerei Kern | danke | -10.00", false);
        check("Anna Kern Metzgerei | danke | -10.00", false);
        check("Motorradwerkstatt Anna Heller | danke | -10.00", false);
        check("Peter Kern GmbH | danke | -10.00", false);
        check("Pension Anna | danke | -10.00", false);
        check("Anna Pension | danke | -10.00", true);
        check("Peter Taxi | danke | -10.00", true);
        check("Peter Kern Taxi | danke | -10.00", false);
        check("Ernst & Young | danke | -10.00", false);
        check("H&M Anna | danke | -10.00", false);
        check("Peter Pane 12 | Essen | -10.00", false);
        check("Peter Pane | Essen | -10.00 | booking=KARTENZAHLUNG", false);
        check("Peter Pane | Essen | -10.00 | mcc=5812", false);
        check("Peter Hahn | Rechnung | -10.00 | gvc=105", false);
        check("Peter Hahn | Rechnung | -10.00 | mandate=M1", false);
        check(
            "Schnittig by Anna | Schnittig//Kiel/DE Debitk.3 | -10.00",
            false,
        );
        check("Anna-Apotheke | danke | -10.00", false);
        check("Peter Hahn | EREF+1MREF+2CRED+3SVWZ+x | -10.00", false);
    }
}
