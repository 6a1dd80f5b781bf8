//! Splits remittance information that banks have packed with SEPA fields.
//!
//! Three spellings occur: `EREF+…MREF+…SVWZ+…` (MT940), `EREF: … MREF: …` with the text before or
//! after, and running labels such as `Referenz … Mandat … Einreicher-ID …`. Identifiers are kept
//! out of the text, because their letters are chance and would match as words.

use memchr::memchr2_iter;

/// Most parts that are told apart; what follows stays one text.
pub const PARTS_MAX: usize = 10;

/// What a part of the remittance information is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartKind {
    /// Text for people (`SVWZ`), and everything outside of fields.
    Text,
    /// A reference: end to end, of the customer, of the bank.
    Reference,
    /// The mandate (`MREF`).
    Mandate,
    /// The creditor identifier (`CRED`).
    Creditor,
    /// The ultimate debtor (`ABWA`).
    UltimateDebtor,
    /// The ultimate creditor (`ABWE`).
    UltimateCreditor,
    /// The other side's name, repeated by the bank.
    Counterparty,
}

/// A part, as byte range of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// First byte.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

/// The parts of a text in order.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    parts: [Part; PARTS_MAX],
    len: usize,
}

impl Parts {
    /// The parts.
    pub fn as_slice(&self) -> &[Part] {
        &self.parts[..self.len]
    }

    /// Adds a part without the blanks around it, unless nothing is left of it.
    fn push(&mut self, text: &str, part: Part) {
        let raw = &text[part.start..part.end];
        let start = part.end.saturating_sub(raw.trim_ascii_start().len());
        let end = start.saturating_add(raw.trim_ascii().len());
        if start == end {
            return;
        }
        let trimmed = Part { start, end, ..part };
        if let Some(place) = self.parts.get_mut(self.len) {
            *place = trimmed;
            self.len = self.len.saturating_add(1);
        } else if let Some(last) = self.parts.last_mut() {
            *last = Part {
                kind: PartKind::Text,
                start: last.start,
                end: trimmed.end,
            };
        }
    }
}

/// How a field is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `EREF+`, whose value runs up to the next field.
    Plus,
    /// `EREF:` or a bare label, whose value is one word if it is an identifier.
    Label,
}

#[derive(Clone, Copy)]
struct Marker {
    start: usize,
    value: usize,
    kind: PartKind,
    spelling: Spelling,
}

/// Four-letter fields of MT940.
///
/// # Source
/// Deutsche Kreditwirtschaft, DFÜ agreement annex 3, field 86.
const FIELDS: [(&str, PartKind); 14] = [
    ("SVWZ", PartKind::Text),
    ("EREF", PartKind::Reference),
    ("KREF", PartKind::Reference),
    ("MREF", PartKind::Mandate),
    ("CRED", PartKind::Creditor),
    ("DEBT", PartKind::Reference),
    ("ABWA", PartKind::UltimateDebtor),
    ("ABWE", PartKind::UltimateCreditor),
    ("BREF", PartKind::Reference),
    ("RREF", PartKind::Reference),
    ("COAM", PartKind::Reference),
    ("OAMT", PartKind::Reference),
    ("PURP", PartKind::Reference),
    ("IBAN", PartKind::Reference),
];

/// Labels before a colon, in lower case.
const LABELS: [(&str, PartKind); 17] = [
    ("end-to-end-ref.", PartKind::Reference),
    ("end-to-end-referenz", PartKind::Reference),
    ("kundenreferenz", PartKind::Reference),
    ("referenz", PartKind::Reference),
    ("reference", PartKind::Reference),
    ("mandatsref.", PartKind::Mandate),
    ("mandatsreferenz", PartKind::Mandate),
    ("mandatereference", PartKind::Mandate),
    ("gläubiger-id", PartKind::Creditor),
    ("glaeubiger-id", PartKind::Creditor),
    ("creditorid", PartKind::Creditor),
    ("verwendungszweck", PartKind::Text),
    ("remittanceinformation", PartKind::Text),
    ("buchungstext", PartKind::Text),
    ("auftraggeber", PartKind::Counterparty),
    ("empfänger", PartKind::Counterparty),
    ("empfaenger", PartKind::Counterparty),
];

/// Labels that stand without colon at the start of the text.
const BARE_LABELS: [(&str, PartKind); 4] = [
    ("Referenz ", PartKind::Reference),
    ("Mandat ", PartKind::Mandate),
    ("Einreicher-ID ", PartKind::Creditor),
    ("Verwendungszweck ", PartKind::Text),
];

