//! `cargo xtask gen`: writes what is generated and committed.

use anyhow::Result;
use clap::ValueEnum;

use crate::workspace::Workspace;
use crate::{docs, process, sql, tidy};

/// Something that is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// `crates/store/.sqlx`, from the migrations and the statements in the code.
    Sql,
    /// `docs/openapi.json`, from the gateway.
    Openapi,
    /// The crates' README files and the pages of rules and tags.
    Docs,
}

/// Writes one thing, or everything.
pub(crate) fn generate(workspace: &Workspace, what: Option<What>) -> Result<()> {
    let wanted = |one: What| what.is_none_or(|what| what == one);
    if wanted(What::Sql) {
        sql::generate(workspace)?;
    }
    if wanted(What::Openapi) {
        openapi(workspace)?;
    }
    if wanted(What::Docs) {
        let changed = tidy::write_readmes(workspace)?;
        println!("{changed} README files changed");
        docs::write(workspace)?;
    }
    Ok(())
}

/// Asks the gateway for the document that it would serve.
fn openapi(workspace: &Workspace) -> Result<()> {
    let arguments = [
        "run",
        "--quiet",
        "--locked",
        "--package",
        "gateway",
        "--example",
        "openapi",
    ];
    let text = process::output(&mut workspace.cargo(&arguments))?;
    std::fs::write(workspace.path(tidy::OPENAPI), text)?;
    println!("{}", tidy::OPENAPI);
    Ok(())
}
