//! Words that tell what a booking is, found in one pass over its texts.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use domain::Transaction;

/// What the words of a booking speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Topics(u16);

impl Topics {
    /// A payment that came back.
    pub(crate) const RETURN: Self = Self(1);
    /// What a bank charges.
    pub(crate) const FEE: Self = Self(1 << 1);
    /// A partner gives money back.
    pub(crate) const REFUND: Self = Self(1 << 2);
    /// Money moves between accounts of one holder.
    pub(crate) const TRANSFER: Self = Self(1 << 3);
    /// A credit card is settled.
    pub(crate) const CARD: Self = Self(1 << 4);
    /// Money is put aside.
    pub(crate) const SAVING: Self = Self(1 << 5);
    /// Securities.
    pub(crate) const DEPOT: Self = Self(1 << 6);
    /// A building society.
    pub(crate) const BAUSPAREN: Self = Self(1 << 7);
    /// A loan is paid back.
    pub(crate) const LOAN: Self = Self(1 << 8);
    /// Money for fixed terms.
    pub(crate) const TERM: Self = Self(1 << 10);
    /// A savings book.
    pub(crate) const BOOK: Self = Self(1 << 11);
    /// Notes and coins.
    pub(crate) const CASH: Self = Self(1 << 12);

    /// Both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one topic is in both.
    pub(crate) const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Words with the topics they belong to. `ue`, `oe`, `ae` stand for umlauts as well.
const WORDS: [(&str, Topics); 95] = [
    ("ruecklast", Topics::RETURN),
    ("rueckgabe", Topics::RETURN),
    ("rueckbuch", Topics::RETURN),
    ("rueckruf", Topics::RETURN),
    ("rueckueberweis", Topics::RETURN),
    ("ueberweisung retour", Topics::RETURN),
    ("unanbringlich", Topics::RETURN),
    ("lastschrift retour", Topics::RETURN),
    ("rueckrechnung", Topics::RETURN),
    ("rueckbelast", Topics::RETURN),
    ("wiedergutschrift", Topics::RETURN),
    ("nicht eingeloest", Topics::RETURN),
    ("nichteinloes", Topics::RETURN),
    ("nicht ausgefuehrt", Topics::RETURN),
    ("mangels deckung", Topics::RETURN),
    ("unbezahlt", Topics::RETURN),
    ("storno lastschrift", Topics::RETURN),
    ("lastschriftstorno", Topics::RETURN),
    ("lastschrift storno", Topics::RETURN),
    ("widerspruch", Topics::RETURN),
    ("returned", Topics::RETURN),
    ("sdd return", Topics::RETURN),
    ("direct debit return", Topics::RETURN),
    ("chargeback", Topics::RETURN),
    ("entgelt", Topics::FEE),
    ("gebuehr", Topics::FEE),
    ("porto", Topics::FEE),
    ("auslagen", Topics::FEE),
    ("kosten", Topics::FEE),
    ("benachrichtigung", Topics::FEE),
    ("spesen", Topics::FEE),
    ("preis", Topics::FEE),
    (" fee", Topics::FEE),
    ("erstattung", Topics::REFUND),
    ("refund", Topics::REFUND),
    ("retoure", Topics::REFUND),
    ("ruecksendung", Topics::REFUND),
    ("rueckzahlung", Topics::REFUND),
    ("rueckz.", Topics::REFUND),
    ("ueberzahlung", Topics::REFUND),
    ("rueckverguet", Topics::REFUND),
    ("kartengutschrift", Topics::REFUND),
    ("storno", Topics::REFUND),
    ("widerruf", Topics::REFUND),
    ("guthaben", Topics::REFUND),
    ("umbuchung", Topics::TRANSFER),
    ("uebertrag", Topics::TRANSFER),
    ("internal transfer", Topics::TRANSFER),
    ("own transfer", Topics::TRANSFER),
    ("interne buchung", Topics::TRANSFER),
    ("interne ueberweisung", Topics::TRANSFER),
    ("eigenes konto", Topics::TRANSFER),
    ("mein konto", Topics::TRANSFER),
    ("top-up", Topics::TRANSFER),
    ("top up", Topics::TRANSFER),
    ("topup", Topics::TRANSFER),
    ("referenzkonto", Topics::TRANSFER),
    ("cash pool", Topics::TRANSFER),
    ("kreditkartenabr", Topics::CARD),
    ("kreditkarten-abr", Topics::CARD),
    ("kreditkarten abr", Topics::CARD),
    ("kreditkarteneinzug", Topics::CARD),
    ("kreditkartenums", Topics::CARD),
    ("kartenabrechnung", Topics::CARD),
    ("kk-abrechnung", Topics::CARD),
    ("abrechnung kreditkarte", Topics::CARD),
    ("abrechnung visa", Topics::CARD),
    ("abrechnung mastercard", Topics::CARD),
    ("visa-abrechnung", Topics::CARD),
    ("visa abrechnung", Topics::CARD),
    ("mastercard abrechnung", Topics::CARD),
    ("ausgleich kreditkarte", Topics::CARD),
    ("ausgleich kartenkonto", Topics::CARD),
    ("credit card settlement", Topics::CARD),
    ("credit card statement", Topics::CARD),
    ("sparen", Topics::SAVING),
    ("sparplan", Topics::SAVING),
    ("sparrate", Topics::SAVING),
    ("ruecklage", Topics::SAVING),
    ("tagesgeld", Topics::SAVING),
    ("festgeld", Topics::SAVING.and(Topics::TERM)),
    ("termingeld", Topics::SAVING.and(Topics::TERM)),
    ("sparbuch", Topics::SAVING.and(Topics::BOOK)),
    ("sparkonto", Topics::SAVING.and(Topics::BOOK)),
    ("depot", Topics::DEPOT),
    ("wertpapier", Topics::DEPOT),
    ("bauspar", Topics::BAUSPAREN),
    ("darlehen", Topics::LOAN),
    ("kreditrate", Topics::LOAN),
    ("tilgung", Topics::LOAN),
    ("bargeld", Topics::CASH),
    ("geldautomat", Topics::CASH),
    ("barauszahl", Topics::CASH),
    ("bareinzahl", Topics::CASH),
    ("cash withdrawal", Topics::CASH),
];

struct Finder {
    automaton: Option<AhoCorasick>,
    /// The topics of each pattern.
    topics: Vec<Topics>,
}

static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    let mut patterns = Vec::new();
    let mut topics = Vec::new();
    for (word, topic) in WORDS {
        for spelling in spellings(word) {
            patterns.push(spelling);
            topics.push(topic);
        }
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns);
    Finder {
        // The patterns are few and constant; a test holds that they build.
        automaton: automaton.ok(),
        topics,
    }
});

