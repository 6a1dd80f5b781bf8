//! Bodies of writes, with the key under which a retry finds the first answer.

use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::HeaderMap;
use domain::UserId;
use sha2::{Digest, Sha256};
use store::{IDEMPOTENCY_KEY_BYTES_MAX, Remembered, TenantTx};

use super::body::{FromBody, receive};
use crate::error::{ApiError, ApiResult};
use crate::http::Answer;
use crate::state::AppState;

/// Names a write; the same name with the same request is done once.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Bodies up to this length are hashed where they are; longer ones would hold up other requests.
const HASHED_INLINE_BYTES_MAX: usize = 256 << 10;

/// The body of a write and its idempotency.
pub(crate) struct Write<T> {
    pub(crate) body: T,
    pub(crate) idempotency: Idempotency,
}

impl<T: FromBody> FromRequest<AppState> for Write<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Self> {
        let operation = operation(&request);
        let path = request.uri().path().to_owned();
        let headers = request.headers().clone();
        let key = key(&headers)?;
        let received = receive::<T>(request, state).await?;
        let idempotency = match key {
            None => Idempotency(None),
            Some(key) => Idempotency(Some(Keyed {
                request_hash: fingerprint(&operation, path, &received.bytes).await?,
                operation,
                key,
            })),
        };
        Ok(Self {
            body: T::read(&headers, received)?,
            idempotency,
        })
    }
}

/// Remembers the answer of a write when the caller named it with a key.
#[derive(Debug)]
pub(crate) struct Idempotency(Option<Keyed>);

#[derive(Debug)]
struct Keyed {
    operation: String,
    key: String,
    request_hash: [u8; 32],
}

impl Idempotency {
    /// The answer that the same request got before; waits for one that is under way.
    ///
    /// # Errors
    /// `Conflict` when the key was used for another request.
    pub(crate) async fn earlier(&self, tx: &mut TenantTx) -> ApiResult<Option<Answer>> {
        let Some(keyed) = &self.0 else {
            return Ok(None);
        };
        let remembered = tx
            .remembered(&keyed.operation, &keyed.key, &keyed.request_hash)
            .await?;
        match remembered {
            Remembered::Fresh => Ok(None),
            Remembered::Same(stored) => Ok(Some(Answer::repeated(stored))),
            Remembered::Different => Err(ApiError::Conflict {
                reason: "the Idempotency-Key was used for another request",
            }),
        }
    }

    /// Remembers the answer in the transaction of the effect. With a user, it is forgotten
    /// together with that user.
    ///
    /// # Errors
    /// Only those of the store.
    pub(crate) async fn remember(
        &self,
        tx: &mut TenantTx,
        user: Option<UserId>,
        answer: &Answer,
    ) -> ApiResult<()> {
        if let Some(keyed) = &self.0 {
            let (operation, key) = (&keyed.operation, &keyed.key);
            tx.remember(operation, key, user, answer.stored()).await?;
        }
        Ok(())
    }
}

fn operation(request: &Request) -> String {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| request.uri().path(), MatchedPath::as_str);
    format!("{} {path}", request.method())
}

fn key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => {
            return Err(ApiError::parameter("Idempotency-Key", "must be given once"));
        }
    };
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&value.len());
    match value.to_str() {
        Ok(text) if visible && fits => Ok(Some(text.to_owned())),
        _ => Err(ApiError::parameter(
            "Idempotency-Key",
            format!("must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters"),
        )),
    }
}

/// What makes two requests the same: method, path and body.
async fn fingerprint(operation: &str, path: String, body: &Bytes) -> ApiResult<[u8; 32]> {
    let method = operation.split(' ').next().unwrap_or_default().to_owned();
    let body = body.clone();
    let long = body.len() > HASHED_INLINE_BYTES_MAX;
    let hash = move || {
        let mut digest = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), &body] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    };
    if long {
        tokio::task::spawn_blocking(hash)
            .await
            .map_err(|_| ApiError::Worker)
    } else {
        Ok(hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn keys_are_bounded_and_visible() {
        let longest = "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX);
        let too_long = "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX + 1);
        for (values, expected) in [
            (&[][..], Some(None)),
            (&["a-1"], Some(Some("a-1"))),
            (&[longest.as_str()], Some(Some(longest.as_str()))),
            (&[too_long.as_str()], None),
            (&[""], None),
            (&["a b"], None),
            (&["ä"], None),
            (&["a", "a"], None),
        ] {
            let key = key(&headers(values)).ok();
            let key = key.as_ref().map(Option::as_deref);
            assert_eq!(key, expected, "{values:?}");
        }
    }

    #[tokio::test]
    async fn method_path_and_body_make_a_request() {
        let body = Bytes::from_static(b"{}");
        let hash = async |operation: &str, path: &str, body: &Bytes| {
            fingerprint(operation, path.to_owned(), body)
                .await
                .expect("hashed")
        };
        let first = hash("POST /a/{id}", "/a/1", &body).await;
        assert_eq!(hash("POST /a/{id}", "/a/1", &body.clone()).await, first);
        assert_ne!(hash("PUT /a/{id}", "/a/1", &body).await, first);
        assert_ne!(hash("POST /a/{id}", "/a/2", &body).await, first);
        assert_ne!(
            hash("POST /a/{id}", "/a/1", &Bytes::from_static(b"{} ")).await,
            first
        );
        let long = Bytes::from(vec![b'x'; HASHED_INLINE_BYTES_MAX + 1]);
        assert_eq!(
            hash("POST /a", "/a", &long).await,
            hash("POST /a", "/a", &long).await
        );
    }
}
