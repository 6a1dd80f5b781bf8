use axum::body::Body;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// A received answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn receive(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("a body");
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.into()).expect("UTF-8"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect(&self.text)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
    }

    /// Status and body with everything random replaced, for snapshots.
    pub(crate) fn redacted(&self) -> Value {
        let body = if self.text.is_empty() {
            Value::Null
        } else {
            redacted(self.json())
        };
        json!({ "status": self.status, "body": body })
    }

    /// Status, `type` and `message` in one line.
    pub(crate) fn failure(&self) -> String {
        let body = self.json();
        let keys: Vec<_> = body.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            ["message", "type"],
            "the error body has these and no other keys"
        );
        let text = |key: &str| body[key].as_str().expect("text").to_owned();
        format!("{} {}: {}", self.status, text("type"), text("message"))
    }
}

fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, redacted(value)))
            .collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

fn redacted_text(text: String) -> String {
    if Uuid::try_parse(&text).is_ok() {
        "[uuid]".to_owned()
    } else if text.starts_with("whsec_") {
        "[signing secret]".to_owned()
    } else if text.starts_with("eyJ") {
        "[token]".to_owned()
    } else {
        text
    }
}