/// A word as it stands, and with small and capital umlauts.
fn spellings(word: &str) -> Vec<String> {
    let small = word
        .replace("ue", "ü")
        .replace("oe", "ö")
        .replace("ae", "ä");
    let capital = small.replace('ü', "Ü").replace('ö', "Ö").replace('ä', "Ä");
    let mut spellings = vec![word.to_owned(), small, capital];
    spellings.dedup();
    spellings
}

/// The topics of a text.
pub(crate) fn topics_of(text: &str) -> Topics {
    let Some(automaton) = &FINDER.automaton else {
        return Topics::default();
    };
    automaton
        .find_overlapping_iter(text)
        .filter_map(|found| FINDER.topics.get(found.pattern().as_usize()))
        .fold(Topics::default(), |all, topic| all.and(*topic))
}

/// The topics of a booking's text and of the bank's word for it.
pub(crate) fn topics(transaction: &Transaction) -> Topics {
    topics_of(transaction.remittance_info.as_str()).and(topics_of(&transaction.booking_text))
}

/// A text in small letters without umlauts and accents, its words one blank apart.
///
/// The rules' normalisation does more than names need, and takes ten times as long.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut is_between = false;
    for letter in text.chars().flat_map(char::to_lowercase) {
        if !letter.is_alphanumeric() {
            // An apostrophe or a combining accent parts no word.
            is_between |= !matches!(letter, '\'' | '’' | '\u{300}'..='\u{36f}');
            continue;
        }
        if is_between && !folded.is_empty() {
            folded.push(' ');
        }
        is_between = false;
        match letter {
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            'á' | 'à' | 'â' | 'ã' | 'å' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ı' => folded.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ø' => folded.push('o'),
            'ú' | 'ù' | 'û' => folded.push('u'),
            'ç' | 'č' | 'ć' => folded.push('c'),
            'š' | 'ş' => folded.push('s'),
            'ž' => folded.push('z'),
            'ñ' => folded.push('n'),
            'ł' => folded.push('l'),
            'ğ' => folded.push('g'),
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_every_spelling() {
        assert!(FINDER.automaton.is_some());
        for (word, topic) in WORDS {
            for spelling in spellings(word) {
                assert!(topics_of(&spelling).meet(topic), "{spelling}");
                assert!(
                    topics_of(&spelling.to_uppercase()).meet(topic),
                    "{spelling}"
                );
            }
        }
    }

    #[test]
    fn names_are_folded() {
        for (text, expected) in [
            ("HÄBERLE, Verena", "haeberle verena"),
            ("  Weiß & Söhne GmbH ", "weiss soehne gmbh"),
            ("McDonald's 4711", "mcdonalds 4711"),
            ("José Muñoz", "jose munoz"),
            ("--", ""),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_has_no_topic() {
        for text in [
            "",
            "REWE SAGT DANKE",
            "Gutschrift",
            "Miete 03/2025",
            "Kreditkarte 1234",
        ] {
            assert_eq!(topics_of(text), Topics::default(), "{text}");
        }
    }
}
