//! Share of the brands named for Germany that get the tag of their list.

use std::collections::BTreeMap;

use domain::UserType;
use rules::example::Example;

use crate::pack::pack;

/// Smallest share of the renderings that must be right.
const SHARE_MIN: f64 = 0.97;
/// What marks a row of `names.tsv` as a brand that the index names for Germany.
const MARK: &str = "named for Germany";

#[test]
fn german_brands_are_recognised() {
    let pack = pack();
    let mut scratch = pack.scratch();
    let tags: BTreeMap<&str, _> = pack
        .rules()
        .filter(|(_, rule)| rule.tree == UserType::Person && rule.file == "listed.toml")
        .filter_map(|(_, rule)| Some((rule.id.split_once("-list")?.0, rule.tag)))
        .collect();
    let (mut all, mut wrong) = (0_u32, Vec::new());
    for row in include_str!("../../../../rules/names.tsv").lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [list, name, _, source] = cells.as_slice() else {
            panic!("four cells: {row}");
        };
        let Some(expected) = tags.get(list).filter(|_| source.ends_with(MARK)) else {
            continue;
        };
        for line in [
            format!("{name} 4711//Kiel/DE | 2025-03-01T10:00 Debitk.3 2026-12 | -19.90"),
            format!("{name} GmbH | RG 4711 | -19.90 | mandate=M1 | creditor_id=DE98ZZZ09999999999"),
            format!(
                "PayPal Europe S.a.r.l. | 1012/PP.55.PP/. {name}, Ihr Einkauf bei {name} | -19.90"
            ),
        ] {
            let example = Example::parse(&line).expect("readable");
            let view = pack.prepare(&example.transaction, &example.context);
            let decided = pack.categorize(UserType::Person, &view, &mut scratch);
            all += 1;
            if decided.tag != *expected {
                wrong.push(format!("{line} -> {}", pack.rule_name(decided.rule)));
            }
        }
    }
    let right = 1.0 - f64::from(u32::try_from(wrong.len()).expect("few")) / f64::from(all);
    println!("{all} renderings, share right {right:.4}");
    assert!(
        right >= SHARE_MIN,
        "{right:.4} of {all}\n{}",
        wrong.join("\n")
    );
}
