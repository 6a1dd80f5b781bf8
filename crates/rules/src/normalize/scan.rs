//! Normalisation in one pass over the bytes: the same words as the stages give, with hashes.

use std::sync::LazyLock;

use crate::normalize::stages;

/// Factor of the rolling hash; any odd number with well-mixed bits does.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// Fewest letters of a word that is cut off its number, as in the stage.
const CUT_LETTERS_MIN: u32 = 2;
/// First character of the two-byte Latin blocks that [`FOLDS`] covers.
const FOLDS_FROM: u32 = 0x80;
/// How many characters [`FOLDS`] covers.
const FOLDS_LEN: usize = 256;

/// A word separator.
const BLANK: u8 = 0;
/// An apostrophe, which joins letters.
const APOSTROPHE: u8 = 1;
/// The first byte of a character outside of ASCII.
const WIDE: u8 = 2;

/// What each byte stands for: a folded letter or digit, or one of the three above.
const CLASSES: [u8; 256] = classes();

#[expect(clippy::cast_possible_truncation, reason = "the index is below 256")]
const fn classes() -> [u8; 256] {
    let mut table = [BLANK; 256];
    let mut at = 0;
    while at < table.len() {
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' | b'a'..=b'z' => byte,
            b'A'..=b'Z' => byte.to_ascii_lowercase(),
            b'\'' | b'`' => APOSTROPHE,
            0x80.. => WIDE,
            _ => BLANK,
        };
        at = at.saturating_add(1);
    }
    table
}

/// What U+0080 to U+017F fold to, computed by the stages themselves: up to two letters, nothing
/// for a separator.
static FOLDS: LazyLock<[Option<Fold>; FOLDS_LEN]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let code = u32::try_from(index).map_or(0, |index| index.saturating_add(FOLDS_FROM));
        char::from_u32(code).and_then(fold_of)
    })
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Separator,
    Apostrophe,
    One(u8),
    Two(u8, u8),
}

/// `None` where a letter folds to more than fits; the stages must do it then.
fn fold_of(letter: char) -> Option<Fold> {
    if letter == '´' {
        return Some(Fold::Apostrophe);
    }
    let words = stages::words(&letter.to_string());
    match words.first().map(|word| word.folded.as_bytes()) {
        None => Some(Fold::Separator),
        Some([one]) if one.is_ascii() => Some(Fold::One(*one)),
        Some([one, two]) if one.is_ascii() && two.is_ascii() => Some(Fold::Two(*one, *two)),
        Some(_) => None,
    }
}

/// A word of a scanned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScannedWord {
    /// Hash of its folded bytes.
    pub(crate) hash: u64,
    /// Its bytes in [`Scan::folded`].
    pub(crate) folded: (u32, u32),
    /// Its bytes in the text.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The text it stands in, as the caller numbers texts.
    pub(crate) text: u8,
    /// Whether it is letters only.
    pub(crate) letters: bool,
    /// Whether one blank or line feed and letters follow, so that a line break may have split it.
    pub(crate) may_rejoin: bool,
}

/// The words of several texts. Reused between transactions, so that nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    folded: Vec<u8>,
    words: Vec<ScannedWord>,
    text: u8,
}

/// A run of letters and digits while it is read.
struct Run {
    /// First byte in the text.
    start: usize,
    hash: u64,
    /// Folded bytes so far.
    len: u32,
    /// How often letters change to digits or back.
    changes: u8,
    last_is_digit: bool,
    /// Where the first change was: hash and length before it, and the byte in the text.
    cut_hash: u64,
    cut_len: u32,
    cut_at: usize,
}

impl Run {
    const fn new(start: usize) -> Self {
        Self {
            start,
            hash: 0,
            len: 0,
            changes: 0,
            last_is_digit: false,
            cut_hash: 0,
            cut_len: 0,
            cut_at: 0,
        }
    }

    #[inline]
    fn push(&mut self, folded: u8, at: usize) {
        let digit = folded < b'a';
        if digit != self.last_is_digit {
            if self.len > 0 {
                if self.changes == 0 {
                    (self.cut_hash, self.cut_len, self.cut_at) = (self.hash, self.len, at);
                }
                self.changes = self.changes.saturating_add(1);
            }
            self.last_is_digit = digit;
        }
        self.hash = step(self.hash, folded);
        self.len = self.len.wrapping_add(1);
    }
}

impl Scan {
    /// Forgets all texts.
    pub(crate) fn clear(&mut self) {
        self.folded.clear();
        self.words.clear();
    }

    /// The words of all texts in order.
    pub(crate) fn words(&self) -> &[ScannedWord] {
        &self.words
    }

    /// The folded bytes of a word.
    pub(crate) fn bytes(&self, word: &ScannedWord) -> &[u8] {
        &self.folded[word.folded.0 as usize..word.folded.1 as usize]
    }

    /// Reads a text.
    pub(crate) fn read(&mut self, text: &str, number: u8) {
        self.text = number;
        let (words, folded) = (self.words.len(), self.folded.len());
        if self.read_fast(text.as_bytes()).is_none() {
            self.words.truncate(words);
            self.folded.truncate(folded);
            self.read_by_stages(text);
        }
        self.mark_rejoinable(text.as_bytes(), words);
    }

