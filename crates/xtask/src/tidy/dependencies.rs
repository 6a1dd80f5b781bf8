//! Which crate may depend on which.

use std::collections::BTreeSet;

use super::metadata::{Dependency, Metadata, Package};
use super::{Source, Violation};

/// The crates of the workspace and what each may depend on, outside tests.
const MAY_DEPEND_ON: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("rules", &["domain"]),
    ("analysis", &["domain", "rules"]),
    ("store", &["domain"]),
    ("queue", &["domain", "store"]),
    ("wire", &["domain", "rules", "analysis"]),
    ("formats", &["domain", "wire"]),
    (
        "pipeline",
        &["domain", "rules", "analysis", "wire", "store"],
    ),
    ("webhooks", &["domain", "wire", "store"]),
    ("gateway", &["domain", "rules", "wire", "store", "formats"]),
    (
        "cli",
        &[
            "domain", "rules", "analysis", "store", "queue", "wire", "formats", "pipeline",
            "webhooks", "gateway",
        ],
    ),
    ("testkit", &["domain", "store", "wire"]),
    ("xtask", &[]),
];

/// Packages outside `crates/` that measure or test the whole and may name everything.
const AROUND: [&str; 2] = ["benches", "tests"];

/// Crates that only tests may depend on.
const FOR_TESTS: [&str; 2] = ["testkit", "xtask"];

/// Crates that know no input and output.
const PURE: [&str; 3] = ["domain", "rules", "analysis"];

/// What must not be compiled into a pure crate, not even by way of another one.
const IMPURE: [&str; 9] = [
    "tokio",
    "sqlx",
    "sqlx-core",
    "axum",
    "hyper",
    "lapin",
    "reqwest",
    "utoipa",
    "serde_json",
];

/// External crates that only some of ours may name.
const ONLY_IN: [(&str, &[&str]); 8] = [
    ("sqlx", &["store"]),
    ("lapin", &["queue"]),
    ("reqwest", &["webhooks"]),
    // The command line serves the health of workers.
    ("axum", &["gateway", "cli", "testkit"]),
    ("clap", &["cli", "xtask", "benches"]),
    ("anyhow", &["cli", "xtask", "testkit", "benches", "tests"]),
    ("chacha20poly1305", &["store"]),
    ("jsonwebtoken", &["gateway"]),
];

/// Crates that tests may use although [`ONLY_IN`] keeps them out of the rest.
const FREE_IN_TESTS: [&str; 3] = ["reqwest", "axum", "anyhow"];

pub(super) fn check(metadata: &Metadata, sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in metadata.members() {
        for dependency in &package.dependencies {
            violations.extend(check_direction(metadata, package, dependency));
            violations.extend(check_external(package, dependency));
            violations.extend(check_used(package, dependency, sources));
        }
        violations.extend(check_pure(metadata, package));
    }
    violations
}

/// Our own crates point one way.
fn check_direction(
    metadata: &Metadata,
    package: &Package,
    dependency: &Dependency,
) -> Option<Violation> {
    let is_ours = metadata.member(&dependency.name).is_some();
    if !is_ours || AROUND.contains(&package.folder()) {
        return None;
    }
    let Some((_, allowed)) = MAY_DEPEND_ON
        .iter()
        .find(|(name, _)| *name == package.folder())
    else {
        return Some(violation(
            package,
            "the crate has no row in the table of directions",
        ));
    };
    if dependency.is_for_tests() || allowed.contains(&dependency.name.as_str()) {
        return None;
    }
    let name = &dependency.name;
    let hint = if FOR_TESTS.contains(&name.as_str()) {
        ", which is for tests only"
    } else {
        ""
    };
    Some(violation(
        package,
        format!("must not depend on `{name}`{hint}"),
    ))
}

/// Each door to the outside is in one crate.
fn check_external(package: &Package, dependency: &Dependency) -> Option<Violation> {
    let name = dependency.name.as_str();
    let (_, allowed) = ONLY_IN.iter().find(|(external, _)| *external == name)?;
    let is_fine = allowed.contains(&package.folder())
        || AROUND.contains(&package.folder())
        || dependency.is_for_tests() && FREE_IN_TESTS.contains(&name);
    (!is_fine).then(|| {
        let message = format!("must not name `{name}`, only {} may", allowed.join(", "));
        violation(package, message)
    })
}

/// What nobody uses costs compile time and attention.
fn check_used(package: &Package, dependency: &Dependency, sources: &[Source]) -> Option<Violation> {
    let name = dependency.name_in_code();
    let mut own = sources
        .iter()
        .filter(|source| is_of(source, package))
        .peekable();
    own.peek()?;
    let is_used = own.any(|source| names(&source.code, &name));
    (!is_used).then(|| violation(package, format!("does not use its dependency `{name}`")))
}

/// Whether a file belongs to a package.
fn is_of(source: &Source, package: &Package) -> bool {
    source.package() == package.folder()
}

/// Whether code names a crate: `name::`, `use name;` or an attribute's `name(`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !code[..start].ends_with(is_word) && !code[start + name.len()..].starts_with(is_word)
    })
}

