//! Reading JSON so that an error names the field and never repeats the value.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use domain::{Classify, ErrorKind};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

use crate::upload::Text;

/// Longest path in an error, in bytes; a deeper one is cut.
const PATH_BYTES_MAX: usize = 200;

/// What a caller sent cannot be used: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}{colon}{message}", colon = if path.is_empty() { "" } else { ": " })]
pub struct InvalidInput {
    /// Where, as a path into the body: `accounts[0].transactions[3].amount`; empty for the whole.
    pub path: String,
    /// Why, in words that never contain the value.
    pub message: String,
    /// What is wrong with it.
    pub fault: InputFault,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFault {
    /// The content is wrong.
    Content,
    /// It is required and not there.
    Missing,
    /// More items than a named limit allows.
    TooMany,
}

impl InvalidInput {
    /// Wrong content at a path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            fault: InputFault::Content,
        }
    }

    /// A required value that is not there.
    pub fn missing(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: "is required".to_owned(),
            fault: InputFault::Missing,
        }
    }

    /// More items at a path than a limit allows.
    pub fn too_many(path: impl Into<String>, what: &str, max: usize) -> Self {
        Self {
            path: path.into(),
            message: format!("must not contain more than {max} {what}"),
            fault: InputFault::TooMany,
        }
    }

    /// The same error seen from further out: `prefix.path`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path = join(prefix, &self.path);
        self
    }
}

impl Classify for InvalidInput {
    fn kind(&self) -> ErrorKind {
        match self.fault {
            InputFault::Content | InputFault::Missing => ErrorKind::InvalidInput,
            InputFault::TooMany => ErrorKind::TooLarge,
        }
    }
}

/// Joins two parts of a path with a dot where the second is a name.
pub fn join(prefix: &str, path: &str) -> String {
    let dot = if prefix.is_empty() || path.is_empty() || path.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{prefix}{dot}{path}")
}

/// Reads a JSON body.
///
/// # Errors
/// The first fault, with its path.
pub fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, InvalidInput> {
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        // Paths are tracked only when needed: tracking copies every key.
        Err(error) => Err(locate::<T>(body, &error)),
    }
}

fn locate<'de, T: Deserialize<'de>>(body: &'de [u8], error: &serde_json::Error) -> InvalidInput {
    if error.classify() == Category::Data {
        locate_data::<T>(body, error)
    } else {
        malformed(body, error)
    }
}

fn locate_data<'de, T: Deserialize<'de>>(
    body: &'de [u8],
    error: &serde_json::Error,
) -> InvalidInput {
    let mut tracked = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut tracked) {
        Ok(_) => InvalidInput::new("", explain(error)),
        Err(located) => InvalidInput::new(printable(located.path()), explain(located.inner())),
    }
}

/// The path at which a text stops being JSON.
fn malformed(body: &[u8], error: &serde_json::Error) -> InvalidInput {
    let mut tracked = serde_json::Deserializer::from_slice(body);
    let path = match serde_path_to_error::deserialize::<_, Walk>(&mut tracked) {
        Ok(_) => String::new(),
        Err(located) => printable(located.path()),
    };
    InvalidInput::new(path, explain(error))
}

/// Refuses a body that nests deeper than can be read, naming the place.
///
/// # Errors
/// The path at which it becomes too deep.
pub fn check_nesting(body: &[u8]) -> Result<(), InvalidInput> {
    let mut tracked = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Walk>(&mut tracked) {
        Ok(_) => Ok(()),
        Err(located) => Err(InvalidInput::new(
            printable(located.path()),
            explain(located.inner()),
        )),
    }
}

/// A path as it may stand in an answer: bounded, without control characters.
fn printable(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => format!("[{index}]"),
            Segment::Map { key } => key.chars().filter(|c| !c.is_control()).collect(),
            Segment::Enum { variant } => variant.clone(),
            // The parser stopped between two values.
            Segment::Unknown => continue,
        };
        text = join(&text, &part);
        if text.len() > PATH_BYTES_MAX {
            text.truncate(text.floor_char_boundary(PATH_BYTES_MAX));
            text.push('…');
            break;
        }
    }
    text
}

/// Says what is wrong in words of the wire, without the value that serde's message repeats.
fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    match error.classify() {
        Category::Data => match text.rfind(", expected ") {
            Some(at) => format!("must be {}", expected(&text[at + ", expected ".len()..])),
            None => field_fault(text),
        },
        Category::Syntax if text.contains("hex escape") => {
            r"has a \u escape that is no character".to_owned()
        }
        Category::Syntax | Category::Eof => format!(
            "is malformed JSON at line {} column {}: {text}",
            error.line(),
            error.column()
        ),
        Category::Io => "could not be read".to_owned(),
    }
}

