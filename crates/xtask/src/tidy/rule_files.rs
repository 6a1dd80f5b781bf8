//! Every rule file is part of the pack.

use std::path::Path;

use anyhow::Result;

use super::{Source, Violation, files_below, read, relative};

/// The crate that lists rule files.
const CRATE: &str = "rules";

pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<Violation>> {
    let mut listing = String::new();
    for source in sources.iter().filter(|source| source.package() == CRATE) {
        listing.push_str(&source.text);
    }
    let build_script = root.join("crates/rules/build.rs");
    if build_script.is_file() {
        listing.push_str(&read(&build_script)?);
    }
    let mut violations = Vec::new();
    for extension in ["toml", "csv", "tsv"] {
        for path in files_below(&root.join("rules"), extension)? {
            violations.extend(check_listed(&relative(root, &path), &listing));
        }
    }
    Ok(violations)
}

/// Whether the crate names the file. A test of the crate compares folders too; this one also covers
/// files outside them.
fn check_listed(file: &str, listing: &str) -> Option<Violation> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let is_listed = [format!("\"{name}\""), format!("/{name}\"")];
    (!is_listed.iter().any(|mention| listing.contains(mention))).then(|| {
        Violation::new(
            file,
            0,
            format!("is not listed in crates/{CRATE}, so it is never read"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_nobody_lists_is_found() {
        let listing =
            "include_str!(\"../../../rules/taxonomy.csv\"), files!(\"person\": \"income.toml\")";
        assert!(check_listed("rules/person/income.toml", listing).is_none());
        assert!(check_listed("rules/taxonomy.csv", listing).is_none());
        assert!(check_listed("rules/person/forgotten.toml", listing).is_some());
        assert!(check_listed("rules/person/come.toml", listing).is_some());
    }
}