/// The core knows no input and output, not even indirectly.
fn check_pure(metadata: &Metadata, package: &Package) -> Vec<Violation> {
    if !PURE.contains(&package.folder()) {
        return Vec::new();
    }
    let compiled: BTreeSet<&str> = metadata.compiled_into(package);
    let impure = IMPURE.iter().filter(|name| compiled.contains(**name));
    impure
        .map(|name| violation(package, format!("is pure and must not pull in `{name}`")))
        .collect()
}

fn violation(package: &Package, message: impl Into<String>) -> Violation {
    let folder = package.folder();
    let prefix = if AROUND.contains(&folder) {
        ""
    } else {
        "crates/"
    };
    Violation::new(&format!("{prefix}{folder}/Cargo.toml"), 0, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package's name and its dependencies with their kinds.
    type Sketch<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

    /// A workspace of packages `name: dependency kind` where the code uses every dependency.
    fn metadata(packages: &[Sketch]) -> Metadata {
        let package = |(name, dependencies): &Sketch| {
            let lines: Vec<_> = dependencies
                .iter()
                .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
                .collect();
            serde_json::json!({"id": name, "name": name, "dependencies": lines, "targets": [],
                "manifest_path": format!("/w/crates/{name}/Cargo.toml")})
        };
        let node = |(name, dependencies): &Sketch| {
            let edges: Vec<_> = dependencies
                .iter()
                .map(|(name, kind)| serde_json::json!({"pkg": name, "dep_kinds": [{"kind": kind}]}))
                .collect();
            serde_json::json!({"id": name, "deps": edges})
        };
        let members: Vec<&str> = packages
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| MAY_DEPEND_ON.iter().any(|(ours, _)| ours == name))
            .collect();
        let text = serde_json::json!({
            "packages": packages.iter().map(package).collect::<Vec<_>>(),
            "workspace_members": members,
            "resolve": {"nodes": packages.iter().map(node).collect::<Vec<_>>()},
        });
        Metadata::parse(&text.to_string()).unwrap()
    }

    fn messages(packages: &[Sketch]) -> Vec<String> {
        let found = check(&metadata(packages), &[]);
        found
            .into_iter()
            .map(|violation| violation.to_string())
            .collect()
    }

    #[test]
    fn the_table_itself_has_no_cycle() {
        for (index, (name, allowed)) in MAY_DEPEND_ON.iter().enumerate() {
            for dependency in *allowed {
                let Some((_, back)) = MAY_DEPEND_ON.iter().find(|(name, _)| name == dependency)
                else {
                    panic!("row {index} names {dependency}, which has no row");
                };
                assert!(
                    !back.contains(name),
                    "{name} and {dependency} depend on each other"
                );
            }
        }
    }

    #[test]
    fn a_wrong_direction_is_found() {
        let found = messages(&[
            ("domain", &[("store", None)]),
            ("store", &[("domain", None)]),
        ]);
        assert_eq!(
            found,
            ["crates/domain/Cargo.toml: must not depend on `store`"]
        );
        let found = messages(&[("store", &[("testkit", None)]), ("testkit", &[])]);
        assert!(
            found[0].ends_with("`testkit`, which is for tests only"),
            "{found:?}"
        );
    }

    #[test]
    fn tests_may_depend_on_the_testkit() {
        assert!(messages(&[("store", &[("testkit", Some("dev"))]), ("testkit", &[])]).is_empty());
    }

    #[test]
    fn doors_to_the_outside_stay_in_their_crates() {
        let found = messages(&[("gateway", &[("sqlx", None)])]);
        assert_eq!(
            found,
            ["crates/gateway/Cargo.toml: must not name `sqlx`, only store may"]
        );
        assert_eq!(messages(&[("queue", &[("sqlx", Some("dev"))])]).len(), 1);
        assert!(messages(&[("gateway", &[("reqwest", Some("dev"))])]).is_empty());
    }

    #[test]
    fn pure_crates_pull_in_nothing_impure_by_way_of_others() {
        let chain: &[Sketch] = &[
            ("rules", &[("client", None)]),
            ("client", &[("hyper", None)]),
            ("hyper", &[]),
        ];
        let found = messages(chain);
        assert_eq!(
            found,
            ["crates/rules/Cargo.toml: is pure and must not pull in `hyper`"]
        );
        let tests: &[Sketch] = &[
            ("rules", &[("client", Some("dev"))]),
            ("client", &[("hyper", None)]),
            ("hyper", &[]),
        ];
        assert!(messages(tests).is_empty());
    }

    #[test]
    fn unused_dependencies_are_found() {
        let metadata = metadata(&[("store", &[("tokio-util", None), ("uuid", None)])]);
        let text = "use tokio_util::sync::CancellationToken;\nlet uuids = \"uuid\";\n";
        let source = Source::new("crates/store/src/lib.rs".to_owned(), text.to_owned());
        let found = check(&metadata, &[source]);
        let messages: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            ["crates/store/Cargo.toml: does not use its dependency `uuid`"]
        );
    }
}
