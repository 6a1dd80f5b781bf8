//! Rules read from a folder, as a whole or without part of the listed names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rules::{RulePack, RulesError, Sources};

/// The rules of the repository.
pub const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");

/// The files of a folder of rules.
#[derive(Debug)]
pub struct RuleFolder {
    single: Vec<(&'static str, String)>,
    person: Vec<(String, String)>,
    company: Vec<(String, String)>,
}

/// The files that stand directly in the folder.
const SINGLE: [&str; 7] = [
    "taxonomy.csv",
    "evidence.toml",
    "calibration.toml",
    "refunds.toml",
    "intermediaries.toml",
    "first_names.csv",
    NAMES,
];
/// The table whose names can be withheld.
const NAMES: &str = "names.tsv";

impl RuleFolder {
    /// Reads the files.
    ///
    /// # Errors
    /// A file is missing or cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let single = SINGLE.map(|name| Ok((name, text(&folder.join(name))?)));
        Ok(Self {
            single: single.into_iter().collect::<Result<_>>()?,
            person: tree(&folder.join("person"))?,
            company: tree(&folder.join("company"))?,
        })
    }

    /// The compiled rules.
    ///
    /// # Errors
    /// The rules are not valid.
    pub fn pack(&self) -> Result<RulePack, RulesError> {
        self.compile(self.single(NAMES))
    }

    /// The compiled rules without one part of the names.
    ///
    /// # Errors
    /// The rules are not valid.
    pub fn withholding(&self, part: u32, parts: u32) -> Result<RulePack, RulesError> {
        self.compile(&self.names_without(part, parts))
    }

    fn names_without(&self, part: u32, parts: u32) -> String {
        let lines = (0_u32..).zip(self.single(NAMES).lines());
        let mut lists = BTreeSet::new();
        // A rule whose list is empty is refused, so the first name of each list and guard stays,
        // as does the first line, which names the columns.
        let kept = lines
            .filter(|(number, line)| lists.insert(list_and_guard(line)) || number % parts != part)
            .map(|(_, line)| line);
        kept.collect::<Vec<_>>().join("\n")
    }

    fn compile(&self, names: &str) -> Result<RulePack, RulesError> {
        RulePack::from_sources(&Sources {
            taxonomy: self.single("taxonomy.csv"),
            evidence: self.single("evidence.toml"),
            calibration: self.single("calibration.toml"),
            refunds: self.single("refunds.toml"),
            intermediaries: self.single("intermediaries.toml"),
            first_names: self.single("first_names.csv"),
            names,
            person: &borrowed(&self.person),
            company: &borrowed(&self.company),
        })
    }

    fn single(&self, name: &str) -> &str {
        let found = self.single.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, text)| text)
    }
}

/// The columns of a line of names that choose the rule.
fn list_and_guard(line: &str) -> (&str, &str) {
    let mut columns = line.split('\t');
    let list = columns.next().unwrap_or_default();
    (list, columns.nth(1).unwrap_or_default())
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The rule files of one tree, by name.
fn tree(folder: &Path) -> Result<Vec<(String, String)>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((name.into_owned(), text(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withholding_leaves_out_names_and_no_list() {
        let folder = RuleFolder {
            single: vec![(
                NAMES,
                "list\tname\tguard\nshoes\tA\t\nshoes\tB\t\nshoes\tC\tcard\n".to_owned(),
            )],
            person: Vec::new(),
            company: Vec::new(),
        };
        assert_eq!(
            folder.names_without(0, 2),
            "list\tname\tguard\nshoes\tA\t\nshoes\tC\tcard"
        );
        assert_eq!(
            folder.names_without(1, 2).lines().count(),
            4,
            "the second part holds first names of lists only"
        );
    }
}
