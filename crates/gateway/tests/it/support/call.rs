use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use serde_json::Value;

/// A request under construction.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: Method, uri: impl Into<String>) -> Self {
        Self {
            method,
            uri: uri.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(uri: impl Into<String>) -> Self {
        Self::new(Method::GET, uri)
    }

    pub(crate) fn post(uri: impl Into<String>) -> Self {
        Self::new(Method::POST, uri)
    }

    pub(crate) fn patch(uri: impl Into<String>) -> Self {
        Self::new(Method::PATCH, uri)
    }

    pub(crate) fn put(uri: impl Into<String>) -> Self {
        Self::new(Method::PUT, uri)
    }

    pub(crate) fn delete(uri: impl Into<String>) -> Self {
        Self::new(Method::DELETE, uri)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        let value = format!("Bearer {token}");
        self.header("authorization", &value)
    }

    pub(crate) fn tenant(self, name: &str) -> Self {
        self.header("tenantid", name)
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let value = HeaderValue::from_str(content_type).expect("a header value");
        self.headers.insert(CONTENT_TYPE, value);
        self.body = body.into();
        self
    }

    pub(crate) fn into_request(self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri.parse().expect("a URI");
        *request.headers_mut() = self.headers;
        request
    }
}
