//! Every problem of a pack at once: what `kontor rules check` and the meta-tests report.
//!
//! Loading a pack stops at the first fault. Here each file is read block by block, a broken rule is
//! set aside, and the rest goes on to be judged: own hits and misses, literals that can never be
//! found, rules that never decide, contradictions, patterns that are too broad or too large, and
//! tags without rules.

mod breadth;
mod conflict;
mod coverage;
mod data;
mod hits;
mod mend;
mod probe;
mod problem;
mod read;
mod tenant;
mod text;

use domain::UserType;

pub use breadth::{
    INFIX_LETTERS_MIN, LITERAL_LETTERS_MAX, LITERAL_WORDS_MAX, RULE_LITERALS_MAX, WORD_LETTERS_MIN,
};
pub use problem::{Problem, ProblemKind};
pub use tenant::check_tenant;

use crate::decision::Origin;
use crate::embedded;
use crate::pack::{RulePack, Sources};
use crate::rule::{Rule, RuleId, Stage};
use crate::tenant::TenantRules;
use problem::Report;
use read::Rules;

/// Both trees, in the order of reports.
const TREES: [UserType; 2] = [UserType::Person, UserType::Company];

/// The texts of the pack that ships with this version, to be changed in part.
pub const fn shipped() -> Sources<'static> {
    embedded::SOURCES
}

/// Finds every problem of a pack, in the order of files and lines.
pub fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut report = Report::default();
    let Some(data) = data::read(sources, &mut report) else {
        return report.into_problems();
    };
    let rules = read::rules(sources, &data, &mut report);
    let texts = rules.texts();
    let usable = Sources {
        person: &texts.person,
        company: &texts.company,
        ..data.sources(sources)
    };
    if let Some(pack) = compiled(&usable, &mut report) {
        judge(&pack, &rules, &mut report);
    }
    report.into_problems()
}

/// Compiles what can be used. What is left to fail stands in data files that only the pack knows.
fn compiled(usable: &Sources<'_>, report: &mut Report) -> Option<RulePack> {
    let error = match RulePack::from_sources(usable) {
        Ok(pack) => return Some(pack),
        Err(error) => error,
    };
    report.refused("", &error);
    let mut known = shipped();
    known.taxonomy = usable.taxonomy;
    known.evidence = usable.evidence;
    known.intermediaries = usable.intermediaries;
    known.first_names = usable.first_names;
    known.names = usable.names;
    known.person = usable.person;
    known.company = usable.company;
    RulePack::from_sources(&known).ok()
}

/// Judges what the compiled rules do.
fn judge(pack: &RulePack, rules: &Rules, report: &mut Report) {
    hits::check(pack, report);
    probe::check(pack, None, report);
    judge_texts(pack, None, report);
    if rules.complete {
        coverage::leaves(pack, &rules.entries, report);
    }
}

/// Judges what the rules look for.
fn judge_texts(pack: &RulePack, tenant: Option<&TenantRules>, report: &mut Report) {
    let rules: Vec<&Rule> = applied(pack, tenant)
        .1
        .into_iter()
        .map(|(_, rule)| rule)
        .collect();
    conflict::contradictions(&rules, pack.taxonomy(), report);
    conflict::shadows(&rules, report);
    breadth::check(&rules, report);
}

/// The rules in question: the tenant's, or the pack's without a tenant, as far as they are applied.
fn applied<'a>(
    pack: &'a RulePack,
    tenant: Option<&'a TenantRules>,
) -> (Origin, Vec<(RuleId, &'a Rule)>) {
    let (origin, mut rules): (Origin, Vec<_>) = match tenant {
        Some(tenant) => (Origin::Tenant, tenant.rules().collect()),
        None => (Origin::Pack, pack.rules().collect()),
    };
    rules.retain(|(_, rule)| rule.status.stage != Stage::Removed);
    (origin, rules)
}
