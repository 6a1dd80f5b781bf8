//! The command as a whole, on inputs in memory.

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: CategorizeArgs,
}

fn on_text(words: &[&str], text: &str) -> (Vec<Value>, Totals) {
    let words = ["categorize"].iter().chain(words).chain(&["-"]);
    let args = Line::try_parse_from(words).expect("valid arguments").args;
    let mut out = Vec::new();
    let sources = vec![Source::of_text(text)];
    let totals = categorize(&args, sources, &mut out).expect("runs");
    let out = String::from_utf8(out).expect("text");
    let lines = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.collect(), totals)
}

const SALARY: &str = r#"{"amount":2431.2,"bookingDate":1705928941,"purpose":"LOHN GEHALT 01/24",
    "paymentPartner":{"name":"ACME GmbH"},"transactionId":"t1"}"#;

#[test]
fn both_shapes_give_a_line_in_the_order_of_the_input() {
    let salary = SALARY.replace('\n', " ");
    let record = format!("{{\"id\":\"r1\",\"transaction\":{salary},\"expected\":\"x\"}}");
    let unnamed = r#"{"amount":-5,"bookingDate":0}"#;
    let text = format!("{salary}\n{record}\n{unnamed}\n");
    let (lines, totals) = on_text(&["--type", "person"], &text);
    let ids: Vec<_> = lines.iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["t1", "r1", "T#3"]);
    let keys = |line: &Value| -> Vec<String> {
        line.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        keys(&lines[0]),
        ["descriptiveTag", "id", "localizedTag", "tags"]
    );
    assert_eq!(lines[0]["tags"], lines[1]["tags"]);
    assert_eq!(lines[0]["descriptiveTag"], lines[0]["tags"][0]);
    assert_eq!((totals.count.records, totals.count.broken), (3, 0));
}

#[test]
fn an_explanation_names_the_rule_and_what_it_saw() {
    let salary = SALARY.replace('\n', " ");
    let (lines, _) = on_text(&["--type", "person", "--explain"], &salary);
    let explanation = &lines[0]["explanation"];
    let field = explanation["field"].as_str().expect("a field");
    let matched = explanation["matched"].as_str().expect("a text");
    assert_eq!(field, "purpose");
    assert!(
        !matched.is_empty() && SALARY.contains(matched),
        "{explanation}"
    );
    assert!(explanation["rule"].is_string() && explanation["why"].is_string());
}

#[test]
fn labels_come_in_two_languages() {
    let salary = SALARY.replace('\n', " ");
    let label = |words: &[&str]| on_text(words, &salary).0[0]["localizedTag"].clone();
    let german = label(&["--type", "person"]);
    assert_eq!(german, label(&["--type", "person", "--language", "de"]));
    assert_ne!(german, label(&["--type", "person", "--language", "en"]));
}

#[test]
fn broken_records_are_reported_or_stop_the_run() {
    let text = "{\"amount\":1}\n{\"amount\":1,\"bookingDate\":0}";
    let (lines, totals) = on_text(&["--type", "company"], text);
    assert_eq!((lines.len(), totals.count.broken), (2, 1));
    assert_eq!(lines[0]["line"], 1);
    assert_eq!(lines[0]["findings"][0]["path"], "bookingDate");
    let (lines, totals) = on_text(&["--type", "company", "--strict"], text);
    assert!(lines.is_empty());
    assert_eq!(
        totals.stopped_at.as_deref(),
        Some("line 1: bookingDate: is required")
    );
}
