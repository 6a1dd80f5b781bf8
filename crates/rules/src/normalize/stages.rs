//! The stages of normalisation, written for clarity.

/// Fewest letters of a word that is cut off its number.
const CUT_LETTERS_MIN: usize = 2;

/// A character on its way through the stages, and the bytes of the text it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The character; a blank separates words.
    pub folded: char,
    /// First byte in the text.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

/// A normalised word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its folded letters and digits.
    pub folded: String,
    /// First byte in the text.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

/// One step of normalisation.
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub apply: fn(&[Piece]) -> Vec<Piece>,
    /// Texts that it must leave as they are.
    pub keeps: &'static [&'static str],
    /// Texts that it changes, and into what.
    pub turns: &'static [(&'static str, &'static str)],
}

/// Every stage in order.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "fold case",
        apply: fold_case,
        keeps: &["4711", "rewe", "größe", "§ 12/3"],
        turns: &[("REWE Markt", "rewe markt"), ("ÄRZTE", "ärzte")],
    },
    Stage {
        name: "fold umlauts and accents",
        apply: fold_umlauts,
        keeps: &["aue", "ae", "4711", "rewe", "neue", "a-b"],
        turns: &[
            ("müller", "mueller"),
            ("straße", "strasse"),
            ("mu\u{308}ller", "mueller"),
            ("café", "cafe"),
            ("cafe\u{301}", "cafe"),
        ],
    },
    Stage {
        name: "drop apostrophes inside words",
        apply: drop_apostrophes,
        keeps: &["'abc'", "5'000", "a ' b"],
        turns: &[("mcdonald's", "mcdonalds"), ("l’oreal", "loreal")],
    },
    Stage {
        name: "blank what is neither letter nor digit",
        apply: blank_separators,
        keeps: &["o2", "b2b", "1und1", "rewe 4711"],
        turns: &[("h&m", "h m"), ("kfz-st.", "kfz st "), ("10,50", "10 50")],
    },
    Stage {
        name: "cut a word off its number",
        apply: cut_numbers,
        keeps: &[
            "o2",
            "b2b",
            "1und1",
            "de07zzz0110",
            "8u0sdkse417",
            "k540170977",
            "abc",
        ],
        turns: &[("miete10", "miete 10"), ("2024gehalt", "2024 gehalt")],
    },
];

/// The words of a text after every stage.
pub fn words(text: &str) -> Vec<Word> {
    let pieces = STAGES
        .iter()
        .fold(pieces(text), |pieces, stage| (stage.apply)(&pieces));
    pieces
        .split(|piece| piece.folded == ' ')
        .filter_map(|word| {
            Some(Word {
                folded: word.iter().map(|piece| piece.folded).collect(),
                start: word.first()?.start,
                end: word.last()?.end,
            })
        })
        .collect()
}

/// A text as pieces, before the first stage.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    text.char_indices()
        .map(|(start, folded)| Piece {
            folded,
            start,
            end: start.saturating_add(folded.len_utf8()),
        })
        .collect()
}

fn fold_case(pieces: &[Piece]) -> Vec<Piece> {
    let lower = |piece: &Piece| {
        let piece = *piece;
        let letters = piece.folded.to_lowercase();
        letters.map(move |folded| Piece { folded, ..piece })
    };
    pieces.iter().flat_map(lower).collect()
}

fn fold_umlauts(pieces: &[Piece]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let before = out.last().map(|piece| piece.folded);
        match piece.folded {
            // A diaeresis that follows its vowel is an umlaut in decomposed form.
            '\u{308}' if matches!(before, Some('a' | 'o' | 'u')) => {
                out.push(Piece {
                    folded: 'e',
                    ..*piece
                });
            }
            '\u{300}'..='\u{36f}' => {}
            letter => match ascii_of(letter) {
                Some(text) => out.extend(text.chars().map(|folded| Piece { folded, ..*piece })),
                None => out.push(*piece),
            },
        }
    }
    out
}

