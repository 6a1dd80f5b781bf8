//! The part of `cargo metadata` that the checks read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

/// Packages and how they depend on one another.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

/// One package.
#[derive(Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

/// A line of a manifest.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// `None` for ordinary ones, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// The name in code, if another.
    pub(crate) rename: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo; the lock file must be up to date.
    pub(crate) fn load(workspace: &Workspace) -> Result<Self> {
        let arguments = ["metadata", "--locked", "--format-version", "1"];
        Self::parse(&process::output(&mut workspace.cargo(&arguments))?)
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("cargo metadata")
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// One of our own packages.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|package| package.name == name)
    }

    /// Every package that is compiled into a library of ours, tests and build scripts apart.
    pub(crate) fn compiled_into(&self, package: &Package) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Node> = self
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();
        let names: BTreeMap<&str, &str> = self
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let mut seen = BTreeSet::from([package.id.as_str()]);
        let mut waiting = vec![package.id.as_str()];
        while let Some(id) = waiting.pop() {
            let edges = nodes.get(id).map_or(&[][..], |node| &node.deps);
            let ordinary = edges.iter().filter(|edge| edge.is_ordinary());
            waiting.extend(
                ordinary
                    .map(|edge| edge.pkg.as_str())
                    .filter(|id| seen.insert(id)),
            );
        }
        seen.remove(package.id.as_str());
        seen.into_iter()
            .filter_map(|id| names.get(id).copied())
            .collect()
    }
}

impl Package {
    /// The name of its folder, which for crates is also theirs.
    pub(crate) fn folder(&self) -> &str {
        let folder = self
            .manifest_path
            .parent()
            .and_then(|folder| folder.file_name());
        folder.and_then(|name| name.to_str()).unwrap_or("")
    }

    /// The names of its programs.
    pub(crate) fn programs(&self) -> Vec<&str> {
        let programs = self
            .targets
            .iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        programs.map(|target| target.name.as_str()).collect()
    }
}

impl Dependency {
    /// Whether tests alone use it.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }

    /// The name code calls it by.
    pub(crate) fn name_in_code(&self) -> String {
        self.rename.as_ref().unwrap_or(&self.name).replace('-', "_")
    }
}

impl Edge {
    fn is_ordinary(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }
}
