//! Tells people from merchants, so that a surname is not taken for a trade.

use std::collections::HashSet;

use domain::Transaction;
use serde::Deserialize;

use crate::error::RulesError;
use crate::normalize::scan;

/// Words before a name that only people bear.
const TITLES: [&str; 4] = ["herr", "frau", "familie", "fam"];
/// Beginnings of booking texts that a payment from person to person does not have, folded.
const MERCHANT_BOOKINGS: [&str; 12] = [
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
];

/// First names that are common in Germany.
#[derive(Debug, Default)]
pub(crate) struct FirstNames {
    /// Only ever asked, never walked through.
    names: HashSet<Box<[u8]>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
}

impl FirstNames {
    /// Reads a table with the column `name`.
    pub(crate) fn parse(csv: &str) -> Result<Self, RulesError> {
        let mut names = HashSet::new();
        for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
            let row: Row = row.map_err(RulesError::FirstNames)?;
            names.insert(scan::fold_word(&row.name).as_slice().into());
        }
        Ok(Self { names })
    }

    /// Whether the other side is a person: two words, one of them a first name or a form of
    /// address, and nothing that only a merchant's payment has.
    pub(crate) fn is_person(&self, transaction: &Transaction) -> bool {
        let name = transaction.counterparty.name.as_str();
        let mut words = name
            .split(|c: char| c.is_ascii_whitespace() || c == ',')
            .filter(|word| !word.is_empty());
        let (Some(one), Some(two), None) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        (self.is_first_name(one) || self.is_first_name(two)) && !is_merchants(transaction)
    }

    fn is_first_name(&self, word: &str) -> bool {
        let folded = scan::fold_word(word);
        let folded = folded.as_slice();
        self.names.contains(folded) || TITLES.iter().any(|title| title.as_bytes() == folded)
    }
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
        || MERCHANT_BOOKINGS.iter().any(|word| contains(booking, word))
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
        let names = FirstNames::parse("name\nAnna\nJürgen\nPeter\n").expect("valid");
        let example = Example::parse(line).expect(line);
        assert_eq!(names.is_person(&example.transaction), expected, "{line}");
    }

    #[test]
    fn people_have_two_names_and_no_card() {
        check("Anna Metzger | danke | -10.00", true);
        check(
            "METZGER, ANNA | danke | -10.00 | booking=ONLINE-UEBERWEISUNG",
            true,
        );
        check("Juergen Strom | danke | -10.00 | gvc=116", true);
        check("Familie Metzger | danke | -10.00", true);
        check("Metzgerei Kern | danke | -10.00", false);
        check("Anna Kern Metzgerei | danke | -10.00", false);
        check("Peter Pane | Essen | -10.00 | booking=KARTENZAHLUNG", false);
        check("Peter Pane | Essen | -10.00 | mcc=5812", false);
        check("Peter Hahn | Rechnung | -10.00 | gvc=105", false);
        check("Peter Hahn | Rechnung | -10.00 | mandate=M1", false);
        check("Anna | danke | -10.00", false);
        check(" | danke | -10.00", false);
    }
}
