//! `GET /api/users/{user-id}/categorization`

use axum::extract::State;
use axum::http::StatusCode;
use domain::date::berlin_rfc3339;
use rules::Language;
use store::{Include, Page, TagFilter, TaggedTransaction};
use wire::Share;
use wire::banking::TransactionResponse;
use wire::categorization::{CategorizationResponse, CategorizedTransaction, PageMetaData};

use super::correlation::finished_run;
use super::{Shown, language};
use crate::error::ApiResult;
use crate::extract::{Caller, Query, UserPath, requirement};
use crate::http::Answer;
use crate::openapi::{Correlation, ItemFailures, Paging, Tenant, UserInPath};
use crate::state::AppState;

/// Returns the tags of a user's transactions.
///
/// With a run's identifier only tags that this run or a newer one set or changed. 404 until the
/// first analysis is finished.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization",
    operation_id = "get-categorization",
    tag = "Categorization",
    security(("bearer" = [])),
    params(
        UserInPath, Tenant, Paging, Correlation,
        ("language" = Option<String>, Query, description = "`de` or `en`, in any letter case: adds `localizedTag`"),
        ("includeTransactions" = Option<bool>, Query, description = "Adds `transaction`; false by default"),
    ),
    responses(
        (status = 200, description = "A page of tags", body = CategorizationResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_categorization(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: UserPath,
    query: Query,
) -> ApiResult<Answer> {
    let asked = Asked::read(&query, state.settings().limits.page_size_max)?;
    let since = query.correlation()?;
    let mut tx = state.store().begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let run = finished_run(&mut tx, user.id, since).await?;
    let filter = TagFilter {
        changed_since: since.and(run.snapshot),
        page: asked.page,
        include: asked.include,
    };
    let found = tx.tags(user.id, &filter).await?;
    let shown = Shown {
        taxonomy: state.rules().taxonomy(),
        user_type: user.user_type,
        language: asked.language,
    };
    let response = CategorizationResponse {
        categorization: found.items.iter().map(|one| item(shown, one)).collect(),
        meta_data: PageMetaData::new(
            asked.page.number().into(),
            asked.page.size().into(),
            found.total,
        ),
    };
    Answer::json(StatusCode::OK, &response)
}

struct Asked {
    page: Page,
    language: Option<Language>,
    include: Include,
}

impl Asked {
    fn read(query: &Query, page_size_max: u32) -> ApiResult<Self> {
        let include = query.flag(&["includeTransactions", "include-transactions"])?;
        Ok(Self {
            page: query.page(page_size_max)?,
            language: language(query)?,
            include: match include {
                Some(true) => Include::Transactions,
                Some(false) | None => Include::AccountsOnly,
            },
        })
    }
}

fn item<'a>(shown: Shown<'a>, item: &'a TaggedTransaction) -> CategorizedTransaction<'a> {
    let transaction = item
        .transaction
        .as_ref()
        .map(|transaction| TransactionResponse::new(item.account_id.as_str(), transaction));
    CategorizedTransaction {
        account_id: item.account_id.as_str().into(),
        confidence: Share(item.confidence),
        creation_date: berlin_rfc3339(item.created_at).into(),
        descriptive_tag: item.tag.as_str().into(),
        intermediary: item.intermediary.as_deref().map(Into::into),
        localized_tag: shown.label(&item.tag).map(Into::into),
        merchant: item.merchant.as_ref().map(|name| name.as_str().into()),
        refund_of: item.refund_of.as_deref().map(Into::into),
        tags: shown.tags(item),
        transaction,
        transaction_id: item.transaction_id.as_str().into(),
    }
}
