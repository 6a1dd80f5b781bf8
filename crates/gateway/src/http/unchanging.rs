//! Answers that stay the same until the next version of the program.

use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::categories::Edition;

/// An edition, or the word that the caller has it already.
pub(crate) struct Unchanging {
    tag: String,
    /// `None` for a caller who has it.
    body: Option<String>,
}

impl Unchanging {
    /// The edition, unless the caller's `If-None-Match` names it.
    pub(crate) fn new(edition: &Edition, request: &HeaderMap) -> Self {
        let tag = format!("\"{}\"", edition.hash);
        let body = (!is_known(&tag, request)).then(|| edition.body.clone());
        Self { tag, body }
    }
}

/// Whether the request names the tag, compared weakly (RFC 9110, 13.1.2).
fn is_known(tag: &str, request: &HeaderMap) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

impl IntoResponse for Unchanging {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            None => StatusCode::NOT_MODIFIED.into_response(),
            Some(body) => {
                let json = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, json)], body).into_response()
            }
        };
        // A hash in quotes is always a header value.
        if let Ok(tag) = self.tag.parse() {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_the_edition_gets_no_body() {
        let edition = Edition {
            body: "{}".to_owned(),
            hash: "ab12".to_owned(),
        };
        for (values, expected) in [
            (&[][..], 200),
            (&["\"ab12\""], 304),
            (&["W/\"ab12\""], 304),
            (&["\"x\", \"ab12\""], 304),
            (&["\"x\"", "\"ab12\""], 304),
            (&["*"], 304),
            (&["ab12"], 200),
            (&["\"ab1\""], 200),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_NONE_MATCH, value.parse().expect("a value"));
            }
            let response = Unchanging::new(&edition, &headers).into_response();
            assert_eq!(response.status().as_u16(), expected, "{values:?}");
            let tag = response.headers().get(ETAG).expect("always there");
            assert_eq!(tag, "\"ab12\"");
        }
    }
}
