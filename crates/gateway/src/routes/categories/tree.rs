//! `GET /api/categorization/categories`

use axum::extract::State;
use wire::categories::CategoryTreeResponse;

use super::asked_tree;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Query, requirement};
use crate::http::Unchanging;
use crate::openapi::{IfNoneMatch, Tenant, TenantFailures};
use crate::state::AppState;

/// Returns the tree of tags for a type of user.
///
/// The root and its level 0 hold the tree together; transactions have the tags below. Attributes
/// stand beside the category of a transaction.
#[utoipa::path(
    get,
    path = "/api/categorization/categories",
    operation_id = "categories-get-tree",
    tag = "Categories",
    security(("bearer" = [])),
    params(
        Tenant, IfNoneMatch,
        ("type" = Option<String>, Query, description = "`person` or `company`; `person` by default"),
    ),
    responses(
        (
            status = 200,
            description = "The tree",
            body = CategoryTreeResponse,
            headers(("ETag" = String, description = "The hash of this edition"))
        ),
        (status = 304, description = "The caller has this edition"),
        TenantFailures
    ),
)]
pub(crate) async fn get_tree(
    _: Caller<requirement::CategorizationCategories>,
    State(state): State<AppState>,
    query: Query,
) -> ApiResult<Unchanging> {
    let tree = asked_tree(&query)?;
    let edition = state.categories().tree(tree);
    let edition = edition.ok_or(ApiError::Inconsistent("a tree of categories is missing"))?;
    Ok(Unchanging::new(edition, query.headers()))
}
