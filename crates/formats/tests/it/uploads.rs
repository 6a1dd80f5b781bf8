//! Documented uploads are accepted and come back as they were sent.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use domain::{AccountType, Currency, Money};
use formats::corpus::{self, Lines};
use formats::{Mode, Upload, UploadLimits, identity, upload};
use serde_json::Value;
use wire::banking::{AccountsResponse, Transactions};

use crate::shared;

fn read(body: &[u8]) -> Upload {
    upload::read(body, &UploadLimits::REQUEST, Mode::Strict).expect("reads")
}

fn answered(body: &[u8]) -> Value {
    let accounts = identity::resolve(read(body).accounts, &[]).expect("resolves");
    let response = AccountsResponse::new(&accounts, Transactions::Included);
    serde_json::to_value(response).expect("serialises")
}

/// Every value of a document by its path, numbers by their text.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                leaves(item, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}[{index}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.insert(format!("{path} = {value}"));
        }
    }
}

#[test]
fn the_documented_upload_is_answered_value_by_value() {
    let name = "reference/api/samples/001-banking-create-external-accounts-request.json";
    let Some(path) = shared::file(name) else {
        return;
    };
    let body = std::fs::read(path).expect("readable");
    let sent: Value = serde_json::from_slice(&body).expect("JSON");
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    leaves(&sent, "", &mut expected);
    leaves(&answered(&body), "", &mut found);
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let added: Vec<_> = found.difference(&expected).collect();
    assert_eq!(
        added,
        [
            ".accounts[0].bankLoginId = \"\"",
            ".accounts[0].transactions[0].accountId = \"A38253.f837c3ab353\"",
        ]
    );
}

#[test]
fn other_documented_accounts_are_read_too() {
    for name in [
        "001-banking-get-accounts-response.json",
        "001-create-user-with-accounts-request.json",
    ] {
        if let Some(path) = shared::file(&format!("reference/api/samples/{name}")) {
            let body = std::fs::read(path).expect("readable");
            assert_eq!(read(&body).accounts.len(), 1, "{name}");
        }
    }
}

#[test]
fn what_is_not_sent_has_the_documented_default() {
    let body = br#"{"accounts":[{"type":null,"balance":null,"transactions":
        [{"amount":-1,"bookingDate":1705928941,"paymentPartner":null,"currency":null}]},
        {"type":"DEPOT","accountId":"d"}]}"#;
    let accounts = identity::resolve(read(body).accounts, &[]).expect("resolves");
    let [giro, depot] = &accounts[..] else {
        panic!("two accounts");
    };
    assert_eq!(giro.account_type, AccountType::Giro);
    assert_eq!(giro.balance, Money::new(0, Currency::EUR));
    assert_eq!(giro.transactions[0].amount, Money::new(-100, Currency::EUR));
    assert_eq!(giro.overdraft, None);
    assert_eq!(
        (depot.account_type, depot.id.as_str()),
        (AccountType::Depot, "d")
    );
}

