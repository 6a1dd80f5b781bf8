//! Bad data becomes findings: where, what, never the value.

use analysis::findings::{FINDINGS_MAX, collect};
use domain::{Account, Currency, FindingCode, Money};

use crate::invented;

const GOOD: &str = "DE89370400440532013000";
const WRONG: &str = "DE88370400440532013000";

fn check(accounts: &[Account], expected: &[(&str, FindingCode)]) {
    let findings = collect(accounts);
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.path.as_str(), finding.code))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn sound_data_has_no_findings() {
    check(&invented::employee(), &[]);
    check(&[invented::account(0, "A B", "", "A | b | -1.00")], &[]);
}

#[test]
fn ibans_are_checked_once_each() {
    let lines = format!(
        "A | b | -1.00 | iban={WRONG}
         A | b | -1.00 | iban={GOOD}
         A | b | -1.00 | iban={WRONG}
         A | b | -1.00 | iban=KONTO 12"
    );
    let accounts = [
        invented::account(0, "A B", GOOD, &lines),
        invented::account(1, "A B", "XX", "A | b | -1.00"),
    ];
    check(
        &accounts,
        &[
            (
                "accounts[0].transactions[0].paymentPartner.iban",
                FindingCode::IbanChecksum,
            ),
            (
                "accounts[0].transactions[3].paymentPartner.iban",
                FindingCode::IbanStructure,
            ),
            ("accounts[1].iban", FindingCode::IbanStructure),
        ],
    );
}

#[test]
fn messages_never_hold_the_value() {
    let accounts = [invented::account(0, "A B", WRONG, "A | b | -1.00")];
    for finding in collect(&accounts) {
        assert!(!format!("{finding:?}").contains(WRONG));
    }
}

#[test]
fn a_currency_conflict_is_reported_once_per_account() {
    let mut account = invented::account(
        0,
        "A B",
        GOOD,
        "A | b | -1.00\nA | b | -2.00\nA | b | -3.00",
    );
    let koruna: Currency = "CZK".parse().expect("a currency");
    for transaction in &mut account.transactions[1..] {
        transaction.amount = Money::new(transaction.amount.minor, koruna);
    }
    check(
        &[account],
        &[(
            "accounts[0].transactions[1].currency",
            FindingCode::CurrencyMismatch,
        )],
    );
}

#[test]
fn findings_are_bounded() {
    let lines: Vec<String> = (0..FINDINGS_MAX * 2)
        .map(|number| format!("A | b | -1.00 | iban=BAD{number}"))
        .collect();
    let accounts = [invented::account(0, "A B", GOOD, &lines.join("\n"))];
    assert_eq!(collect(&accounts).len(), FINDINGS_MAX);
}
