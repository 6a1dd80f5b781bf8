//! Where settings come from: defaults, then the file, then the environment. A later one wins.

use std::collections::BTreeMap;
use std::path::Path;

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Value};

use super::environment::{Environment, variable_of};
use super::problem::Problem;
use super::sections::Config;

/// One setting from outside, before it is typed.
struct Override {
    key: String,
    source: String,
    value: Value,
    /// What stood in the environment; a text such as `123` may be meant as it is written.
    text: Option<String>,
}

/// The merged settings and where each comes from.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) config: Config,
    /// Key to source, for the keys that are not defaults.
    pub(super) sources: BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
}

/// Merges the layers. What cannot be used is a problem and leaves the layer below in force, so
/// that one pass finds everything.
pub(super) fn merge(defaults: Config, file: Option<&Path>, environment: &Environment) -> Merged {
    let mut problems = Vec::new();
    let mut overrides = Vec::new();
    if let Some(path) = file {
        match read_file(path) {
            Ok(found) => overrides.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    overrides.extend(from_environment(environment));

    let known = leaves_of(&defaults);
    let base = Figment::from(Serialized::defaults(&defaults));
    let mut accepted = base.clone();
    let mut sources = BTreeMap::new();
    for setting in overrides {
        match usable_value(&base, &known, &setting) {
            Ok(value) => {
                accepted = accepted.merge(Serialized::default(&setting.key, value));
                sources.insert(setting.key, setting.source);
            }
            Err(message) => problems.push(Problem {
                key: setting.key,
                source: Some(setting.source),
                message,
            }),
        }
    }
    let config = accepted.extract().unwrap_or_else(|error| {
        problems.push(Problem {
            key: error.path.join("."),
            source: None,
            message: error.kind.to_string(),
        });
        defaults
    });
    Merged {
        config,
        sources,
        problems,
    }
}

/// Every key of the configuration with its present value, in alphabetical order. Secrets are
/// hidden by their own serialisation.
pub(super) fn leaves_of(config: &Config) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    let dict = Value::serialize(config).ok().and_then(Value::into_dict);
    collect_leaves("", dict.unwrap_or_default(), &mut leaves);
    leaves
}

fn collect_leaves(prefix: &str, dict: Dict, into: &mut BTreeMap<String, Value>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        if let Some(inner) = value.as_dict() {
            collect_leaves(&key, inner.clone(), into);
        } else {
            into.insert(key, value);
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<Override>, Problem> {
    let problem = |message: String| Problem {
        key: path.display().to_string(),
        source: None,
        message,
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| problem(format!("cannot read the configuration file: {error}")))?;
    let dict = Toml::from_str::<Dict>(&text)
        // The parser's own message quotes the line, which may hold a password.
        .map_err(|error| {
            problem(format!(
                "no TOML: {}{}",
                error.message(),
                line(&text, error.span())
            ))
        })?;
    let mut leaves = BTreeMap::new();
    collect_leaves("", dict, &mut leaves);
    let source = path.display().to_string();
    let setting = |(key, value)| Override {
        key,
        source: source.clone(),
        value,
        text: None,
    };
    Ok(leaves.into_iter().map(setting).collect())
}

fn line(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(before) = span.and_then(|span| text.get(..span.start)) else {
        return String::new();
    };
    format!(" (line {})", before.matches('\n').count() + 1)
}

fn from_environment(environment: &Environment) -> Vec<Override> {
    let setting = |(name, key, text): (&str, String, &str)| Override {
        key,
        source: name.to_owned(),
        // Reading a value from text cannot fail: what is nothing else is a string.
        value: text.parse().unwrap_or_else(|never| match never {}),
        text: Some(text.to_owned()),
    };
    environment.settings().map(setting).collect()
}

/// The value as its key's type takes it, or why it does not.
fn usable_value(
    base: &Figment,
    known: &BTreeMap<String, Value>,
    setting: &Override,
) -> Result<Value, String> {
    let key = setting.key.as_str();
    if !known.contains_key(key) {
        return Err(unknown(key, known));
    }
    let refusal = |value: &Value| {
        let figment = base.clone().merge(Serialized::default(key, value));
        let error = figment.extract::<Config>().err()?;
        Some(error.kind.to_string())
    };
    let Some(message) = refusal(&setting.value) else {
        return Ok(setting.value.clone());
    };
    match setting.text.clone().map(Value::from) {
        Some(text) if refusal(&text).is_none() => Ok(text),
        _ => Err(message),
    }
}

fn unknown(key: &str, known: &BTreeMap<String, Value>) -> String {
    let section = format!("{key}.");
    if known.keys().any(|known| known.starts_with(&section)) {
        return "this is a section, not a setting".to_owned();
    }
    let key = key.strip_prefix("kontor_").unwrap_or(key);
    let last = key.rsplit('.').next().unwrap_or(key);
    let alike = known
        .keys()
        .find(|known| known.rsplit('.').next() == Some(last) || known.replace('.', "_") == key);
    match alike {
        Some(alike) => format!(
            "no such setting; did you mean {alike} ({})?",
            variable_of(alike)
        ),
        None => "no such setting; `kontor config print` lists all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn merged(file: Option<&str>, environment: &Environment) -> Merged {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kontor.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).expect("written");
        }
        let defaults = Config::defaults(PathBuf::from("/data"));
        merge(defaults, file.map(|_| path.as_path()), environment)
    }

    fn problems(merged: &Merged) -> Vec<(&str, &str)> {
        merged
            .problems
            .iter()
            .map(|problem| (problem.key.as_str(), problem.message.as_str()))
            .collect()
    }

    #[test]
    fn a_later_layer_wins() {
        let file = "listen = \"127.0.0.1:1\"\n[log]\nformat = \"json\"\nfilter = \"warn\"\n";
        let environment = Environment::of([
            ("KONTOR_LISTEN", "127.0.0.1:2"),
            ("KONTOR_LOG__FILTER", "info,queue=debug"),
            ("KONTOR_GATEWAY__LIMITS__UPLOAD_TRANSACTIONS_MAX", "7"),
            ("KONTOR_DATA_DIR", "4711"),
        ]);
        let merged = merged(Some(file), &environment);
        assert_eq!(problems(&merged), []);
        let config = &merged.config;
        assert_eq!(config.listen.to_string(), "127.0.0.1:2");
        assert_eq!(config.log.filter.as_str(), "info,queue=debug");
        assert_eq!(config.log.format, crate::config::LogFormat::Json);
        assert_eq!(config.gateway.limits.upload_transactions_max, 7);
        assert_eq!(config.data_dir, PathBuf::from("4711"));
        assert_eq!(merged.sources["listen"], "KONTOR_LISTEN");
        assert!(merged.sources["log.format"].ends_with("kontor.toml"));
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let file = "lisen = 1\n[log]\nformat = \"xml\"\n[worker]\nconcurrency = -1\n";
        let environment = Environment::of([
            ("KONTOR_LISTEN", "localhost"),
            ("KONTOR_DATABASE_URL", "postgres://a:b@c/d"),
            ("KONTOR_LOG", "debug"),
            ("KONTOR_LOG__FILTER", "a=b=c"),
        ]);
        let merged = merged(Some(file), &environment);
        let keys: Vec<&str> = merged.problems.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "lisen",
                "log.format",
                "worker.concurrency",
                "kontor_database_url",
                "listen",
                "log",
                "log.filter"
            ]
        );
        assert!(merged.problems[3].message.contains("(DATABASE_URL)"));
        assert_eq!(merged.config.database_url, None);
    }

    #[test]
    fn a_damaged_file_is_no_place_to_quote_from() {
        let merged = merged(
            Some("database_url = \"postgres://a:geheim@b\nx"),
            &Environment::default(),
        );
        let shown = format!("{:?}", merged.problems);
        assert_eq!(merged.problems.len(), 1);
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("(line 1)"), "{shown}");
    }
}
