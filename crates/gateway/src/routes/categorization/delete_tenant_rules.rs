//! `DELETE /api/categorization/rules/{type}`

use axum::extract::State;
use axum::http::StatusCode;
use store::Store;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, TypePath, requirement};
use crate::openapi::{ItemFailures, Tenant, TypeInPath};

/// Deletes the tenant's own rules for a type of user. Tags follow with each user's next analysis.
#[utoipa::path(
    delete,
    path = "/api/categorization/rules/{type}",
    operation_id = "categorization-delete-tenant-rules",
    tag = "Categorization",
    security(("bearer" = [])),
    params(TypeInPath, Tenant),
    responses((status = 204, description = "The rules are deleted"), ItemFailures),
)]
pub(crate) async fn delete_tenant_rules(
    caller: Caller<requirement::Categorization>,
    State(store): State<Store>,
    path: TypePath,
) -> ApiResult<StatusCode> {
    let mut tx = store.begin(caller.tenant()).await?;
    if !tx.delete_tenant_rules(path.user_type).await? {
        return Err(ApiError::NotFound {
            what: "tenant rules",
        });
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
