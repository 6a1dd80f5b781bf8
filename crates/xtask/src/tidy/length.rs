//! Files stay short enough to read at once.

use super::{Source, Violation};

/// Lines of a file, its test modules apart.
const LINES_MAX: usize = 600;

/// Files that may be longer: tables. Each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub(super) fn check(source: &Source) -> Option<Violation> {
    let is_exception = EXCEPTIONS.iter().any(|(file, _)| *file == source.file);
    let lines = lines_without_tests(source);
    (source.is_shipped() && !is_exception && lines > LINES_MAX).then(|| {
        let message = format!("{lines} lines without tests, at most {LINES_MAX}: split the file");
        Violation::new(&source.file, 0, message)
    })
}

fn lines_without_tests(source: &Source) -> usize {
    let tests: usize = source
        .test_ranges()
        .into_iter()
        .map(|range| source.text[range].lines().count())
        .sum();
    source.text.lines().count().saturating_sub(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, lines: usize, tests: usize) -> bool {
        let test = "#[cfg(test)]\nmod tests {\n".to_owned() + &"x();\n".repeat(tests) + "}\n";
        check(&Source::new(
            file.to_owned(),
            "a();\n".repeat(lines) + &test,
        ))
        .is_some()
    }

    #[test]
    fn long_files_are_found_and_tests_do_not_count() {
        assert!(found("crates/store/src/a.rs", LINES_MAX + 1, 0));
        assert!(!found("crates/store/src/a.rs", LINES_MAX, 1000));
        assert!(!found("crates/store/tests/it/a.rs", LINES_MAX + 1, 0));
    }
}
