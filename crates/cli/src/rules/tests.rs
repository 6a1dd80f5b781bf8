//! The commands as a whole, with invented rules on an invented corpus.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::command::{Command, Kontor};
use crate::exit;

const TAXONOMY: &str = "tree,tag,parent,de,en,module\n\
    person,earning,,Einnahmen,Earnings,\nperson,other_in,earning,Sonstiges,Other,\n\
    person,spending,,Ausgaben,Spending,\nperson,other_out,spending,Sonstiges,Other,\n\
    person,food,spending,Lebensmittel,Food,\nperson,flowers,spending,Blumen,Flowers,\n\
    company,earning,,Einnahmen,Earnings,\ncompany,other_in,earning,Sonstiges,Other,\n\
    company,spending,,Ausgaben,Spending,\ncompany,other_out,spending,Sonstiges,Other,\n";

const EVIDENCE: &str = r#"
[[strength]]
name = "name"
precedence = 1
weight = 60
why = "A name."
[[strength]]
name = "word"
precedence = 1
weight = 40
why = "A word."
[[strength]]
name = "rest"
precedence = 0
weight = 0
why = "Nothing."
"#;

fn calibration() -> String {
    let mut text = "threshold = 5000\nnear = 0\n".to_owned();
    for tree in ["person", "company"] {
        for tag in ["other_in", "other_out"] {
            write!(text, "[[rest]]\ntree = \"{tree}\"\ntag = \"{tag}\"\n").expect("a string grows");
        }
        for (strength, sure) in [
            ("name", 9_700),
            ("word", 9_000),
            ("rest", 6_000),
            ("refund", 9_000),
        ] {
            write!(
                text,
                "[[confidence]]\ntree = \"{tree}\"\nstrength = \"{strength}\"\n\
                 uncontested = {sure}\ncontested = {}\n",
                sure - 1_000
            )
            .expect("a string grows");
        }
    }
    text
}

fn rule(id: &str, tag: &str, strength: &str, words: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\ntag = \"{tag}\"\nstatus = {{ stable = \"0.1\" }}\n\
         direction = \"debit\"\nstrength = \"{strength}\"\ncounterparty.any = [{words}]\n\
         why = \"Shops of that kind.\"\nsource = \"Invented\"\n\
         hit = [\"{} 7 | Einkauf | -1.00\"]\nmiss = [\"Kern | Danke | -1.00\"]\n\n",
        words.split('"').nth(1).expect("a word"),
    )
}

fn fallbacks(tree: &str) -> String {
    let one = |name: &str, tag: &str, direction: &str, sign: &str| {
        format!(
            "[[rule]]\nid = \"{tree}-{name}\"\ntag = \"{tag}\"\nstatus = {{ stable = \"0.1\" }}\n\
             direction = \"{direction}\"\nstrength = \"rest\"\nfallback = true\nwhy = \"Unknown.\"\n\
             source = \"The direction\"\nhit = [\"Kern | Danke | {sign}1.00\"]\n\n"
        )
    };
    one("in", "other_in", "credit", "+") + &one("out", "other_out", "debit", "-")
}

/// Writes a folder of rules; the rules for persons are given.
fn folder(person: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("taxonomy.csv", TAXONOMY);
    write("evidence.toml", EVIDENCE);
    write("calibration.toml", &calibration());
    write(
        "refunds.toml",
        "below = \"word\"\nsure = \"name\"\nrefund = []\n",
    );
    write("intermediaries.toml", "intermediary = []\n");
    write("first_names.csv", "name\nAnna\n");
    write("names.tsv", "list\tname\tguard\tsource\n");
    write("person/fallback.toml", &fallbacks("person"));
    write("person/shops.toml", person);
    write("company/fallback.toml", &fallbacks("company"));
    dir
}

