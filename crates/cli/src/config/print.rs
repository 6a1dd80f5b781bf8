//! The configuration as it is in force, for `kontor config print`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use figment::value::{Num, Value};

use super::environment::variable_of;
use super::layers::leaves_of;
use super::sections::Config;

/// The settings as TOML that could be used again, each with its source. Secrets are hidden.
pub(super) fn render(config: &Config, sources: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut section = String::new();
    let leaves = leaves_of(config);
    let mut ordered: Vec<(&str, &str, &Value)> = leaves
        .iter()
        .map(|(key, value)| {
            let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
            (parent, name, value)
        })
        .collect();
    // In TOML a section's own settings stand before the sections within it.
    ordered.sort_by_key(|(parent, name, _)| (*parent, *name));
    for (parent, name, value) in ordered {
        let key = if parent.is_empty() {
            name.to_owned()
        } else {
            format!("{parent}.{name}")
        };
        if parent != section {
            parent.clone_into(&mut section);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n[{section}]");
        }
        let source = match sources.get(&key) {
            Some(source) => format!("from {source}"),
            None => format!("default, {}", variable_of(&key)),
        };
        let _ = match toml_value(value) {
            Some(value) => writeln!(text, "{name} = {value}  # {source}"),
            None => writeln!(text, "# {name} is not set  # {source}"),
        };
    }
    text
}

fn toml_value(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(toml::Value::from(text.as_str()).to_string()),
        Value::Char(_, char) => Some(toml::Value::from(char.to_string()).to_string()),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => Some(number_text(number)),
        // Dictionaries were taken apart into their leaves.
        Value::Empty(..) | Value::Dict(..) => None,
        Value::Array(_, items) => {
            let items: Vec<String> = items.iter().filter_map(toml_value).collect();
            Some(format!("[{}]", items.join(", ")))
        }
    }
}

fn number_text(number: &Num) -> String {
    match (number.to_i128(), number.to_u128()) {
        (Some(number), _) => number.to_string(),
        (None, Some(number)) => number.to_string(),
        (None, None) => String::new(),
    }
}