    /// Reads ASCII and the Latin blocks up to U+017F; `None` when something else comes.
    fn read_fast(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            // Most separators are single blanks, which need no more than this look.
            if CLASSES[usize::from(*byte)] <= APOSTROPHE {
                at = at.wrapping_add(1);
            } else {
                at = self.read_run(bytes, at)?;
            }
        }
        Some(())
    }

    /// Reads the run that starts at a letter, a digit or a wide character, and returns where it
    /// ends.
    fn read_run(&mut self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut run = Run::new(start);
        let mut at = start;
        let mut length = 1;
        while let Some(byte) = bytes.get(at) {
            let class = CLASSES[usize::from(*byte)];
            if class >= b'0' {
                run.push(class, at);
                self.folded.push(class);
                at = at.wrapping_add(1);
                continue;
            }
            let fold = fold_at(bytes, at, class)?;
            length = if class == WIDE { 2 } else { 1 };
            match fold {
                Fold::One(one) => {
                    run.push(one, at);
                    self.folded.push(one);
                }
                Fold::Two(one, two) => {
                    run.push(one, at);
                    run.push(two, at);
                    self.folded.extend([one, two]);
                }
                Fold::Apostrophe if joins(&run, bytes, at.wrapping_add(length)) => {}
                Fold::Separator | Fold::Apostrophe => break,
            }
            at = at.wrapping_add(length);
        }
        self.close(&run, at);
        // What ended the run is no part of a word.
        Some(at.wrapping_add(length).min(bytes.len()))
    }

    /// Adds the word or the two words of a run that ends before the byte `end` of the text.
    fn close(&mut self, run: &Run, end: usize) {
        if run.len == 0 {
            return;
        }
        let to = small(self.folded.len());
        let from = to.wrapping_sub(run.len);
        let letters_first = run.last_is_digit;
        let tail_len = run.len.wrapping_sub(run.cut_len);
        let letters = if letters_first { run.cut_len } else { tail_len };
        let span = (small(run.start), small(end));
        if run.changes == 1 && letters >= CUT_LETTERS_MIN {
            let cut = from.wrapping_add(run.cut_len);
            let cut_at = small(run.cut_at);
            let tail = run
                .hash
                .wrapping_sub(run.cut_hash.wrapping_mul(power(tail_len)));
            self.add(run.cut_hash, (from, cut), (span.0, cut_at), letters_first);
            self.add(tail, (cut, to), (cut_at, span.1), !letters_first);
        } else {
            let letters = run.changes == 0 && !run.last_is_digit;
            self.add(run.hash, (from, to), span, letters);
        }
    }

    fn add(&mut self, hash: u64, folded: (u32, u32), span: (u32, u32), letters: bool) {
        self.words.push(ScannedWord {
            hash,
            folded,
            start: span.0,
            end: span.1,
            text: self.text,
            letters,
            may_rejoin: false,
        });
    }

    /// Reads any text, at the cost of allocations.
    fn read_by_stages(&mut self, text: &str) {
        for word in stages::words(text) {
            let from = small(self.folded.len());
            self.folded.extend_from_slice(word.folded.as_bytes());
            let to = small(self.folded.len());
            let letters = word.folded.bytes().all(|byte| byte.is_ascii_lowercase());
            let span = (small(word.start), small(word.end));
            self.add(hash_of(word.folded.as_bytes()), (from, to), span, letters);
        }
    }

    fn mark_rejoinable(&mut self, bytes: &[u8], from: usize) {
        let words = &mut self.words[from..];
        for at in 1..words.len() {
            let (one, two) = (words[at.wrapping_sub(1)], words[at]);
            let gap = bytes.get(one.end as usize..two.start as usize);
            words[at.wrapping_sub(1)].may_rejoin =
                one.letters && two.letters && matches!(gap, Some(b" " | b"\n"));
        }
    }
}

/// What the character of a class other than letter or digit folds to; `None` when only the stages
/// know.
fn fold_at(bytes: &[u8], at: usize, class: u8) -> Option<Fold> {
    match class {
        WIDE => wide_fold(bytes, at),
        APOSTROPHE => Some(Fold::Apostrophe),
        _ => Some(Fold::Separator),
    }
}

/// Longest word that [`fold_word`] keeps.
const FOLDED_WORD_MAX: usize = 24;

/// A folded word that needs no allocation.
pub(crate) struct FoldedWord {
    bytes: [u8; FOLDED_WORD_MAX],
    len: usize,
}

impl FoldedWord {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }
}

/// Folds the Latin letters and digits of a word and leaves out everything else.
pub(crate) fn fold_word(word: &str) -> FoldedWord {
    let mut folded = FoldedWord {
        bytes: [0; FOLDED_WORD_MAX],
        len: 0,
    };
    let bytes = word.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match CLASSES[usize::from(*byte)] {
            WIDE => match wide_fold(bytes, at) {
                Some(Fold::One(one)) => folded.push(one),
                Some(Fold::Two(one, two)) => {
                    folded.push(one);
                    folded.push(two);
                }
                Some(Fold::Separator | Fold::Apostrophe) | None => {}
            },
            BLANK | APOSTROPHE => {}
            letter => folded.push(letter),
        }
    }
    folded
}

