//! Normalisation in one pass over the bytes: the same words as the stages give, with hashes.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::normalize::stages;

/// Factor of the hash; any odd number with well-mixed bits does.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bytes that are hashed at once.
const BLOCK: usize = size_of::<u64>();
/// Fewest letters of a word that is cut off its number, as in the stage.
const CUT_LETTERS_MIN: usize = 2;
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
    /// The folded words one behind the other, and at least a [`BLOCK`] of anything after them.
    folded: Vec<u8>,
    /// How many bytes of them are words.
    len: usize,
    words: Vec<ScannedWord>,
    text: u8,
}

/// A run of letters and digits that are not plain ASCII letters or digits alone, while it is read.
struct Run {
    /// First byte in the text.
    start: usize,
    /// Folded bytes so far.
    len: usize,
    /// How often letters change to digits or back.
    changes: u8,
    last_is_digit: bool,
    /// Where the first change was: the length before it, and the byte in the text.
    cut_len: usize,
    cut_at: usize,
}

impl Run {
    #[inline]
    fn note(&mut self, folded: u8, at: usize) {
        let digit = folded < b'a';
        if digit != self.last_is_digit {
            if self.len > 0 {
                if self.changes == 0 {
                    (self.cut_len, self.cut_at) = (self.len, at);
                }
                self.changes = self.changes.saturating_add(1);
            }
            self.last_is_digit = digit;
        }
        self.len = self.len.wrapping_add(1);
    }
}

/// A word that was just folded: how long it is, and where it stands in the text.
struct Folded {
    len: usize,
    span: (usize, usize),
    letters: bool,
}

impl Scan {
    /// Forgets all texts.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
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

    /// The folded bytes of a word and the one after it, written together.
    pub(crate) fn bytes_of_pair(&self, one: &ScannedWord, two: &ScannedWord) -> &[u8] {
        &self.folded[one.folded.0 as usize..two.folded.1 as usize]
    }

    /// The hash of a word and the one after it, written together.
    pub(crate) fn hash_of_pair(&self, one: &ScannedWord, two: &ScannedWord) -> u64 {
        self.hash(one.folded.0 as usize, two.folded.1 as usize)
    }

    /// Reads a text.
    pub(crate) fn read(&mut self, text: &str, number: u8) {
        self.text = number;
        let (words, len) = (self.words.len(), self.len);
        // No character that is folded here gets longer by it.
        self.make_room(text.len());
        if self.read_fast(text.as_bytes()).is_none() {
            self.words.truncate(words);
            self.len = len;
            self.read_by_stages(text);
        }
        self.mark_rejoinable(text.as_bytes(), words);
    }

    /// Makes sure that so many more folded bytes fit, whole blocks being written.
    fn make_room(&mut self, bytes: usize) {
        let blocks = bytes.saturating_add(BLOCK).saturating_add(BLOCK);
        let wanted = self.len.saturating_add(blocks);
        if self.folded.len() < wanted {
            self.folded.resize(wanted, 0);
        }
    }

