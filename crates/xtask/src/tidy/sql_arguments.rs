//! Clippy does not look inside the arguments of SQL macros, so bans are repeated for them here.

use super::source::closing;
use super::{Source, Violation};

/// What may not be called there; bind a local before the macro instead.
const BANNED: [&str; 8] = [
    "Utc::now",
    "Local::now",
    "SystemTime::now",
    "Instant::now",
    "Uuid::new_v4",
    "tokio::spawn",
    ".unwrap()",
    ".await",
];

pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (start, _) in source.code.match_indices("query") {
        let Some(open) = macro_bracket(&source.code, start) else {
            continue;
        };
        let end = closing(&source.code, open);
        for banned in BANNED {
            for (offset, _) in source.code[open..end].match_indices(banned) {
                let line = source.line_of(open + offset);
                let message = format!("`{banned}` inside an SQL macro: bind a local before it");
                violations.push(Violation::new(&source.file, line, message));
            }
        }
    }
    violations
}

/// The opening bracket of `query…!(` when such a macro is called at `start`.
fn macro_bracket(code: &str, start: usize) -> Option<usize> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if code[..start].ends_with(is_name) {
        return None;
    }
    let name_length = code[start..].find(|c| !is_name(c))?;
    let bang = start + name_length;
    let rest = code[bang..].strip_prefix('!')?;
    let spaces = rest.len() - rest.trim_start().len();
    let open = bang + 1 + spaces;
    matches!(code.as_bytes().get(open), Some(b'(' | b'[' | b'{')).then_some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&Source::new(
            "crates/store/src/a.rs".to_owned(),
            text.to_owned(),
        ))
        .len()
    }

    #[test]
    fn banned_calls_are_found_inside_macros_only() {
        assert_eq!(
            count("sqlx::query!(\"select $1\", Utc::now()).fetch_one(c).await"),
            1
        );
        assert_eq!(count("query_as! { Row, \"select $1\", Uuid::new_v4() }"), 1);
        assert_eq!(count("query_scalar!(\"select $1\", a(b.unwrap()))"), 1);
        assert_eq!(count("let now = Utc::now(); query!(\"select $1\", now)"), 0);
        assert_eq!(count("query!(\"select 'Utc::now'\")"), 0);
        assert_eq!(count("my_query!(Utc::now())"), 0);
        assert_eq!(count("query(Utc::now())"), 0);
    }
}
