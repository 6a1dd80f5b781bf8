//! Every problem of a tenant's rules at once.

use domain::UserType;

use crate::error::RulesError;
use crate::lint::problem::{Problem, ProblemKind, Report};
use crate::lint::read::{Reader, Rules};
use crate::lint::{judge_texts, probe, text};
use crate::pack::RulePack;
use crate::tenant::TenantRules;

/// What a tenant's rules are called in problems.
const FILE: &str = "tenant rules";
/// Most rules that are set aside one after the other because of their examples.
const REFUSED_MAX: usize = 100;

/// Finds every problem of a tenant's rules for one tree, which go before those of the pack.
pub fn check_tenant(pack: &RulePack, tree: UserType, source: &str) -> Vec<Problem> {
    let mut report = Report::default();
    let mut rules = Rules::default();
    let around = pack.surroundings();
    for block in text::blocks(source, "[[rule]]") {
        let reader = Reader {
            tree,
            name: FILE,
            around: &around,
        };
        reader.block(block, &mut rules, &mut report);
    }
    let usable = rules.files.remove(&(tree, FILE.to_owned()));
    if let Some(tenant) = compiled(pack, tree, usable.unwrap_or_default(), &mut report) {
        probe::check(pack, Some(&tenant), &mut report);
        judge_texts(pack, Some(&tenant), &mut report);
    }
    let mut problems = report.into_problems();
    for problem in &mut problems {
        FILE.clone_into(&mut problem.file);
    }
    problems
}

/// Compiles what can be used, setting aside each rule that is refused.
fn compiled(
    pack: &RulePack,
    tree: UserType,
    mut source: String,
    report: &mut Report,
) -> Option<TenantRules> {
    for _ in 0..REFUSED_MAX {
        let error = match TenantRules::compile(pack, tree, &source) {
            Ok(tenant) => return Some(tenant),
            Err(error) => error,
        };
        let RulesError::Rule { rule, problem, .. } = &error else {
            report.refused(FILE, &error);
            return None;
        };
        let line = report.line_of(rule);
        report.add(Problem {
            file: FILE.to_owned(),
            line,
            rule: Some(rule.clone()),
            kind: ProblemKind::from(problem),
            message: problem.to_string(),
        });
        source = without(&source, rule)?;
    }
    None
}

/// The source without the rule; `None` when no block can be told to be it.
fn without(source: &str, rule: &str) -> Option<String> {
    let blocks = text::blocks(source, "[[rule]]");
    let named = |block: &text::Block<'_>| text::id_in(block.text).as_deref() == Some(rule);
    let kept: String = blocks
        .iter()
        .filter(|block| !named(block))
        .map(|block| block.text)
        .collect();
    (kept.len() < source.len()).then_some(kept)
}
