//! Documents say what the code says, and their links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::metadata::{Metadata, Package};
use super::{Violation, files_below, read, relative};
use crate::docs;
use crate::workspace::Workspace;

/// Documents outside the crates.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];

/// The OpenAPI document that clients can read without a running service.
pub(crate) const OPENAPI: &str = "docs/openapi.json";

/// What the gateway's test compares its document with.
const OPENAPI_SNAPSHOT: &str = "crates/gateway/tests/it/snapshots/it__openapi__openapi.snap";

/// What a path of the repository starts with.
const FOLDERS: [&str; 7] = [
    "crates/",
    "migrations/",
    "rules/",
    "docs/",
    "tests/",
    "benches/",
    "examples/",
];

/// Documents a stranger expects.
const EXPECTED: [&str; 6] = [
    "API.md",
    "ADDING.md",
    "ARCHITECTURE.md",
    "DECISIONS.md",
    "GLOSSARY.md",
    "LOGGING.md",
];

pub(super) fn check(root: &Path, metadata: &Metadata) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for package in metadata.members() {
        violations.extend(check_readme(root, package)?);
    }
    for name in EXPECTED {
        if !root.join("docs").join(name).is_file() {
            violations.push(Violation::new(&format!("docs/{name}"), 0, "is missing"));
        }
    }
    if fs::read_to_string(root.join(docs::PAGE)).ok() != Some(docs::render(root)?) {
        let message = "is not what the rules say, run `cargo xtask gen docs`";
        violations.push(Violation::new(docs::PAGE, 0, message));
    }
    violations.extend(check_openapi(root)?);
    for path in documents(root)? {
        violations.extend(check_links(root, &path, &read(&path)?));
    }
    Ok(violations)
}

/// Writes every crate's README file from its documentation; returns how many changed.
pub(crate) fn write_readmes(workspace: &Workspace) -> Result<usize> {
    let metadata = Metadata::load(workspace)?;
    let mut changed = 0;
    for package in metadata.members() {
        let (path, expected) = readme(package)?;
        if fs::read_to_string(&path).ok().as_deref() != Some(&expected) {
            fs::write(&path, expected)?;
            changed += 1;
        }
    }
    Ok(changed)
}

