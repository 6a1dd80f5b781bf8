//! `GET /api/users/{user-id}`

use axum::Json;
use axum::extract::State;
use store::Store;
use wire::user::UserResponse;

use super::answer;
use crate::error::ApiResult;
use crate::extract::{Caller, UserPath, requirement};
use crate::openapi::{ItemFailures, Tenant, UserInPath};

/// Returns an end user.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}",
    operation_id = "users-get-user",
    tag = "Users",
    security(("bearer" = [])),
    params(UserInPath, Tenant),
    responses((status = 200, description = "The user", body = UserResponse), ItemFailures),
)]
pub(crate) async fn get_user(
    caller: Caller<requirement::Authenticated>,
    State(store): State<Store>,
    path: UserPath,
) -> ApiResult<Json<UserResponse>> {
    let mut tx = store.begin(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    Ok(Json(answer(&caller, user)))
}
