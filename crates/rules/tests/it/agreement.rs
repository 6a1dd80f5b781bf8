//! The compiled matcher decides as the reference does.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::UserType;
use proptest::prelude::*;
use rules::example::Example;
use rules::{Categorizer, RulePack, reference};

static PACK: LazyLock<RulePack> = LazyLock::new(crate::pack::pack);

/// Words that rules look for, so that random texts hit often.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = PACK.literals(UserType::Person);
    words.extend(PACK.literals(UserType::Company));
    words
});

fn check(example: &Example) {
    let mut scratch = PACK.scratch();
    let view = PACK.prepare(&example.transaction, &example.context);
    for tree in [UserType::Person, UserType::Company] {
        let compiled = PACK.categorize(tree, &view, &mut scratch);
        let naive = reference::categorize(&Categorizer::new(&PACK, tree), &view);
        assert_eq!(Some(compiled), naive, "{}", example.text);
        let candidates = PACK.candidates(tree, &view, &mut scratch);
        if compiled.refund_of.is_none() && !compiled.abstained {
            assert_eq!(
                candidates.first().map(|best| best.rule),
                Some(compiled.rule)
            );
        }
        let rules: BTreeSet<_> = candidates.iter().map(|candidate| candidate.rule).collect();
        assert_eq!(rules.len(), candidates.len(), "{}", example.text);
        // The matched piece must be a piece of the field, on borders of characters.
        let piece = compiled.evidence.matched(&example.transaction);
        let field = compiled.evidence.field.content(&example.transaction);
        assert!(field.contains(piece.as_ref()), "{}", example.text);
        let whole = compiled.evidence.start == 0 && compiled.evidence.end == 0;
        assert!(
            whole || !piece.is_empty() || field.is_empty(),
            "{}",
            example.text
        );
    }
}

#[test]
fn both_agree_on_every_example() {
    for (_, rule) in PACK.rules() {
        rule.hits.iter().chain(&rule.misses).for_each(check);
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
        ]).prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..5)
        .prop_map(|pieces| pieces.join(" ").replace(['|', '='], " "))
}

fn codes() -> impl Strategy<Value = String> {
    let gvc = prop::sample::select(vec![
        6_u16, 82, 83, 105, 108, 153, 159, 166, 181, 303, 805, 814,
    ]);
    let mcc = prop::sample::select(vec!["5411", "3005", "6011", "7995", "9999"]);
    let purpose = prop::sample::select(vec!["SALA", "PENS", "INTE", "CHAR", "XXXX"]);
    prop_oneof![
        3 => Just(String::new()),
        1 => gvc.prop_map(|code| format!(" | gvc={code}")),
        1 => mcc.prop_map(|code| format!(" | mcc={code}")),
        1 => purpose.prop_map(|code| format!(" | purpose_code={code}")),
        1 => Just(" | owner=Anna Maria Kern".to_owned()),
    ]
}

proptest! {
    #[test]
    fn both_agree_on_random_transactions(
        name in text(),
        purpose in text(),
        booking in text(),
        sign in prop::sample::select(vec!['+', '-']),
        cents in 0..1_000_000_u32,
        codes in codes(),
    ) {
        let amount = format!("{sign}{}.{:02}", cents / 100, cents % 100);
        let line = format!("{name} | {purpose} | {amount} | booking={booking}{codes}");
        check(&Example::parse(&line).expect("readable"));
    }
}
