//! `POST /api/users`

use axum::extract::State;
use axum::http::StatusCode;
use domain::UserId;
use store::NewUser;
use wire::InvalidInput;
use wire::event::Topic;
use wire::scope::{Scope, ScopeSet};
use wire::user::{AddUserRequest, AddUserResponse};

use super::{NOT_YET, UserEvent, checked_custom_id, checked_name, context, shown};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Json, Write, requirement};
use crate::http::{Answer, RequestContext};
use crate::openapi::{IdempotencyKey, Tenant, TenantWriteFailures};
use crate::state::AppState;

type User = Caller<requirement::Authenticated>;

/// Adds an end user.
///
/// Without `userScopes` the user has all scopes of the client; a scope that is named twice is kept
/// once, as it is spelled first. `expiresIn` is refused until users can expire.
#[utoipa::path(
    post,
    path = "/api/users",
    operation_id = "users-add-user",
    tag = "Users",
    security(("bearer" = [])),
    params(Tenant, IdempotencyKey),
    request_body = AddUserRequest,
    responses((status = 201, description = "The user", body = AddUserResponse), TenantWriteFailures),
)]
pub(crate) async fn add_user(
    caller: User,
    State(state): State<AppState>,
    request: RequestContext,
    write: Write<Json<AddUserRequest>>,
) -> ApiResult<Answer> {
    let user = new_user(&caller, &state, write.body.0)?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let user = tx.add_user(&user).await?;
    let user_id = user.id;
    let custom_user_id = user.custom_user_id.clone();
    let response = AddUserResponse {
        context: context(&caller),
        user: shown(user),
        user_id: user_id.to_string(),
    };
    let event = UserEvent {
        topic: Topic::UserCreated,
        user_id,
        custom_user_id,
        context: &request,
    };
    event.emit(&mut tx, &response.user).await?;
    let answer = Answer::json(StatusCode::CREATED, &response)?;
    write
        .idempotency
        .remember(&mut tx, Some(user_id), &answer)
        .await?;
    tx.commit().await?;
    Ok(answer)
}

fn new_user(caller: &User, state: &AppState, request: AddUserRequest) -> ApiResult<NewUser> {
    if request.expires_in.is_some() {
        return Err(ApiError::field("expiresIn", NOT_YET));
    }
    let user_type = request
        .user_type
        .ok_or_else(|| ApiError::field("type", "is required: person or company"))?;
    Ok(NewUser {
        id: UserId::new(state.ids().uuid()),
        user_type,
        custom_user_id: checked_custom_id(request.custom_user_id)?,
        name: checked_name(request.name)?,
        automatic_analysis: request.automatic_analysis.unwrap_or_default(),
        scopes: user_scopes(caller, request.user_scopes)?,
        created_at: state.clock().now(),
    })
}

/// The scopes of the user, or all of the client's.
///
/// Each is kept once, in the caller's order and in the spelling that comes first; two spellings of
/// one scope are the same scope.
fn user_scopes(caller: &User, asked: Option<Vec<String>>) -> ApiResult<Vec<String>> {
    let Some(names) = asked else {
        return Ok(caller.scope_names().to_vec());
    };
    if names.len() > Scope::ALL.len() {
        let max = Scope::ALL.len();
        return Err(InvalidInput::too_many("userScopes", "scopes", max).into());
    }
    // A name that is no scope is one that the client does not have.
    let foreign = |index| ApiError::forbidden(format!("the client lacks userScopes[{index}]"));
    ScopeSet::try_from_names(&names).map_err(foreign)?;
    let mut kept = Vec::new();
    let mut seen = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let scope = ScopeSet::of_known([&name]);
        if !scope.is_subset_of(caller.scopes()) {
            return Err(foreign(index));
        }
        if !seen.contains(&scope) {
            seen.push(scope);
            kept.push(name);
        }
    }
    Ok(kept)
}
