//! One invented user, decision by decision, in a form that a business reader understands.

use analysis::{CategorizedTransaction, Options, Parts, Subject, analyze, newest_booking_day};
use domain::{Account, UserType};
use rules::{Language, RulePack};

use crate::invented;

/// One line per transaction: amount, tags from leaf to root, label, rule and what decided.
pub(crate) fn describe(pack: &RulePack, user_type: UserType, accounts: &[Account]) -> String {
    let as_of = newest_booking_day(accounts, chrono::NaiveDate::MAX);
    let options = Options {
        as_of,
        parts: Parts::all(),
    };
    let report = analyze(
        pack,
        &Subject {
            user_type,
            accounts,
        },
        &options,
    );
    let taxonomy = pack.taxonomy();
    let line = |decided: &CategorizedTransaction| {
        let account = &accounts[decided.account_index];
        let transaction = &account.transactions[decided.transaction_index];
        let assignment = decided.assignment;
        let tags: Vec<&str> = taxonomy.path(assignment.tag).collect();
        let service = assignment
            .intermediary
            .map(|id| pack.intermediary(id).name.as_str());
        format!(
            "{:>9}  {} ({})\n           {}: {} {:?}, {}{}\n",
            transaction.amount.to_decimal_text(),
            tags.join(" < "),
            taxonomy.label(assignment.tag, Language::De),
            pack.rule_name(assignment.rule),
            assignment.evidence.field.as_str(),
            assignment.evidence.matched(transaction),
            assignment.evidence.note.as_str(),
            service.map_or_else(String::new, |name| format!(", through {name}")),
        )
    };
    report.categorization.iter().map(line).collect()
}

#[test]
fn an_employee() {
    let pack = RulePack::builtin().expect("valid");
    let text = describe(&pack, UserType::Person, &invented::employee());
    insta::assert_snapshot!(text);
}
