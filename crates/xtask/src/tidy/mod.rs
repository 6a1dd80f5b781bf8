//! The house rules that neither the compiler nor clippy can check.

mod dependencies;
mod documents;
mod length;
mod marks;
pub(crate) mod metadata;
mod rule_files;
mod source;
mod sql_arguments;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use metadata::Metadata;
use source::Source;

pub(crate) use documents::{OPENAPI, write_readmes};

/// A broken rule and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The file, relative to the root.
    file: String,
    /// The line, from 1; 0 when the whole file is meant.
    line: usize,
    /// What is wrong and what to do.
    message: String,
}

impl Violation {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// Folders with Rust code of ours.
const CODE: [&str; 3] = ["crates", "benches", "tests"];

/// Checks the whole repository; the violations are sorted by file and line.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let sources = read_sources(&workspace.root)?;
    let metadata = Metadata::load(workspace)?;
    let mut violations = dependencies::check(&metadata, &sources);
    for source in &sources {
        violations.extend(length::check(source));
        violations.extend(marks::check(source));
        violations.extend(sql_arguments::check(source));
    }
    violations.extend(documents::check(&workspace.root, &metadata)?);
    violations.extend(rule_files::check(&workspace.root, &sources)?);
    violations.sort();
    Ok(violations)
}

/// Every Rust file of ours.
fn read_sources(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in CODE {
        for path in files_below(&root.join(folder), "rs")? {
            let text = read(&path)?;
            sources.push(Source::new(relative(root, &path), text));
        }
    }
    Ok(sources)
}

/// Files with an extension, in a stable order, without build output and hidden folders.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            found.extend(files_below(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
