//! Each fault of a request is answered with the path of its field and a clear message.

use domain::{Classify, ErrorKind};
use formats::{InvalidInput, Mode, UploadLimits, upload};

const LIMITS: UploadLimits = UploadLimits {
    transactions_max: 3,
    accounts_max: 3,
    securities_max: 2,
    standing_orders_max: 2,
    purpose_bytes_max: 16,
    text_bytes_max: 12,
    code_bytes_max: 8,
};

fn fault(body: &[u8]) -> InvalidInput {
    upload::read(body, &LIMITS, Mode::Strict).expect_err(&String::from_utf8_lossy(body))
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(fault(body.as_bytes()).to_string(), expected, "{body}");
}

#[track_caller]
fn check_account(fields: &str, expected: &str) {
    check(
        &format!("{{\"accounts\":[{{}},{{{fields}}}]}}"),
        &format!("accounts[1]{expected}"),
    );
}

#[track_caller]
fn check_transaction(fields: &str, expected: &str) {
    let valid = r#"{"amount":1,"bookingDate":0}"#;
    check(
        &format!("{{\"accounts\":[{{\"transactions\":[{valid},{{{fields}}}]}}]}}"),
        &format!("accounts[0].transactions[1]{expected}"),
    );
}

#[test]
fn bodies() {
    check(
        "",
        "is malformed JSON at line 1 column 0: EOF while parsing a value",
    );
    check("[]", "must be an object");
    check("\"accounts\"", "must be an object");
    check("{}", "accounts: is required");
    check(r#"{"accounts":null}"#, "accounts: is required");
    check(r#"{"accounts":{}}"#, "accounts: must be an array");
    check(r#"{"accounts":[]}"#, "accounts: must not be empty");
    check(
        r#"{"accounts":[],"accounts":[]}"#,
        "accounts is given twice",
    );
    check(r#"{"accounts":[{}, 7]}"#, "accounts[1]: must be an object");
    check(r#"{"accounts":[["A1"]]}"#, "accounts[0]: must be an object");
    check(r#"{"accounts":["x"]}"#, "accounts[0]: must be an object");
}

#[test]
fn malformed_json_names_the_place() {
    for (body, path) in [
        (r#"{"accounts":[{"iban":"DE"#, "accounts[0].iban"),
        (
            r#"{"accounts":[{"transactions":[{"amount":1,}]}]}"#,
            "accounts[0].transactions[0]",
        ),
        (
            r#"{"accounts":[{"transactions":[{"amount":01}]}]}"#,
            "accounts[0].transactions[0]",
        ),
        (r#"{"accounts":[{"balance":NaN}]}"#, "accounts[0].balance"),
        (r#"{"accounts":[{}]} trailing"#, ""),
        ("{\"accounts\":[{\"owner\":\"a\nb\"}]}", "accounts[0].owner"),
    ] {
        let fault = fault(body.as_bytes());
        assert!(
            fault.message.starts_with("is malformed JSON at line"),
            "{fault}"
        );
        assert!(fault.path.starts_with(path), "{body}: {fault}");
        assert_eq!(fault.path.is_empty(), path.is_empty(), "{body}: {fault}");
    }
    let fault = fault(b"{\"accounts\":[{\"owner\":\"\xff\"}]}");
    assert_eq!(fault.path, "accounts[0].owner");
}

#[test]
fn nesting_is_bounded() {
    for body in [
        "[".repeat(1_000_000),
        format!("{{\"accounts\":{}", "[".repeat(200_000)),
        format!(
            "{{\"accounts\":[{{}}],\"other\":{}{}}}",
            "[".repeat(200),
            "]".repeat(200)
        ),
        "{\"a\":".repeat(100_000),
    ] {
        let fault = fault(body.as_bytes());
        assert!(
            fault.path.len() < 250 && fault.path.contains(['0', 'a']),
            "{fault}"
        );
        assert!(fault.message.contains("recursion limit"), "{fault}");
    }
}

#[test]
fn accounts() {
    check_account(r#""balance":"12""#, ".balance: must be a number");
    check_account(r#""balance":true"#, ".balance: must be a number");
    check_account(
        r#""balance":1.234"#,
        ".balance: must have at most 2 decimal places in EUR",
    );
    check_account(
        r#""currency":"JPY","balance":1.5"#,
        ".balance: must have at most 0 decimal places in JPY",
    );
    check_account(r#""balance":1e30"#, ".balance: is out of range");
    check_account(r#""creditLine":[]"#, ".creditLine: must be a number");
    check_account(
        r#""monthlySpendingLimit":{}"#,
        ".monthlySpendingLimit: must be a number",
    );
    check_account(
        r#""currency":"Euro""#,
        ".currency: must be three letters (ISO 4217)",
    );
    check_account(r#""currency":978"#, ".currency: must be a string");
    check_account(r#""iban":["DE"]"#, ".iban: must be a string");
    check_account(
        r#""iban":"DE8937040044""#,
        ".iban: must be at most 8 bytes long",
    );
    check_account(r#""owner":"Jana\u0000""#, ".owner: must not contain U+0000");
    check_account(
        r#""owner":"\udc00""#,
        r".owner: has a \u escape that is no character",
    );
    check_account(
        r#""type":"giro""#,
        ".type: must be one of: BAUSPAREN, DEPOT, FESTGELD, FONDSDEPOT, GIRO, KREDIT_KARTE, \
         KREDIT_KONTO, KREDITDARLEHEN, SPARBUCH, TAGESGELD, UNKNOWN, OTHER",
    );
    check_account(r#""overdraft":5"#, ".overdraft: must be an object");
    check_account(
        r#""overdraft":{"amount":"much"}"#,
        ".overdraft.amount: must be a number",
    );
    check_account(
        r#""overdraft":{"available":1}"#,
        ".overdraft.available: must be true or false",
    );
    check_account(
        r#""accountId":"a\nb""#,
        ".accountId: must not contain control characters",
    );
    check_account(r#""transactions":{}"#, ".transactions: must be an array");
    check_account(r#""name":"a","name":"b""#, ": name is given twice");
}

#[test]
fn transactions() {
    check_transaction("", ".amount: is required");
    check_transaction(r#""amount":null,"bookingDate":0"#, ".amount: is required");
    check_transaction(r#""amount":1"#, ".bookingDate: is required");
    check_transaction(
        r#""amount":"1","bookingDate":0"#,
        ".amount: must be a number",
    );
    check_transaction(
        r#""amount":0.001,"bookingDate":0"#,
        ".amount: must have at most 2 decimal places in EUR",
    );
    check_transaction(
        r#""amount":1,"bookingDate":1705928941000"#,
        ".bookingDate: must be Unix seconds; this looks like milliseconds",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"valueDate":"soon""#,
        ".valueDate: must be Unix seconds, YYYY-MM-DD or an RFC 3339 date and time",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"transactionCode":1000"#,
        ".transactionCode: must be a whole number from 0 to 999",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"purpose":"seventeen letters""#,
        ".purpose: must be at most 16 bytes long",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"purpose":7"#,
        ".purpose: must be a string",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"paymentPartner":["x"]"#,
        ".paymentPartner: must be an object",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"paymentPartner":{"name":7}"#,
        ".paymentPartner.name: must be a string",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"paymentPartner":{"iban":"123456789"}"#,
        ".paymentPartner.iban: must be at most 8 bytes long",
    );
    check_transaction(
        r#""amount":1,"bookingDate":0,"eref":"\u0000""#,
        ".eref: must not contain U+0000",
    );
}

#[test]
fn shown_lists() {
    check_account(r#""securities":5"#, ".securities: must be an array");
    check_account(
        r#""securities":[{},{"price":"1"}]"#,
        ".securities[1].price: must be a number",
    );
    check_account(
        r#""securities":[{"isin":5}]"#,
        ".securities[0].isin: must be a string",
    );
    check_account(
        r#""standingOrders":[{"executionDay":32}]"#,
        ".standingOrders[0].executionDay: must be a whole number from 1 to 31",
    );
    check_account(
        r#""standingOrders":[{"name":"thirteen more"}]"#,
        ".standingOrders[0].name: must be at most 12 bytes long",
    );
    check_account(
        r#""securities":[{},{},{}]"#,
        ".securities: must not contain more than 2 elements",
    );
}

#[test]
fn doubles_and_too_many() {
    check(
        r#"{"accounts":[{"accountId":"a"},{"accountId":"b"},{"accountId":"a"}]}"#,
        "accounts[2].accountId: is the same as that of accounts[0]",
    );
    check(
        r#"{"accounts":[{"iban":"DE 1"},{"iban":"de1"}]}"#,
        "accounts[1]: is the same account as accounts[0]",
    );
    let twice = r#"{"amount":1,"bookingDate":0,"transactionId":"t"}"#;
    check(
        &format!("{{\"accounts\":[{{\"transactions\":[{twice},{twice}]}}]}}"),
        "accounts[0].transactions[1].transactionId: is the same as that of transactions[0]",
    );
    let one = r#"{"amount":1,"bookingDate":0}"#;
    let many = format!("{{\"transactions\":[{one},{one}]}}");
    let body =
        format!("{{\"accounts\":[{many},{{\"accountId\":\"b\",\"transactions\":[{one},{one}]}}]}}");
    let fault = fault(body.as_bytes());
    assert_eq!(
        fault.to_string(),
        "accounts[1].transactions: must not contain more than 3 transactions in one upload"
    );
    assert_eq!(fault.kind(), ErrorKind::TooLarge);
    check(
        r#"{"accounts":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]}"#,
        "accounts: must not contain more than 3 accounts",
    );
}

#[test]
fn messages_never_repeat_a_value() {
    let secret = "Hildegard";
    for fields in [
        format!(r#""iban":{{"{secret}":1}}"#),
        format!(r#""balance":"{secret}""#),
        format!(r#""type":"{secret}""#),
        format!(r#""currency":"{secret}""#),
        format!(r#""owner":"{secret}{secret}""#),
        format!(r#""overdraft":"{secret}, expected {secret}""#),
        format!(r#""transactions":[{{"amount":"{secret}","bookingDate":0}}]"#),
        format!(r#""transactions":[{{"amount":1,"bookingDate":"{secret}"}}]"#),
        format!(r#""transactions":["{secret}"]"#),
    ] {
        let body = format!("{{\"accounts\":[{{{fields}}}]}}");
        let fault = fault(body.as_bytes()).to_string();
        assert!(!fault.contains(secret), "{fault}");
    }
}
