//! Tells whether the other side is visibly a business.
//!
//! Many brands are surnames, places or ordinary words as well: Penny, Norma, Bauhaus. Such a name
//! only counts when the booking has something that payments between people do not have.

use domain::Transaction;

use crate::people;

/// Words in a name that only businesses bear, folded.
const FORMS: [&str; 61] = [
    "ab",
    "ag",
    "akademie",
    "apotheke",
    "autohaus",
    "bank",
    "bv",
    "cie",
    "co",
    "com",
    "de",
    "deutschland",
    "dienstleistung",
    "ek",
    "eg",
    "ev",
    "europe",
    "fil",
    "filiale",
    "fachmarkt",
    "gesellschaft",
    "gbr",
    "germany",
    "gmbh",
    "group",
    "gruppe",
    "handel",
    "handels",
    "holding",
    "inc",
    "international",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "ltd",
    "markt",
    "mbh",
    "market",
    "nv",
    "ohg",
    "online",
    "oy",
    "partg",
    "payments",
    "plc",
    "retail",
    "sa",
    "sarl",
    "sas",
    "se",
    "service",
    "services",
    "shop",
    "spa",
    "srl",
    "store",
    "ug",
    "vertriebs",
    "zweigniederlassung",
    "versand",
];
/// Beginnings of words that banks put into card and direct-debit texts, folded.
const CARD_WORDS: [&str; 21] = [
    "kfn",
    "debitk",
    "kartenz",
    "kartenn",
    "karte",
    "kaufums",
    "girocard",
    "visa",
    "mastercard",
    "maestro",
    "vpay",
    "folgenr",
    "folgen",
    "verfalld",
    "lastschrift",
    "elv",
    "apple",
    "google",
    "kontaktlos",
    "pos",
    "terminal",
];

/// Whether the booking has what only payments to businesses have.
pub(crate) fn is_business(transaction: &Transaction) -> bool {
    let name = transaction.counterparty.name.as_str();
    people::is_merchants(transaction) || names_a_business(name) || is_card_merchant(transaction)
}

/// Whether it is a card text, or a name of one word: whoever else bears it adds his trade.
pub(crate) fn is_card_merchant(transaction: &Transaction) -> bool {
    let name = transaction.counterparty.name.as_str();
    let purpose = transaction.remittance_info.as_str();
    let card_word = |word: &str| {
        CARD_WORDS
            .iter()
            .any(|known| starts_with(word, known.as_bytes()))
    };
    !transaction.merchant_category_code.is_empty()
        || matches!(
            transaction.transaction_code,
            Some(4 | 5 | 106 | 107 | 182 | 190 | 198)
        )
        || name.contains("//")
        || purpose.contains("//")
        || words(name).nth(1).is_none() && !name.is_empty()
        || words(purpose).any(card_word)
        || words(&transaction.booking_text).any(card_word)
}

/// A company form, a branch number, or a sign that no person bears.
fn names_a_business(name: &str) -> bool {
    let form = |word: &str| {
        FORMS.iter().any(|form| word.eq_ignore_ascii_case(form))
            || word.bytes().any(|byte| byte.is_ascii_digit())
    };
    name.contains('&') || name.contains('*') || words(name).any(form)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn starts_with(word: &str, known: &[u8]) -> bool {
    word.as_bytes()
        .get(..known.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::Example;

    fn check(line: &str, expected: bool) {
        let example = Example::parse(line).expect(line);
        assert_eq!(is_business(&example.transaction), expected, "{line}");
    }

    #[test]
    fn businesses_are_seen_by_form_card_or_code() {
        check("Penny GmbH | Rechnung | -10.00", true);
        check("PENNY 4711 | danke | -10.00", true);
        check("Penny | danke | -10.00", true);
        check("Norma Lebensmittel//Kiel/DE | x | -10.00", true);
        check(" | JET DANKT//Kiel/DE | -10.00", true);
        check(
            "Hammer Kiel | 2025-03-01T10:00 Debitk.3 2026-12 | -10.00",
            true,
        );
        check("Hammer Kiel | x | -10.00 | mcc=5200", true);
        check("Hammer Kiel | x | -10.00 | gvc=105", true);
        check(
            "Hammer Kiel | x | -10.00 | creditor_id=DE98ZZZ09999999999",
            true,
        );
        check("Hammer Kiel | x | -10.00 | booking=Kartenzahlung", true);
    }

    #[test]
    fn people_are_no_businesses() {
        check("Penny Lane | danke | -10.00", false);
        check("Karl-Heinz Rossmann | Miete Juni | -10.00", false);
        check("Norma Meier | Geschenk | -10.00 | gvc=116", false);
    }
}
