//! Finds the documented samples, which are not part of this repository.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

/// The folder with the samples: named by `KONTOR_SHARED`, else beside the workspace.
fn folder() -> Option<PathBuf> {
    let beside = || {
        let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)?
            .to_owned();
        Some(workspace.parent()?.join("shared"))
    };
    let shared = std::env::var_os("KONTOR_SHARED")
        .map(PathBuf::from)
        .or_else(beside)?;
    Some(shared.join("reference/api/samples")).filter(|folder| folder.is_dir())
}

/// A sample by name; `None`, said aloud, where the samples are absent.
pub(crate) fn sample(name: &str) -> Option<Value> {
    let Some(folder) = folder() else {
        println!("skipped: no samples here (set KONTOR_SHARED)");
        return None;
    };
    let bytes = std::fs::read(folder.join(name)).expect(name);
    Some(serde_json::from_slice(&bytes).expect(name))
}

/// Every path of a document with the JSON type that stands there; elements of lists are one.
pub(crate) fn outline(document: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    walk(document, "", &mut paths);
    paths
}

fn walk(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    paths.insert(format!("{path}: {kind}"));
    match value {
        Value::Array(items) => {
            for item in items {
                walk(item, &format!("{path}[]"), paths);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                walk(item, &format!("{path}.{key}"), paths);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
