//! `GET /api/categorization/categories/descriptions`

use axum::extract::State;
use wire::categories::TagDescriptionsResponse;

use super::asked_tree;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Query, requirement};
use crate::http::Unchanging;
use crate::openapi::{IfNoneMatch, Tenant, TenantFailures};
use crate::state::AppState;

/// Returns what the tags for a type of user are called and stand for.
#[utoipa::path(
    get,
    path = "/api/categorization/categories/descriptions",
    operation_id = "categories-get-descriptions",
    tag = "Categories",
    security(("bearer" = [])),
    params(
        Tenant, IfNoneMatch,
        ("type" = Option<String>, Query, description = "`person` or `company`; `person` by default"),
        ("language" = Option<String>, Query, description = "`de` or `en`; `de` by default"),
    ),
    responses(
        (
            status = 200,
            description = "The descriptions",
            body = TagDescriptionsResponse,
            headers(("ETag" = String, description = "The hash of this edition"))
        ),
        (status = 304, description = "The caller has this edition"),
        TenantFailures
    ),
)]
pub(crate) async fn get_descriptions(
    _: Caller<requirement::CategorizationCategories>,
    State(state): State<AppState>,
    query: Query,
) -> ApiResult<Unchanging> {
    let tree = asked_tree(&query)?;
    let language = query.word(&["language"], "must be one of: de, en")?;
    let edition = state
        .categories()
        .descriptions(tree, language.unwrap_or_default());
    let edition = edition.ok_or(ApiError::Inconsistent("descriptions are missing"))?;
    Ok(Unchanging::new(edition, query.headers()))
}
