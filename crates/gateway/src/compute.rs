//! The door to threads for computations that would hold up an asynchronous one.

use tokio::sync::OwnedSemaphorePermit;

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

/// The right to compile rules and patterns; there are as many as processors.
#[derive(Debug)]
pub(crate) struct Turn(pub(crate) OwnedSemaphorePermit);

impl Turn {
    /// As [`computed`]. The turn ends with the computation, also when nobody waits for it any more.
    ///
    /// # Errors
    /// `Worker` when the computation panicked.
    pub(crate) async fn computed<T: Send + 'static>(
        self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        let Self(permit) = self;
        computed(move || {
            let result = compute();
            drop(permit);
            result
        })
        .await
    }
}
