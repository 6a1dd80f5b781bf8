//! Codes of the German and European payment schemes.

use crate::rule::Direction;

/// The side that a German transaction code (Geschäftsvorfallcode) books on, where it says so.
///
/// Decides only what the sign of the amount cannot: a booking of zero.
///
/// # Source
/// Deutsche Kreditwirtschaft, code list in annex 3 of the DFÜ agreement: 1xx is payments, where
/// 101–129, 177, 185, 188, 190, 191, 195, 197 are debits of orders and 15x–18x are credits.
pub const fn direction_of(transaction_code: u16) -> Option<Direction> {
    match transaction_code {
        1..=6
        | 8..=9
        | 83
        | 101..=129
        | 177
        | 185
        | 188
        | 190
        | 191
        | 193
        | 195
        | 197
        | 199
        | 601..=604
        | 801..=812 => Some(Direction::Debit),
        51..=58
        | 82
        | 88
        | 98
        | 151..=176
        | 178
        | 181..=184
        | 189
        | 192
        | 194
        | 196
        | 198
        | 814 => Some(Direction::Credit),
        _ => None,
    }
}

/// Longest code that is compared as a whole: a creditor identifier.
const KEY_BYTES: usize = 35;

/// A code in the one spelling in which it is compared: upper case, no blanks, padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeKey([u8; KEY_BYTES]);

/// Reads a code into a key, or `None` when it has other characters or is too long.
fn key_of(code: &str) -> Option<(CodeKey, usize)> {
    let mut key = [0; KEY_BYTES];
    let mut len = 0_usize;
    for byte in code.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        *key.get_mut(len)? = byte.to_ascii_uppercase();
        len = len.saturating_add(1);
    }
    Some((CodeKey(key), len))
}

/// A creditor identifier without the creditor business code (positions 5 to 7), which the creditor
/// chooses freely; `None` when it has not the form of one.
///
/// # Source
/// EPC262-08, Creditor Identifier Overview.
pub fn creditor_key(creditor_id: &str) -> Option<CodeKey> {
    let (CodeKey(mut key), len) = key_of(creditor_id)?;
    let well_formed = len >= 8
        && key[..2].iter().all(u8::is_ascii_uppercase)
        && key[2..4].iter().all(u8::is_ascii_digit);
    key[4..7].fill(b'*');
    well_formed.then_some(CodeKey(key))
}

/// An IBAN as key; its check digits are not looked at.
pub fn iban_key(iban: &str) -> Option<CodeKey> {
    key_of(iban).filter(|(_, len)| *len > 0).map(|(key, _)| key)
}

/// The bank code inside a German IBAN, `None` for any other text.
pub fn bank_code_of(iban: &str) -> Option<[u8; 8]> {
    let mut digits = iban.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let german =
        digits.next()?.eq_ignore_ascii_case(&b'D') && digits.next()?.eq_ignore_ascii_case(&b'E');
    let mut code = [0; 8];
    // Two check digits stand between the country and the bank code.
    for (place, digit) in code.iter_mut().zip(digits.skip(2)) {
        *place = digit;
    }
    (german && code.iter().all(u8::is_ascii_digit)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_know_their_side() {
        for (code, side) in [
            (83, Some(Direction::Debit)),
            (82, Some(Direction::Credit)),
            (105, Some(Direction::Debit)),
            (153, Some(Direction::Credit)),
            (181, Some(Direction::Credit)),
            (835, None),
        ] {
            assert_eq!(direction_of(code), side, "{code}");
        }
    }

    #[test]
    fn creditor_ids_compare_without_business_code() {
        let key = creditor_key("DE98ZZZ09999999999");
        assert!(key.is_some());
        assert_eq!(key, creditor_key("de98 abc 0999 9999 999"));
        assert_ne!(key, creditor_key("DE98ZZZ09999999998"));
        assert_eq!(creditor_key("DE98"), None);
        assert_eq!(creditor_key("Ä98ZZZ09999999999"), None);
    }

    #[test]
    fn bank_codes_come_from_german_ibans_only() {
        assert_eq!(
            bank_code_of("DE89 3704 0044 0532 0130 00"),
            Some(*b"37040044")
        );
        assert_eq!(bank_code_of("GB82WEST12345698765432"), None);
        assert_eq!(bank_code_of("DE89"), None);
        assert_eq!(bank_code_of(""), None);
    }
}
