//! The cache of SQL statements that lets `store` compile without a database.
//!
//! `cargo sqlx prepare` would do this too, but its tool takes minutes to install, and all it does is
//! to compile the crate with a database and a folder in the environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::leash::{self, Rights};
use crate::packages::{self, Package};
use crate::postgres::Cluster;
use crate::process;
use crate::workspace::Workspace;

/// Where the cache is kept.
const CACHE: &str = "crates/store/.sqlx";

/// The database that the statements are checked against.
const DATABASE: &str = "kontor_sql";

/// The group roles that migrations grant rights to; `kontor migrate` makes them elsewhere.
const ROLES: [&str; 2] = ["kontor_runtime", "kontor_system"];

/// Replaces the committed cache by one made from the migrations and the code.
pub(crate) fn generate(workspace: &Workspace) -> Result<()> {
    let made = make(workspace)?;
    let cache = workspace.path(CACHE);
    fs::create_dir_all(&cache)?;
    for stale in read(&cache)?
        .keys()
        .filter(|name| !made.contains_key(*name))
    {
        fs::remove_file(cache.join(stale))?;
    }
    for (name, content) in &made {
        fs::write(cache.join(name), content)?;
    }
    println!("{} statements in {CACHE}", made.len());
    Ok(())
}

/// Fails when the committed cache is not what migrations and code say.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let made = make(workspace)?;
    let committed = read(&workspace.path(CACHE))?;
    let differences = differences(&committed, &made);
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "{CACHE} is out of date, run `cargo xtask gen sql`:\n{}",
        differences.join("\n")
    )
}

/// File names and contents.
type Cache = BTreeMap<String, String>;

/// Compiles `store` against a fresh database and returns what its macros recorded.
fn make(workspace: &Workspace) -> Result<Cache> {
    packages::ensure(&[Package::Postgres])?;
    let rights = Rights::unprivileged()?;
    leash::sweep(rights)?;
    let mut cluster = Cluster::start(rights)?;
    cluster.wait()?;
    migrate(workspace, &cluster)?;

    let output = workspace.target.join("xtask-sqlx");
    if output.exists() {
        fs::remove_dir_all(&output)?;
    }
    fs::create_dir_all(&output)?;
    run_macros_again(&workspace.path("crates/store/src/lib.rs"))?;
    let arguments = ["check", "--locked", "--package", "store", "--all-targets"];
    let mut command = workspace.cargo(&arguments);
    command
        .env("SQLX_OFFLINE", "false")
        .env("DATABASE_URL", cluster.url(DATABASE));
    command.env("SQLX_OFFLINE_DIR", &output);
    process::run(&mut command)?;
    read(&output)
}

/// Applies the migrations as `kontor migrate` would.
fn migrate(workspace: &Workspace, cluster: &Cluster) -> Result<()> {
    for role in ROLES {
        cluster.psql(
            "postgres",
            &["--command", &format!("create role {role} nologin")],
        )?;
    }
    cluster.psql(
        "postgres",
        &["--command", &format!("create database {DATABASE}")],
    )?;
    for file in migrations(workspace)? {
        let path = file.to_string_lossy();
        cluster
            .psql(DATABASE, &["--single-transaction", "--file", &path])
            .with_context(|| format!("migration {path}"))?;
    }
    Ok(())
}

/// The migrations in the order of their numbers.
fn migrations(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(workspace.path("migrations"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Makes cargo compile a crate again although nothing has changed: the macros run then only.
fn run_macros_again(file: &Path) -> Result<()> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    fs::write(file, content)?;
    Ok(())
}

/// The statements of a cache folder; none when it does not exist.
fn read(folder: &Path) -> Result<Cache> {
    let mut cache = Cache::new();
    if !folder.exists() {
        return Ok(cache);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("query-") {
            cache.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(cache)
}

/// One line for each statement that is missing, left over, or described differently.
fn differences(committed: &Cache, made: &Cache) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, content) in made {
        match committed.get(name) {
            None => lines.push(format!("missing: {}", statement(content))),
            Some(old) if old != content => lines.push(format!("changed: {}", statement(content))),
            Some(_) => {}
        }
    }
    let left_over = committed
        .iter()
        .filter(|(name, _)| !made.contains_key(*name));
    lines.extend(left_over.map(|(_, content)| format!("left over: {}", statement(content))));
    lines
}

/// The statement of a cache file on one line.
fn statement(content: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(content).unwrap_or_default();
    let text = value["query"].as_str().unwrap_or("(unreadable)");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(&str, &str)]) -> Cache {
        let content = |query: &str| format!(r#"{{"query":"{query}"}}"#);
        entries
            .iter()
            .map(|(name, query)| ((*name).to_owned(), content(query)))
            .collect()
    }

    #[test]
    fn every_difference_of_caches_is_named() {
        let committed = cache(&[("query-1", "select 1"), ("query-2", "select 2")]);
        let made = cache(&[("query-2", "select  two"), ("query-3", "select 3")]);
        assert_eq!(
            differences(&committed, &made),
            [
                "changed: select two",
                "missing: select 3",
                "left over: select 1"
            ]
        );
        assert!(differences(&made, &made).is_empty());
    }
}
