//! What holds for every shipped rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use domain::UserType;
use rules::{Rule, RuleId, RulePack, Stage};

/// The shipped pack.
pub(crate) fn pack() -> RulePack {
    RulePack::builtin().expect("the shipped pack is valid")
}

fn applied(pack: &RulePack) -> impl Iterator<Item = (RuleId, &Rule)> {
    pack.rules()
        .filter(|(_, rule)| rule.status.stage != Stage::Removed)
}

#[test]
fn the_listing_names_every_file() {
    let pack = pack();
    let files: BTreeSet<(UserType, &str)> = pack
        .rules()
        .map(|(_, rule)| (rule.tree, rule.file.as_str()))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    for tree in [UserType::Person, UserType::Company] {
        let listed: BTreeSet<String> = files
            .iter()
            .filter(|(of, _)| *of == tree)
            .map(|(_, file)| (*file).to_owned())
            .collect();
        let present: BTreeSet<String> = fs::read_dir(root.join(tree.as_str()))
            .expect("the directory is there")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        assert_eq!(listed, present, "{tree}");
    }
}

#[test]
fn the_pack_is_the_same_each_time() {
    let (one, two) = (pack(), pack());
    assert_eq!(one.hash(), two.hash());
    assert_eq!(one.hash().len(), 64);
    assert_eq!(one.taxonomy().hash(), two.taxonomy().hash());
    let names = |pack: &RulePack| {
        pack.rules()
            .map(|(_, rule)| rule.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&one), names(&two));
}

#[test]
fn enough_tags_can_be_reached() {
    let pack = pack();
    let reached = |tree| -> BTreeSet<_> {
        applied(&pack)
            .map(|(_, rule)| rule)
            .filter(|rule| rule.tree == tree)
            .map(|rule| rule.tag)
            .collect()
    };
    assert!(reached(UserType::Person).len() >= 60);
    assert!(reached(UserType::Company).len() >= 20);
}

/// One snapshot per rule file: what each hit is decided to be, and by which piece of it.
#[test]
fn decisions_are_known() {
    let pack = pack();
    let mut scratch = pack.scratch();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for (_, rule) in applied(&pack) {
        let page = pages
            .entry(format!("{}-{}", rule.tree, rule.file))
            .or_default();
        for hit in &rule.hits {
            let view = pack.prepare(&hit.transaction, &hit.context);
            let decided = pack.categorize(rule.tree, &view, &mut scratch);
            let (tag, evidence) = (pack.tag_name(decided.tag), decided.evidence);
            let piece = evidence.matched(&hit.transaction);
            let field = evidence.field.as_str();
            writeln!(page, "{}\n  {tag} <- {field} {piece:?}", hit.text).expect("a string grows");
        }
    }
    for (name, page) in pages {
        insta::assert_snapshot!(name, page);
    }
}
