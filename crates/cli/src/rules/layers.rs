//! The rules that a command works with: shipped or from a folder, and a tenant's before them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use domain::{ErrorKind, UserType};
use rules::{Categorizer, Decision, Rule, RulePack, RulesError, TenantRules};

use super::folder::{self, Folder};
use crate::exit::Refusal;

/// Which rules to work with.
#[derive(Debug, Args)]
pub(super) struct LayerArgs {
    /// Rules from a folder with the layout of `rules/`; parts that are absent are the shipped ones.
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,

    /// A tenant's rules for the tree of --type, before those of the pack.
    #[arg(long, value_name = "FILE")]
    pub(super) tenant: Option<PathBuf>,
}

/// Rules, ready to decide.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) pack: RulePack,
    pub(super) tenant: Option<TenantRules>,
}

impl Layers {
    /// The shipped rules alone.
    ///
    /// # Errors
    /// They cannot be loaded.
    pub(super) fn shipped() -> Result<Self> {
        let pack = RulePack::builtin().map_err(|error| unusable("the shipped rules", &error))?;
        Ok(Self { pack, tenant: None })
    }

    /// The rules that the arguments name.
    ///
    /// # Errors
    /// They cannot be read, or they are not valid.
    pub(super) fn load(args: &LayerArgs, tree: UserType) -> Result<Self> {
        let pack = match &args.rules {
            None => Self::shipped()?.pack,
            Some(path) => {
                let compiled = Folder::read(path)?.with(RulePack::from_sources);
                compiled.map_err(|error| unusable(&name(path, "--rules"), &error))?
            }
        };
        let tenant = match &args.tenant {
            None => None,
            Some(path) => {
                let compiled = TenantRules::compile(&pack, tree, &folder::read_text(path)?);
                Some(compiled.map_err(|error| unusable(&name(path, "--tenant"), &error))?)
            }
        };
        Ok(Self { pack, tenant })
    }

    /// What decides about users of a tree.
    pub(super) fn categorizer(&self, tree: UserType) -> Categorizer<'_> {
        Categorizer::new(&self.pack, tree).with_tenant(self.tenant.as_ref())
    }

    /// The rule that decided; there always is one, since no user's patterns are here.
    pub(super) fn rule(&self, tree: UserType, decision: &Decision) -> &Rule {
        let rule = self.categorizer(tree).rule(decision);
        rule.unwrap_or_else(|| self.pack.rule(decision.rule))
    }
}

fn name(path: &Path, option: &str) -> String {
    format!(
        "{} ({option}; `kontor rules check` tells all)",
        path.display()
    )
}

/// Rules that cannot be used are wrong input, whatever the cause.
fn unusable(what: &str, error: &RulesError) -> Refusal {
    let cause = std::error::Error::source(error);
    let cause = cause.map(|cause| format!(": {}", cause.to_string().trim_end()));
    let message = format!("cannot use {what}: {error}{}", cause.unwrap_or_default());
    Refusal::new(ErrorKind::InvalidInput, message)
}
