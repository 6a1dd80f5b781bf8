//! The compiled matcher decides as the reference does, and every explanation is true.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::UserType;
use domain::pattern::{Pattern, PatternKind, PatternSet};
use proptest::prelude::*;
use rules::decision::ALTERNATIVES_MAX;
use rules::example::Example;
use rules::{Categorizer, Decision, RulePack, TenantRules, UserPatterns, View, reference};

/// The shipped pack, read once.
pub(crate) static PACK: LazyLock<RulePack> = LazyLock::new(crate::pack::pack);

/// Rules of an invented tenant, one set for each tree.
static TENANT: LazyLock<[TenantRules; 2]> = LazyLock::new(|| {
    [
        (UserType::Person, include_str!("tenant_person.toml")),
        (UserType::Company, include_str!("tenant_company.toml")),
    ]
    .map(|(tree, source)| TenantRules::compile(&PACK, tree, source).expect("valid"))
});

/// Words that rules look for, so that random texts hit often.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = PACK.literals(UserType::Person);
    words.extend(PACK.literals(UserType::Company));
    words
});

fn check(categorizer: &Categorizer<'_>, example: &Example) {
    let text = &example.text;
    let mut scratch = PACK.scratch();
    let view = PACK.prepare(&example.transaction, &example.context);
    let compiled = categorizer.decide(&view, &mut scratch);
    let naive = reference::categorize(categorizer, &view);
    assert_eq!(Some(compiled), naive, "{text}");
    let explanation = categorizer.explain(&view, &mut scratch);
    assert_eq!(explanation.decision, compiled, "{text}");
    assert!(explanation.alternatives.len() <= ALTERNATIVES_MAX);
    let mut named = BTreeSet::from([(compiled.origin, compiled.rule)]);
    check_one(categorizer, &view, &compiled, text);
    for other in &explanation.alternatives {
        assert!(named.insert((other.origin, other.rule)), "twice: {text}");
        // A spending that a refund was not taken for may come from a higher layer.
        let lower = other.origin <= compiled.origin || other.refund_of.is_some();
        assert!(lower, "{text}");
        check_one(categorizer, &view, other, text);
    }
}

/// Replaying a decision gives its tag, and its evidence is a piece of the field.
fn check_one(categorizer: &Categorizer<'_>, view: &View<'_>, decision: &Decision, text: &str) {
    let replayed = categorizer.replay(view, decision);
    assert_eq!(replayed, Some(decision.tag), "{decision:?}: {text}");
    assert!(!categorizer.rule_name(decision).is_empty(), "{text}");
    let transaction = view.transaction();
    let piece = decision.evidence.matched(transaction);
    let field = decision.evidence.field.content(transaction);
    assert!(field.contains(piece.as_ref()), "{text}");
    let whole = decision.evidence.start == 0 && decision.evidence.end == 0;
    assert!(whole || !piece.is_empty() || field.is_empty(), "{text}");
}

#[test]
fn both_agree_on_every_example() {
    for (_, rule) in PACK.rules() {
        let categorizer = Categorizer::new(&PACK, rule.tree);
        for example in rule.hits.iter().chain(&rule.misses) {
            check(&categorizer, example);
        }
    }
}

/// A piece of text: a literal, a broken literal, or anything.
fn piece() -> impl Strategy<Value = String> {
    let literal = || any::<prop::sample::Index>().prop_map(|index| index.get(&WORDS).clone());
    prop_oneof![
        6 => literal(),
        2 => literal().prop_map(|word| word.to_uppercase()),
        1 => literal().prop_map(|word| word.replace("ae", "ä").replace("ue", "Ü")),
        1 => (literal(), 1..6_usize).prop_map(|(mut word, at)| {
            if at < word.len() && word.is_char_boundary(at) {
                word.insert(at, ' ');
            }
            word
        }),
        1 => (literal(), literal()).prop_map(|(one, two)| format!("{one}{two}")),
        2 => "[A-Za-zäöüß0-9.,:+/*'-]{1,12}",
        1 => prop::sample::select(vec![
            "SVWZ+", "EREF+", "CRED+", "//Köln/DE", "PayPal", "Ihr Einkauf bei ", "SumUp *",
            "SQ *", "GOOGLE *", "PVS", "Dr. ", "GmbH", "Erstattung", "Gehalt", "Retoure",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            "Anna", "Jürgen", "Metzger", "Kern", "Familie", "Peter", "Becker",
        ]).prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..5)
        .prop_map(|pieces| pieces.join(" ").replace(['|', '='], " "))
}