fn field_fault(text: &str) -> String {
    match text.split_once(" field ") {
        Some(("missing", name)) => format!("{} is required", name.trim_matches('`')),
        Some(("duplicate", name)) => format!("{} is given twice", name.trim_matches('`')),
        _ => text.to_owned(),
    }
}

/// Serde's name of a type in words of JSON.
fn expected(name: &str) -> &str {
    match name {
        "a map" => "an object",
        "a sequence" => "an array",
        "a borrowed string" => "a string",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ if name.starts_with("struct ") => "an object",
        _ => name,
    }
}

/// A value that must be written as a JSON object.
///
/// Serde reads a structure from an array too; on the wire that is always a mistake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A JSON object of which no key may come twice: which of the values counts would be a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique<'a, T>(pub BTreeMap<Text<'a>, T>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Unique<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<'a, T> {
    type Value = Unique<'a, T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique<'a, T>, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("holds a key twice"));
            }
        }
        Ok(Unique(map))
    }
}

/// Any JSON, walked value by value so that the place of a fault is known.
struct Walk;

impl<'de> Deserialize<'de> for Walk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WalkVisitor)
    }
}

struct WalkVisitor;

impl<'de> Visitor<'de> for WalkVisitor {
    type Value = Walk;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_str<E>(self, _: &str) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_unit<E>(self) -> Result<Walk, E> {
        Ok(Walk)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Walk, A::Error> {
        while items.next_element::<Walk>()?.is_some() {}
        Ok(Walk)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Walk, A::Error> {
        while entries.next_key::<IgnoredAny>()?.is_some() {
            entries.next_value::<Walk>()?;
        }
        Ok(Walk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "count")]
        _count: Option<u32>,
        #[serde(rename = "name")]
        _name: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "items")]
        _items: Vec<Object<Inner>>,
    }

    fn check(body: &str, path: &str, message: &str) {
        let error = read::<Object<Outer>>(body.as_bytes()).expect_err(body);
        assert_eq!((&*error.path, &*error.message), (path, message), "{body}");
    }

    #[test]
    fn errors_name_the_field_and_never_the_value() {
        check("[]", "", "must be an object");
        check("{}", "", "items is required");
        check(r#"{"items":5}"#, "items", "must be an array");
        check(r#"{"items":[[1,"x"]]}"#, "items[0]", "must be an object");
        check(
            r#"{"items":[{},{"count":"DE12, expected gold"}]}"#,
            "items[1].count",
            "must be a whole number, not negative",
        );
        check(
            r#"{"items":[{"name":7}]}"#,
            "items[0].name",
            "must be a string",
        );
        check(r#"{"items":[],"items":[]}"#, "", "items is given twice");
        check(
            r#"{"items":[{"name":"\ud800"}]}"#,
            "items[0].name",
            r"has a \u escape that is no character",
        );
    }

    #[test]
    fn malformed_json_has_a_place() {
        for (body, path) in [
            ("", ""),
            ("{", ""),
            (r#"{"items":[{"count":01}]}"#, "items[0].count"),
            (r#"{"items":[{"count":1},{"#, "items[1]"),
        ] {
            let error = read::<Object<Outer>>(body.as_bytes()).expect_err(body);
            assert!(error.message.starts_with("is malformed JSON"), "{error}");
            assert_eq!(error.path, path, "{body}: {error}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_its_path_too() {
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        let error = check_nesting(deep.as_bytes()).expect_err("too deep");
        assert!(
            error.path.starts_with("x[0][0]") && error.path.len() < 210,
            "{error}"
        );
        assert_eq!(check_nesting(br#"{"x":[[[1]]]}"#), Ok(()));
    }

    #[test]
    fn paths_are_joined_and_shown() {
        let error = InvalidInput::new("amount", "is required").under("accounts[0]");
        assert_eq!(error.to_string(), "accounts[0].amount: is required");
        assert_eq!(
            error.under("users").to_string(),
            "users.accounts[0].amount: is required"
        );
        assert_eq!(join("accounts", "[1].iban"), "accounts[1].iban");
        assert_eq!(
            InvalidInput::new("", "must be an object").to_string(),
            "must be an object"
        );
        let many = InvalidInput::too_many("accounts", "accounts", 3);
        assert_eq!(many.kind(), ErrorKind::TooLarge);
    }
}
