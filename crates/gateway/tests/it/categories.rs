use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{ACME, Answer, Call, World, sample};

const TREE: &str = "/api/categorization/categories";
const DESCRIPTIONS: &str = "/api/categorization/categories/descriptions";

struct Reader {
    world: World,
    token: String,
}

impl Reader {
    async fn start() -> Self {
        let world = World::start().await;
        let token = world.token(ACME).await;
        Self { world, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(Call::get(path).token(&self.token)).await
    }
}

/// Tags and types of a node and everything below, checking levels on the way.
fn collect(node: &Value, level: u64, found: &mut Vec<(String, String)>) {
    assert_eq!(node["level"], level, "{node}");
    let text = |key: &str| node[key].as_str().expect("text").to_owned();
    found.push((text("tag"), text("type")));
    for child in node["children"].as_array().expect("an array") {
        collect(child, level + 1, found);
    }
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

#[tokio::test]
async fn the_tree_holds_every_tag_of_a_type_of_user() {
    let reader = Reader::start().await;
    let documented = sample("001-categories-get-tree-response");
    let mut hashes = BTreeSet::new();
    for (tree, one, only) in [
        ("person", "insurance_legal", "child_benefit"),
        ("company", "insurance_cyber", "staff"),
    ] {
        let answer = reader.get(&format!("{TREE}?type={tree}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!(keys(&body), keys(&documented));
        assert_eq!(keys(&body["nodes"]), keys(&documented["nodes"]));
        assert_eq!(body["type"], tree);
        let mut found = Vec::new();
        collect(&body["nodes"], 0, &mut found);
        assert_eq!(found[0], ("root".to_owned(), "category".to_owned()));
        let has = |tag: &str, kind: &str| found.contains(&(tag.to_owned(), kind.to_owned()));
        assert!(has(one, "category") && has(only, "category"));
        for attribute in ["recurring", "fix", "variabel", "fix-variabel"] {
            assert!(has(attribute, "attribute"), "{attribute}");
        }
        let tags: BTreeSet<_> = found.iter().map(|(tag, _)| tag).collect();
        assert_eq!(tags.len(), found.len(), "each tag stands once");
        assert!(found.len() > 90, "{}", found.len());
        hashes.insert(body["treeVersionHash"].as_str().expect("a hash").to_owned());
    }
    assert!(hashes.len() == 2 && hashes.iter().all(|hash| hash.len() == 64));
    let default = reader.get(TREE).await.json();
    assert_eq!(default["type"], "person");
}

#[tokio::test]
async fn descriptions_come_in_two_languages_for_both_types() {
    let reader = Reader::start().await;
    let documented = sample("001-categories-get-descriptions-response");
    let default = reader.get(DESCRIPTIONS).await.json();
    assert_eq!(
        (&default["type"], &default["language"]),
        (&"person".into(), &"de".into())
    );
    let mut hashes = BTreeSet::new();
    for (tree, language, name, label) in [
        (
            "person",
            "de",
            "insurance_legal",
            "Rechtsschutzversicherung",
        ),
        (
            "person",
            "en",
            "insurance_legal",
            "Legal expenses insurance",
        ),
        ("company", "de", "insurance_legal", "Firmenrechtsschutz"),
        ("company", "EN", "recurring", "Recurring"),
    ] {
        let path = format!("{DESCRIPTIONS}?type={tree}&language={language}");
        let body = reader.get(&path).await.json();
        assert_eq!(keys(&body), keys(&documented));
        let list = body["descriptionList"].as_array().expect("an array");
        let one = list.iter().find(|one| one["name"] == name).expect(name);
        assert_eq!(keys(one), keys(&documented["descriptionList"][0]));
        assert_eq!(one["displayName"], label);
        for one in list {
            assert!(
                one["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 20),
                "{one}"
            );
        }
        let tree = reader.get(&format!("{TREE}?type={tree}")).await.json();
        let mut nodes = Vec::new();
        collect(&tree["nodes"], 0, &mut nodes);
        assert_eq!(
            list.len() + 1,
            nodes.len(),
            "everything but the root is described"
        );
        let hash = body["descriptionVersionHash"].as_str().expect("a hash");
        hashes.insert(hash.to_owned());
    }
    assert_eq!(hashes.len(), 4, "{hashes:?}");
}

#[tokio::test]
async fn the_same_is_found_under_other_paths() {
    let reader = Reader::start().await;
    for (path, other) in [
        (TREE, "/api/categorization/tree"),
        (TREE, "/api/categorization/categories/tree"),
        (DESCRIPTIONS, "/api/categorization/descriptions"),
    ] {
        let query = "?type=company&language=en";
        let one = reader.get(&format!("{path}{query}")).await;
        let two = reader.get(&format!("{other}{query}")).await;
        assert_eq!((one.status, one.text), (two.status, two.text), "{other}");
    }
}

#[tokio::test]
async fn an_edition_is_sent_once() {
    let reader = Reader::start().await;
    for path in [TREE, DESCRIPTIONS] {
        let first = reader.get(path).await;
        let tag = first.header("etag").expect("a tag").to_owned();
        let call = Call::get(path).token(&reader.token);
        let again = reader.world.send(call.header("if-none-match", &tag)).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        let call = Call::get(format!("{path}?type=company")).token(&reader.token);
        let other = reader.world.send(call.header("if-none-match", &tag)).await;
        assert_eq!(other.status, 200, "another edition");
    }
}

#[tokio::test]
async fn parameters_and_scopes_are_checked() {
    let reader = Reader::start().await;
    for (path, expected) in [
        (
            format!("{TREE}?type=pet"),
            "400 invalidInput: type: must be one of: person, company",
        ),
        (
            format!("{DESCRIPTIONS}?type=pet"),
            "400 invalidInput: type: must be one of: person, company",
        ),
        (
            format!("{DESCRIPTIONS}?language=fr"),
            "400 invalidInput: language: must be one of: de, en",
        ),
    ] {
        assert_eq!(reader.get(&path).await.failure(), expected);
    }
    reader.world.add_client("tags", &["categorization"]).await;
    let token = reader.world.token("tags").await;
    for path in [TREE, DESCRIPTIONS] {
        let refused = reader.world.send(Call::get(path).token(&token)).await;
        assert_eq!(
            refused.failure(),
            "403 forbidden: Forbidden. No access to this resource: the client lacks the scope \
             categorization-categories"
        );
        assert_eq!(reader.world.send(Call::get(path)).await.status, 401);
    }
}
