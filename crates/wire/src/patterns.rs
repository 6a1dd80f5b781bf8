//! What a user decides about tags himself.

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::{Pattern, PatternKind, PatternSet, Sensitive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::{InvalidInput, Object, Unique};
use crate::upload::Text;

/// Replaces all decisions of a user.
#[derive(Deserialize, ToSchema)]
pub struct PatternsRequest<'a> {
    /// Tags by the identifier of a transaction, or by the SHA-1 of a payment partner.
    #[serde(borrow)]
    #[schema(value_type = Option<BTreeMap<String, Vec<String>>>)]
    pub ids: Option<Unique<'a, Vec<Text<'a>>>>,
    /// Tags by the payment partner's name or creditor identifier; of two that match, the later one
    /// decides.
    #[schema(value_type = Option<Vec<PatternRequest>>)]
    pub patterns: Option<Vec<Object<PatternRequest<'a>>>>,
}

/// Tags for every transaction with a certain payment partner.
#[derive(Deserialize, ToSchema)]
pub struct PatternRequest<'a> {
    /// From this day on, RFC 3339; from the first transaction when omitted.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, example = "2019-04-12T11:46:23+00:00")]
    pub since: Option<Text<'a>>,
    /// The tags: categories on one path of the tree, and attributes.
    #[schema(value_type = Vec<String>)]
    pub tags: Option<Vec<Text<'a>>>,
    /// What is compared: `name` or `creditorId` (also `creditorID`).
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "name")]
    pub kind: Option<Text<'a>>,
    /// To this day, RFC 3339; to the last transaction when omitted.
    #[schema(value_type = Option<String>, example = "2019-04-12T11:46:23+00:00")]
    pub until: Option<Text<'a>>,
    /// The name or creditor identifier.
    #[schema(value_type = String, example = "Müschke GmbH")]
    pub value: Option<Text<'a>>,
}

impl PatternsRequest<'_> {
    /// The decisions in the domain's words; what they mean is checked elsewhere.
    ///
    /// # Errors
    /// The first field that is missing or cannot be read.
    pub fn into_set(self) -> Result<PatternSet, InvalidInput> {
        let ids = self.ids.map(|Unique(ids)| ids).unwrap_or_default();
        let patterns = self.patterns.unwrap_or_default();
        let read = |(index, Object(pattern)): (usize, Object<PatternRequest<'_>>)| {
            let pattern = pattern.into_pattern();
            pattern.map_err(|error| error.under(&format!("patterns[{index}]")))
        };
        Ok(PatternSet {
            ids: ids
                .into_iter()
                .map(|(id, tags)| (id.0.into_owned(), texts(tags)))
                .collect(),
            patterns: patterns
                .into_iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl PatternRequest<'_> {
    fn into_pattern(self) -> Result<Pattern, InvalidInput> {
        let kind = required(self.kind, "type")?;
        let value = required(self.value, "value")?;
        let tags = self.tags.ok_or_else(|| InvalidInput::missing("tags"))?;
        let moment = |path: &str, text: Option<Text<'_>>| {
            let parsed = text.map(|text| DateTime::parse_from_rfc3339(text.as_str()));
            parsed
                .transpose()
                .map_err(|_| InvalidInput::new(path, "must be an RFC 3339 date and time"))
        };
        Ok(Pattern {
            kind: match kind.as_str() {
                "name" => PatternKind::Name,
                "creditorId" | "creditorID" => PatternKind::CreditorId,
                _ => {
                    let reason = "must be one of: name, creditorId";
                    return Err(InvalidInput::new("type", reason));
                }
            },
            value: Sensitive::new(value.0.into_owned()),
            since: moment("since", self.since)?,
            until: moment("until", self.until)?,
            tags: texts(tags),
        })
    }
}

fn required<'a>(text: Option<Text<'a>>, path: &str) -> Result<Text<'a>, InvalidInput> {
    text.ok_or_else(|| InvalidInput::missing(path))
}

fn texts(texts: Vec<Text<'_>>) -> Vec<String> {
    texts.into_iter().map(|text| text.0.into_owned()).collect()
}

/// All decisions of a user.
#[derive(Serialize, ToSchema)]
pub struct PatternsResponse<'a> {
    /// Tags by the identifier of a transaction, or by the SHA-1 of a payment partner.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub ids: &'a BTreeMap<String, Vec<String>>,
    /// Tags by payment partner, in the order in which they were given.
    pub patterns: Vec<PatternResponse<'a>>,
}

