//! `GET /api/users/{user-id}/categorization/transactions/{transaction-id}`, also with `/tags`

use axum::extract::State;
use axum::http::StatusCode;
use wire::Share;
use wire::categorization::TransactionTagsResponse;

use super::{Shown, account, language, tagged};
use crate::error::ApiResult;
use crate::extract::{Caller, Query, TransactionPath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, OneTransaction, Tenant, UserInPath};
use crate::state::AppState;

/// Returns the tags of one transaction. 404 until it is categorized.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization/transactions/{transaction-id}",
    operation_id = "categorization-get-transaction-tags",
    tag = "Categorization",
    security(("bearer" = [])),
    params(
        UserInPath, OneTransaction, Tenant,
        ("language" = Option<String>, Query, description = "`de` or `en`: adds `localizedTag`"),
    ),
    responses(
        (status = 200, description = "The tags", body = TransactionTagsResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_transaction_tags(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: TransactionPath,
    query: Query,
) -> ApiResult<Answer> {
    let (language, account) = (language(&query)?, account(&query)?);
    let mut tx = state.store().begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let item = tagged(&mut tx, &user, &path, account.as_ref()).await?;
    let shown = Shown {
        taxonomy: state.rules().taxonomy(),
        user_type: user.user_type,
        language,
    };
    let response = TransactionTagsResponse {
        account_id: item.account_id.as_str(),
        confidence: Share(item.confidence),
        descriptive_tag: &item.tag,
        localized_tag: shown.label(&item.tag),
        tags: shown.tags(&item),
    };
    Answer::json(StatusCode::OK, &response)
}
