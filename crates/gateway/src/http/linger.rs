//! Keeps reading what a caller still sends when its request is already refused.
//!
//! A connection that is closed over unread bytes is reset, and the caller then sees a broken pipe
//! instead of the 401 or 413 that it was sent. So the rest of the body is read and thrown away
//! before a refusal is answered, within limits. (Known elsewhere as "lingering close".)

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::EXPECT;
use axum::http::response::Response;
use axum::middleware::Next;
use futures_util::StreamExt;

use crate::state::AppState;

/// How long a refused body is read.
const LINGER_SECONDS_MAX: u64 = 10;

/// A body that two owners poll, one after the other.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.size_hint()
    }
}

/// Reads the rest of a refused body.
pub(crate) async fn linger(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response<Body> {
    // Who asks first whether to send has not sent yet, and is not to be asked for it now.
    if request.headers().contains_key(EXPECT) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let max = state
        .settings()
        .limits
        .upload_body_bytes_max
        .saturating_mul(2);
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let response = next
        .run(Request::from_parts(parts, Body::new(body.clone())))
        .await;
    if response.status().is_client_error() || response.status().is_server_error() {
        let limit = Duration::from_secs(LINGER_SECONDS_MAX);
        // Whether everything was read in time does not matter: the answer stays the same.
        let _ = tokio::time::timeout(limit, discard(Body::new(body), max)).await;
    }
    response
}

async fn discard(body: Body, max: usize) {
    let mut left = max;
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        match left.checked_sub(piece.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