fn old_rules() -> String {
    rule(
        "food-names",
        "food",
        "name",
        "\"Marktfrisch\", \"Kornhaus\"",
    ) + &rule("food-words", "food", "word", "\"Hofladen\"")
        + &rule(
            "flower-words",
            "flowers",
            "word",
            "\"Blumen\", \"*gaertnerei\"",
        )
        + &rule("flower-names", "flowers", "name", "\"Rosenrot\"")
}

/// As the old ones, with one name moved to the flowers and a phrase that is longer than a word.
fn new_rules() -> String {
    rule(
        "food-names",
        "food",
        "name",
        "\"Marktfrisch\", \"Blumenkohlkiste\"",
    ) + &rule("food-words", "food", "word", "\"Hofladen\"")
        + &rule(
            "flower-words",
            "flowers",
            "word",
            "\"Blumen\", \"*gaertnerei\", \"Hofladen Blumen\"",
        )
        + &rule(
            "flower-names",
            "flowers",
            "name",
            "\"Rosenrot\", \"Kornhaus\"",
        )
}

const CORPUS: &str = concat!(
    r#"{"id":"a","transaction":{"amount":-10.05,"bookingDate":0,"paymentPartner":{"name":"Marktfrisch GmbH"}}}"#,
    "\n",
    r#"{"id":"b","transaction":{"amount":-20,"bookingDate":0,"paymentPartner":{"name":"Kornhaus"},"purpose":"Brot"}}"#,
    "\n",
    r#"{"id":"c","transaction":{"amount":-5.5,"bookingDate":0,"currency":"USD","paymentPartner":{"name":"Kornhaus"}}}"#,
    "\n",
    r#"{"id":"d","transaction":{"amount":-7.25,"bookingDate":0,"paymentPartner":{"name":"Hofladen Blumen Ohm"}}}"#,
    "\n",
    r#"{"userId":"u1","accounts":[{"transactions":["#,
    r#"{"transactionId":"t1","amount":-3,"bookingDate":0,"paymentPartner":{"name":"Stadtgärtnerei"}},"#,
    r#"{"transactionId":"t2","amount":-4,"bookingDate":0,"paymentPartner":{"name":"Ohm"},"purpose":"Tombola"},"#,
    r#"{"transactionId":"t3","amount":-4,"bookingDate":0,"paymentPartner":{"name":"Ohm"},"purpose":"Tombola"},"#,
    r#"{"transactionId":"t4","amount":4,"bookingDate":0,"paymentPartner":{"name":"Ohm"},"purpose":"Tombola"}]}]}"#,
    "\n",
);

/// Runs `kontor rules` with these words.
fn kontor(words: &[&str]) -> (Result<ExitCode>, String) {
    let line = ["kontor", "rules"].iter().chain(words);
    let Command::Rules(command) = Kontor::try_parse_from(line).expect("arguments").command else {
        panic!("another command");
    };
    let mut out = Vec::new();
    let code = run_to(&command, &mut out);
    (code, String::from_utf8(out).expect("text"))
}

/// Runs it and expects success.
fn output(words: &[&str]) -> String {
    let (code, text) = kontor(words);
    assert_eq!(code.expect("runs"), ExitCode::SUCCESS, "{text}");
    text
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

struct World {
    old: TempDir,
    new: TempDir,
}

impl World {
    fn new() -> Self {
        let (old, new) = (folder(&old_rules()), folder(&new_rules()));
        Self { old, new }
    }

    fn old(&self) -> &str {
        text(self.old.path())
    }

    fn new_rules(&self) -> &str {
        text(self.new.path())
    }
}

/// The corpus in a file of its own.
fn corpus() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("corpus.ndjson");
    fs::write(&path, CORPUS).expect("written");
    let name = text(&path).to_owned();
    (dir, name)
}

#[test]
fn a_sound_folder_has_no_problem() {
    let world = World::new();
    for rules in [world.old(), world.new_rules()] {
        assert_eq!(output(&["check", "--rules", rules]), "0 problems\n");
    }
    let json = output(&["check", "--rules", world.old(), "--format", "json"]);
    let report: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(report, serde_json::json!({"problems": []}));
}