/// What a two-byte character folds to, `None` for longer ones.
fn wide_fold(bytes: &[u8], at: usize) -> Option<Fold> {
    let (first, second) = (*bytes.get(at)?, *bytes.get(at.wrapping_add(1))?);
    // 0xC2..=0xC5 lead U+0080..=U+017F, sixty-four characters each.
    let block = first.checked_sub(0xc2).filter(|block| *block < 4)?;
    let index = usize::from(block)
        .wrapping_mul(64)
        .wrapping_add(usize::from(second & 0x3f));
    FOLDS.get(index).copied().flatten()
}

/// Whether an apostrophe before the byte `next` stands between two letters.
///
/// A character that only the stages know makes the whole text theirs, so its answer is never used.
fn joins(run: &Run, bytes: &[u8], next: usize) -> bool {
    let letter_follows = bytes
        .get(next)
        .is_some_and(|byte| match CLASSES[usize::from(*byte)] {
            WIDE => matches!(wide_fold(bytes, next), Some(Fold::One(_) | Fold::Two(..))),
            class => class >= b'a',
        });
    run.len > 0 && !run.last_is_digit && letter_follows
}

/// The hash after one more byte.
const fn step(hash: u64, byte: u8) -> u64 {
    // The widening of a byte is lossless; `u64::from` is not const.
    hash.wrapping_mul(FACTOR)
        .wrapping_add(byte as u64)
        .wrapping_add(1)
}

/// The hash of a folded word.
pub(crate) fn hash_of(word: &[u8]) -> u64 {
    word.iter().fold(0, |hash, byte| step(hash, *byte))
}

/// The hash of two words written together, from their hashes.
pub(crate) fn hash_of_pair(one: u64, two: u64, two_len: u32) -> u64 {
    one.wrapping_mul(power(two_len)).wrapping_add(two)
}

const fn power(exponent: u32) -> u64 {
    if (exponent as usize) < POWERS.len() {
        return POWERS[exponent as usize];
    }
    FACTOR.wrapping_pow(exponent)
}

/// The powers that nearly every word needs.
const POWERS: [u64; 64] = {
    let mut powers = [1_u64; 64];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at.wrapping_sub(1)].wrapping_mul(FACTOR);
        at = at.wrapping_add(1);
    }
    powers
};

/// Texts are far below 4 GiB, which the upload limit makes sure of.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both ways to read a text must agree on words, places and hashes.
    fn check(text: &str) {
        let mut scan = Scan::default();
        scan.read("before", 0);
        scan.read(text, 1);
        let scanned: Vec<_> = scan
            .words()
            .iter()
            .filter(|word| word.text == 1)
            .map(|word| {
                let folded = String::from_utf8(scan.bytes(word).to_vec()).expect("UTF-8");
                assert_eq!(word.hash, hash_of(folded.as_bytes()), "{text:?}");
                (folded, word.start as usize, word.end as usize)
            })
            .collect();
        let staged: Vec<_> = stages::words(text)
            .into_iter()
            .map(|word| (word.folded, word.start, word.end))
            .collect();
        assert_eq!(scanned, staged, "{text:?}");
    }

    #[test]
    fn every_latin_letter_reads_alike() {
        for code in 0..0x250 {
            let letter = char::from_u32(code).expect("a character");
            for text in [
                letter.to_string(),
                format!("a{letter}b"),
                format!("1{letter}"),
                format!("o'{letter}x"),
                format!("{letter}'x12"),
            ] {
                check(&text);
            }
        }
    }

    #[test]
    fn known_texts_read_alike() {
        for text in [
            "REWE SAGT DANKE. 4711//Köln/DE",
            "SVWZ+Miete10/2024 Straße12b 2024gehalt",
            "l’Oréal mu\u{308}ller Ω 1und1 o2",
            "o'zapft 'is' a''b",
        ] {
            check(text);
        }
    }

    #[test]
    fn pairs_hash_as_one_word() {
        let (one, two) = (hash_of(b"grund"), hash_of(b"steuer"));
        assert_eq!(hash_of_pair(one, two, 6), hash_of(b"grundsteuer"));
        let long = [b'x'; 100];
        let all = [b"ab".as_slice(), &long].concat();
        assert_eq!(
            hash_of_pair(hash_of(b"ab"), hash_of(&long), 100),
            hash_of(&all)
        );
    }

    proptest! {
        #[test]
        fn scanning_agrees_with_the_stages(text in "\\PC{0,60}") {
            check(&text);
        }

        #[test]
        fn scanning_agrees_on_bank_like_texts(text in "[a-zA-ZäöüÄÖÜßé0-9 '´+/.,:\n-]{0,80}") {
            check(&text);
        }
    }
}
