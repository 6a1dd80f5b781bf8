//! What must not reach PostgreSQL in a text.

use std::borrow::Cow;

/// The text without U+0000, which PostgreSQL cannot store.
///
/// Requests with it are refused at the rim; this is the second line, so that what slips through
/// loses a character without meaning instead of failing as a server error.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// [`clean`] for a text that may be absent.
pub(crate) fn clean_opt(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(clean)
}

/// The longest beginning of an error's text that is kept.
pub(crate) const ERROR_BYTES_MAX: usize = 2_000;

/// An error's text, cleaned and shortened for storage.
pub(crate) fn error_text(text: &str) -> String {
    let mut end = text.len().min(ERROR_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    clean(text.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nul_is_taken_out() {
        for (text, expected) in [
            ("", ""),
            ("a\0b", "ab"),
            ("\0", ""),
            ("ä\n\u{1}", "ä\n\u{1}"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_errors_are_cut_between_characters() {
        let text = "ä".repeat(ERROR_BYTES_MAX);
        let kept = error_text(&format!("x{text}"));
        assert_eq!(kept.len(), ERROR_BYTES_MAX - 1);
        assert!(kept.ends_with('ä'));
    }
}
