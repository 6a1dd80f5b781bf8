//! Payment services that stand between payer and merchant.

use std::cmp::Reverse;

use crate::error::RulesError;
use crate::file::{IntermediaryEntry, IntermediaryFile};

/// Most payment services that can be named.
pub const INTERMEDIARIES_MAX: usize = 256;

/// A payment service of the pack; see [`crate::RulePack::intermediary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntermediaryId(pub(crate) u8);

/// A payment service and how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intermediary {
    /// Permanent id, e.g. `paypal`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Whether its own name says what the payment is for, so that rules go on reading it.
    pub(crate) telling: bool,
    starts: Vec<String>,
    merchant_after: Vec<String>,
    merchant_from: Vec<String>,
}

/// How the name of a payment service starts.
#[derive(Debug)]
struct Start {
    index: u8,
    text: String,
    /// Its second letter in lower case, which sets most of those with the same first apart.
    second: u8,
    /// Whether a star must follow, because the text alone may mean anything.
    starred: bool,
}

/// A payment service found in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: IntermediaryId,
    /// Where the merchant's name starts behind a star, if it does.
    pub(crate) merchant_at: Option<usize>,
}

/// Every payment service of the pack.
#[derive(Debug, Default)]
pub(crate) struct Intermediaries {
    list: Vec<Intermediary>,
    /// Indices by the first letter of the starts, so that most names cost one look-up.
    by_letter: [Vec<Start>; 26],
}

impl Intermediaries {
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, RulesError> {
        let parsed: IntermediaryFile =
            toml::from_str(text).map_err(|source| RulesError::Format {
                file: file.to_owned(),
                source: Box::new(source),
            })?;
        let mut all = Self::default();
        for entry in parsed.intermediary {
            all.add(entry)?;
        }
        Ok(all)
    }

    fn add(&mut self, entry: IntermediaryEntry) -> Result<(), RulesError> {
        let index = u8::try_from(self.list.len()).map_err(|_| RulesError::TooMany {
            what: "payment services",
            max: INTERMEDIARIES_MAX,
        })?;
        for start in &entry.starts {
            if let Some(slot) = letter_of(start).and_then(|letter| self.by_letter.get_mut(letter)) {
                let text = start.trim_end_matches('*').trim_end().to_owned();
                slot.push(Start {
                    index,
                    starred: start.ends_with('*'),
                    second: second_of(&text),
                    text,
                });
                // The longer start decides: "Amazon Payments" before "Amazon".
                let order = |one: &Start| (Reverse(one.text.len()), one.starred, one.text.clone());
                slot.sort_by_key(order);
            }
        }
        self.list.push(Intermediary {
            id: entry.id,
            name: entry.name,
            starts: entry.starts,
            merchant_after: entry.merchant_after,
            merchant_from: entry.merchant_from,
            telling: entry.telling,
        });
        Ok(())
    }

    pub(crate) fn get(&self, id: IntermediaryId) -> &Intermediary {
        &self.list[usize::from(id.0)]
    }

