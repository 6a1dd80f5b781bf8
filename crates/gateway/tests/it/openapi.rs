use std::collections::BTreeSet;

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(gateway::openapi_document()).expect("json")
}

fn operations(document: &Value) -> Vec<&Value> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = paths.values().filter_map(Value::as_object);
    methods.flat_map(serde_json::Map::values).collect()
}

#[test]
fn the_document_changes_only_on_purpose() {
    insta::assert_json_snapshot!("openapi", document());
}

#[test]
fn operations_are_documented_under_their_own_names() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id), "{id} is used twice");
        assert!(
            operation["description"].is_string() || operation["summary"].is_string(),
            "{id}"
        );
        let public =
            id == "authentication-authenticate" || id.starts_with("health-") || id == "metrics";
        assert_eq!(operation.get("security").is_none(), public, "{id}");
    }
    for documented in [
        "authentication-authenticate",
        "users-add-user",
        "users-delete-user",
        "users-trigger-analysis",
        "banking-create-external-accounts",
        "get-categorization",
        "categorization-get-correlation",
        "webhooks-create-webhook",
        "webhooks-update-webhook",
    ] {
        assert!(ids.contains(documented), "{documented} is missing");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = 0;
    check_references(&document, &document, &mut found);
    assert!(found > 20, "{found}");
}

fn check_references(value: &Value, document: &Value, found: &mut usize) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("within the document");
                assert!(
                    document.pointer(pointer).is_some(),
                    "{reference} leads nowhere"
                );
                *found += 1;
            }
            for member in members.values() {
                check_references(member, document, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                check_references(item, document, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
