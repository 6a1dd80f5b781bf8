//! Request id, trace, API version, access log and metrics of every request.

use std::convert::Infallible;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use domain::IdSource;
use store::TraceContext;
use tracing::{Instrument, Span, field};

use super::traceparent::Traceparent;
use crate::error::{ApiError, Rendered};
use crate::routes::DOCS;
use crate::state::AppState;

/// Identifies a request in answers and logs; the caller's value is kept.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The date of the API's version.
pub(crate) const API_VERSION: HeaderName = HeaderName::from_static("api-version");
const TRACEPARENT: &str = "traceparent";
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The newest documented version.
///
/// # Source
/// finoOS v1, Versioning.
const NEWEST_API_VERSION: &str = "2020-06-16";
/// Longest request id that is taken from the caller, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// The route of requests that match none.
const NO_ROUTE: &str = "none";
/// Routes that tell how the service fares.
pub(super) const OPERATIONAL_ROUTES: [&str; 3] = ["/health/live", "/health/ready", "/metrics"];

/// What identifies a request in logs and in what it sets off.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    request_id: HeaderValue,
    traceparent: Traceparent,
}

impl RequestContext {
    fn new(headers: &HeaderMap, ids: &dyn IdSource) -> Self {
        let traceparent = headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok());
        Self {
            request_id: request_id(headers, ids),
            traceparent: Traceparent::child_of(traceparent, ids),
        }
    }

    /// What an analysis run remembers of the request that asked for it.
    pub(crate) fn trace(&self) -> TraceContext {
        TraceContext {
            traceparent: Some(self.traceparent.to_string()),
            request_id: self.request_id.to_str().ok().map(ToOwned::to_owned),
        }
    }

    /// The trace context as it stands in an event.
    pub(crate) fn traceparent(&self) -> String {
        self.traceparent.to_string()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let context = parts.extensions.get::<Self>().cloned();
        context.ok_or(ApiError::Inconsistent("the request has no context"))
    }
}

fn request_id(headers: &HeaderMap, ids: &dyn IdSource) -> HeaderValue {
    let acceptable = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    headers
        .get(REQUEST_ID)
        .filter(acceptable)
        .cloned()
        .unwrap_or_else(|| {
            let id = ids.uuid().to_string();
            HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unknown"))
        })
}

fn api_version(headers: &HeaderMap) -> HeaderValue {
    let is_date = |value: &&HeaderValue| value.to_str().is_ok_and(is_date);
    headers
        .get(API_VERSION)
        .filter(is_date)
        .cloned()
        .unwrap_or(HeaderValue::from_static(NEWEST_API_VERSION))
}

/// Whether a text is a day as `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let shape = text.bytes().zip(NEWEST_API_VERSION.bytes());
    let shaped = |(byte, model): (u8, u8)| match model {
        b'-' => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == NEWEST_API_VERSION.len()
        && shape.into_iter().all(shaped)
        && text.parse::<NaiveDate>().is_ok()
}

/// Wraps every request: gives it an identity, counts it, logs it once, completes its headers.
pub(crate) async fn track(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Infallible> {
    let started = Instant::now();
    let _in_flight = state.metrics().enter();
    let context = RequestContext::new(request.headers(), state.ids());
    let version = api_version(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let method = method_label(request.method());
    let span = span(&context, method, &route);
    request.extensions_mut().insert(context.clone());

    let operational = OPERATIONAL_ROUTES.contains(&route.as_str());
    let response = async { with_error_body(next.run(request).await) };
    let mut response = response.instrument(span.clone()).await;

    let latency = started.elapsed();
    let status = response.status();
    state
        .metrics()
        .answered(method, &route, status.as_u16(), latency);
    span.in_scope(|| {
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        if operational {
            tracing::debug!(
                http.status = status.as_u16(),
                latency_ms,
                "request answered"
            );
        } else {
            tracing::info!(
                http.status = status.as_u16(),
                latency_ms,
                "request answered"
            );
        }
    });
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, context.request_id);
    headers.insert(API_VERSION, version);
    if !route.starts_with(DOCS) {
        // Answers hold personal data or tokens; nobody on the way may keep them.
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    }
    Ok(response)
}

/// Methods of a caller's invention must not become labels.
fn method_label(method: &axum::http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("OTHER")
}

/// The span names the route and never the path: a path can hold what a caller made up.
fn span(context: &RequestContext, method: &str, route: &str) -> Span {
    tracing::info_span!(
        "request",
        request.id = context.request_id.to_str().unwrap_or_default(),
        trace.id = context.traceparent.trace_id(),
        http.method = method,
        http.route = route,
        client.id = field::Empty,
        tenant.id = field::Empty,
        user.id = field::Empty,
        correlation.id = field::Empty,
    )
}

/// Gives a failed answer of an inner layer the error body that every failure has.
fn with_error_body(response: Response) -> Response {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || response.extensions().get::<Rendered>().is_some() {
        return response;
    }
    let mut rendered = ApiError::Bare(status).into_response();
    if status != StatusCode::INTERNAL_SERVER_ERROR {
        *rendered.status_mut() = status;
    }
    rendered
}

#[cfg(test)]
mod tests {
    use domain::SystemIds;

    use super::*;

    fn headers(name: &HeaderName, value: &[u8]) -> HeaderMap {
        let value = HeaderValue::from_bytes(value).expect("a header value");
        HeaderMap::from_iter([(name.clone(), value)])
    }

    #[test]
    fn request_ids_are_kept_when_they_are_harmless() {
        for kept in ["a", "req-1/2:3", &"x".repeat(128)] {
            let id = request_id(&headers(&REQUEST_ID, kept.as_bytes()), &SystemIds);
            assert_eq!(id.as_bytes(), kept.as_bytes());
        }
        for replaced in [&b""[..], b"a b", b"a\tb", b"\xc3\xa4", &[b'x'; 129]] {
            let id = request_id(&headers(&REQUEST_ID, replaced), &SystemIds);
            assert!(uuid::Uuid::try_parse(id.to_str().expect("ascii")).is_ok());
        }
    }

    #[test]
    fn versions_are_dates() {
        for (sent, expected) in [
            ("2019-01-01", "2019-01-01"),
            ("2020-06-16", "2020-06-16"),
            ("2020-13-01", NEWEST_API_VERSION),
            ("2020-6-16", NEWEST_API_VERSION),
            ("+02020-1-1", NEWEST_API_VERSION),
            ("latest", NEWEST_API_VERSION),
        ] {
            let version = api_version(&headers(&API_VERSION, sent.as_bytes()));
            assert_eq!(version, expected, "{sent}");
        }
        assert_eq!(api_version(&HeaderMap::new()), NEWEST_API_VERSION);
    }
}
