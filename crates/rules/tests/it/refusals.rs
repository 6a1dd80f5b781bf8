//! Packs that must be refused, each for its own reason.

use rules::{RulePack, RulesError, Sources};

const TAXONOMY: &str = "tree,tag,parent,de,en,module\n\
    person,earning,,E,E,\nperson,in,earning,I,I,\nperson,spending,,S,S,\nperson,out,spending,O,O,\n\
    company,earning,,E,E,\ncompany,in,earning,I,I,\ncompany,spending,,S,S,\ncompany,out,spending,O,O,\n";

const EVIDENCE: &str = r#"
[[strength]]
name = "name"
precedence = 1
weight = 60
why = "test"
"#;

const CALIBRATION: &str = r#"
threshold = 0
near = 0
confidence = [
    { tree = "person", strength = "name", uncontested = 9000, contested = 8000 },
    { tree = "person", strength = "refund", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "name", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "refund", uncontested = 9000, contested = 8000 },
]
"#;

const FALLBACKS: &str = r#"
[[rule]]
id = "PREFIX-in"
tag = "in"
status = { stable = "0.1" }
direction = "credit"
strength = "name"
fallback = true
why = "x"
source = "x"
hit = ["A | b | +1.00"]
[[rule]]
id = "PREFIX-out"
tag = "out"
status = { stable = "0.1" }
direction = "debit"
strength = "name"
fallback = true
why = "x"
source = "x"
hit = ["A | b | -1.00"]
"#;

const GOOD: &str = r#"
[[rule]]
id = "good-rule"
tag = "out"
status = { preview = "0.1" }
direction = "debit"
strength = "name"
counterparty = { any = ["REWE"] }
why = "x"
source = "x"
hit = ["REWE | b | -1.00"]
miss = ["ALDI | b | -1.00"]
"#;

fn load(person: &str) -> Result<RulePack, RulesError> {
    let (for_person, for_company) = (
        FALLBACKS.replace("PREFIX", "p"),
        FALLBACKS.replace("PREFIX", "c"),
    );
    RulePack::from_sources(&Sources {
        taxonomy: TAXONOMY,
        evidence: EVIDENCE,
        calibration: CALIBRATION,
        refunds: "below = \"name\"\nsure = \"name\"\nrefund = []",
        intermediaries: "intermediary = []",
        first_names: "name\nAnna\n",
        names: "list\tname\tguard\tsource\n",
        person: &[("fallback.toml", &for_person), ("rules.toml", person)],
        company: &[("fallback.toml", &for_company)],
    })
}

/// Replaces a piece of the good rule and expects a refusal that says why.
fn check(piece: &str, by: &str, reason: &str) {
    assert!(GOOD.contains(piece), "{piece}");
    let error = load(&GOOD.replace(piece, by)).expect_err(by);
    let source = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    let text = format!("{error} {source}");
    assert!(text.contains(reason), "{by}: {text}");
}

#[test]
fn the_good_rule_is_accepted() {
    let pack = load(GOOD).expect("valid");
    assert!(pack.find_rule("good-rule").is_some());
}

#[test]
fn defects_are_refused_with_file_and_rule() {
    let error = load(&GOOD.replace("\"out\"", "\"nowhere\""))
        .expect_err("unknown tag")
        .to_string();
    assert!(
        error.contains("rules.toml") && error.contains("good-rule"),
        "{error}"
    );
}

#[test]
fn each_defect_has_its_reason() {
    check("tag = \"out\"", "tag = \"nowhere\"", "not in this tree");
    check("tag = \"out\"", "tag = \"spending\"", "is a root");
    check("\"good-rule\"", "\"Good Rule\"", "lower-case words");
    check("\"good-rule\"", "\"p-in\"", "same id");
    check("\"name\"", "\"strong\"", "not defined");
    check("why = \"x\"", "why = \" \"", "`why` must not be empty");
    check(
        "source = \"x\"",
        "source = \"\"",
        "`source` must not be empty",
    );
    check("preview", "beta", "must be one of: preview");
    check("\"debit\"", "\"out\"", "must be one of: debit");
    check(
        "hit = [\"REWE | b | -1.00\"]",
        "hit = []",
        "`hit` needs an example",
    );
    check(
        "miss = [\"ALDI | b | -1.00\"]",
        "",
        "`miss` needs an example",
    );
    check(
        "REWE | b | -1.00",
        "REWE | b",
        "counterparty | purpose | amount",
    );
}

#[test]
fn conditions_are_checked() {
    let any = "counterparty = { any = [\"REWE\"] }";
    check(any, "", "no evidence");
    check(any, "counterparty = { none = [\"REWE\"] }", "no evidence");
    check(any, "amount = { min = \"5\" }", "no evidence");
    check(
        any,
        "counterparty = { any = [\"-\"] }",
        "neither letter nor digit",
    );
    check(any, "counterparty = { any = [\"x\"] }", "single character");
    check(
        any,
        "counterparty = { any = [\"*gas*\"] }",
        "must be one word of letters",
    );
    check(
        any,
        "counterparty = { any = [\"*zwei worte\"] }",
        "must be one word of letters",
    );
    check(
        any,
        "counterparty = { any = [\"Rewe\", \"REWE\"] }",
        "adds nothing",
    );
    check(
        any,
        "counterparty = { some = [\"REWE\"] }",
        "unknown field `some`",
    );
    check(any, "colour = [\"red\"]", "unknown field `colour`");
}

#[test]
fn codes_and_parties_are_checked() {
    let any = "counterparty = { any = [\"REWE\"] }";
    check(any, "gvc = [1053]", "no such code");
    check(any, "mcc = [\"54\"]", "no such code");
    check(any, "mcc = [\"5499-5411\"]", "no such code");
    check(any, "purpose_code = [\"Sala\"]", "no such code");
    check(any, "iban = [\"DE00\"]", "no such code");
    check(any, "creditor_id = [\"1\"]", "no such code");
    check(any, "bank_code = [\"1234\"]", "no such code");
    check(any, "intermediary = [\"paypal\"]", "no such code");
    check(any, "counterparty_is = \"friend\"", "own_account, holder");
    check(
        any,
        &format!("{any}\nmandate = \"maybe\""),
        "present, absent",
    );
    check(any, &format!("{any}\naccount_type = [\"BANK\"]"), "GIRO");
    check(
        any,
        &format!("{any}\namount = {{ min = \"9\", max = \"1\" }}"),
        "min <= max",
    );
    check(
        any,
        &format!("{any}\namount = {{ min = \"-9\" }}"),
        "min <= max",
    );
    check(
        any,
        &format!("{any}\neither = [{{ gvc = [83] }}]"),
        "two alternatives",
    );
    check(
        any,
        &format!("{any}\neither = [{{ gvc = [83] }}, {{}}]"),
        "two alternatives",
    );
    check(
        any,
        &format!("{any}\nfallback = true"),
        "a fallback has a direction",
    );
}

#[test]
fn each_direction_needs_one_fallback() {
    let more = FALLBACKS.replace("PREFIX", "q");
    let error = load(&more).expect_err("two fallbacks").to_string();
    assert!(error.contains("exactly one fallback"), "{error}");
}
