//! Rules read from a folder that is laid out as `rules/` of the repository is.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use domain::ErrorKind;
use rules::{Sources, lint};

use crate::exit::Refusal;

/// Largest file of rules or names, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The files that stand directly in the folder.
const PARTS: [&str; 7] = [
    "taxonomy.csv",
    "evidence.toml",
    "calibration.toml",
    "refunds.toml",
    "intermediaries.toml",
    "first_names.csv",
    "names.tsv",
];
/// What may stand beside them without being part of the rules.
const BESIDE: [&str; 1] = ["descriptions.csv"];
/// The folders of rule files.
const TREES: [&str; 2] = ["person", "company"];

/// The parts of a folder; those that are absent are the shipped ones.
#[derive(Debug)]
pub(super) struct Folder {
    /// In the order of [`PARTS`].
    parts: [Option<String>; PARTS.len()],
    /// In the order of [`TREES`]: names and contents.
    trees: [Option<Vec<(String, String)>>; TREES.len()],
}

impl Folder {
    /// Reads a folder.
    ///
    /// # Errors
    /// There is no such folder, it holds no part of a pack or something unknown, or a file cannot
    /// be read.
    pub(super) fn read(path: &Path) -> Result<Self> {
        check_content(path)?;
        let mut parts = PARTS.map(|_| None);
        for (part, name) in parts.iter_mut().zip(PARTS) {
            *part = read_if_there(&path.join(name))?;
        }
        let mut trees = TREES.map(|_| None);
        for (tree, name) in trees.iter_mut().zip(TREES) {
            *tree = rule_files(&path.join(name))?;
        }
        Ok(Self { parts, trees })
    }

    /// Lends the parts as the sources of a pack.
    pub(super) fn with<T>(&self, take: impl FnOnce(&Sources<'_>) -> T) -> T {
        let mut sources = lint::shipped();
        for (part, target) in self.parts.iter().zip([
            &mut sources.taxonomy,
            &mut sources.evidence,
            &mut sources.calibration,
            &mut sources.refunds,
            &mut sources.intermediaries,
            &mut sources.first_names,
            &mut sources.names,
        ]) {
            if let Some(text) = part {
                *target = text;
            }
        }
        let lent = self.trees.each_ref().map(|tree| {
            let files = tree.as_ref()?.iter();
            let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
            Some(files.collect::<Vec<_>>())
        });
        for (files, target) in lent.iter().zip([&mut sources.person, &mut sources.company]) {
            if let Some(files) = files {
                *target = files;
            }
        }
        take(&sources)
    }
}

/// Refuses a folder in which a mistyped name would silently mean the shipped part.
fn check_content(path: &Path) -> Result<()> {
    let entries = fs::read_dir(path).map_err(|error| refused(path, &error))?;
    let mut known = 0_usize;
    let mut unknown = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| refused(path, &error))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if PARTS.contains(&name.as_str()) || TREES.contains(&name.as_str()) {
            known += 1;
        } else if !BESIDE.contains(&name.as_str()) && !name.starts_with('.') {
            unknown.push(name);
        }
    }
    unknown.sort();
    let allowed = || [TREES.as_slice(), PARTS.as_slice()].concat().join(", ");
    let message = match (known, unknown.as_slice()) {
        (_, [first, ..]) => format!(
            "{}: {first} is no part of a pack; the parts are {}",
            path.display(),
            allowed()
        ),
        (0, []) => format!(
            "{}: no part of a pack stands here; the parts are {}",
            path.display(),
            allowed()
        ),
        (_, []) => return Ok(()),
    };
    Err(Refusal::new(ErrorKind::InvalidInput, message).into())
}

/// The rule files of one tree by name; `None` when there is no such folder.
fn rule_files(path: &Path) -> Result<Option<Vec<(String, String)>>> {
    if !path.is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| refused(path, &error))? {
        let file = entry.map_err(|error| refused(path, &error))?.path();
        if file.extension().is_some_and(|kind| kind == "toml") {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            files.push((name.into_owned(), read_text(&file)?));
        }
    }
    files.sort();
    Ok(Some(files))
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    if path.exists() {
        read_text(path).map(Some)
    } else {
        Ok(None)
    }
}

/// Reads a file of rules.
///
/// # Errors
/// It is not there, too large, or no text in UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let metadata = fs::metadata(path).map_err(|error| refused(path, &error))?;
    if metadata.len() > FILE_BYTES_MAX {
        let message = format!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
        return Err(Refusal::new(ErrorKind::TooLarge, message).into());
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn refused(path: &Path, error: &std::io::Error) -> Refusal {
    let kind = if error.kind() == std::io::ErrorKind::NotFound {
        ErrorKind::NotFound
    } else {
        ErrorKind::InvalidInput
    };
    Refusal::new(kind, format!("cannot read {}: {error}", path.display()))
}