/// Tags for every transaction with a certain payment partner.
#[derive(Serialize, ToSchema)]
pub struct PatternResponse<'a> {
    /// From this day on; absent when it holds from the first transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2019-04-12T11:46:23+00:00")]
    pub since: Option<String>,
    /// The tags.
    pub tags: &'a [String],
    /// `name` or `creditorId`.
    #[serde(rename = "type")]
    #[schema(example = "name")]
    pub kind: &'static str,
    /// To this day; absent when it holds to the last transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2019-04-12T11:46:23+00:00")]
    pub until: Option<String>,
    /// The name or creditor identifier.
    #[schema(example = "Müschke GmbH")]
    pub value: &'a str,
}

impl<'a> PatternsResponse<'a> {
    /// Shows decisions.
    pub fn new(set: &'a PatternSet) -> Self {
        let patterns = set.patterns.iter().map(|pattern| PatternResponse {
            since: pattern.since.map(|since| since.to_rfc3339()),
            tags: &pattern.tags,
            kind: pattern.kind.as_str(),
            until: pattern.until.map(|until| until.to_rfc3339()),
            value: pattern.value.as_str(),
        });
        Self {
            ids: &set.ids,
            patterns: patterns.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json;

    fn read(body: &Value) -> Result<PatternSet, InvalidInput> {
        let body = body.to_string();
        let Object(request) = json::read::<Object<PatternsRequest<'_>>>(body.as_bytes())?;
        request.into_set()
    }

    #[test]
    fn what_is_sent_is_shown_again() {
        let body = json!({
            "ids": { "ad28": ["spending", "insurance"] },
            "patterns": [
                {
                    "since": "2019-04-12T11:46:23+00:00",
                    "tags": ["earning", "fix"],
                    "type": "name",
                    "until": "2019-04-12T11:46:23+02:00",
                    "value": "M\u{fc}schke GmbH",
                },
                { "tags": ["fix"], "type": "creditorId", "value": "DE98ZZZ09999999999" },
            ],
        });
        let set = read(&body).expect("valid");
        let shown = serde_json::to_value(PatternsResponse::new(&set)).expect("json");
        assert_eq!(shown, body);
        let other = json!({ "patterns": [
            { "tags": [], "type": "creditorID", "value": "x", "since": null, "extra": 1 }
        ] });
        let set = read(&other).expect("valid");
        assert_eq!(set.patterns[0].kind, PatternKind::CreditorId);
        for empty in [json!({}), json!({ "ids": null, "patterns": null })] {
            let set = read(&empty).expect("valid");
            let shown = serde_json::to_value(PatternsResponse::new(&set)).expect("json");
            assert_eq!(shown, json!({ "ids": {}, "patterns": [] }));
        }
    }

    #[test]
    fn an_id_is_given_once() {
        for body in [
            r#"{"ids":{"a":["fix"],"a":["fix"]}}"#,
            r#"{"ids":{"a":["fix"],"\u0061":[]}}"#,
        ] {
            let error = json::read::<Object<PatternsRequest<'_>>>(body.as_bytes());
            let error = error.map(|_| ()).expect_err(body).to_string();
            assert_eq!(error, "ids: holds a key twice");
        }
    }

    #[test]
    fn errors_name_the_pattern() {
        let with = |key: &str, value: Value| {
            let mut pattern = json!({ "tags": ["fix"], "type": "name", "value": "x" });
            pattern[key] = value;
            json!({ "patterns": [{ "tags": [], "type": "name", "value": "x" }, pattern] })
        };
        for (body, expected) in [
            (json!([]), "must be an object"),
            (json!({ "ids": [] }), "ids: must be an object"),
            (json!({ "ids": { "a": "fix" } }), "ids.a: must be an array"),
            (json!({ "patterns": {} }), "patterns: must be an array"),
            (json!({ "patterns": [1] }), "patterns[0]: must be an object"),
            (with("tags", Value::Null), "patterns[1].tags: is required"),
            (
                with("tags", json!([7])),
                "patterns[1].tags[0]: must be a string",
            ),
            (
                with("type", json!("iban")),
                "patterns[1].type: must be one of: name, creditorId",
            ),
            (with("type", Value::Null), "patterns[1].type: is required"),
            (with("value", Value::Null), "patterns[1].value: is required"),
            (
                with("value", json!(7)),
                "patterns[1].value: must be a string",
            ),
            (
                with("until", json!("2019-04-12")),
                "patterns[1].until: must be an RFC 3339 date and time",
            ),
        ] {
            let error = read(&body).expect_err("refused");
            assert_eq!(error.to_string(), expected, "{body}");
        }
    }
}
