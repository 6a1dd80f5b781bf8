//! `GET /api/users/{user-id}/categorization/patterns`

use axum::extract::State;
use axum::http::StatusCode;
use store::Store;
use wire::patterns::PatternsResponse;

use crate::error::ApiResult;
use crate::extract::{Caller, UserPath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, Tenant, UserInPath};

/// Returns what a user decided about tags; nothing decided is an empty object and an empty list.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization/patterns",
    operation_id = "categorization-get-patterns",
    tag = "Categorization",
    security(("bearer" = [])),
    params(UserInPath, Tenant),
    responses((status = 200, description = "The patterns", body = PatternsResponse), ItemFailures),
)]
pub(crate) async fn get_patterns(
    caller: Caller<requirement::Categorization>,
    State(store): State<Store>,
    path: UserPath,
) -> ApiResult<Answer> {
    let mut tx = store.begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let set = tx.patterns(user.id).await?;
    Answer::json(StatusCode::OK, &PatternsResponse::new(&set))
}