    pub(crate) fn find(&self, id: &str) -> Option<IntermediaryId> {
        (0..)
            .zip(&self.list)
            .find(|(_, one)| one.id == id)
            .map(|(index, _)| IntermediaryId(index))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Intermediary> {
        self.list.iter()
    }

    /// The payment service whose name starts the text, behind the word that some banks put before
    /// card payments.
    pub(crate) fn recognise(&self, name: &str) -> Option<Found> {
        if !matches!(name.as_bytes(), [b'V' | b'v', ..]) || !starts_as_word(name, CARD_WORD) {
            return self.starting(name, 0);
        }
        let rest = name.get(CARD_WORD.len()..)?.trim_start();
        let at = name.len().saturating_sub(rest.len());
        self.starting(rest, at)
    }

    /// The payment service whose name starts a text that stands at an offset.
    fn starting(&self, name: &str, offset: usize) -> Option<Found> {
        let slot = self.by_letter.get(letter_of(name)?)?;
        let second = second_of(name);
        slot.iter().find_map(|start| {
            if start.second != second || !starts_as_word(name, &start.text) {
                return None;
            }
            let rest = name.get(start.text.len()..)?;
            let star = rest
                .find('*')
                .filter(|at| rest[..*at].trim().len() <= STAR_GAP_MAX)
                .map(|at| start.text.len().saturating_add(at).saturating_add(1));
            (star.is_some() || !start.starred).then(|| Found {
                id: IntermediaryId(start.index),
                merchant_at: star.map(|at| at.saturating_add(offset)),
            })
        })
    }
}

/// What some banks put before the names of merchants in card payments.
const CARD_WORD: &str = "VISA";
/// Most characters between a payment service's name and the star before the merchant.
const STAR_GAP_MAX: usize = 2;

fn second_of(name: &str) -> u8 {
    let second = name.as_bytes().get(1);
    second.map_or(0, u8::to_ascii_lowercase)
}

fn letter_of(name: &str) -> Option<usize> {
    let first = name.as_bytes().first()?.to_ascii_lowercase();
    first.checked_sub(b'a').map(usize::from)
}

fn starts_as_word(name: &str, start: &str) -> bool {
    let Some((head, rest)) = name.as_bytes().split_at_checked(start.len()) else {
        return false;
    };
    head.eq_ignore_ascii_case(start.as_bytes())
        && !rest
            .first()
            .is_some_and(|next| next.is_ascii_alphanumeric() || !next.is_ascii())
}

impl Intermediary {
    /// Where the merchant's name starts in a text, if words before it or at its start say so.
    pub(crate) fn merchant_in(&self, text: &str) -> Option<usize> {
        let after = self.merchant_after.iter().find_map(|marker| {
            let at = find(text, marker)?;
            Some(at.saturating_add(marker.len()))
        });
        let from = || self.merchant_from.iter().find_map(|word| find(text, word));
        after.or_else(from).filter(|at| text.is_char_boundary(*at))
    }

    /// How its name starts in bank data.
    pub fn starts(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(String::as_str)
    }
}

/// Where words stand in a text, in any case, not inside another word.
fn find(text: &str, words: &str) -> Option<usize> {
    let (text, words) = (text.as_bytes(), words.as_bytes());
    let first = words.first()?.to_ascii_lowercase();
    let mut windows = text.windows(words.len()).enumerate();
    let found = windows.find(|(at, window)| {
        if window.first().map(u8::to_ascii_lowercase) != Some(first) {
            return false;
        }
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let inside = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
        window.eq_ignore_ascii_case(words) && !inside
    });
    found.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[[intermediary]]
id = "paypal"
name = "PayPal"
starts = ["PayPal"]
merchant_after = ["Ihr Einkauf bei "]
source = "test"
[[intermediary]]
id = "sumup"
name = "SumUp"
starts = ["SumUp"]
source = "test"
"#;

    fn all() -> Intermediaries {
        Intermediaries::parse("test", FILE).expect("valid")
    }

    fn check(name: &str, id: Option<&str>, merchant: Option<&str>) {
        let all = all();
        let found = all.recognise(name);
        assert_eq!(
            found.map(|found| all.get(found.id).id.as_str()),
            id,
            "{name}"
        );
        let rest = found
            .and_then(|found| found.merchant_at)
            .map(|at| name[at..].trim());
        assert_eq!(rest, merchant, "{name}");
    }

    #[test]
    fn services_are_recognised_by_the_start_of_the_name() {
        check("PAYPAL EUROPE S.A.R.L.", Some("paypal"), None);
        check("SumUp *Wolle Rödel", Some("sumup"), Some("Wolle Rödel"));
        check("PAYPAL *NETFLIX", Some("paypal"), Some("NETFLIX"));
        check("SumUpper GmbH", None, None);
        check("Café PayPal", None, None);
        check("", None, None);
        check("Ä", None, None);
    }

    #[test]
    fn merchants_stand_after_known_words() {
        let all = all();
        let paypal = all.get(all.find("paypal").expect("there"));
        let text = "9498667195684/PP.2722.PP/. JAKO-O GmbH, IHR EINKAUF BEI JAKO-O";
        let at = paypal.merchant_in(text).expect("found");
        assert_eq!(&text[at..], "JAKO-O");
        assert_eq!(paypal.merchant_in("Ratenzahlung"), None);
    }
}
