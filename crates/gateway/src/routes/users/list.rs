//! `GET /api/users`

use axum::Json;
use axum::extract::State;
use wire::user::{PagedContext, UsersResponse};

use super::shown;
use crate::error::ApiResult;
use crate::extract::{Caller, Query, requirement};
use crate::openapi::{Paging, Tenant, TenantFailures};
use crate::state::AppState;

/// Lists the end users of the tenant, oldest first.
#[utoipa::path(
    get,
    path = "/api/users",
    operation_id = "users-get-users",
    tag = "Users",
    security(("bearer" = [])),
    params(Tenant, Paging),
    responses((status = 200, description = "A page of users", body = UsersResponse), TenantFailures),
)]
pub(crate) async fn get_users(
    caller: Caller<requirement::Authenticated>,
    State(state): State<AppState>,
    query: Query,
) -> ApiResult<Json<UsersResponse>> {
    let page = query.page(state.settings().limits.page_size_max)?;
    let mut tx = state.store().begin_snapshot(caller.tenant()).await?;
    let found = tx.users(page).await?;
    Ok(Json(UsersResponse {
        context: PagedContext {
            client: caller.client().to_string(),
            count: found.total,
            page: page.number().into(),
            page_size: page.size().into(),
            tenant: caller.tenant_name().to_owned(),
        },
        users: found.users.into_iter().map(shown).collect(),
    }))
}