    /// Reads ASCII and the Latin blocks up to U+017F; `None` when something else comes.
    fn read_fast(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            // Most separators are single blanks, which need no more than this look.
            if CLASSES[usize::from(*byte)] <= APOSTROPHE {
                at = at.wrapping_add(1);
            } else {
                at = self.read_word(bytes, at)?;
            }
        }
        Some(())
    }

    /// Reads the word that starts at a letter, a digit or a wide character, and returns where what
    /// is next starts. Most words are plain letters or digits, and end at a blank.
    fn read_word(&mut self, bytes: &[u8], start: usize) -> Option<usize> {
        let (mut len, mut hash) = (0_usize, 0);
        let (mut letters, mut digits) = (0, 0);
        let places = self.folded.get_mut(self.len..)?.chunks_exact_mut(BLOCK);
        for place in places {
            let block = Block::of(load(bytes, start.wrapping_add(len)));
            place.copy_from_slice(&block.folded.to_le_bytes());
            hash = step(hash, block.folded);
            letters |= block.letters;
            digits |= block.digits;
            len = len.wrapping_add(block.len);
            // A hash ends with a block that is not full, if need be with an empty one.
            if block.len < BLOCK {
                break;
            }
        }
        let to = start.wrapping_add(len);
        let end = bytes
            .get(to)
            .map_or(BLANK, |byte| CLASSES[usize::from(*byte)]);
        if letters != 0 && digits != 0 || end != BLANK {
            return self.read_run(bytes, start);
        }
        self.add_hashed(
            hash,
            &Folded {
                len,
                span: (start, to),
                letters: digits == 0,
            },
        );
        Some(to.wrapping_add(1))
    }

    /// Reads the run that starts at a letter, a digit or a wide character, and returns where what
    /// is next starts.
    #[inline(never)]
    fn read_run(&mut self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut run = Run {
            start,
            len: 0,
            changes: 0,
            last_is_digit: false,
            cut_len: 0,
            cut_at: 0,
        };
        let mut at = start;
        let mut length = 1;
        while let Some(byte) = bytes.get(at) {
            let class = CLASSES[usize::from(*byte)];
            if class > WIDE {
                self.push(&mut run, class, at);
                at = at.wrapping_add(1);
                continue;
            }
            let fold = fold_at(bytes, at, class)?;
            length = if class == WIDE { 2 } else { 1 };
            match fold {
                Fold::One(one) => self.push(&mut run, one, at),
                Fold::Two(one, two) => {
                    self.push(&mut run, one, at);
                    self.push(&mut run, two, at);
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

    #[inline]
    fn push(&mut self, run: &mut Run, folded: u8, at: usize) {
        self.folded[self.len.wrapping_add(run.len)] = folded;
        run.note(folded, at);
    }

    /// Adds the word or the two words of a run that ends before the byte `end` of the text.
    fn close(&mut self, run: &Run, end: usize) {
        if run.len == 0 {
            return;
        }
        let letters_first = run.last_is_digit;
        let tail_len = run.len.wrapping_sub(run.cut_len);
        let letters = if letters_first { run.cut_len } else { tail_len };
        if run.changes == 1 && letters >= CUT_LETTERS_MIN {
            self.add(&Folded {
                len: run.cut_len,
                span: (run.start, run.cut_at),
                letters: letters_first,
            });
            self.add(&Folded {
                len: tail_len,
                span: (run.cut_at, end),
                letters: !letters_first,
            });
        } else {
            self.add(&Folded {
                len: run.len,
                span: (run.start, end),
                letters: run.changes == 0 && !run.last_is_digit,
            });
        }
    }

    /// Adds the word whose folded bytes stand behind the last one's.
    fn add(&mut self, word: &Folded) {
        let hash = self.hash(self.len, self.len.wrapping_add(word.len));
        self.add_hashed(hash, word);
    }

    #[inline]
    fn add_hashed(&mut self, hash: u64, word: &Folded) {
        let from = self.len;
        self.len = from.wrapping_add(word.len);
        self.words.push(ScannedWord {
            hash,
            folded: (small(from), small(self.len)),
            start: small(word.span.0),
            end: small(word.span.1),
            text: self.text,
            letters: word.letters,
            may_rejoin: false,
        });
    }

    /// The hash of folded bytes. Reads whole blocks and blanks what is too much of the last one.
    #[inline]
    fn hash(&self, from: usize, to: usize) -> u64 {
        let (mut at, mut left) = (from, to.wrapping_sub(from));
        let mut hash = 0;
        while left >= BLOCK {
            hash = step(hash, self.block(at));
            (at, left) = (at.wrapping_add(BLOCK), left.wrapping_sub(BLOCK));
        }
        step(hash, self.block(at) & first_bytes(left))
    }

    #[inline]
    fn block(&self, at: usize) -> u64 {
        let block = self.folded[at..].first_chunk::<BLOCK>();
        block.map_or(0, |block| u64::from_le_bytes(*block))
    }

    /// Reads any text, at the cost of allocations.
    fn read_by_stages(&mut self, text: &str) {
        for word in stages::words(text) {
            let folded = word.folded.as_bytes();
            self.make_room(folded.len());
            self.folded[self.len..][..folded.len()].copy_from_slice(folded);
            self.add(&Folded {
                len: folded.len(),
                span: (word.start, word.end),
                letters: folded.iter().all(u8::is_ascii_lowercase),
            });
        }
    }

    fn mark_rejoinable(&mut self, bytes: &[u8], from: usize) {
        let words = &mut self.words[from..];
        for at in 1..words.len() {
            let (one, two) = (words[at.wrapping_sub(1)], words[at]);
            words[at.wrapping_sub(1)].may_rejoin = one.letters
                && two.letters
                && two.start.wrapping_sub(one.end) == 1
                && matches!(bytes.get(one.end as usize), Some(b' ' | b'\n'));
        }
    }
}

/// Up to eight bytes of text, read at once: each byte of a number is one of the text, the first
/// being the lowest.
struct Block {
    /// How many letters and digits of ASCII stand at its start.
    len: usize,
    /// Those, folded; the rest is blank.
    folded: u64,
    /// The highest bit of each of them that is a letter, or a digit.
    letters: u64,
    digits: u64,
}

impl Block {
    #[inline]
    fn of(text: u64) -> Self {
        const HIGH: u64 = every(0x80);
        // Sums of seven bits each reach the highest bit of their own byte and no other.
        let plain = text & !HIGH;
        let lower = plain | every(0x20);
        let between = |bytes: u64, min: u8, max: u8| {
            let from = bytes.wrapping_add(every(0x80_u8.wrapping_sub(min)));
            let above = bytes.wrapping_add(every(0x7f_u8.wrapping_sub(max)));
            from & !above & !text & HIGH
        };
        let letters = between(lower, b'a', b'z');
        let digits = between(plain, b'0', b'9');
        let others = !(letters | digits) & HIGH;
        let len = (others.trailing_zeros() / 8) as usize;
        let kept = first_bytes(len);
        Self {
            len,
            folded: (text | letters >> 2) & kept,
            letters: letters & kept,
            digits: digits & kept,
        }
    }
}

/// A number with the same byte everywhere.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; BLOCK])
}

/// The bits of the first bytes of a block.
#[inline]
fn first_bytes(count: usize) -> u64 {
    let unused = BLOCK.saturating_sub(count).wrapping_mul(8);
    u64::MAX.checked_shr(small(unused)).unwrap_or(0)
}

/// The eight bytes of a text from a place on, blank where it ends.
#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(block) = rest.first_chunk::<BLOCK>() {
        return u64::from_le_bytes(*block);
    }
    if let Some(block) = text.last_chunk::<BLOCK>() {
        let before = BLOCK.saturating_sub(rest.len()).wrapping_mul(8);
        let block = u64::from_le_bytes(*block);
        return block.checked_shr(small(before)).unwrap_or(0);
    }
    let bytes = rest.iter().rev();
    bytes.fold(0, |block, byte| block << 8 | u64::from(*byte))
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

/// The hash after one more block: both halves of a wide product, so that every bit counts.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves of the product are taken apart"
)]
const fn step(hash: u64, block: u64) -> u64 {
    // The widening is lossless; `u128::from` is not const.
    let mixed = (hash ^ block ^ FACTOR.rotate_left(32)) as u128;
    let wide = mixed.wrapping_mul(FACTOR as u128);
    (wide >> 64) as u64 ^ wide as u64
}