fn codes() -> impl Strategy<Value = String> {
    let gvc = prop::sample::select(vec![
        6_u16, 82, 83, 105, 108, 153, 159, 166, 181, 182, 303, 805, 814,
    ]);
    let mcc = prop::sample::select(vec!["5411", "3005", "6011", "7995", "9999"]);
    let purpose = prop::sample::select(vec!["SALA", "PENS", "INTE", "CHAR", "XXXX"]);
    prop_oneof![
        3 => Just(String::new()),
        1 => gvc.prop_map(|code| format!(" | gvc={code}")),
        1 => mcc.prop_map(|code| format!(" | mcc={code}")),
        1 => purpose.prop_map(|code| format!(" | purpose_code={code}")),
        1 => Just(" | owner=Anna Maria Kern".to_owned()),
        1 => Just(" | creditor_id=DE98ZZZ09999999999 | mandate=M1".to_owned()),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec!['+', '-']);
    (text(), text(), text(), sign, 0..1_000_000_u32, codes()).prop_map(
        |(name, purpose, booking, sign, cents, codes)| {
            let amount = format!("{sign}{}.{:02}", cents / 100, cents % 100);
            format!("{name} | {purpose} | {amount} | booking={booking}{codes}")
        },
    )
}

/// What a user may have decided about a transaction, by its name, creditor, partner or id.
fn patterns(example: &Example, which: u8) -> PatternSet {
    let name = example.transaction.counterparty.name.as_str();
    let pattern = |kind, value: &str, tags: &[&str]| Pattern {
        kind,
        value: value.chars().take(140).collect::<String>().into(),
        since: None,
        until: None,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let mut set = PatternSet::default();
    if which & 1 != 0 && name.chars().any(char::is_alphanumeric) {
        let tags = ["spending", "insurance", "fix"];
        set.patterns.push(pattern(PatternKind::Name, name, &tags));
        set.patterns
            .push(pattern(PatternKind::Name, name, &["recurring"]));
    }
    if which & 2 != 0 {
        let creditor = "DE98 09999999999";
        let tags = ["donation"];
        set.patterns
            .push(pattern(PatternKind::CreditorId, creditor, &tags));
    }
    if which & 4 != 0
        && let Some(id) = rules::patterns::partner_id(&example.transaction)
    {
        set.ids.insert(id, vec!["fine".to_owned()]);
    }
    set
}

/// A quarter of the ten thousand, so that the four run beside each other.
const CASES: u32 = 2_500;

macro_rules! random_transactions {
    ($($name:ident),+) => {
        proptest! {
            #![proptest_config(ProptestConfig {
                cases: CASES,
                failure_persistence: None,
                ..ProptestConfig::default()
            })]
            $(
                #[test]
                fn $name(
                    line in line(),
                    company in any::<bool>(),
                    with_tenant in any::<bool>(),
                    which in 0..32_u8,
                ) {
                    check_random(&line, (company, with_tenant, which));
                }
            )+
        }
    };
}

random_transactions!(
    both_agree_and_explain_one,
    both_agree_and_explain_two,
    both_agree_and_explain_three,
    both_agree_and_explain_four
);

fn check_random(line: &str, (company, with_tenant, which): (bool, bool, u8)) {
    let example = Example::parse(line).expect("readable");
    let [person_rules, company_rules] = &*TENANT;
    let (tree, tenant) = if company {
        (UserType::Company, company_rules)
    } else {
        (UserType::Person, person_rules)
    };
    let set = patterns(&example, which);
    let patterns = UserPatterns::compile(PACK.taxonomy(), tree, &set).expect("valid");
    let categorizer = Categorizer::new(&PACK, tree)
        .with_tenant(with_tenant.then_some(tenant))
        .with_patterns(&patterns);
    check(&categorizer, &example);
}
