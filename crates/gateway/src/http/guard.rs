//! What ends a request that its handler does not end: too many others, a panic, or time.

use std::any::Any;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::context::OPERATIONAL_ROUTES;
use crate::error::ApiError;
use crate::routes::AUTHENTICATE;
use crate::state::AppState;

/// Refuses a request while as many as allowed are under way.
///
/// A place is worth something only to those who proved who they are: refusals give theirs back
/// before the rest of their body is read, and Authenticate, whose body is short and whose hashes
/// have a limit of their own, takes none. So strangers who send slowly shut nobody out.
pub(crate) async fn admit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let uncounted = route.map(MatchedPath::as_str).is_some_and(|route| {
        // Whoever watches the service must see it under any load.
        route == AUTHENTICATE || OPERATIONAL_ROUTES.contains(&route)
    });
    if uncounted {
        return next.run(request).await;
    }
    match state.enter() {
        Some(_place) => next.run(request).await,
        None => ApiError::Overloaded.into_response(),
    }
}

/// Answers after the limit, whatever the handler does. What it did not commit is rolled back.
pub(crate) async fn time_limit(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout { limit }.into_response(),
    }
}

/// The answer of a handler that panicked. The payload is not read: it may quote data.
pub(crate) fn answer_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::Panicked.into_response()
}
