//! `GET /api/categorization/rules/{type}`

use axum::extract::State;
use axum::http::StatusCode;
use store::Store;
use wire::tenant_rules::TenantRulesResponse;
use wire::time::UtcMillis;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, TypePath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, Tenant, TypeInPath};

/// Returns the tenant's own rules for a type of user, as they were sent.
#[utoipa::path(
    get,
    path = "/api/categorization/rules/{type}",
    operation_id = "categorization-get-tenant-rules",
    tag = "Categorization",
    security(("bearer" = [])),
    params(TypeInPath, Tenant),
    responses(
        (status = 200, description = "The rules", body = TenantRulesResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_tenant_rules(
    caller: Caller<requirement::Categorization>,
    State(store): State<Store>,
    path: TypePath,
) -> ApiResult<Answer> {
    let mut tx = store.begin_snapshot(caller.tenant()).await?;
    let stored = tx.tenant_rules(path.user_type).await?;
    let stored = stored.ok_or(ApiError::NotFound {
        what: "tenant rules",
    })?;
    let response = TenantRulesResponse {
        hash: &stored.hash,
        rules: stored.rules,
        source: Some(&stored.source),
        tree_type: path.user_type.as_str(),
        updated_at: UtcMillis(stored.updated_at),
    };
    Answer::json(StatusCode::OK, &response)
}