fn check_readme(root: &Path, package: &Package) -> Result<Option<Violation>> {
    let (path, expected) = readme(package)?;
    let file = relative(root, &path);
    if expected.lines().count() < 3 {
        return Ok(Some(Violation::new(
            &file,
            0,
            "the crate has no documentation (`//!`)",
        )));
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let message = "is not the crate's documentation, run `cargo xtask gen docs`";
    Ok((found != expected).then(|| Violation::new(&file, 0, message)))
}

/// Where a crate's README file is and what it should say: the crate's documentation.
fn readme(package: &Package) -> Result<(PathBuf, String)> {
    let folder = package.manifest_path.parent().unwrap_or(Path::new("."));
    // A package of tests has no other root than theirs.
    let roots = ["src/lib.rs", "src/main.rs", "it/main.rs"].map(|root| folder.join(root));
    let text = match roots.iter().find(|root| root.is_file()) {
        Some(root) => read(root)?,
        None => String::new(),
    };
    Ok((
        folder.join("README.md"),
        render_readme(&package.name, &text),
    ))
}

fn render_readme(name: &str, code: &str) -> String {
    let lines = code.lines().map_while(|line| line.strip_prefix("//!"));
    let mut text = format!("# {name}\n\n");
    for line in lines {
        text.push_str(&without_code_links(line.strip_prefix(' ').unwrap_or(line)));
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// Links to code, which only rustdoc resolves, become plain code: ``[`Store`]`` is `` `Store` ``.
fn without_code_links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("[`") {
        let after = &rest[start + 2..];
        let length = after
            .find(['`', ' '])
            .filter(|length| after[*length..].starts_with("`]"));
        let Some(length) = length else {
            out.push_str(&rest[..start + 2]);
            rest = after;
            continue;
        };
        let (name, tail) = (&after[..length], &after[length + 2..]);
        let target = tail.strip_prefix('(').and_then(|tail| tail.split_once(')'));
        out.push_str(&rest[..start]);
        let is_file = target.is_some_and(|(target, _)| target.contains(['/', '.']));
        if is_file {
            out.extend(["[`", name, "`]"]);
            rest = tail;
        } else {
            out.extend(["`", name, "`"]);
            rest = target.map_or(tail, |(_, tail)| tail);
        }
    }
    out + rest
}

/// Every document whose links are checked.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = files_below(&root.join("docs"), "md")?;
    paths.extend(files_below(&root.join("crates"), "md")?);
    paths.extend(
        DOCUMENTS
            .iter()
            .map(|name| root.join(name))
            .filter(|path| path.is_file()),
    );
    Ok(paths)
}

/// The committed OpenAPI document is the one that a test of the gateway holds fast.
fn check_openapi(root: &Path) -> Result<Option<Violation>> {
    let snapshot = fs::read_to_string(root.join(OPENAPI_SNAPSHOT)).unwrap_or_default();
    let document = fs::read_to_string(root.join(OPENAPI)).unwrap_or_default();
    let message = "is not what the gateway serves, run `cargo xtask gen openapi`";
    let is_same = snapshot_body(&snapshot)? == serde_json::from_str(&document).ok();
    Ok((!is_same).then(|| Violation::new(OPENAPI, 0, message)))
}

/// The JSON below the heading of a snapshot.
fn snapshot_body(snapshot: &str) -> Result<Option<serde_json::Value>> {
    let mut parts = snapshot.splitn(3, "---\n");
    let body = parts.nth(2).map(serde_json::from_str).transpose();
    body.context("the snapshot of the OpenAPI document is no JSON")
}

/// Links to files, and paths named as code, must lead to one.
fn check_links(root: &Path, path: &Path, text: &str) -> Vec<Violation> {
    let folder = path.parent().unwrap_or(root);
    let mut violations = Vec::new();
    let mut is_sample = false;
    for (index, line) in text.lines().enumerate() {
        is_sample ^= line.trim_start().starts_with("```");
        if is_sample {
            continue;
        }
        for named in named_paths(line).filter(|named| !root.join(named).exists()) {
            let message = format!("`{named}` does not exist");
            violations.push(Violation::new(&relative(root, path), index + 1, message));
        }
        for target in link_targets(line) {
            let file = target.split('#').next().unwrap_or("");
            if !file.is_empty() && !file.contains(':') && !folder.join(file).exists() {
                let message = format!("the link to `{target}` leads nowhere");
                violations.push(Violation::new(&relative(root, path), index + 1, message));
            }
        }
    }
    violations
}

/// Paths of the repository that a line names in backticks, templates such as `a/<b>.rs` apart.
fn named_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|code| {
        FOLDERS.iter().any(|folder| code.starts_with(folder))
            && !code.contains(['<', '*', ' ', '{', '…'])
            && !code.contains("NNNN")
    })
}

/// The targets of `[text](target)` on one line.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(start, _)| {
        let rest = &line[start + 2..];
        Some(&rest[..rest.find(')')?])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_is_the_crate_documentation() {
        let code = "//! Stores rows.\n//!\n//! See [`Store`] and [`begin`](Store::begin).\n\nmod a;\n//! not\n";
        let expected = "# store\n\nStores rows.\n\nSee `Store` and `begin`.\n";
        assert_eq!(render_readme("store", code), expected);
        assert_eq!(render_readme("store", "mod a;\n"), "# store\n");
    }

    #[test]
    fn ordinary_links_stay() {
        let line = "See [`x`](../docs/API.md) and [that](https://a.example).";
        assert_eq!(without_code_links(line), line);
        assert_eq!(without_code_links("`[` and `]`"), "`[` and `]`");
    }

    #[test]
    fn the_body_of_a_snapshot_is_read_below_its_heading() {
        let snapshot = "---\nsource: a.rs\nexpression: document\n---\n{\"openapi\": \"3.1.0\"}\n";
        let body = snapshot_body(snapshot).unwrap().unwrap();
        assert_eq!(body["openapi"], "3.1.0");
        assert_eq!(snapshot_body("").unwrap(), None);
    }

    #[test]
    fn named_paths_must_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "`rules/gone.toml`, `rules/<area>.toml`, `cargo run`, rules/unnamed.toml\n";
        let found = check_links(root, &root.join("README.md"), text);
        let messages: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(messages, ["README.md:1: `rules/gone.toml` does not exist"]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](Cargo.toml) [b](gone.md#x)\n```\n[c](gone.md)\n```\n[d](https://e.example) [f](#g)\n";
        let found = check_links(root, &root.join("README.md"), text);
        let messages: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            ["README.md:1: the link to `gone.md#x` leads nowhere"]
        );
    }
}
