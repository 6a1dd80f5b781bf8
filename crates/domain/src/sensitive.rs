//! A wrapper that keeps personal data out of logs.

use std::fmt;

/// Personal data: a name, an IBAN, a purpose, a token.
///
/// `Debug` prints `***` and there is no `Display`, so that formatting a struct can never leak the
/// content; reading it takes the visible word [`Sensitive::expose`].
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Reads the value; every use is a place where personal data leaves the wrapper.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Sensitive<String> {
    /// The text, borrowed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty, which is how an absent text is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Sensitive<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_content() {
        let iban = Sensitive::from("DE64100200007791587578");
        assert_eq!(format!("{iban:?}"), "***");
        assert_eq!(iban.as_str(), "DE64100200007791587578");
    }
}