#[test]
fn problems_have_an_exit_code_of_their_own() {
    let broken = old_rules().replace("tag = \"flowers\"", "tag = \"flours\"");
    let rules = folder(&broken);
    let (code, report) = kontor(&["check", "--rules", text(rules.path())]);
    assert_eq!(code.expect("runs"), ExitCode::from(exit::PROBLEMS));
    assert_eq!(report, include_str!("golden/check.txt"));
    let words = ["check", "--rules", text(rules.path()), "--format", "json"];
    let (code, report) = kontor(&words);
    assert_eq!(code.expect("runs"), ExitCode::from(exit::PROBLEMS));
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let first = &report["problems"][0];
    assert_eq!(first["file"], "person/shops.toml");
    assert_eq!(
        (&first["rule"], &first["kind"]),
        (&"flower-words".into(), &"unknown_tag".into())
    );
}

#[test]
fn a_tenants_rules_are_checked_in_their_tree() {
    let world = World::new();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("own-tenant.toml");
    fs::write(&file, rule("food-names", "food", "name", "\"Ohm\"")).expect("written");
    let words = [
        "check",
        "--rules",
        world.old(),
        "--type",
        "person",
        "--tenant",
        text(&file),
    ];
    let (code, report) = kontor(&words);
    assert_eq!(code.expect("runs"), ExitCode::from(exit::PROBLEMS));
    assert!(
        report.contains("own-tenant.toml:2: food-names: "),
        "{report}"
    );
    assert!(report.contains("[duplicate_id]"), "{report}");
    fs::write(&file, rule("own-food", "food", "name", "\"Ohm\"")).expect("written");
    assert_eq!(output(&words), "0 problems\n");
}

#[test]
fn wrong_folders_are_refused_with_the_usual_codes() {
    let empty = tempfile::tempdir().expect("a directory");
    let code_of = |rules: &str| {
        let (code, _) = kontor(&["check", "--rules", rules]);
        exit::code(&code.expect_err("refused"))
    };
    assert_eq!(code_of("/nowhere/at/all"), 4);
    assert_eq!(code_of(text(empty.path())), 2);
    fs::create_dir(empty.path().join("persons")).expect("made");
    assert_eq!(code_of(text(empty.path())), 2);
    let broken = folder(&old_rules().replace("tag = \"flowers\"", "tag = \"flours\""));
    let (_dir, corpus) = corpus();
    let (code, _) = kontor(&["stats", "--rules", text(broken.path()), &corpus]);
    let error = code.expect_err("refused");
    assert_eq!(exit::code(&error), 2);
    assert!(error.to_string().contains("flower-words"), "{error:#}");
}

#[test]
fn a_decision_is_explained_with_what_it_was_not() {
    let world = World::new();
    let (_dir, corpus) = corpus();
    let of = |id: &str| output(&["explain", "--rules", world.old(), "--id", id, &corpus]);
    assert_eq!(of("d"), include_str!("golden/explain.txt"));
    assert!(of("u1/t1").contains("[Stadtgärtnerei] (part of a compound word)"));
    assert!(of("t2").starts_with("u1/t2: other_out < spending (Sonstiges, abstained)"));
    let unknown = ["explain", "--rules", world.old(), "--id", "zz", &corpus];
    assert_eq!(exit::code(&kontor(&unknown).0.expect_err("refused")), 4);
}

