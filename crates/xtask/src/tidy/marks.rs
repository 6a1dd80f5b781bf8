//! Nothing unfinished, skipped or silenced is committed.

use super::{Source, Violation};

/// Calls and attributes that may not stand in code. Joined here, so that this file passes itself.
const CODE: [(&str, &str); 5] = [
    (concat!("todo", "!("), "unfinished code"),
    (concat!("unimplemented", "!("), "unfinished code"),
    (concat!("dbg", "!("), "a left-over of debugging"),
    (
        concat!("#[", "ignore"),
        "a test that does not run proves nothing",
    ),
    (concat!("[", "allow("), "use `expect` with a reason"),
];

/// Words that may not stand in comments.
const COMMENTS: [&str; 4] = [
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
    concat!("HA", "CK"),
];

pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (mark, reason) in CODE {
        for (offset, _) in source.code.match_indices(mark) {
            let message = format!("`{mark}`: {reason}");
            violations.push(Violation::new(
                &source.file,
                source.line_of(offset),
                message,
            ));
        }
    }
    for word in COMMENTS {
        for (offset, _) in source.comments.match_indices(word) {
            if is_word(&source.comments, offset, word.len()) {
                let message = format!("`{word}` in a comment: finish it or write an issue");
                violations.push(Violation::new(
                    &source.file,
                    source.line_of(offset),
                    message,
                ));
            }
        }
    }
    violations
}

/// Whether no letter or digit touches the match: bank codes such as BYLADEM1001XXX are fine.
fn is_word(text: &str, offset: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let touches = |index: Option<usize>| {
        let byte = index.and_then(|index| bytes.get(index));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    !touches(offset.checked_sub(1)) && !touches(Some(offset + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let source = Source::new("crates/store/src/a.rs".to_owned(), text.to_owned());
        check(&source)
            .into_iter()
            .map(|violation| violation.to_string())
            .collect()
    }

    #[test]
    fn every_mark_is_found() {
        for (mark, _) in CODE {
            let text = format!("fn a() {{\n    {mark} b)]\n}}\n");
            assert_eq!(messages(&text).len(), 1, "{mark}");
            assert!(
                messages(&text)[0].starts_with("crates/store/src/a.rs:2: "),
                "{mark}"
            );
        }
        for word in COMMENTS {
            assert_eq!(messages(&format!("// {word}: later\n")).len(), 1, "{word}");
        }
        assert_eq!(messages(concat!("#![", "allow(dead_code)]\n")).len(), 1);
    }

    #[test]
    fn literals_and_parts_of_words_are_fine() {
        let bank = concat!("// BYLADEM1001XX", "X is a bank code\n");
        assert!(messages(bank).is_empty());
        assert!(messages(concat!("let a = \"todo", "!()\";\n")).is_empty());
        assert!(messages("#[expect(dead_code, reason = \"why\")]\n").is_empty());
    }
}
