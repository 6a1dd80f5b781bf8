//! Bank statements that look like German ones and are the same in every run.

use chrono::NaiveDate;
use domain::{Counterparty, Currency, Money, Sensitive, Transaction, TransactionId};

/// Names that no rule knows, in the mix of a real statement.
const PEOPLE: [&str; 8] = [
    "Anneliese Brandstetter",
    "Mehmet Yıldırım",
    "Jörg Schönfelder",
    "Kai-Uwe Petersen",
    "Oksana Melnyk",
    "Dr. Sabine Großmann",
    "Giulia Ferrari",
    "Familie Nguyen",
];

/// Companies, most of them unknown to any rule.
const COMPANIES: [&str; 12] = [
    "REWE Markt GmbH Fil. 4711",
    "LIDL DIENSTLEISTUNG",
    "Landmetzgerei Ziegler",
    "ARAL STATION",
    "Holzwerk Tannhof GmbH & Co. KG",
    "Lindwurm Software GmbH",
    "Stadtwerke Musterstadt GmbH",
    "Telekom Deutschland GmbH",
    "Nordstern Allgemeine Versicherung AG",
    "Kiosk am Eck",
    "APOTHEKE AM MARKT",
    "Brückner Maschinenbau GmbH",
];

/// What payments are for.
const MATTERS: [&str; 12] = [
    "Rechnung",
    "Abschlag Strom Vertragskonto",
    "Miete Lindenweg 8 und Nebenkosten",
    "LOHN/GEHALT",
    "Beitrag Hausratversicherung",
    "danke für das Auslegen",
    "Kundennummer",
    "Mitgliedsbeitrag",
    "Festnetz Buchungskonto",
    "Geschenk zum Geburtstag",
    "Kaution Zeltverleih",
    "Rate Darlehen",
];

/// The bank's words for bookings.
const BOOKINGS: [&str; 6] = [
    "FOLGELASTSCHRIFT",
    "KARTENZAHLUNG",
    "GUTSCHR. UEBERWEISUNG",
    "DAUERAUFTRAG",
    "ONLINE-UEBERWEISUNG",
    "Basislastschrift",
];

/// A source of numbers that looks random and always starts alike.
struct Numbers(u64);

impl Numbers {
    /// The next number below a limit.
    ///
    /// # Source
    /// Marsaglia, "Xorshift RNGs", 2003.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit.max(1)
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// As many transactions as asked for.
///
/// # Panics
/// Never: the identifiers made here are valid.
pub fn transactions(count: usize) -> Vec<Transaction> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    (0..count)
        .map(|index| transaction(index, &mut numbers))
        .collect()
}

fn transaction(index: usize, numbers: &mut Numbers) -> Transaction {
    let (name, purpose) = texts(numbers);
    let cents = i64::try_from(numbers.below(250_000)).unwrap_or_default() - 200_000;
    let codes = [105, 106, 116, 117, 166, 153];
    Transaction {
        id: TransactionId::try_new(format!("t{index}")).expect("a valid id"),
        amount: Money::new(cents, Currency::EUR),
        booking_date: NaiveDate::default(),
        booking_instant: 0,
        value_date: None,
        value_instant: None,
        booking_text: numbers.pick(&BOOKINGS).to_owned(),
        remittance_info: Sensitive::new(purpose),
        counterparty: Counterparty {
            name: Sensitive::new(name),
            iban: "DE89370400440532013000".into(),
            ..Counterparty::default()
        },
        ultimate_creditor: Sensitive::default(),
        ultimate_debtor: Sensitive::default(),
        end_to_end_id: Sensitive::default(),
        mandate_id: Sensitive::default(),
        merchant_category_code: String::new(),
        purpose_code: String::new(),
        transaction_code: Some(codes[numbers.below(codes.len())]),
    }
}

/// A counterparty's name and a remittance information.
fn texts(numbers: &mut Numbers) -> (String, String) {
    let number = numbers.below(1_000_000_000);
    let matter = numbers.pick(&MATTERS);
    match numbers.below(5) {
        0 => {
            let purpose = format!(
                "2024-0{}-1{}T18:11:{}0 Debitk.2 2027-12 KFN {}",
                1 + number % 9,
                number % 9,
                number % 6,
                number % 7
            );
            (
                format!("{}//Musterstadt/DE", numbers.pick(&COMPANIES)),
                purpose,
            )
        }
        1 => {
            let purpose = format!(
                "EREF+{number}MREF+M-{}CRED+DE98ZZZ0{number:010}SVWZ+{matter} {number} vom 03.2024",
                number % 99_999
            );
            (numbers.pick(&COMPANIES).to_owned(), purpose)
        }
        2 => {
            let shop = numbers.pick(&COMPANIES);
            let purpose = format!(
                "{number}0123/PP.{}.PP/. {shop}, Ihr Einkauf bei {shop}",
                number % 9_999
            );
            ("PayPal Europe S.a.r.l. et Cie S.C.A".to_owned(), purpose)
        }
        3 => {
            let purpose = format!(
                "{matter} {number} EREF: NOTPROVIDED MREF: {} CRED: DE98ZZZ0{number:010}",
                number % 99_999
            );
            (numbers.pick(&COMPANIES).to_owned(), purpose)
        }
        _ => {
            let purpose = format!(
                "{matter} {} Lindenweg {}, wie am Telefon besprochen, viele Grüße",
                2020 + number % 6,
                number % 99
            );
            (numbers.pick(&PEOPLE).to_owned(), purpose)
        }
    }
}

/// All text of a transaction in lower case, as a matcher without normalisation would read it.
pub fn plain_text(transaction: &Transaction) -> String {
    let pieces = [
        transaction.counterparty.name.as_str(),
        transaction.remittance_info.as_str(),
        &transaction.booking_text,
    ];
    pieces.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_the_same_in_every_run_and_of_usual_length() {
        let (one, two) = (transactions(1_000), transactions(1_000));
        assert_eq!(one, two);
        let bytes: usize = one
            .iter()
            .map(|transaction| plain_text(transaction).len())
            .sum();
        assert!((110_000..160_000).contains(&bytes), "{bytes}");
    }
}