/// Splits a text into its parts. A text without fields is one part.
pub fn split(text: &str) -> Parts {
    let nothing = Part {
        kind: PartKind::Text,
        start: 0,
        end: 0,
    };
    let mut parts = Parts {
        parts: [nothing; PARTS_MAX],
        len: 0,
    };
    let mut markers = Markers::new();
    markers.find(text);
    let markers = markers.as_slice();
    let first = markers.first().map_or(text.len(), |marker| marker.start);
    parts.push(
        text,
        Part {
            end: first,
            ..nothing
        },
    );
    let texts_are_named = markers.iter().any(|marker| marker.kind == PartKind::Text);
    for (at, marker) in markers.iter().enumerate() {
        let next = markers.get(at.saturating_add(1));
        let end = next.map_or(text.len(), |next| next.start);
        let part = Part {
            kind: marker.kind,
            start: marker.value,
            end,
        };
        let runs_on = marker.spelling == Spelling::Plus && texts_are_named;
        if runs_on || !marker.kind.is_identifier() {
            parts.push(text, part);
        } else {
            let word_end = end_of_word(text, marker.value, end);
            parts.push(
                text,
                Part {
                    end: word_end,
                    ..part
                },
            );
            parts.push(
                text,
                Part {
                    start: word_end,
                    end,
                    ..nothing
                },
            );
        }
    }
    parts
}

impl PartKind {
    const fn is_identifier(self) -> bool {
        match self {
            Self::Reference | Self::Mandate | Self::Creditor => true,
            Self::Text | Self::UltimateDebtor | Self::UltimateCreditor | Self::Counterparty => {
                false
            }
        }
    }
}

/// The end of the first word from `start`, blanks before it skipped; commas end a word too.
fn end_of_word(text: &str, start: usize, end: usize) -> usize {
    let raw = &text[start..end];
    let word = raw.trim_start();
    let length = word
        .find([' ', '\n', '\r', '\t', ','])
        .unwrap_or(word.len());
    end.saturating_sub(word.len()).saturating_add(length)
}

struct Markers {
    list: [Marker; PARTS_MAX],
    len: usize,
}

impl Markers {
    const fn new() -> Self {
        Self {
            list: [Marker {
                start: 0,
                value: 0,
                kind: PartKind::Text,
                spelling: Spelling::Label,
            }; PARTS_MAX],
            len: 0,
        }
    }

    fn as_slice(&self) -> &[Marker] {
        &self.list[..self.len]
    }

    fn push(&mut self, marker: Marker) {
        if let Some(place) = self.list.get_mut(self.len) {
            *place = marker;
            self.len = self.len.saturating_add(1);
        }
    }

    fn find(&mut self, text: &str) {
        let bare_end = self.find_bare(text);
        let bytes = text.as_bytes();
        for at in memchr2_iter(b'+', b':', bytes) {
            let head = &text[bare_end.min(at)..at];
            let found = if bytes[at] == b'+' {
                field_before(head).map(|(kind, length)| (kind, length, Spelling::Plus))
            } else {
                label_before(head).map(|(kind, length)| (kind, length, Spelling::Label))
            };
            if let Some((kind, length, spelling)) = found {
                self.push(Marker {
                    start: at.saturating_sub(length),
                    value: at.saturating_add(1),
                    kind,
                    spelling,
                });
            }
        }
    }

    /// Reads labels without colon at the start and returns where they end.
    fn find_bare(&mut self, text: &str) -> usize {
        let mut at = 0;
        if !text.starts_with(BARE_LABELS[0].0) {
            return at;
        }
        while let Some((label, kind)) = BARE_LABELS
            .iter()
            .find(|(label, _)| text[at..].starts_with(label))
        {
            let value = at.saturating_add(label.len());
            self.push(Marker {
                start: at,
                value,
                kind: *kind,
                spelling: Spelling::Label,
            });
            if !kind.is_identifier() {
                return value;
            }
            let word_end = end_of_word(text, value, text.len());
            let rest = &text[word_end..];
            at = text.len().saturating_sub(rest.trim_start().len());
        }
        at
    }
}

/// The field whose name ends the text before a plus sign.
///
/// Nothing needs to stand before it: banks write `EREF+NOTPROVIDEDSVWZ+`.
fn field_before(head: &str) -> Option<(PartKind, usize)> {
    let name = head.get(head.len().checked_sub(4)?..)?;
    let (_, kind) = FIELDS.iter().find(|(field, _)| *field == name)?;
    Some((*kind, name.len()))
}

/// The field or label whose name ends the text before a colon, as a word of its own.
fn label_before(head: &str) -> Option<(PartKind, usize)> {
    // Times of day are by far the most frequent colons.
    if head.as_bytes().last().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    field_before(head)
        .filter(|(_, length)| is_own_word(head, *length))
        .or_else(|| {
            let mut labels = LABELS
                .iter()
                .map(|(label, kind)| (label, *kind, label.len()));
            labels
                .find(|(label, _, length)| ends_with(head, label) && is_own_word(head, *length))
                .map(|(_, kind, length)| (kind, length))
        })
}