#[test]
fn overdrafts_are_read_in_both_documented_ways() {
    for (sent, amount, available) in [
        (
            r#"{"amount":5000,"available":true}"#,
            Some(500_000),
            Some(true),
        ),
        (r#"{"amount":-5000.00}"#, Some(500_000), None),
        (r#"{"amount":0,"available":"false"}"#, Some(0), Some(false)),
        (r#"{"amount":true}"#, None, Some(true)),
        (r#"{"amount":"false","available":"TRUE"}"#, None, Some(true)),
        (r#"{"amount":null,"available":null}"#, None, None),
        ("{}", None, None),
    ] {
        let body = format!("{{\"accounts\":[{{\"overdraft\":{sent}}}]}}");
        let upload = read(body.as_bytes());
        let overdraft = upload.accounts[0].account().overdraft.expect(sent);
        assert_eq!(overdraft.amount.map(|money| money.minor), amount, "{sent}");
        assert_eq!(overdraft.available, available, "{sent}");
    }
}

#[test]
fn a_transaction_without_currency_has_its_account_s() {
    let body = br#"{"accounts":[{"currency":"czk","transactions":
        [{"amount":1,"bookingDate":0},{"amount":1,"bookingDate":0,"currency":"EUR"}]}]}"#;
    let upload = read(body);
    let transactions = &upload.accounts[0].account().transactions;
    let currencies: Vec<_> = transactions
        .iter()
        .map(|t| t.amount.currency.to_string())
        .collect();
    assert_eq!(currencies, ["CZK", "EUR"]);
}

#[test]
fn bad_data_of_a_file_is_left_out_and_reported() {
    let body = br#"{"accounts":[
        {"accountId":"a","type":"PIGGY","iban":5,"transactions":[]},
        {"accountId":"b","type":"PIGGY","balance":"x","transactions":[
            {"amount":1,"bookingDate":0,"transactionId":"t"},
            {"amount":1.234,"bookingDate":0},
            {"bookingDate":0},
            {"amount":2,"bookingDate":"yesterday"},
            [],
            {"amount":3,"bookingDate":0,"transactionId":"t"},
            {"amount":4,"bookingDate":0}]},
        {"accountId":"b"},
        {"accountId":"c","currency":"Euro"}]}"#;
    let upload = upload::read(body, &UploadLimits::FILE, Mode::Lenient).expect("reads");
    let reported: Vec<_> = upload
        .findings
        .iter()
        .map(|finding| format!("{} {} ({})", finding.path, finding.message, finding.code))
        .collect();
    let kinds = "must be one of: BAUSPAREN, DEPOT, FESTGELD, FONDSDEPOT, GIRO, KREDIT_KARTE, \
                 KREDIT_KONTO, KREDITDARLEHEN, SPARBUCH, TAGESGELD, UNKNOWN, OTHER";
    assert_eq!(
        reported,
        [
            "accounts[0].iban must be a string (invalid)",
            "accounts[1].balance must be a number (invalid)",
            &format!("accounts[1].type {kinds} (invalid)"),
            "accounts[1].transactions[1].amount must have at most 2 decimal places in EUR (invalid)",
            "accounts[1].transactions[2].amount is required (missing)",
            "accounts[1].transactions[3].bookingDate must be Unix seconds, YYYY-MM-DD or an \
             RFC 3339 date and time (invalid)",
            "accounts[1].transactions[4] must be an object (invalid)",
            "accounts[1].transactions[5].transactionId is the same as that of transactions[0] \
             (duplicateId)",
            "accounts[2].accountId is the same as that of accounts[1] (duplicateId)",
            "accounts[3].currency must be three letters (ISO 4217) (invalid)",
        ]
    );
    let (accounts, _) = upload.into_accounts();
    assert_eq!(accounts.len(), 1, "the later of two equal ids counts");
}

#[test]
fn missing_ids_of_a_file_derive_from_the_position() {
    let body = br#"{"accounts":[{"accountId":"a"},{"transactions":
        [{"amount":1,"bookingDate":0},{"amount":"x"},{"amount":1,"bookingDate":0}]}]}"#;
    let upload = upload::read(body, &UploadLimits::FILE, Mode::Lenient).expect("reads");
    let (accounts, _) = upload.into_accounts();
    let transactions: Vec<_> = accounts[1]
        .transactions
        .iter()
        .map(|t| t.id.as_str())
        .collect();
    assert_eq!(
        (accounts[1].id.as_str(), &*transactions),
        ("A#2", &["T#1", "T#3"][..])
    );
}

#[test]
fn the_examples_are_read_without_findings() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let body = std::fs::read(examples.join("upload-person.json")).expect("readable");
    let upload = read(&body);
    assert!(upload.accounts[0].account().transactions.len() >= 25);
    let corpus = File::open(examples.join("corpus.ndjson")).expect("readable");
    let users = Lines::new(BufReader::new(corpus)).map(|line| {
        let bytes = line.expect("line").content.expect("short");
        corpus::read_user(&bytes, &UploadLimits::FILE).expect("reads")
    });
    let users: Vec<_> = users.collect();
    assert_eq!(users.len(), 2);
    assert!(users.iter().all(|user| user.findings().is_empty()));
    let accounts = users.iter().flat_map(|user| &user.upload.accounts);
    for account in accounts.chain(&upload.accounts) {
        let account = account.account();
        assert_eq!(domain::iban::check(account.iban.as_str()), Ok(()));
        for transaction in &account.transactions {
            let iban = transaction.counterparty.iban.as_str();
            assert!(
                iban.is_empty() || domain::iban::check(iban).is_ok(),
                "{}",
                transaction.id
            );
        }
    }
}

#[test]
fn the_berka_corpus_is_read_without_failure() {
    let Some(path) = shared::file("data/berka/corpus.ndjson") else {
        return;
    };
    let (mut users, mut transactions, mut findings) = (0, 0, 0);
    for line in Lines::new(BufReader::new(File::open(path).expect("readable"))) {
        let bytes = line.expect("line").content.expect("short");
        let user = corpus::read_user(&bytes, &UploadLimits::FILE).expect("reads");
        users += 1;
        findings += user.findings().len();
        let accounts = user.upload.accounts.iter();
        transactions += accounts
            .map(|a| a.account().transactions.len())
            .sum::<usize>();
    }
    assert_eq!((users, transactions, findings), (330, 16_705, 0));
}
