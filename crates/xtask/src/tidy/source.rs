//! A Rust file, taken apart into code, comments and literals as far as the checks need it.

/// A Rust file of ours.
pub(crate) struct Source {
    /// The path relative to the root.
    pub(crate) file: String,
    /// The text as written.
    pub(crate) text: String,
    /// The text with comments and the contents of literals blanked; every byte keeps its place.
    pub(crate) code: String,
    /// The text with everything but comments blanked.
    pub(crate) comments: String,
}

/// What a byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Takes a file apart.
    pub(crate) fn new(file: String, text: String) -> Self {
        let kinds = classify(text.as_bytes());
        let keep = |kind: Kind| blank(&text, |index| kinds[index] == kind);
        let code = keep(Kind::Code);
        let comments = keep(Kind::Comment);
        Self {
            file,
            text,
            code,
            comments,
        }
    }

    /// The crate a file belongs to, else the top-level folder.
    pub(crate) fn package(&self) -> &str {
        let mut parts = self.file.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or(""),
            folder => folder.unwrap_or(""),
        }
    }

    /// Whether a file belongs to what is shipped, not to tests.
    pub(crate) fn is_shipped(&self) -> bool {
        self.file.starts_with("crates/") && self.file.contains("/src/")
    }

    /// The line of a byte, from 1.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// The ranges of bytes that belong to test modules.
    pub(crate) fn test_ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut ranges = Vec::new();
        for (start, mark) in self.code.match_indices("#[cfg(test)]") {
            let after = start + mark.len();
            let rest = self.code[after..].trim_start();
            if let Some(open) = self.code[after..].find('{')
                && rest.starts_with("mod ")
                && self.code[after..after + open].find(';').is_none()
            {
                ranges.push(start..closing(&self.code, after + open));
            }
        }
        ranges
    }
}

/// The end of the bracket that opens at `open`, or of the text.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Replaces every byte that is not kept, line ends apart, by a space.
fn blank(text: &str, is_kept: impl Fn(usize) -> bool) -> String {
    let bytes = text.bytes().enumerate();
    let kept = bytes.map(|(index, byte)| {
        // Only ASCII outside what is kept: a half-kept character would be no text any more.
        if byte == b'\n' || is_kept(index) {
            byte
        } else {
            b' '
        }
    });
    String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
}

/// Says for every byte what it belongs to.
fn classify(text: &[u8]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; text.len()];
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (kind, length) = if rest.starts_with(b"//") {
            (
                Kind::Comment,
                rest.iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len()),
            )
        } else if rest.starts_with(b"/*") {
            (Kind::Comment, block_comment(rest))
        } else if let Some(length) = raw_string(text, at) {
            (Kind::Literal, length)
        } else if rest[0] == b'"' {
            (Kind::Literal, quoted(rest, b'"'))
        } else if rest[0] == b'\'' && is_char_literal(rest) {
            (Kind::Literal, quoted(rest, b'\''))
        } else {
            (Kind::Code, 1)
        };
        kinds[at..at + length].fill(kind);
        at += length;
    }
    kinds
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a raw string such as `r#"…"#` that starts here.
fn raw_string(text: &[u8], at: usize) -> Option<usize> {
    let is_inside_word = at > 0 && (text[at - 1].is_ascii_alphanumeric() || text[at - 1] == b'_');
    let is_prefixed = at > 0 && matches!(text[at - 1], b'b' | b'c');
    let rest = text[at..].strip_prefix(b"r")?;
    if is_inside_word && !is_prefixed {
        return None;
    }
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    let body = &rest[hashes + 1..];
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(1 + hashes + 1 + length + end.len())
}

/// The length of a literal with escapes, quotes included.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Tells `'a'` from the lifetime `'a`.
fn is_char_literal(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(byte) if byte.is_ascii() => rest.get(2) == Some(&b'\''),
        Some(_) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("crates/store/src/a.rs".to_owned(), text.to_owned())
    }

    #[test]
    fn comments_and_literals_are_told_from_code() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"a("b\"c", d)"#, "a(      , d)"),
            (r##"a(r#"b"c"#, d)"##, "a(        , d)"),
            ("x(br\"y\", z)", "x(b    , z)"),
            ("a('\"', '\\'', b)", "a(   ,     , b)"),
            ("fn a<'b>(c: &'b str)", "fn a<'b>(c: &'b str)"),
            ("a(\"ä\", b)", "a(    , b)"),
        ];
        for (text, expected) in cases {
            assert_eq!(source(text).code, expected, "{text}");
        }
        assert_eq!(source("a // b\nc").comments, "  // b\n ");
    }

    #[test]
    fn positions_survive_taking_apart() {
        let source = source("// ä\nlet x = \"ü\";\ny();\n");
        assert_eq!(source.code.len(), source.text.len());
        assert_eq!(source.line_of(source.code.find("y()").unwrap()), 3);
    }

    #[test]
    fn test_modules_are_found_by_their_brackets() {
        let source =
            source("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { \"}\"; } }\nfn c() {}\n");
        let ranges = source.test_ranges();
        assert_eq!(ranges.len(), 1);
        assert!(source.text[ranges[0].clone()].ends_with("} }"));
    }

    #[test]
    fn files_know_their_package() {
        assert_eq!(source("").package(), "store");
        assert_eq!(
            Source::new("tests/a.rs".to_owned(), String::new()).package(),
            "tests"
        );
    }
}
