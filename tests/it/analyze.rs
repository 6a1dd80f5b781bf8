//! The command line over a real corpus: complete, and the same bytes for any number of threads.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::shared::shared;
use crate::world::kontor_binary;
use serde_json::{Value, json};

fn kontor(arguments: &[&str], input: Option<&str>) -> Output {
    let mut command = Command::new(kontor_binary().expect("the binary is built"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("kontor starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(input.unwrap_or_default().as_bytes())
        .expect("input is read");
    drop(stdin);
    child.wait_with_output().expect("kontor ends")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

#[test]
fn the_berka_corpus_is_analysed_whole_and_reproducibly() {
    let Some(corpus) = shared("data/berka/corpus.ndjson") else {
        return;
    };
    let corpus = corpus.to_str().expect("a plain path");
    let first = kontor(&["analyze", corpus], None);
    assert!(
        first.status.success(),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    let users = lines(&first);
    let transactions: usize = users
        .iter()
        .map(|user| user["categorization"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!((users.len(), transactions), (330, 16_705));
    for user in &users {
        for key in [
            "userId",
            "type",
            "asOf",
            "engine",
            "categorization",
            "findings",
        ] {
            assert!(user.get(key).is_some(), "{key} is missing");
        }
        assert!(user.get("line").is_none(), "a broken line: {user}");
    }
    for threads in ["1", "2", "7"] {
        let again = kontor(&["analyze", "--threads", threads, corpus], None);
        assert!(
            again.stdout == first.stdout,
            "{threads} threads give other bytes"
        );
    }
}

fn user_line(user: &str, amount: &str) -> String {
    let amount: Value = serde_json::from_str(amount).expect("a number");
    json!({ "userId": user, "type": "person", "accounts": [{
        "iban": "DE89370400440532013000", "owner": "Max Beispiel", "transactions": [
            { "amount": amount, "bookingDate": 1_735_689_600, "purpose": "Miete Wohnung",
              "paymentPartner": { "name": "Hausverwaltung Muster" } } ] }] })
    .to_string()
}

#[test]
fn a_broken_line_is_reported_and_the_rest_goes_on() {
    let input = format!(
        "{}\n{{broken\n{}\n",
        user_line("a", "-800"),
        user_line("b", "-900.50")
    );
    let output = kontor(&["analyze", "-"], Some(&input));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = lines(&output);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["userId"], "a");
    assert_eq!(lines[1]["line"], 2);
    assert!(
        lines[1]["findings"]
            .as_array()
            .is_some_and(|findings| !findings.is_empty())
    );
    assert_eq!(lines[2]["userId"], "b");
    assert_eq!(lines[2]["asOf"], "2025-01-01", "the newest booking day");

    let strict = kontor(&["analyze", "--strict", "-"], Some(&input));
    assert!(!strict.status.success(), "--strict makes it an error");
}

#[test]
fn a_bad_transaction_is_a_finding() {
    let output = kontor(
        &["analyze", "--as-of", "2025-02-03", "-"],
        Some(&user_line("a", "1.234")),
    );
    let lines = lines(&output);
    assert_eq!(lines[0]["asOf"], "2025-02-03");
    assert_eq!(lines[0]["categorization"], json!([]));
    let finding = &lines[0]["findings"][0];
    assert_eq!(
        finding["path"], "accounts[0].transactions[0].amount",
        "{finding}"
    );
}

#[test]
fn single_transactions_are_categorized_in_order() {
    let rows: Vec<String> = (0..40)
        .map(|number| {
            json!({ "id": format!("row-{number}"), "transaction": crate::upload::row(number),
                    "account": { "owner": "Max Beispiel", "type": "GIRO" }, "note": "ignored" })
            .to_string()
        })
        .collect();
    let output = kontor(
        &["categorize", "--type", "person", "--explain", "-"],
        Some(&rows.join("\n")),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = lines(&output);
    let ids: Vec<_> = lines
        .iter()
        .map(|line| line["id"].as_str().expect("an id"))
        .collect();
    let expected: Vec<_> = (0..40).map(|number| format!("row-{number}")).collect();
    assert_eq!(ids, expected);
    for line in &lines {
        let tags = line["tags"].as_array().expect("tags");
        assert_eq!(tags[0], line["descriptiveTag"], "from leaf to root");
        assert!(
            ["earning", "spending", "neutral"]
                .iter()
                .any(|root| tags[tags.len() - 1] == *root)
        );
        assert!(line.get("explanation").is_some() && line.get("confidence").is_none());
        assert!(line["localizedTag"].is_string());
    }
    let found: BTreeSet<_> = lines
        .iter()
        .map(|line| line["descriptiveTag"].as_str().expect("a tag"))
        .collect();
    for tag in [
        "salary_wage",
        "rental_apartment",
        "household_grocery",
        "broadcasting_fee",
    ] {
        assert!(found.contains(tag), "{tag} in {found:?}");
    }
}
