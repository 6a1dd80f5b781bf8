//! Seeded defects: each makes the check fail for its own reason, and the shipped pack has none.

use domain::UserType;
use rules::lint::{self, Problem, ProblemKind};

const TAXONOMY: &str = "tree,tag,parent,de,en,module\n\
    person,earning,,E,E,\nperson,in,earning,I,I,\nperson,spending,,S,S,\nperson,out,spending,O,O,\n\
    person,food,spending,F,F,\n\
    company,earning,,E,E,\ncompany,in,earning,I,I,\ncompany,spending,,S,S,\ncompany,out,spending,O,O,\n";

const EVIDENCE: &str = r#"
[[strength]]
name = "strong"
precedence = 1
weight = 80
why = "test"
[[strength]]
name = "name"
precedence = 1
weight = 60
why = "test"
[[strength]]
name = "fallback"
precedence = 0
weight = 0
why = "test"
"#;

const CALIBRATION: &str = r#"
threshold = 0
near = 0
confidence = [
    { tree = "person", strength = "strong", uncontested = 9000, contested = 8000 },
    { tree = "person", strength = "name", uncontested = 9000, contested = 8000 },
    { tree = "person", strength = "fallback", uncontested = 9000, contested = 8000 },
    { tree = "person", strength = "refund", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "strong", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "name", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "fallback", uncontested = 9000, contested = 8000 },
    { tree = "company", strength = "refund", uncontested = 9000, contested = 8000 },
]
"#;

const FALLBACKS: &str = r#"
[[rule]]
id = "PREFIX-in"
tag = "in"
status = { stable = "0.1" }
direction = "credit"
strength = "fallback"
fallback = true
why = "x"
source = "x"
hit = ["A | b | +1.00"]
[[rule]]
id = "PREFIX-out"
tag = "out"
status = { stable = "0.1" }
direction = "debit"
strength = "fallback"
fallback = true
why = "x"
source = "x"
hit = ["A | b | -1.00"]
"#;

const NAMES: &str = "list\tname\tguard\tsource\ngrocer\tTegut\t\tx\n";

const GOOD: &str = r#"# Food.

[[rule]]
id = "food-names"
tag = "food"
status = { preview = "0.1" }
direction = "debit"
strength = "name"
counterparty = { any = ["REWE", "ALDI"], none = ["Baumarkt"], listed = ["grocer"] }
why = "Shops for food."
source = "Their names"
hit = ["REWE | b | -1.00"]
miss = ["Lidl | b | -1.00"]
"#;

/// A pack in which one file differs from a sound one.
#[derive(Clone)]
struct Seeded {
    taxonomy: String,
    evidence: String,
    names: String,
    fallbacks: String,
    person: String,
}

impl Default for Seeded {
    fn default() -> Self {
        Self {
            taxonomy: TAXONOMY.to_owned(),
            evidence: EVIDENCE.to_owned(),
            names: NAMES.to_owned(),
            fallbacks: FALLBACKS.replace("PREFIX", "p"),
            person: GOOD.to_owned(),
        }
    }
}

impl Seeded {
    fn problems(&self) -> Vec<Problem> {
        let company = FALLBACKS.replace("PREFIX", "c");
        let person = [
            ("fallback.toml", self.fallbacks.as_str()),
            ("food.toml", self.person.as_str()),
        ];
        let company = [("fallback.toml", company.as_str())];
        let mut sources = lint::shipped();
        sources.taxonomy = &self.taxonomy;
        sources.evidence = &self.evidence;
        sources.calibration = CALIBRATION;
        sources.refunds = "below = \"name\"\nsure = \"name\"\nrefund = []";
        sources.intermediaries = "intermediary = []";
        sources.first_names = "name\nAnna\n";
        sources.names = &self.names;
        sources.person = &person;
        sources.company = &company;
        lint::check(&sources)
    }

    /// Expects exactly one problem, of a kind and with these words.
    fn check(&self, kind: ProblemKind, words: &[&str]) -> Problem {
        let mut problems = self.problems();
        // A tag whose only rule names it wrongly is missing as well.
        problems.retain(|one| one.kind == kind || one.kind != ProblemKind::LeafWithoutRule);
        let [problem] = problems.as_slice() else {
            panic!("one problem ({words:?}): {problems:#?}");
        };
        assert_eq!(problem.kind, kind, "{problem:#?}");
        for word in words {
            assert!(problem.message.contains(word), "{word}: {problem:#?}");
        }
        assert!(!kind.advice().is_empty());
        problem.clone()
    }
}

