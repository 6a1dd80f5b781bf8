//! One invented user, decision by decision, in a form that a business reader understands.

use analysis::{
    CategorizedTransaction, Layers, Options, Parts, Subject, analyze, newest_booking_day,
};
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
            layers: Layers::NONE,
        },
        &options,
    );
    let taxonomy = pack.taxonomy();
    let line = |decided: &CategorizedTransaction| {
        let account = &accounts[decided.account_index];
        let transaction = &account.transactions[decided.transaction_index];
        let decision = decided.decision;
        let tags: Vec<&str> = taxonomy.path(decision.tag).collect();
        let service = decision
            .intermediary
            .map(|id| pack.intermediary(id).name.as_str());
        format!(
            "{:>9}  {} ({})\n           {}: {} {:?}, {}{}\n",
            transaction.amount.to_decimal_text(),
            tags.join(" < "),
            taxonomy.label(decision.tag, Language::De),
            pack.rule_name(decision.rule),
            decision.evidence.field.as_str(),
            decision.evidence.matched(transaction),
            decision.evidence.note.as_str(),
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
