//! `GET /api/users/{user-id}/categorization`

use axum::extract::State;
use axum::http::StatusCode;
use domain::UserType;
use domain::date::berlin_rfc3339;
use rules::{Language, Taxonomy};
use store::{Include, Page, TagFilter, TaggedTransaction};
use wire::banking::TransactionResponse;
use wire::categorization::{CategorizationResponse, CategorizedTransaction, PageMetaData};

use super::correlation::finished_run;
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
    let view = View {
        taxonomy: state.rules().taxonomy(),
        user_type: user.user_type,
        language: asked.language,
    };
    let response = CategorizationResponse {
        categorization: found.items.iter().map(|item| view.shown(item)).collect(),
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
            language: query.word(&["language"], "must be one of: de, en")?,
            include: match include {
                Some(true) => Include::Transactions,
                Some(false) | None => Include::AccountsOnly,
            },
        })
    }
}

/// How tags are shown to one caller.
struct View<'a> {
    taxonomy: &'a Taxonomy,
    user_type: UserType,
    language: Option<Language>,
}

impl<'a> View<'a> {
    /// A tag that the taxonomy does not have any more stands for itself, until the next run.
    fn shown(&self, item: &'a TaggedTransaction) -> CategorizedTransaction<'a> {
        let name = item.tag.as_str();
        let tag = self.taxonomy.find(self.user_type, name);
        let label = |language| tag.map_or(name, |tag| self.taxonomy.label(tag, language));
        let tags = match tag {
            Some(tag) => self.taxonomy.path(tag).map(Into::into).collect(),
            None => vec![name.into()],
        };
        let transaction = item
            .transaction
            .as_ref()
            .map(|transaction| TransactionResponse::new(item.account_id.as_str(), transaction));
        CategorizedTransaction {
            account_id: item.account_id.as_str().into(),
            creation_date: berlin_rfc3339(item.created_at).into(),
            descriptive_tag: name.into(),
            localized_tag: self.language.map(|language| label(language).into()),
            tags,
            transaction,
            transaction_id: item.transaction_id.as_str().into(),
        }
    }
}