/// Replaces a piece of the good rule.
fn changed(piece: &str, by: &str) -> Seeded {
    assert!(GOOD.contains(piece), "{piece}");
    Seeded {
        person: GOOD.replace(piece, by),
        ..Seeded::default()
    }
}

/// Adds a second rule for food.
fn added(changes: &[(&str, &str)]) -> Seeded {
    let mut rule = GOOD.replace("food-names", "more-names");
    rule = rule.replace(", none = [\"Baumarkt\"], listed = [\"grocer\"]", "");
    for (piece, by) in changes {
        assert!(rule.contains(piece), "{piece}");
        rule = rule.replace(piece, by);
    }
    Seeded {
        person: format!("{GOOD}{rule}"),
        ..Seeded::default()
    }
}

#[test]
fn the_shipped_pack_has_no_problem() {
    let problems = lint::check(&lint::shipped());
    let lines: Vec<String> = problems
        .iter()
        .map(|one| {
            let rule = one.rule.as_deref().unwrap_or_default();
            format!("{} {rule} {}: {}", one.file, one.kind.as_str(), one.message)
        })
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn a_sound_pack_has_no_problem() {
    assert_eq!(Seeded::default().problems(), []);
}

#[test]
fn a_problem_names_file_line_and_rule() {
    let problem = changed("tag = \"food\"", "tag = \"fodo\"").problems()[0].clone();
    assert_eq!(problem.file, "person/food.toml");
    assert_eq!(problem.line, Some(4));
    assert_eq!(problem.rule.as_deref(), Some("food-names"));
}

#[test]
fn broken_files_are_reported() {
    let broken = changed("\"ALDI\"]", "\"ALDI\"").problems();
    assert_eq!(broken[0].kind, ProblemKind::Format, "{broken:#?}");
    assert_eq!(broken[0].rule.as_deref(), Some("food-names"));
    assert!(broken[0].line >= Some(3), "{broken:#?}");
    let unknown = changed("any =", "some =").problems();
    assert_eq!(unknown[0].kind, ProblemKind::Format, "{unknown:#?}");
    assert!(unknown[0].message.contains("unknown field"), "{unknown:#?}");
}

#[test]
fn broken_data_files_are_reported() {
    use ProblemKind::{DeadLiteral, Format, Invalid, Undocumented};
    for (names, kind, word) in [
        ("grocer\tEdeka\tcash\tx\n", Invalid, "guard"),
        ("grocer\tEdeka\t\t \n", Undocumented, "source"),
        ("grocer\tEdeka\n", Format, "cell"),
        ("grocer\t--\t\tx\n", DeadLiteral, "neither letter nor digit"),
        ("grocer\tTEGUT\t\tx\n", Invalid, "adds nothing"),
    ] {
        let seeded = Seeded {
            names: format!("{NAMES}{names}"),
            ..Seeded::default()
        };
        let problem = seeded.check(kind, &[word]);
        assert_eq!(
            (problem.file.as_str(), problem.line),
            ("names.tsv", Some(3))
        );
    }
    let seeded = Seeded {
        evidence: format!(
            "{EVIDENCE}[[strength]]\nname = \"x\"\nprecedence = 1\nweight = 1\nwhy = \"\"\n"
        ),
        ..Seeded::default()
    };
    let problem = seeded.check(Undocumented, &["\"x\""]);
    assert_eq!(
        (problem.file.as_str(), problem.line),
        ("evidence.toml", Some(17))
    );
    let seeded = Seeded {
        taxonomy: TAXONOMY.replace("person,in,earning", "person,in,nothing"),
        ..Seeded::default()
    };
    let problems = seeded.problems();
    let of_taxonomy = problems.iter().find(|one| one.file == "taxonomy.csv");
    assert!(
        of_taxonomy.is_some_and(|one| one.message.contains("parent")),
        "{problems:#?}"
    );
}

#[test]
fn defects_of_one_rule_are_reported() {
    use ProblemKind::{DeadLiteral, Invalid, OverBroad, Undocumented, UnknownTag};
    for (piece, by, kind, word) in [
        ("tag = \"food\"", "tag = \"fodo\"", UnknownTag, "\"fodo\""),
        (
            "tag = \"food\"",
            "tag = \"spending\"",
            UnknownTag,
            "is a root",
        ),
        (
            "why = \"Shops for food.\"",
            "why = \" \"",
            Undocumented,
            "`why`",
        ),
        (
            "source = \"Their names\"",
            "source = \"\"",
            Undocumented,
            "`source`",
        ),
        (
            "\"food-names\"",
            "\"Food names\"",
            Invalid,
            "lower-case words",
        ),
        (
            "strength = \"name\"",
            "strength = \"nmae\"",
            Invalid,
            "\"nmae\"",
        ),
        ("hit = [\"REWE | b | -1.00\"]", "", Invalid, "`hit` needs"),
        (
            "\"REWE\", ",
            "\"REWE\", \"Rewe\", ",
            Invalid,
            "adds nothing",
        ),
        (
            "\"REWE\", ",
            "\"REWE\", \"-\", ",
            DeadLiteral,
            "neither letter",
        ),
        (
            "\"REWE\", ",
            "\"REWE\", \"E\", ",
            OverBroad,
            "single character",
        ),
        (
            "\"REWE\", ",
            "\"REWE\", \"*aus*\", ",
            OverBroad,
            "4, or more",
        ),
    ] {
        if word == "4, or more" {
            let problems = changed(piece, by).problems();
            assert_eq!(problems[0].kind, kind, "{problems:#?}");
        } else {
            changed(piece, by).check(kind, &[word]);
        }
    }
}

#[test]
fn every_defect_of_a_rule_is_reported_at_once() {
    use ProblemKind::{Invalid, LeafWithoutRule, OverBroad, Undocumented, UnknownTag};
    let mut seeded = changed("tag = \"food\"", "tag = \"fodo\"");
    for (piece, by) in [
        ("why = \"Shops for food.\"", "why = \"\""),
        ("direction = \"debit\"", "direction = \"out\""),
        ("REWE | b | -1.00", "REWE"),
        ("\"ALDI\"", "\"ALDI\", \"a\", \"Aldi\""),
    ] {
        seeded.person = seeded.person.replace(piece, by);
    }
    let kinds: Vec<_> = seeded.problems().iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        [
            UnknownTag,
            Undocumented,
            Invalid,
            Invalid,
            Invalid,
            OverBroad,
            LeafWithoutRule,
        ]
    );
}