/// Plain letters for a lower-case letter of the Latin blocks up to U+017F, and for the long s.
fn ascii_of(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'þ' => "th",
        'ĳ' => "ij",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' | 'ª' => "a",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' | 'ĸ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŉ' | 'ŋ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ŏ' | 'ő' | 'º' => "o",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ſ' => "s",
        'ţ' | 'ť' | 'ŧ' => "t",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'µ' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

fn drop_apostrophes(pieces: &[Piece]) -> Vec<Piece> {
    let letter = |at: Option<usize>| {
        at.and_then(|at| pieces.get(at))
            .is_some_and(|piece| piece.folded.is_alphabetic())
    };
    let inside = |at: usize| {
        is_apostrophe(pieces[at].folded) && letter(at.checked_sub(1)) && letter(at.checked_add(1))
    };
    (0..pieces.len())
        .filter(|at| !inside(*at))
        .map(|at| pieces[at])
        .collect()
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '´' | '’' | '‘')
}

fn blank_separators(pieces: &[Piece]) -> Vec<Piece> {
    let blank = |piece: &Piece| Piece {
        folded: if is_word(piece.folded) {
            piece.folded
        } else {
            ' '
        },
        ..*piece
    };
    pieces.iter().map(blank).collect()
}

/// Letters of any script, and the ten digits.
fn is_word(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit()
}

/// Cuts only where a run is letters and then digits, or digits and then letters, and nothing more:
/// references such as `8U0SDKSE417W1H` would otherwise fall into short words of pure chance.
fn cut_numbers(pieces: &[Piece]) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len());
    let blank = |piece: &Piece| piece.folded == ' ';
    for run in pieces.chunk_by(|a, b| blank(a) == blank(b)) {
        match cut_of(run) {
            Some(cut) => {
                let (head, tail) = run.split_at(cut);
                out.extend_from_slice(head);
                out.extend(tail.first().map(|next| Piece {
                    folded: ' ',
                    start: next.start,
                    end: next.start,
                }));
                out.extend_from_slice(tail);
            }
            None => out.extend_from_slice(run),
        }
    }
    out
}

fn cut_of(run: &[Piece]) -> Option<usize> {
    let digit = |piece: &Piece| piece.folded.is_ascii_digit();
    let mut parts = run.chunk_by(|a, b| digit(a) == digit(b));
    let (head, tail, rest) = (parts.next()?, parts.next()?, parts.next());
    let letters = if head.first().is_some_and(digit) {
        tail
    } else {
        head
    };
    (rest.is_none() && letters.len() >= CUT_LETTERS_MIN).then_some(head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(stage: &Stage, text: &str) -> String {
        (stage.apply)(&pieces(text))
            .iter()
            .map(|piece| piece.folded)
            .collect()
    }

    #[test]
    fn each_stage_keeps_and_turns_what_it_says() {
        for stage in STAGES {
            for text in stage.keeps {
                assert_eq!(apply(stage, text), *text, "{}", stage.name);
            }
            for (text, expected) in stage.turns {
                assert_eq!(apply(stage, text), *expected, "{}", stage.name);
            }
        }
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(crate::normalize::normalized(text), expected, "{text}");
    }

    #[test]
    fn all_stages_together() {
        check("  MÜLLER & Söhne  ", "mueller soehne");
        check("McDonald's 117//Stuttgart/DE", "mcdonalds 117 stuttgart de");
        check("SVWZ+Miete10/2024", "svwz miete 10 2024");
        check("R+V, E.ON, 1&1", "r v e on 1 1");
        check("ΑΘΗΝΑ Καφέ", "αθηνα καφέ");
        check("İstanbul Grill", "istanbul grill");
        check("", "");
        check(" ./- ", "");
    }

    #[test]
    fn spans_point_into_the_text() {
        let text = "Für Straße12 ok";
        let spans: Vec<_> = words(text)
            .into_iter()
            .map(|word| (word.folded, &text[word.start..word.end]))
            .collect();
        let expected = [
            ("fuer", "Für"),
            ("strasse", "Straße"),
            ("12", "12"),
            ("ok", "ok"),
        ];
        assert_eq!(
            spans,
            expected.map(|(folded, raw)| (folded.to_owned(), raw))
        );
    }
}