/// The hash of a folded word, as [`Scan`] gives it.
pub(crate) fn hash_of(word: &[u8]) -> u64 {
    let (mut hash, mut rest) = (0, word);
    while let Some((block, more)) = rest.split_first_chunk::<BLOCK>() {
        hash = step(hash, u64::from_le_bytes(*block));
        rest = more;
    }
    let mut last = [0; BLOCK];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    step(hash, u64::from_le_bytes(last))
}

/// Hashes folded words for tables of the product's own data, which nobody can choose to collide.
pub(crate) type WordHash = BuildHasherDefault<WordHasher>;

/// The state of [`WordHash`].
#[derive(Debug, Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= hash_of(bytes);
    }

    fn write_usize(&mut self, length: usize) {
        self.0 = self.0.wrapping_add(length as u64);
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = step(self.0, u64::from(number));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

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
    fn pairs_read_as_one_word() {
        let mut scan = Scan::default();
        scan.read("Grund Steuer", 0);
        let [one, two] = scan.words() else {
            panic!("two words");
        };
        assert!(one.may_rejoin && !two.may_rejoin);
        assert_eq!(scan.bytes_of_pair(one, two), b"grundsteuer");
        assert_eq!(scan.hash_of_pair(one, two), hash_of(b"grundsteuer"));
    }

    #[test]
    fn words_of_every_length_have_hashes_of_their_own() {
        let words: Vec<String> = (0..40).map(|len| "x".repeat(len)).collect();
        let mut hashes: Vec<u64> = words.iter().map(|word| hash_of(word.as_bytes())).collect();
        for word in &words[1..] {
            check(word);
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), words.len());
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
