//! Whether own hits hit and own misses miss.

use crate::decision::Decision;
use crate::example::Example;
use crate::lint::applied;
use crate::lint::problem::{ProblemKind, Report};
use crate::matcher::Scratch;
use crate::pack::RulePack;
use crate::rule::{Rule, RuleId};

/// Has every own example decided.
pub(super) fn check(pack: &RulePack, report: &mut Report) {
    let mut scratch = pack.scratch();
    for (id, rule) in applied(pack, None).1 {
        hits(pack, (id, rule), &mut scratch, report);
        for (number, miss) in (1..).zip(&rule.misses) {
            let decision = decided(pack, rule, miss, &mut scratch);
            // Money that comes back names the rule of the spending, which is no hit of it.
            if decision.rule == id && decision.refund_of.is_none() {
                let message = format!("miss {number} is decided by the rule: {}", miss.text);
                report.of_rule(rule, ProblemKind::MissDecided, message);
            }
        }
    }
}

fn hits(pack: &RulePack, (id, rule): (RuleId, &Rule), scratch: &mut Scratch, report: &mut Report) {
    let mut lost = Vec::new();
    for (number, hit) in (1..).zip(&rule.hits) {
        let winner = decided(pack, rule, hit, scratch);
        if winner.rule != id {
            let (name, tag) = (pack.rule_name(winner.rule), pack.tag_name(winner.tag));
            lost.push(format!(
                "hit {number} is decided by {name} ({tag}): {}",
                hit.text
            ));
        }
    }
    if lost.len() > 1 && lost.len() == rule.hits.len() {
        let message = format!("none of its hits is decided by it; {}", lost.join("; "));
        report.of_rule(rule, ProblemKind::DeadRule, message);
        return;
    }
    for message in lost {
        report.of_rule(rule, ProblemKind::HitNotDecided, message);
    }
}

fn decided(pack: &RulePack, rule: &Rule, example: &Example, scratch: &mut Scratch) -> Decision {
    let view = pack.prepare(&example.transaction, &example.context);
    pack.categorize(rule.tree, &view, scratch)
}
