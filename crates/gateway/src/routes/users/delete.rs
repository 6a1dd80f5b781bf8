//! `DELETE /api/users/{user-id}`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use store::Store;
use wire::event::Topic;

use super::UserEvent;
use crate::error::ApiResult;
use crate::extract::{Caller, UserPath, requirement};
use crate::http::RequestContext;
use crate::openapi::{ItemFailures, Tenant, UserInPath};

/// Deletes an end user with everything that is stored about it. It cannot be undone.
#[utoipa::path(
    delete,
    path = "/api/users/{user-id}",
    operation_id = "users-delete-user",
    tag = "Users",
    security(("bearer" = [])),
    params(UserInPath, Tenant),
    responses((status = 204, description = "The user is deleted"), ItemFailures),
)]
pub(crate) async fn delete_user(
    caller: Caller<requirement::Authenticated>,
    State(store): State<Store>,
    path: UserPath,
    request: RequestContext,
) -> ApiResult<StatusCode> {
    let mut tx = store.begin(caller.tenant()).await?;
    tx.delete_user(path.user_id).await?;
    // Nothing but the identifier is left to tell.
    let event = UserEvent {
        topic: Topic::UserDeleted,
        user_id: path.user_id,
        custom_user_id: None,
        context: &request,
    };
    let data = json!({ "userID": path.user_id.as_uuid() });
    event.emit(&mut tx, &data).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