#[test]
fn flags_make_a_transaction() {
    let world = World::new();
    let words = ["explain", "--rules", world.old(), "--format", "json"];
    let flags = ["--amount", "-12.50", "--name", "Rosenrot", "--gvc", "105"];
    let answer: Value =
        serde_json::from_str(&output(&[&words[..], &flags].concat())).expect("JSON");
    assert_eq!(answer["tags"], serde_json::json!(["flowers", "spending"]));
    assert_eq!(answer["decision"]["evidence"], "[Rosenrot]");
    assert_eq!(answer["decision"]["confidence"].to_string(), "0.97");
    let wrong = ["--amount", "zwölf"];
    let (code, _) = kontor(&[&words[..], &wrong].concat());
    assert_eq!(exit::code(&code.expect_err("refused")), 2);
}

#[test]
fn a_tenants_rule_goes_first() {
    let world = World::new();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("tenant.toml");
    fs::write(
        &file,
        rule("own-flowers", "flowers", "word", "\"Kornhaus\""),
    )
    .expect("written");
    let words = ["explain", "--rules", world.old(), "--tenant", text(&file)];
    let answer = output(&[&words[..], &["--amount", "-1", "--name", "Kornhaus"]].concat());
    assert!(answer.contains("own-flowers of the tenant"), "{answer}");
    assert!(
        answer.contains("lost: rules of the tenant go first"),
        "{answer}"
    );
}

#[test]
fn rules_are_counted() {
    let world = World::new();
    let (_dir, corpus) = corpus();
    let report = output(&["stats", "--rules", world.old(), &corpus]);
    assert_eq!(report, include_str!("golden/stats.txt"));
    for threads in ["1", "3"] {
        let again = output(&[
            "stats",
            "--threads",
            threads,
            "--rules",
            world.old(),
            &corpus,
        ]);
        assert_eq!(again, report, "{threads} threads");
    }
    let json = output(&["stats", "--format", "json", "--rules", world.old(), &corpus]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["transactions"], 8);
    assert_eq!(json["coverage"].to_string(), "0.625");
    assert_eq!(
        json["undecidedWords"][0],
        serde_json::json!({"word": "tombola", "transactions": 3})
    );
}

#[test]
fn a_change_is_shown_before_it_is_made() {
    let world = World::new();
    let (_dir, corpus) = corpus();
    let words = [
        "preview",
        "--old-rules",
        world.old(),
        "--rules",
        world.new_rules(),
        &corpus,
    ];
    let report = output(&words);
    assert_eq!(report, include_str!("golden/preview.txt"));
    assert!(!report.contains("Kornhaus"), "texts are personal data");
    let shown = output(&[&words[..], &["--show-texts", "--threads", "1"]].concat());
    assert!(shown.contains("b: Kornhaus | Brot | -20 EUR"), "{shown}");
    let json = output(&[&words[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let flip = &json["flips"][0];
    assert_eq!(
        (&flip["from"], &flip["to"]),
        (&"food".into(), &"flowers".into())
    );
    assert_eq!(flip["moved"]["USD"].to_string(), "5.5");
    assert_eq!(json["collisions"][0]["now"], "flower-words");
}

#[test]
fn a_tenants_change_is_shown() {
    let world = World::new();
    let (_dir, corpus) = corpus();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("tenant.toml");
    fs::write(&file, rule("own-ohm", "food", "word", "\"Ohm\"")).expect("written");
    let words = [
        "preview",
        "--old-rules",
        world.old(),
        "--tenant",
        text(&file),
        &corpus,
    ];
    let report = output(&words);
    assert!(
        report.contains("person: other_out -> food: 2, 8.00 EUR"),
        "{report}"
    );
    assert!(report.contains("own-ohm"), "{report}");
}

#[test]
fn broken_records_are_passed_over_or_stop_the_run() {
    let world = World::new();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("broken.ndjson");
    fs::write(&path, format!("{CORPUS}{{\"amount\":\n")).expect("written");
    let words = ["stats", "--rules", world.old(), text(&path)];
    assert!(output(&words).starts_with("8 transactions"));
    let (code, report) = kontor(&[&words[..], &["--strict"]].concat());
    assert_eq!(code.expect("runs"), ExitCode::from(3));
    assert_eq!(report, "");
}
