//! How sure decisions are, and when there is none.

use domain::UserType;
use rules::example::Example;
use rules::{Categorizer, RulePack, Sources, reference};

use crate::agreement::PACK;

const TAXONOMY: &str = "tree,tag,parent,de,en,module\n\
    person,in,,E,E,\nperson,transfer_in,in,I,I,\nperson,out,,S,S,\nperson,transfer_out,out,O,O,\n\
    person,payment_service,out,P,P,\nperson,food,out,F,F,\nperson,toys,out,T,T,\n\
    company,in,,E,E,\ncompany,other_in,in,I,I,\ncompany,out,,S,S,\ncompany,other_out,out,O,O,\n";

const EVIDENCE: &str = r#"
strength = [
    { name = "name", precedence = 1, weight = 60, why = "x" },
    { name = "listed", precedence = 1, weight = 55, why = "x" },
    { name = "hint", precedence = 1, weight = 20, why = "x" },
    { name = "fallback", precedence = 0, weight = 0, why = "x" },
]
"#;

const REST: &str = r#"
rest = [
    { tree = "person", tag = "transfer_in" },
    { tree = "person", tag = "transfer_out" },
    { tree = "person", tag = "payment_service" },
]
"#;

/// Strength, uncontested, contested.
const CONFIDENCES: [(&str, u16, u16); 5] = [
    ("name", 9_000, 4_000),
    ("listed", 8_500, 4_000),
    ("hint", 3_000, 2_000),
    ("fallback", 6_000, 1_000),
    ("refund", 9_000, 8_000),
];

fn calibration() -> String {
    let line = |tree: &str, (strength, uncontested, contested): (&str, u16, u16)| {
        format!(
            "[[confidence]]\ntree = \"{tree}\"\nstrength = \"{strength}\"\n\
             uncontested = {uncontested}\ncontested = {contested}\n"
        )
    };
    let lines = CONFIDENCES
        .into_iter()
        .flat_map(|row| [line("person", row), line("company", row)]);
    format!(
        "threshold = 5000\nnear = 10\n{REST}{}",
        lines.collect::<String>()
    )
}

fn rule(id: &str, tag: &str, strength: &str, condition: &str) -> String {
    let (hit, miss) = ("Xyz | b | -1.00", "Abc | b | -1.00");
    format!(
        "[[rule]]\nid = \"{id}\"\ntag = \"{tag}\"\nstatus = {{ stable = \"1\" }}\n\
         direction = \"debit\"\nstrength = \"{strength}\"\n{condition}\nwhy = \"x\"\n\
         source = \"x\"\nhit = [\"{hit}\"]\nmiss = [\"{miss}\"]\n"
    )
}

fn fallbacks(prefix: &str, tag_in: &str, tag_out: &str) -> String {
    let one = |id: &str, tag: &str, direction: &str| {
        rule(id, tag, "fallback", "fallback = true").replace("debit", direction)
    };
    let (id_in, id_out) = (format!("{prefix}-in"), format!("{prefix}-out"));
    one(&id_in, tag_in, "credit") + &one(&id_out, tag_out, "debit")
}

fn pack() -> RulePack {
    let rules = [
        rule(
            "food",
            "food",
            "name",
            "counterparty = { any = [\"Apfel\"] }",
        ),
        rule(
            "toys",
            "toys",
            "listed",
            "counterparty = { any = [\"Auto\", \"Apfel Auto\"] }",
        ),
        rule(
            "apple-toys",
            "toys",
            "name",
            "counterparty = { any = [\"Apfel Puppe\"] }",
        ),
        rule(
            "food-again",
            "food",
            "listed",
            "counterparty = { any = [\"Birne\"] }",
        ),
        rule(
            "vague",
            "toys",
            "hint",
            "counterparty = { any = [\"Ding\"] }",
        ),
        rule(
            "service",
            "payment_service",
            "hint",
            "intermediary = [\"any\"]",
        ),
    ];
    let person = rules.concat() + &fallbacks("p", "transfer_in", "transfer_out");
    RulePack::from_sources(&Sources {
        taxonomy: TAXONOMY,
        evidence: EVIDENCE,
        calibration: &calibration(),
        refunds: "below = \"hint\"\nsure = \"name\"\nrefund = []",
        intermediaries: "[[intermediary]]\nid = \"sumup\"\nname = \"SumUp\"\nstarts = [\"SumUp\"]\nsource = \"x\"",
        first_names: "name\nAnna\n",
        names: "list\tname\tguard\tsource\n",
        person: &[("rules.toml", &person)],
        company: &[("rules.toml", &fallbacks("c", "other_in", "other_out"))],
    })
    .expect("valid")
}

#[test]
fn confidence_follows_strength_and_contest() {
    let pack = pack();
    let categorizer = Categorizer::new(&pack, UserType::Person);
    for (name, tag, confidence, abstained) in [
        ("Apfel", "food", 9_000, false),
        ("Birne", "food", 8_500, false),
        // Two tags of nearly equal weight: too unsure.
        ("Apfel Kern Auto", "transfer_out", 1_000, true),
        // The same tag twice contests nothing.
        ("Apfel Kern Birne", "food", 9_000, false),
        // What lies inside the longer evidence contests nothing.
        ("Apfel Puppe", "toys", 9_000, false),
        // The hint weighs too little to contest, and too little to decide.
        ("Apfel Kern Ding", "food", 9_000, false),
        ("Ding", "transfer_out", 1_000, true),
        // Nothing is known at all.
        ("Kern", "transfer_out", 6_000, true),
        // A payment service is known although the merchant is not.
        ("SumUp *Kern", "payment_service", 3_000, false),
        ("SumUp *Ding", "payment_service", 2_000, true),
    ] {
        let example = Example::parse(&format!("{name} | x | -1.00")).expect(name);
        let view = pack.prepare(&example.transaction, &example.context);
        let decision = categorizer.decide(&view, &mut pack.scratch());
        let found = (
            pack.tag_name(decision.tag),
            decision.confidence.per_ten_thousand(),
            decision.abstained,
        );
        assert_eq!(found, (tag, confidence, abstained), "{name}");
        assert_eq!(
            reference::categorize(&categorizer, &view),
            Some(decision),
            "{name}"
        );
        assert_eq!(
            categorizer.replay(&view, &decision),
            Some(decision.tag),
            "{name}"
        );
    }
}

#[test]
fn what_was_too_unsure_is_an_alternative() {
    let pack = pack();
    let categorizer = Categorizer::new(&pack, UserType::Person);
    let example = Example::parse("Apfel Kern Auto | x | -1.00").expect("readable");
    let view = pack.prepare(&example.transaction, &example.context);
    let explanation = categorizer.explain(&view, &mut pack.scratch());
    assert!(explanation.decision.abstained);
    let tags: Vec<_> = explanation
        .alternatives
        .iter()
        .map(|other| (pack.tag_name(other.tag), other.abstained))
        .collect();
    assert_eq!(tags, [("food", false), ("toys", false)]);
}

#[test]
fn the_shipped_threshold_is_documented() {
    assert_eq!(PACK.abstention_threshold().per_ten_thousand(), 5_000);
}
