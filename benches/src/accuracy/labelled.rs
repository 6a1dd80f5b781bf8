//! Labelled transactions: `{"id","transaction","account"?,"expected","accept"?,"difficulty"?}`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::UserType;
use serde::Deserialize;

/// A labelled transaction.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its identifier within the set.
    pub id: String,
    /// The tree of its tags.
    pub tree: UserType,
    /// The tag that a careful reader gives.
    pub expected: String,
    /// Tags that are as good.
    pub accept: Vec<String>,
    /// How hard the author thought it.
    pub difficulty: String,
    /// The line as it stands, which holds transaction and account.
    pub line: Vec<u8>,
}

#[derive(Deserialize)]
struct Label {
    id: String,
    expected: String,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    difficulty: String,
}

/// The labelled rows of the repository.
pub const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labelled");

/// Rows under the name of their file.
pub type Set = (String, Vec<Row>);

/// The sets of these files and folders.
///
/// # Errors
/// As [`read`] and [`files`].
pub fn sets(paths: &[PathBuf]) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for path in paths {
        let files = if path.is_dir() {
            files(path)?
        } else {
            vec![path.clone()]
        };
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            sets.push((name.into_owned(), read(&file)?));
        }
    }
    Ok(sets)
}

/// Reads a file of rows. A file whose name holds `company` has rows of companies.
///
/// # Errors
/// The file cannot be read, or a line is no labelled transaction; the message names both.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let tree = if name.contains("company") {
        UserType::Company
    } else {
        UserType::Person
    };
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            row(tree, line).with_context(|| format!("{}, line {number}", path.display()))
        })
        .collect()
}

fn row(tree: UserType, line: &str) -> Result<Row> {
    let label: Label = serde_json::from_str(line)?;
    Ok(Row {
        id: label.id,
        tree,
        expected: label.expected,
        accept: label.accept,
        difficulty: label.difficulty,
        line: line.as_bytes().to_vec(),
    })
}

/// The files of a folder that end in `.ndjson` or `.jsonl`, by name.
///
/// # Errors
/// The folder cannot be read or holds no such file.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let kind = path.extension().unwrap_or_default();
        if kind == "ndjson" || kind == "jsonl" {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("{} holds no labelled rows", folder.display());
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_beside_the_transaction_are_optional() {
        let row = row(
            UserType::Person,
            r#"{"id":"A","transaction":{"amount":1},"expected":"fuel"}"#,
        )
        .expect("valid");
        assert_eq!((row.id.as_str(), row.expected.as_str()), ("A", "fuel"));
        assert!(row.accept.is_empty() && row.difficulty.is_empty());
    }

    #[test]
    fn a_row_without_a_label_is_refused() {
        assert!(row(UserType::Person, r#"{"id":"A","transaction":{}}"#).is_err());
    }
}
