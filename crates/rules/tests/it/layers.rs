//! User before tenant before pack; refunds, confidence and abstention.

use domain::UserType;
use domain::pattern::{Pattern, PatternKind, PatternSet};
use rules::example::Example;
use rules::{Categorizer, Decision, Origin, TenantRules, UserPatterns};

use crate::agreement::PACK;

const REWE: &str = "REWE Markt GmbH | Einkauf | -12.00";
const TENANT: &str = r#"
[[rule]]
id = "own-canteen"
tag = "restaurant"
status = { stable = "1" }
direction = "debit"
strength = "hint"
counterparty = { any = ["REWE"] }
why = "x"
source = "x"
hit = ["REWE Markt GmbH | Mittagstisch | -6.50"]
miss = ["ALDI SUED | Einkauf | -6.50"]
"#;

fn pattern(kind: PatternKind, value: &str, tags: &[&str]) -> Pattern {
    Pattern {
        kind,
        value: value.into(),
        since: None,
        until: None,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

fn by_name(value: &str, tags: &[&str]) -> PatternSet {
    PatternSet {
        patterns: vec![pattern(PatternKind::Name, value, tags)],
        ..PatternSet::default()
    }
}

fn compile(set: &PatternSet) -> UserPatterns {
    UserPatterns::compile(PACK.taxonomy(), UserType::Person, set).expect("valid")
}

fn tenant(source: &str) -> Result<TenantRules, rules::RulesError> {
    TenantRules::compile(&PACK, UserType::Person, source)
}

/// Decides, and gives the tag, the rule's name and the tags beside the path.
fn decide(categorizer: Categorizer<'_>, line: &str) -> (Decision, String, String, Vec<String>) {
    let example = Example::parse(line).expect(line);
    let view = PACK.prepare(&example.transaction, &example.context);
    let decision = categorizer.decide(&view, &mut PACK.scratch());
    let tag = PACK.tag_name(decision.tag).to_owned();
    let rule = categorizer.rule_name(&decision).into_owned();
    (decision, tag, rule, categorizer.extra_tags(&view))
}

fn person() -> Categorizer<'static> {
    Categorizer::new(&PACK, UserType::Person)
}

#[test]
fn the_higher_layer_decides() {
    let rules = tenant(TENANT).expect("valid");
    let set = compile(&by_name("rewe markt gmbh", &["fine"]));
    let with_tenant = person().with_tenant(Some(&rules));
    let with_both = with_tenant.with_patterns(&set);
    for (categorizer, tag, origin) in [
        (person(), "household_grocery", Origin::Pack),
        (with_tenant, "restaurant", Origin::Tenant),
        (with_both, "fine", Origin::User),
    ] {
        let (decision, decided, ..) = decide(categorizer, REWE);
        assert_eq!((decided.as_str(), decision.origin), (tag, origin));
    }
    // What the higher layers do not know is left to the pack.
    let (decision, tag, ..) = decide(with_both, "ALDI SUED | Einkauf | -6.50");
    assert_eq!(
        (tag.as_str(), decision.origin),
        ("household_grocery", Origin::Pack)
    );
    let example = Example::parse(REWE).expect(REWE);
    let view = PACK.prepare(&example.transaction, &example.context);
    let explanation = with_both.explain(&view, &mut PACK.scratch());
    let origins: Vec<Origin> = explanation
        .alternatives
        .iter()
        .map(|other| other.origin)
        .take(2)
        .collect();
    assert_eq!(origins, [Origin::Tenant, Origin::Pack]);
}

#[test]
fn a_tenants_rules_of_another_tree_count_as_none() {
    let rules = tenant(TENANT).expect("valid");
    let company = Categorizer::new(&PACK, UserType::Company).with_tenant(Some(&rules));
    assert_eq!(decide(company, REWE).0.origin, Origin::Pack);
    assert_eq!(rules.len(), 1);
    assert_eq!(rules.hash().len(), 64);
}

#[test]
fn careless_tenant_rules_are_refused() {
    for (piece, by, reason) in [
        ("\"own-canteen\"", "\"own-account-iban\"", "same id"),
        ("\"restaurant\"", "\"nowhere\"", "not in this tree"),
        (
            "[\"REWE Markt",
            "[\"ALDI Markt",
            "`hit` example 1 is decided by",
        ),
        (
            "[\"ALDI SUED",
            "[\"REWE SUED",
            "`miss` example 1 is decided",
        ),
        ("why = \"x\"", "why = \"\"", "must not be empty"),
        ("counterparty", "colour", "format"),
        (
            "strength = \"hint\"\ncounterparty = { any = [\"REWE\"] }",
            "strength = \"fallback\"\nfallback = true",
            "fallback",
        ),
        (
            "counterparty = { any = [\"REWE\"] }",
            "mcc = [\"0-999999\"]",
            "more than",
        ),
    ] {
        assert!(TENANT.contains(piece), "{piece}");
        let error = tenant(&TENANT.replace(piece, by))
            .expect_err(by)
            .to_string();
        assert!(error.contains(reason), "{by}: {error}");
    }
    let long = format!("{TENANT}#{}", "x".repeat(1 << 20));
    assert!(tenant(&long).is_err());
    assert!(tenant("").expect("no rules").is_empty());
}

#[test]
fn rules_once_accepted_outlive_new_ids_and_decisions_of_the_pack() {
    let load = |source: &str| TenantRules::load(&PACK, UserType::Person, source);
    for (piece, by) in [
        ("\"own-canteen\"", "\"own-account-iban\""),
        ("REWE Markt GmbH | Mittag", "ALDI SUED | Mittag"),
    ] {
        let source = TENANT.replace(piece, by);
        assert!(tenant(&source).is_err(), "{by}");
        let rules = load(&source);
        assert_eq!(rules.unusable(), []);
        let (decision, tag, ..) = decide(person().with_tenant(Some(&rules)), REWE);
        assert_eq!(
            (tag.as_str(), decision.origin),
            ("restaurant", Origin::Tenant)
        );
    }
}

/// What a rule holds that nobody may read in an error.
const SECRETS: [&str; 3] = ["Erika", "DE02120300000000202051", "nowhere"];

#[test]
fn a_rule_that_cannot_be_used_takes_no_other_with_it() {
    let private = r#"
[[rule]]
id = "private"
tag = "restaurant"
status = { stable = "1" }
direction = "debit"
strength = "hint"
counterparty = { any = ["Erika"] }
why = "x"
source = "x"
hit = ["Erika | x | -6.50"]
miss = ["ALDI SUED | x | -6.50"]
"#;
    let literals = "counterparty = { any = [\"Erika\"] }";
    for (piece, by, rule, problem) in [
        ("\"restaurant\"", "\"nowhere\"", "private", "the tag is not"),
        ("\"hint\"", "\"nowhere\"", "private", "the strength is not"),
        (
            "\"Erika\"]",
            "\"Erika\", \"ERIKA\"]",
            "private",
            "adds nothing",
        ),
        ("\"Erika\"]", "\"*Eri ka*\"]", "private", "a compound must"),
        ("\"Erika\"]", "\"§\"]", "private", "neither letter"),
        ("\"Erika\"]", "\"E\"]", "private", "a single character"),
        (
            literals,
            "counterparty = { listed = [\"nowhere\"] }",
            "private",
            "no names stand",
        ),
        (
            literals,
            "iban = [\"DE02120300000000202051 Erika\"]",
            "private",
            "no such code",
        ),
        ("why =", "because =", "private", "format"),
        ("\"private\"", "\"Erika!\"", "rules[0]", "the id must"),
        ("\"private\"", "7", "rules[0]", "format"),
        (literals, "mcc = [\"0-999999\"]", "private", "more than"),
        ("-6.50", "Erika", "private", "example 1"),
    ] {
        assert!(private.contains(piece), "{piece}");
        let source = private.replace(piece, by) + TENANT;
        assert!(tenant(&source).is_err(), "{by}");
        let rules = TenantRules::load(&PACK, UserType::Person, &source);
        let [unusable] = rules.unusable() else {
            panic!("{by}: {:?}", rules.unusable());
        };
        assert_eq!(unusable.rule, rule, "{by}");
        assert!(unusable.problem.contains(problem), "{by}: {unusable:?}");
        let said = format!("{unusable:?}");
        assert!(
            SECRETS.iter().all(|secret| !said.contains(secret)),
            "{said}"
        );
        assert_eq!(rules.len(), 1);
        let (_, tag, rule, _) = decide(person().with_tenant(Some(&rules)), REWE);
        assert_eq!((&*tag, &*rule), ("restaurant", "own-canteen"), "{by}");
    }
}

#[test]
fn rules_that_are_no_rules_at_all_are_left_out_together() {
    for source in [
        "Erika = [",
        &format!("erika = 1\n{TENANT}"),
        "rule = \"Erika\"",
    ] {
        let rules = TenantRules::load(&PACK, UserType::Person, source);
        let names: Vec<_> = rules.unusable().iter().map(|one| &*one.rule).collect();
        assert_eq!(names, ["rules"], "{source}");
        assert!(!rules.unusable()[0].problem.contains("rika"));
        assert!(rules.is_empty());
    }
}

#[test]
fn a_pattern_that_cannot_be_used_takes_no_other_with_it() {
    let set = PatternSet {
        patterns: vec![
            pattern(PatternKind::Name, "REWE Markt GmbH", &["nowhere"]),
            pattern(PatternKind::Name, "REWE Markt GmbH", &["fine"]),
            pattern(PatternKind::Name, "§", &["fine"]),
        ],
        ids: [("other", "nowhere"), ("secret", "nowhere"), ("t", "gym")]
            .map(|(id, tag)| (id.to_owned(), vec![tag.to_owned()]))
            .into(),
    };
    let (patterns, problems) = UserPatterns::load(PACK.taxonomy(), UserType::Person, &set);
    let places: Vec<&str> = problems.iter().map(|problem| &*problem.place).collect();
    let expected = [
        "patterns[0].tags[0]",
        "patterns[2].value",
        "ids[#1][0]",
        "ids[#2][0]",
    ];
    assert_eq!(places, expected);
    assert_eq!(problems[3].path.as_str(), "ids.secret[0]");
    let said = format!("{problems:?} {}", problems[3]);
    assert!(
        !said.contains("secret") && !said.contains("nowhere"),
        "{said}"
    );
    let categorizer = person().with_patterns(&patterns);
    let (_, tag, rule, extra) = decide(categorizer, REWE);
    // The number is the one that the user knows.
    assert_eq!((&*tag, &*rule), ("fine", "patterns[1]"));
    assert_eq!(extra, [""; 0]);
    let mut example = Example::parse(REWE).expect(REWE);
    example.transaction.id = domain::TransactionId::try_new("t").expect("an id");
    let view = PACK.prepare(&example.transaction, &example.context);
    let decision = categorizer.decide(&view, &mut PACK.scratch());
    assert_eq!(categorizer.rule_name(&decision), "ids[t]");
    let empty = UserPatterns::load(PACK.taxonomy(), UserType::Person, &PatternSet::default());
    assert!(empty.0.is_empty() && empty.1.is_empty());
}

#[test]
fn ids_beat_creditors_beat_names() {
    let line = "Kern Energie | Abschlag | -50.00 | creditor_id=DE98ABC09999999999";
    let name = pattern(PatternKind::Name, "KERN-ENERGIE", &["gym"]);
    let creditor = pattern(PatternKind::CreditorId, "de98 abc 0999 9999 999", &["fine"]);
    let mut set = PatternSet {
        patterns: vec![creditor, name],
        ..PatternSet::default()
    };
    let (_, tag, rule, extra) = decide(person().with_patterns(&compile(&set)), line);
    assert_eq!((tag.as_str(), rule.as_str()), ("fine", "patterns[0]"));
    assert_eq!(extra, ["gym"]);
    let example = Example::parse(line).expect(line);
    let partner = rules::patterns::partner_id(&example.transaction).expect("named");
    set.ids.insert(partner.clone(), vec!["donation".to_owned()]);
    let (_, tag, rule, _) = decide(person().with_patterns(&compile(&set)), line);
    assert_eq!(
        (tag, rule),
        ("donation".to_owned(), format!("ids[{partner}]"))
    );
    let upper = PatternSet {
        ids: [(partner.to_uppercase(), vec!["donation".to_owned()])].into(),
        ..PatternSet::default()
    };
    let (_, tag, rule, _) = decide(person().with_patterns(&compile(&upper)), line);
    assert_eq!(
        (tag, rule),
        (
            "donation".to_owned(),
            format!("ids[{}]", partner.to_uppercase())
        )
    );
    set.ids
        .insert("example".to_owned(), vec!["hotel".to_owned()]);
    let (decision, tag, rule, extra) = decide(person().with_patterns(&compile(&set)), line);
    assert_eq!((tag.as_str(), rule.as_str()), ("hotel", "ids[example]"));
    assert_eq!(extra, ["donation", "fine", "gym"]);
    assert_eq!(decision.confidence.per_ten_thousand(), 10_000);
}

/// The id of a partner is what every client can compute.
#[test]
fn partner_ids_are_sha1_of_name_and_creditor() {
    let example = Example::parse("Kern | x | -1.00 | creditor_id=de98 zzz").expect("readable");
    // printf 'kern\nDE98ZZZ' | sha1sum
    let expected = "11e6274e4e5c4b47f39da5829a54ffdf816af99d";
    let id = rules::patterns::partner_id(&example.transaction);
    assert_eq!(id.as_deref(), Some(expected));
    let nobody = Example::parse(" | x | -1.00").expect("readable");
    assert_eq!(rules::patterns::partner_id(&nobody.transaction), None);
}

#[test]
fn creditors_without_business_code_match_any() {
    let line = "Kern | x | -50.00 | creditor_id=DE98ABC09999999999";
    let other = "Kern | x | -50.00 | creditor_id=DE98ABC09999999998";
    let in_text = "Kern | EREF+1 CRED+DE98ABC09999999999 SVWZ+x | -50.00";
    let set = PatternSet {
        patterns: vec![pattern(
            PatternKind::CreditorId,
            "DE9809999999999",
            &["fine"],
        )],
        ..PatternSet::default()
    };
    let patterns = compile(&set);
    for (line, hit) in [(line, true), (in_text, true), (other, false)] {
        let (decision, ..) = decide(person().with_patterns(&patterns), line);
        assert_eq!(decision.origin == Origin::User, hit, "{line}");
    }
}

#[test]
fn names_are_compared_as_wholes() {
    let patterns = compile(&by_name("Bäckerei Kern", &["fine"]));
    for (line, hit) in [
        ("BAECKEREI  KERN | x | -5.00", true),
        ("Bäckerei Kern//Kiel/DE | x | -5.00", true),
        ("SumUp *Bäckerei Kern | x | -5.00", true),
        (
            "PayPal Europe | 1/PP.5.PP/. x, Ihr Einkauf bei Bäckerei Kern | -5.00",
            true,
        ),
        ("Bäckerei Kern GmbH | x | -5.00", false),
        ("Kern | Bäckerei Kern | -5.00", false),
    ] {
        let (decision, ..) = decide(person().with_patterns(&patterns), line);
        assert_eq!(decision.origin == Origin::User, hit, "{line}");
    }
}

#[test]
fn the_last_pattern_wins_and_all_add_tags() {
    let set = PatternSet {
        patterns: vec![
            pattern(PatternKind::Name, "REWE Markt GmbH", &["gym", "fix"]),
            pattern(
                PatternKind::Name,
                "REWE Markt GmbH",
                &["insurance_car", "insurance"],
            ),
            pattern(PatternKind::Name, "REWE Markt GmbH", &["recurring"]),
        ],
        ..PatternSet::default()
    };
    let (_, tag, rule, extra) = decide(person().with_patterns(&compile(&set)), REWE);
    assert_eq!(
        (tag.as_str(), rule.as_str()),
        ("insurance_car", "patterns[1]")
    );
    assert_eq!(extra, ["recurring", "gym", "fix"]);
    // Attributes alone leave the category to the rules.
    let (decision, tag, _, extra) = {
        let patterns = compile(&by_name("REWE Markt GmbH", &["recurring"]));
        decide(person().with_patterns(&patterns), REWE)
    };
    assert_eq!(
        (tag.as_str(), decision.origin),
        ("household_grocery", Origin::Pack)
    );
    assert_eq!(extra, ["recurring"]);
    assert!(decide(person(), REWE).3.is_empty());
}

#[test]
fn periods_count_whole_days_of_their_offset() {
    // The examples are booked on 1970-01-01 at midnight UTC.
    for (since, until, hit) in [
        (None, None, true),
        (Some("1970-01-01T23:00:00Z"), None, true),
        (Some("1970-01-02T00:00:00Z"), None, false),
        (None, Some("1970-01-01T00:00:00Z"), true),
        (None, Some("1969-12-31T23:59:59Z"), false),
        // In this offset it is still the day before.
        (None, Some("1969-12-31T20:00:00-01:00"), true),
        (Some("1970-01-01T00:00:00-01:00"), None, false),
    ] {
        let read = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339");
        let mut set = by_name("REWE Markt GmbH", &["fine"]);
        set.patterns[0].since = since.map(read);
        set.patterns[0].until = until.map(read);
        let (decision, ..) = decide(person().with_patterns(&compile(&set)), REWE);
        assert_eq!(decision.origin == Origin::User, hit, "{since:?} {until:?}");
    }
}

#[test]
fn bad_patterns_are_refused_with_their_place() {
    let problem = |set: &PatternSet| {
        UserPatterns::compile(PACK.taxonomy(), UserType::Person, set)
            .expect_err("bad")
            .path
            .into_inner()
    };
    for (value, tags, path) in [
        ("REWE", vec![], "patterns[0].tags"),
        ("REWE", vec!["nowhere"], "patterns[0].tags[0]"),
        ("REWE", vec!["gym", "wage_tax"], "patterns[0].tags[1]"),
        ("REWE", vec!["gym", "fuel"], "patterns[0].tags"),
        (
            "REWE",
            vec!["insurance", "insurance_car", "fuel"],
            "patterns[0].tags",
        ),
        (" ", vec!["gym"], "patterns[0].value"),
        ("+-*", vec!["gym"], "patterns[0].value"),
    ] {
        assert_eq!(problem(&by_name(value, &tags)), path, "{value} {tags:?}");
    }
    assert_eq!(
        problem(&by_name(&"x".repeat(141), &["gym"])),
        "patterns[0].value"
    );
    let mut turned = by_name("REWE", &["gym"]);
    let read = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339");
    turned.patterns[0].since = Some(read("2026-02-01T00:00:00Z"));
    turned.patterns[0].until = Some(read("2026-01-01T00:00:00Z"));
    assert_eq!(problem(&turned), "patterns[0].since");
    let mut by_id = PatternSet::default();
    by_id
        .ids
        .insert("T1".to_owned(), vec!["nowhere".to_owned()]);
    assert_eq!(problem(&by_id), "ids.T1[0]");
    let many = PatternSet {
        patterns: vec![pattern(PatternKind::Name, "REWE", &["gym"]); 10_001],
        ..PatternSet::default()
    };
    assert_eq!(problem(&many), "patterns");
    for (kind, value) in [
        (PatternKind::Name, "rewe"),
        (PatternKind::CreditorId, "DE98 ZZZ 09999999999"),
    ] {
        let mut alike = vec![pattern(kind, &value.to_uppercase(), &["gym"]); 100];
        let mut set = PatternSet {
            patterns: alike.clone(),
            ..PatternSet::default()
        };
        assert!(!compile(&set).is_empty());
        alike.push(pattern(kind, value, &["gym"]));
        set.patterns = alike;
        assert_eq!(problem(&set), "patterns[100].value");
    }
}
