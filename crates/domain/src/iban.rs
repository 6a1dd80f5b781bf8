//! IBAN structure and check digits.

/// What is wrong with an IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IbanFault {
    /// Not two letters, two digits and up to thirty alphanumerics.
    Structure,
    /// The check digits do not fit.
    Checksum,
}

/// Shortest and longest IBAN in the SWIFT registry (Norway, Malta with headroom of ISO 13616).
const LENGTH: std::ops::RangeInclusive<usize> = 15..=34;
/// Length of a German IBAN.
const LENGTH_DE: usize = 22;

/// Removes blanks and folds to upper case, which is how IBANs are compared.
pub fn normalize(iban: &str) -> String {
    iban.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Checks structure and check digits of an IBAN, blanks allowed.
///
/// # Errors
/// The first fault found.
///
/// # Source
/// ISO 13616-1, check digits by ISO/IEC 7064 MOD 97-10.
pub fn check(iban: &str) -> Result<(), IbanFault> {
    let iban = normalize(iban);
    let bytes = iban.as_bytes();
    let (country, rest) = bytes.split_at_checked(2).ok_or(IbanFault::Structure)?;
    let (digits, bban) = rest.split_at_checked(2).ok_or(IbanFault::Structure)?;
    let well_formed = LENGTH.contains(&bytes.len())
        && country.iter().all(u8::is_ascii_uppercase)
        && digits.iter().all(u8::is_ascii_digit)
        && bban.iter().all(u8::is_ascii_alphanumeric)
        && (country != b"DE" || bytes.len() == LENGTH_DE);
    if !well_formed {
        return Err(IbanFault::Structure);
    }
    let moved = bban.iter().chain(country).chain(digits);
    if moved.fold(0, |rest, byte| append_mod_97(rest, *byte)) == 1 {
        Ok(())
    } else {
        Err(IbanFault::Checksum)
    }
}

/// Appends a digit, or a letter as its two-digit number, to a number modulo 97.
fn append_mod_97(rest: u32, byte: u8) -> u32 {
    let (value, shift) = if byte.is_ascii_digit() {
        (u32::from(byte.saturating_sub(b'0')), 10)
    } else {
        (u32::from(byte.saturating_sub(b'A')).saturating_add(10), 100)
    };
    rest.saturating_mul(shift)
        .saturating_add(value)
        .checked_rem(97)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ibans() {
        for (iban, expected) in [
            ("DE89 3704 0044 0532 0130 00", Ok(())),
            ("de89370400440532013000", Ok(())),
            ("GB82WEST12345698765432", Ok(())),
            ("NO9386011117947", Ok(())),
            ("DE64100200007791587578", Err(IbanFault::Checksum)),
            ("DE8937040044053201300", Err(IbanFault::Structure)),
            ("DE", Err(IbanFault::Structure)),
            ("", Err(IbanFault::Structure)),
            ("ÄÖ89370400440532013000", Err(IbanFault::Structure)),
            ("1234567890123456789012", Err(IbanFault::Structure)),
        ] {
            assert_eq!(check(iban), expected, "{iban}");
        }
    }
}
