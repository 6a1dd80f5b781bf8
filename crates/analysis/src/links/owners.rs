//! What belongs to the user: accounts by IBAN and number, and the names of their holders.

use std::collections::HashMap;

use domain::Account;

use super::wording::folded;

/// Words of a name that say nothing about who it is.
const TITLES: [&str; 9] = [
    "dr", "prof", "med", "herr", "herrn", "frau", "dipl", "ing", "inh",
];
/// Words that show that a name is a company's, which is never split into persons.
const LEGAL_FORMS: [&str; 14] = [
    "gmbh", "mbh", "ag", "kg", "ohg", "gbr", "ug", "kgaa", "eg", "ek", "ev", "partg", "se", "ltd",
];
/// Words of products that banks put where the other side's name belongs.
const PRODUCTS: [&str; 16] = [
    "konto",
    "girokonto",
    "giro",
    "tagesgeld",
    "tagesgeldkonto",
    "festgeld",
    "festgeldkonto",
    "sparkonto",
    "sparbuch",
    "verrechnungskonto",
    "referenzkonto",
    "depot",
    "depotkonto",
    "kartenkonto",
    "kreditkartenkonto",
    "kreditkonto",
];
/// Words between the names of two holders.
const BETWEEN: [&str; 4] = ["und", "oder", "u", "od"];
/// Banks cut names; a cut name is recognised from this length on.
const CUT_NAME_BYTES_MIN: usize = 20;
/// Fewest digits of an account number that is looked for in texts.
const NUMBER_DIGITS_MIN: usize = 7;

/// How well a name fits a holder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameFit {
    /// There is no name, or only that of a product.
    Absent,
    /// Somebody else.
    Other,
    /// Surname and initial.
    Initial,
    /// The holder.
    Holder,
}

/// What belongs to the user.
pub(crate) struct Owners {
    accounts: HashMap<String, usize>,
    numbers: HashMap<String, usize>,
    holders: Vec<Vec<String>>,
    /// Whether an account can be named by an IBAN that we do not know as its own.
    has_unnamed: bool,
}

impl Owners {
    pub(crate) fn new(accounts: &[Account]) -> Self {
        let mut owners = Self {
            accounts: HashMap::new(),
            numbers: HashMap::new(),
            holders: Vec::new(),
            has_unnamed: false,
        };
        for (index, account) in accounts.iter().enumerate() {
            let key = account_key(account);
            owners.has_unnamed |= key.is_empty();
            if !key.is_empty() {
                owners.accounts.entry(key).or_insert(index);
            }
            let number = account.account_number.as_str().trim_start_matches('0');
            if number.len() >= NUMBER_DIGITS_MIN && number.bytes().all(|b| b.is_ascii_digit()) {
                owners.numbers.entry(number.to_owned()).or_insert(index);
            }
            owners.holders.extend(persons(account.owner.as_str()));
        }
        owners.holders.sort_unstable();
        owners.holders.dedup();
        owners
    }

    /// The account with this IBAN.
    pub(crate) fn account(&self, iban: &str) -> Option<usize> {
        if iban.is_empty() {
            return None;
        }
        self.accounts.get(&iban_key(iban)).copied()
    }

    /// Whether some account has neither IBAN nor number.
    pub(crate) const fn has_unnamed(&self) -> bool {
        self.has_unnamed
    }

    /// The account, other than `own`, whose number or IBAN stands in a text.
    pub(crate) fn named_in(&self, text: &str, own: usize) -> Option<usize> {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() >= NUMBER_DIGITS_MIN)
            .filter_map(|word| {
                let number = word.trim_start_matches('0');
                let by_number = self.numbers.get(number).copied();
                by_number.or_else(|| (word.len() > 14).then(|| self.account(word)).flatten())
            })
            .find(|account| *account != own)
    }

    /// How well a name fits one of the holders'.
    pub(crate) fn fit(&self, name: &str) -> NameFit {
        let folded = folded(name);
        let words = name_words(&folded);
        let fits = self.holders.iter().map(|holder| fit(&words, holder));
        let best = fits.max().unwrap_or(NameFit::Other);
        let is_product = words.iter().any(|word| PRODUCTS.contains(word));
        if words.is_empty() || (best == NameFit::Other && is_product) {
            NameFit::Absent
        } else {
            best
        }
    }
}

/// What IBANs of the same account have in common: for German ones bank code and account number.
pub(crate) fn iban_key(iban: &str) -> String {
    let iban = domain::iban::normalize(iban);
    match iban.strip_prefix("DE").and_then(|rest| rest.get(2..)) {
        Some(number) if number.len() == 18 => number.to_owned(),
        _ => iban,
    }
}