/// Whether the last `length` bytes are not the end of a longer word.
fn is_own_word(head: &str, length: usize) -> bool {
    let before = head
        .len()
        .checked_sub(length)
        .and_then(|end| head.get(..end));
    before.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
}

fn ends_with(head: &str, label: &str) -> bool {
    let (head, label) = (head.as_bytes(), label.as_bytes());
    let last = |text: &[u8]| text.last().map(u8::to_ascii_lowercase);
    // Most labels already differ in the last letter.
    last(head) == last(label)
        && head
            .len()
            .checked_sub(label.len())
            .and_then(|start| head.get(start..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(PartKind, &str)]) {
        let parts = split(text);
        let found: Vec<_> = parts
            .as_slice()
            .iter()
            .map(|part| (part.kind, &text[part.start..part.end]))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    use PartKind::{
        Counterparty, Creditor, Mandate, Reference, Text, UltimateCreditor, UltimateDebtor,
    };

    #[test]
    fn plus_fields() {
        check(
            "EREF+782637MREF+500841-01CRED+DE07ZZZ03214321047SVWZ+Zahn Schutz 57ABWE+Muster GmbH",
            &[
                (Reference, "782637"),
                (Mandate, "500841-01"),
                (Creditor, "DE07ZZZ03214321047"),
                (Text, "Zahn Schutz 57"),
                (UltimateCreditor, "Muster GmbH"),
            ],
        );
        check(
            "EREF+NOTPROVIDEDSVWZ+Miete ABWA+Max Muster",
            &[
                (Reference, "NOTPROVIDED"),
                (Text, "Miete"),
                (UltimateDebtor, "Max Muster"),
            ],
        );
        // Without SVWZ the text follows the identifier after a blank.
        check(
            "EREF+4711 Miete Mai",
            &[(Reference, "4711"), (Text, "Miete Mai")],
        );
    }

    #[test]
    fn colon_fields_with_text_around() {
        check(
            "Strom 778 EREF: FXR0 MREF: 969 CRED: DE05ZZZ079",
            &[
                (Text, "Strom 778"),
                (Reference, "FXR0"),
                (Mandate, "969"),
                (Creditor, "DE05ZZZ079"),
            ],
        );
        check(
            "mandatereference:LB7E,creditorid:DE35ZZZ05,reference:69R remittanceinformation:VGB 2010",
            &[
                (Mandate, "LB7E"),
                (Text, ","),
                (Creditor, "DE35ZZZ05"),
                (Text, ","),
                (Reference, "69R"),
                (Text, "VGB 2010"),
            ],
        );
        check(
            "Auftraggeber: LOTTO24 AG Buchungstext: Spielauftrag 13 End-to-End-Ref.: YT5 Rest",
            &[
                (Counterparty, "LOTTO24 AG"),
                (Text, "Spielauftrag 13"),
                (Reference, "YT5"),
                (Text, "Rest"),
            ],
        );
        check(
            "Gläubiger-ID: DE11ZZZ Ref",
            &[(Creditor, "DE11ZZZ"), (Text, "Ref")],
        );
    }

    #[test]
    fn bare_labels() {
        check(
            "Referenz NOTPROVIDED Mandat 794 Einreicher-ID DE07ZZZ011 Abbuchung 45",
            &[
                (Reference, "NOTPROVIDED"),
                (Mandate, "794"),
                (Creditor, "DE07ZZZ011"),
                (Text, "Abbuchung 45"),
            ],
        );
        check(
            "Referenz YYU Verwendungszweck WOGG 23 WOHNGELD",
            &[(Reference, "YYU"), (Text, "WOGG 23 WOHNGELD")],
        );
        check("Mandat 12 Text", &[(Text, "Mandat 12 Text")]);
    }

    #[test]
    fn ordinary_texts_stay_whole() {
        for text in [
            "Miete Mai",
            "Kauf 10:30 Uhr",
            "1+1 gratis",
            "Familie: Urlaub",
            "D\u{dc}EREF: x",
            "präferenz: ja",
        ] {
            check(text, &[(Text, text)]);
        }
        check("", &[]);
        check("  \n ", &[]);
    }

    #[test]
    fn more_fields_than_fit_stay_text() {
        let text = "EREF+1 a KREF+2 b MREF+3 c CRED+4 d DEBT+5 e BREF+6 f RREF+7 g";
        let parts = split(text);
        assert_eq!(parts.as_slice().len(), PARTS_MAX);
        assert_eq!(
            parts.as_slice().last().map(|part| part.end),
            Some(text.len())
        );
    }
}
