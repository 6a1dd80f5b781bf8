//! The door to threads for computations that would hold up an asynchronous one.

use crate::error::{ApiError, ApiResult};

/// Computes off the asynchronous threads, within the request's span.
///
/// # Errors
/// `Worker` when the computation panicked.
pub(crate) async fn computed<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(compute))
        .await
        .map_err(|_| ApiError::Worker)
}
