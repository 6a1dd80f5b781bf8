//! Who invented contracts are with, and how much of it a booking says.

use domain::Transaction;

use super::random::Random;

/// How a booking names the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// Creditor, mandate, IBAN and name.
    Mandate,
    /// IBAN and name, and a number in the text.
    Number,
    /// IBAN and name.
    Iban,
    /// A name alone.
    Name,
}

/// The other side of a contract.
#[derive(Debug, Clone)]
pub struct Party {
    naming: Naming,
    name: String,
    new_name: String,
    iban: String,
    new_iban: String,
    creditor: String,
    mandate: String,
    number: String,
    /// Whether bank words say how the payment was made.
    is_named: bool,
    is_income: bool,
}

const FIRST: [&str; 12] = [
    "Nordlicht",
    "Alpenblick",
    "Hansa",
    "Rheinland",
    "Lindenhof",
    "Sonnental",
    "Brückner",
    "Falkenried",
    "Waldkirch",
    "Seeblick",
    "Burgfeld",
    "Kranich",
];
const SECOND: [&str; 12] = [
    "Versicherung",
    "Wohnbau",
    "Energie",
    "Telefon",
    "Sportverein",
    "Verlag",
    "Leasing",
    "Stadtwerke",
    "Software",
    "Akademie",
    "Pflegedienst",
    "Reinigung",
];

impl Party {
    /// A partner of a user's series.
    pub fn new(random: &mut Random, series: usize, is_income: bool) -> Self {
        let name = |random: &mut Random| {
            format!("{} {} {series}x", random.pick(&FIRST), random.pick(&SECOND))
        };
        let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "k"];
        let suffix: String = series
            .to_string()
            .bytes()
            .map(|digit| letters[usize::from(digit - b'0')])
            .collect();
        let full = format!("{} {suffix} GmbH", name(random));
        Self {
            naming: random.pick(&[
                Naming::Mandate,
                Naming::Mandate,
                Naming::Number,
                Naming::Iban,
                Naming::Iban,
                Naming::Name,
            ]),
            new_name: format!("{} {suffix} SE", name(random)),
            name: full,
            iban: format!("DE{:020}", random.bits() % 100_000_000_000_000_000),
            new_iban: format!("DE{:020}", random.bits() % 100_000_000_000_000_000),
            creditor: format!(
                "DE{:02}ZZZ{:011}",
                series % 100,
                random.bits() % 99_999_999_999
            ),
            mandate: format!("M{}", random.bits() % 100_000_000),
            number: format!("{}", 10_000_000 + random.bits() % 89_999_999),
            is_named: random.chance(500),
            is_income,
        }
    }

    /// The same partner for a second contract.
    #[must_use]
    pub fn twin(&self, random: &mut Random) -> Self {
        Self {
            mandate: format!("M{}", random.bits() % 100_000_000),
            number: format!("{}", 10_000_000 + random.bits() % 89_999_999),
            ..self.clone()
        }
    }

    /// The payment from which on the partner has a new name or a new IBAN, if ever.
    pub fn changes_at(&self, random: &mut Random, payments: usize) -> Option<usize> {
        let middle = i64::try_from(payments / 2).unwrap_or(0);
        let at = random.between(middle / 2, middle + middle / 2);
        (self.naming != Naming::Name && random.chance(80)).then(|| usize::try_from(at).unwrap_or(0))
    }

    /// Names the partner in a booking.
    pub fn write(&self, transaction: &mut Transaction, random: &mut Random, is_changed: bool) {
        // Either the name changes or the IBAN: something has to stay.
        let new_name = is_changed && self.number.ends_with(['0', '2', '4', '6', '8']);
        let name = if new_name { &self.new_name } else { &self.name };
        let iban = if is_changed && !new_name {
            &self.new_iban
        } else {
            &self.iban
        };
        transaction.counterparty.name = name.clone().into();
        let reference = random.bits() % 1_000_000_000;
        let text = match self.naming {
            Naming::Number => format!("Vertrag {} RG {reference}", self.number),
            Naming::Mandate | Naming::Iban | Naming::Name => format!("RG {reference}"),
        };
        transaction.remittance_info = text.into();
        if self.naming != Naming::Name {
            transaction.counterparty.iban = iban.clone().into();
        }
        if self.naming == Naming::Mandate && !self.is_income {
            transaction
                .counterparty
                .creditor_id
                .clone_from(&self.creditor);
            transaction.mandate_id = self.mandate.clone().into();
        }
        if self.is_named {
            self.word().clone_into(&mut transaction.booking_text);
        }
    }

    fn word(&self) -> &'static str {
        match (self.is_income, self.naming) {
            (true, _) => "GUTSCHR. UEBERWEISUNG",
            (false, Naming::Mandate) => "FOLGELASTSCHRIFT",
            (false, Naming::Number | Naming::Iban) => "DAUERAUFTRAG",
            (false, Naming::Name) => "ONLINE-UEBERWEISUNG",
        }
    }
}
