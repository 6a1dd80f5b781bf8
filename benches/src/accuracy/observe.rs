//! Asks the engine about labelled transactions.

use anyhow::{Context, Result, anyhow};
use domain::UserType;
use formats::{UploadLimits, record};
use rules::{AccountContext, Categorizer, Decision, RulePack, Scratch};

use super::labelled::{Row, Set};
use super::report::Named;
use super::{Answer, Observation};

/// Answers every row of the sets.
///
/// # Errors
/// A row is no transaction, or its label is no tag of its tree; the message names the row.
pub fn observe_all(pack: &RulePack, sets: &[Set]) -> Result<Vec<Named>> {
    let mut scratch = pack.scratch();
    let mut observed = Vec::new();
    for (name, rows) in sets {
        let answered = rows
            .iter()
            .map(|row| observe(pack, row, &mut scratch).with_context(|| row.id.clone()));
        observed.push((name.clone(), answered.collect::<Result<_>>()?));
    }
    Ok(observed)
}

fn observe(pack: &RulePack, row: &Row, scratch: &mut Scratch) -> Result<Observation> {
    let read = record::read(&row.line, &UploadLimits::FILE)
        .map_err(|fault| anyhow!("{}: {}", fault.path, fault.message))?;
    let context = AccountContext::new(&read.account, std::slice::from_ref(&read.account));
    let transaction = read
        .account
        .transactions
        .first()
        .context("no transaction")?;
    let view = pack.prepare(transaction, &context);
    let categorizer = Categorizer::new(pack, row.tree);
    let decision = categorizer.decide(&view, scratch);
    let taxonomy = pack.taxonomy();
    let expected = taxonomy
        .find(row.tree, &row.expected)
        .with_context(|| format!("{} is no tag of the tree", row.expected))?;
    let parent = |tag| taxonomy.path(tag).nth(1).unwrap_or_default().to_owned();
    Ok(Observation {
        row: row.clone(),
        answer: Answer {
            tag: taxonomy.name(decision.tag).to_owned(),
            parent: parent(decision.tag),
            confidence: decision.confidence.per_ten_thousand(),
            rule: categorizer.rule_name(&decision).into_owned(),
            cell: cell(&categorizer, &decision, row.tree),
        },
        expected_parent: parent(expected),
    })
}

/// The line of the calibration table that a decision's confidence comes from.
fn cell(categorizer: &Categorizer<'_>, decision: &Decision, tree: UserType) -> String {
    let strength = categorizer
        .rule(decision)
        .map_or("pattern", |rule| rule.strength.name.as_str());
    let kind = match (decision.abstained, decision.refund_of) {
        (true, _) => "rest",
        (false, Some(_)) => "refund",
        (false, None) => strength,
    };
    let confidence = decision.confidence.per_ten_thousand();
    format!("{} {kind} {confidence}", tree.as_str())
}
