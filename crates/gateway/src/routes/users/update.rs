//! `PATCH /api/users/{user-id}`, also as PUT

use axum::Json;
use axum::extract::State;
use store::{Store, UserPatch};
use wire::event::Topic;
use wire::user::{UpdateUserRequest, UserResponse};

use super::{UserEvent, answer, checked_custom_id, checked_name};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Json as JsonBody, UserPath, Write, requirement};
use crate::http::RequestContext;
use crate::openapi::{ItemWriteFailures, Tenant, UserInPath};

/// Changes an end user; what is omitted or null stays. Type and scopes cannot be changed.
#[utoipa::path(
    patch,
    path = "/api/users/{user-id}",
    operation_id = "users-update-user",
    tag = "Users",
    security(("bearer" = [])),
    params(UserInPath, Tenant),
    request_body = UpdateUserRequest,
    responses((status = 200, description = "The user", body = UserResponse), ItemWriteFailures),
)]
pub(crate) async fn update_user(
    caller: Caller<requirement::Authenticated>,
    State(store): State<Store>,
    path: UserPath,
    request: RequestContext,
    write: Write<JsonBody<UpdateUserRequest>>,
) -> ApiResult<Json<UserResponse>> {
    let body = write.body.0;
    if body.expires_in.is_some() {
        return Err(ApiError::field("expiresIn", "cannot be changed"));
    }
    let changes = UserPatch {
        automatic_analysis: body.automatic_analysis,
        custom_user_id: checked_custom_id(body.custom_user_id)?,
        name: checked_name(body.name)?,
    };
    let mut tx = store.begin(caller.tenant()).await?;
    let user = tx.update_user(path.user_id, &changes).await?;
    let event = UserEvent {
        topic: Topic::UserUpdated,
        user_id: user.id,
        custom_user_id: user.custom_user_id.clone(),
        context: &request,
    };
    let response = answer(&caller, user);
    event.emit(&mut tx, &response.user).await?;
    tx.commit().await?;
    Ok(Json(response))
}