/// The key of an account's IBAN, or of its bank code and number.
fn account_key(account: &Account) -> String {
    if !account.iban.is_empty() {
        return iban_key(account.iban.as_str());
    }
    let digits = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
    };
    let number = account.account_number.as_str();
    if digits(&account.bank_code, 8) && digits(number, 10) {
        format!("{}{number:0>10}", account.bank_code)
    } else {
        String::new()
    }
}

/// The words of a folded name that say who it is.
fn name_words(folded: &str) -> Vec<&str> {
    let words = folded.split(' ').filter(|word| !word.is_empty());
    words.filter(|word| !TITLES.contains(word)).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The holders that a name stands for. Two persons can share an account and a surname.
fn persons(owner: &str) -> Vec<Vec<String>> {
    let all = folded(&owner.replace('&', " und "));
    let all = name_words(&all);
    if all.iter().any(|word| LEGAL_FORMS.contains(word)) {
        return vec![owned(&name_words(&folded(owner)))];
    }
    let mut persons: Vec<Vec<String>> = all
        .split(|word| BETWEEN.contains(word))
        .filter(|words| !words.is_empty())
        .map(owned)
        .collect();
    let surname = persons.last().and_then(|words| words.last()).cloned();
    for person in &mut persons {
        if let ([_], Some(surname)) = (person.as_slice(), &surname) {
            person.push(surname.clone());
            person.dedup();
        }
    }
    if persons.len() > 1 {
        let words: Vec<&str> = all
            .into_iter()
            .filter(|word| !BETWEEN.contains(word))
            .collect();
        persons.push(owned(&words));
    }
    // One word is too common to be a name.
    persons.retain(|person| person.len() > 1);
    persons
}

fn fit(words: &[&str], holder: &[String]) -> NameFit {
    let (Some(first), Some(surname)) = (holder.first(), holder.last()) else {
        return NameFit::Other;
    };
    let is_whole = holder.iter().all(|word| words.contains(&word.as_str()));
    let is_part = |word: &&str| holder.iter().any(|part| part == word);
    let has_surname = words.contains(&surname.as_str());
    let is_shorter = words.len() > 1 && has_surname && words.iter().all(is_part);
    if is_whole || is_shorter || is_cut(words, holder) {
        return NameFit::Holder;
    }
    let is_initial = |word: &&str| word.len() == 1 && first.starts_with(*word);
    if words.len() == 2 && has_surname && words.iter().any(is_initial) {
        return NameFit::Initial;
    }
    NameFit::Other
}

/// Whether a name is the start of a holder's, cut off by a bank.
fn is_cut(words: &[&str], holder: &[String]) -> bool {
    if words.first().copied() != holder.first().map(String::as_str) {
        return false;
    }
    let (name, holder) = (words.join(" "), holder.join(" "));
    name.len() >= CUT_NAME_BYTES_MIN && holder.starts_with(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_holders() {
        use NameFit::{Absent, Holder, Initial, Other};
        for (owner, name, expected) in [
            ("Verena Häberle", "Verena Haeberle", Holder),
            ("Verena Häberle", "HÄBERLE, VERENA", Holder),
            ("Verena Häberle", "Frau Dr. Verena Häberle Revolut", Holder),
            ("Verena Maria Häberle", "Verena Häberle", Holder),
            ("Verena Häberle", "V. Häberle", Initial),
            ("Verena Häberle", "Max Häberle", Other),
            ("Verena Häberle", "Häberle GmbH", Other),
            ("Verena Häberle", "", Absent),
            ("Verena Häberle", "Mein Tagesgeldkonto", Absent),
            ("Horst und Erika Wiedenbrück", "Erika Wiedenbrueck", Holder),
            ("Horst & Erika Wiedenbrück", "Horst Wiedenbrück", Holder),
            ("Gerlach & Sohl GbR", "Gerlach Sohl GbR", Holder),
            ("Gerlach & Sohl GbR", "Svea Sohl", Other),
            (
                "Physiotherapie Am Kurpark Gerlach & Sohl GbR",
                "Physiotherapie Am Kurpark G",
                Holder,
            ),
            ("Anna", "Anna", Other),
        ] {
            let owners = Owners {
                accounts: HashMap::new(),
                numbers: HashMap::new(),
                holders: persons(owner),
                has_unnamed: false,
            };
            assert_eq!(owners.fit(name), expected, "{owner}: {name}");
        }
    }

    #[test]
    fn german_accounts_are_known_by_number_too() {
        assert_eq!(
            iban_key("de44 6005 0101 4229 9858 37"),
            "600501014229985837"
        );
        assert_eq!(iban_key("LT463250077797514812"), "LT463250077797514812");
    }
}
