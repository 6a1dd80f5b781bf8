//! Bad data that no stage should stumble over.

use std::collections::HashSet;

use domain::iban::{self, IbanFault};
use domain::{Account, Finding, FindingCode};

/// Most findings of one user; a broken source repeats the same fault in every row.
pub const FINDINGS_MAX: usize = 200;

/// Checks the IBANs of accounts and counterparties and the currencies of transactions.
///
/// Each faulty IBAN is reported once, where it occurs first, and each account's currency conflict
/// once. The message never holds the value.
pub fn collect(accounts: &[Account]) -> Vec<Finding> {
    let mut collector = Collector::default();
    for (index, account) in accounts.iter().enumerate() {
        collector.account(index, account);
    }
    collector.findings
}

#[derive(Default)]
struct Collector<'a> {
    findings: Vec<Finding>,
    seen: HashSet<&'a str>,
}

impl<'a> Collector<'a> {
    fn account(&mut self, index: usize, account: &'a Account) {
        self.iban(&account.iban, || format!("accounts[{index}].iban"));
        let mut currency_reported = false;
        for (at, transaction) in account.transactions.iter().enumerate() {
            let path = |rest: &str| format!("accounts[{index}].transactions[{at}].{rest}");
            self.iban(&transaction.counterparty.iban, || {
                path("paymentPartner.iban")
            });
            if transaction.amount.currency != account.currency && !currency_reported {
                currency_reported = true;
                let message = "the currency differs from the account's";
                self.add(path("currency"), FindingCode::CurrencyMismatch, message);
            }
        }
    }

    fn iban(&mut self, iban: &'a domain::Sensitive<String>, path: impl FnOnce() -> String) {
        let iban = iban.as_str();
        if iban.is_empty() || !self.seen.insert(iban) {
            return;
        }
        match iban::check(iban) {
            Ok(()) => {}
            Err(IbanFault::Structure) => {
                self.add(
                    path(),
                    FindingCode::IbanStructure,
                    "not the structure of an IBAN",
                );
            }
            Err(IbanFault::Checksum) => {
                self.add(
                    path(),
                    FindingCode::IbanChecksum,
                    "the check digits do not fit",
                );
            }
        }
    }

    fn add(&mut self, path: String, code: FindingCode, message: &str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding::new(path, code, message));
        }
    }
}