#[test]
fn ids_are_unique() {
    let seeded = added(&[
        ("more-names", "food-names"),
        ("REWE", "Edeka"),
        ("ALDI", "Penny"),
    ]);
    let problem = seeded.check(ProblemKind::DuplicateId, &["person/food.toml, line 4"]);
    assert_eq!(problem.line, Some(17));
}

#[test]
fn own_examples_are_decided() {
    use ProblemKind::{DeadRule, HitNotDecided, MissDecided};
    let other = (
        "hit = [\"REWE | b | -1.00\"]",
        "hit = [\"REWE | b | -1.00\", \"Lidl | b | -1.00\"]",
    );
    changed(other.0, other.1).check(HitNotDecided, &["hit 2", "p-out", "Lidl"]);
    changed("Lidl |", "ALDI |").check(MissDecided, &["miss 1", "ALDI"]);
    changed(
        other.0,
        "hit = [\"Lidl | b | -1.00\", \"Netto | b | -1.00\"]",
    )
    .check(DeadRule, &["none of its hits", "p-out"]);
}

#[test]
fn literals_that_are_never_found_are_reported() {
    let seeded = changed("none = [\"Baumarkt\"]", "none = [\"Baumarkt\", \"ALDI\"]");
    seeded.check(ProblemKind::DeadLiteral, &["aldi"]);
}

#[test]
fn rules_in_each_others_way_are_reported() {
    use ProblemKind::{Contradiction, ShadowedRule};
    let names = [("REWE", "ALDI"), ("\"ALDI\", \"ALDI\"", "\"ALDI\"")];
    let with = |more: &[(&str, &str)]| added(&[&names, more].concat());
    with(&[
        ("tag = \"food\"", "tag = \"out\""),
        ("strength = \"name\"", "strength = \"strong\""),
    ])
    .problems()
    .iter()
    .for_each(|one| assert_ne!(one.kind, Contradiction, "{one:#?}"));
    let problems = with(&[("tag = \"food\"", "tag = \"out\"")]).problems();
    let kinds: Vec<_> = problems.iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&Contradiction), "{problems:#?}");
    // The first rule is narrowed by `none`, so it takes nothing away; without it, it takes all.
    let mut shadowed = with(&[("hit = [\"ALDI |", "hit = [\"REWE |")]);
    shadowed.person = shadowed.person.replace(", none = [\"Baumarkt\"]", "");
    let problems = shadowed.problems();
    let of_second = problems.iter().find(|one| one.kind == ShadowedRule);
    let of_second = of_second.expect("a shadowed rule");
    assert_eq!(of_second.rule.as_deref(), Some("more-names"));
    assert!(of_second.message.contains("food-names"), "{of_second:#?}");
}

