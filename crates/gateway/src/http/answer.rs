//! A successful answer of a write, as it is sent and as it is remembered.

use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::CorrelationId;
use serde::Serialize;
use store::StoredAnswer;

use crate::error::{ApiError, ApiResult};

/// The analysis run that a request started.
pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("finoos-correlation-id");
/// Says that an answer is repeated from an earlier request.
const IDEMPOTENCY_HIT: HeaderName = HeaderName::from_static("idempotency-hit");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON answer whose bytes are fixed.
pub(crate) struct Answer {
    stored: StoredAnswer,
    hit: bool,
}

impl Answer {
    /// An answer with a body.
    ///
    /// # Errors
    /// `Serialize` when the body cannot be written.
    pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> ApiResult<Self> {
        let body = serde_json::to_string(body).map_err(ApiError::Serialize)?;
        Ok(Self {
            stored: StoredAnswer {
                status: status.as_u16(),
                headers: Vec::new(),
                body: body.into(),
            },
            hit: false,
        })
    }

    /// The same answer, naming the run that it started.
    #[must_use]
    pub(crate) fn with_correlation(mut self, correlation: CorrelationId) -> Self {
        let name = CORRELATION_ID.as_str().to_owned();
        self.stored.headers.push((name, correlation.to_string()));
        self
    }

    /// An answer that an earlier request with the same key was given.
    pub(crate) fn repeated(stored: StoredAnswer) -> Self {
        Self { stored, hit: true }
    }

    /// What is to be remembered.
    pub(crate) fn stored(&self) -> &StoredAnswer {
        &self.stored
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Ok(status) = StatusCode::from_u16(self.stored.status) else {
            return ApiError::Inconsistent("a remembered answer has no valid status")
                .into_response();
        };
        let mut response = (status, self.stored.body.into_inner()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        for (name, value) in self.stored.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                headers.insert(name, value);
            }
        }
        if self.hit {
            headers.insert(IDEMPOTENCY_HIT, HeaderValue::from_static("true"));
        }
        response
    }
}