#[test]
fn broad_and_large_patterns_are_reported() {
    use ProblemKind::{OverBroad, TooLarge};
    let with = |literal: &str| changed("\"REWE\", ", &format!("\"REWE\", \"{literal}\", "));
    with("EP").check(OverBroad, &["\"ep\"", "fewer than 3 letters"]);
    with("Zahlung").check(OverBroad, &["\"zahlung\"", "very many statements"]);
    with("*kost*").check(OverBroad, &["\"*kost*\"", "inside of any word"]);
    let mut excused = with("EP");
    excused.person = excused
        .person
        .replace("miss = [", "miss = [\"Lidl | EP 4 | -1.00\", ");
    assert_eq!(excused.problems(), []);
    with(&"wort ".repeat(11)).check(TooLarge, &["more than 70 letters or 10 words"]);
    with(&"o".repeat(71)).check(TooLarge, &["more than 70 letters"]);
}

#[test]
fn the_whole_pack_is_judged() {
    use ProblemKind::{Fallback, LeafWithoutRule, UnusedList};
    let no_leaf = Seeded {
        taxonomy: format!("{TAXONOMY}person,fuel,spending,T,F,\n"),
        ..Seeded::default()
    };
    no_leaf.check(LeafWithoutRule, &["person", "fuel"]);
    let no_list = Seeded {
        names: format!("{NAMES}baker\tKamps\t\tx\n"),
        ..Seeded::default()
    };
    no_list.check(UnusedList, &["\"baker\""]);
    let one_way = Seeded {
        fallbacks: FALLBACKS
            .replace("PREFIX", "p")
            .replace("fallback = true", "")
            .replacen(
                "direction = \"credit\"",
                "direction = \"credit\"\nfallback = true",
                1,
            ),
        ..Seeded::default()
    };
    let problems = one_way.problems();
    assert!(
        problems
            .iter()
            .any(|one| one.kind == Fallback && one.message.contains("debit"))
    );
    let two = Seeded {
        fallbacks: format!(
            "{}{}",
            FALLBACKS.replace("PREFIX", "p"),
            FALLBACKS.replace("PREFIX", "q")
        ),
        ..Seeded::default()
    };
    let problems = two.problems();
    let double = problems.iter().filter(|one| one.kind == Fallback);
    assert_eq!(double.count(), 2, "{problems:#?}");
}

#[test]
fn a_tenants_rules_are_judged_as_well() {
    use ProblemKind::{HitNotDecided, Invalid, OverBroad, Undocumented};
    let pack = super::pack::pack();
    let rule = |id: &str, changes: &[(&str, &str)]| {
        let mut rule = GOOD
            .replace("food-names", id)
            .replace("\"food\"", "\"household_grocery\"");
        rule = rule
            .replace(", listed = [\"grocer\"]", "")
            .replace("Lidl | b", "Kern | b");
        changes.iter().fold(rule, |rule, (piece, by)| {
            assert!(rule.contains(piece), "{piece}");
            rule.replace(piece, by)
        })
    };
    let sound = rule("own-food", &[]);
    assert_eq!(lint::check_tenant(&pack, UserType::Person, &sound), []);
    let source = [
        rule("own-a", &[("why = \"Shops for food.\"", "why = \"\"")]),
        rule("own-b", &[("hit = [\"REWE", "hit = [\"Kern")]),
        rule("own-c", &[("\"REWE\", ", "\"REWE\", \"EP\", ")]),
        rule("rent-wording", &[]),
    ]
    .concat();
    let problems = lint::check_tenant(&pack, UserType::Person, &source);
    let found: Vec<_> = problems
        .iter()
        .map(|one| (one.line, one.rule.as_deref().unwrap_or_default(), one.kind))
        .collect();
    for expected in [
        (Some(4), "own-a", Undocumented),
        (Some(17), "own-b", HitNotDecided),
        (Some(30), "own-c", OverBroad),
        (Some(43), "rent-wording", ProblemKind::DuplicateId),
    ] {
        assert!(found.contains(&expected), "{expected:?}: {problems:#?}");
    }
    let broken = lint::check_tenant(&pack, UserType::Person, "[[rule]]\nid = 1\n");
    assert!(
        matches!(broken[0].kind, ProblemKind::Format | Invalid),
        "{broken:#?}"
    );
}
