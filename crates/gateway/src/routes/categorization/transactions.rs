//! `GET /api/users/{user-id}/categorization/transactions`

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use domain::{Account, AccountId, TransactionId};
use store::{Include, TaggedTransaction};
use wire::Share;
use wire::banking::{AccountResponse, TransactionResponse, Transactions};
use wire::categorization::{
    CategorizedAccountResponse, CategorizedAccountsResponse, TransactionWithTagsResponse,
};

use super::{Shown, language};
use crate::compute::computed;
use crate::error::ApiResult;
use crate::extract::{Caller, Query, UserPath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, Tenant, UserInPath};
use crate::state::AppState;

/// Returns the accounts of a user; each transaction carries its current tags.
///
/// Before the first analysis, and for transactions that came after the last one, `tags` is empty.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization/transactions",
    operation_id = "categorization-get-transactions",
    tag = "Categorization",
    security(("bearer" = [])),
    params(
        UserInPath, Tenant,
        ("language" = Option<String>, Query, description = "`de` or `en`: adds `localizedTag`"),
    ),
    responses(
        (status = 200, description = "The accounts", body = CategorizedAccountsResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_transactions(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: UserPath,
    query: Query,
) -> ApiResult<Answer> {
    let language = language(&query)?;
    let mut tx = state.store().begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let accounts = tx.accounts(user.id, Include::Transactions).await?;
    let tags = tx.all_tags(user.id).await?;
    // The connection is free again while the answer is written.
    drop(tx);
    let rules = Arc::clone(state.rules());
    computed(move || {
        let shown = Shown {
            taxonomy: rules.taxonomy(),
            user_type: user.user_type,
            language,
        };
        Answer::json(StatusCode::OK, &response(shown, &accounts, &tags))
    })
    .await?
}

type Tags<'a> = BTreeMap<(&'a AccountId, &'a TransactionId), &'a TaggedTransaction>;

fn response<'a>(
    shown: Shown<'a>,
    accounts: &'a [Account],
    tags: &'a [TaggedTransaction],
) -> CategorizedAccountsResponse<'a> {
    let tags: Tags<'_> = tags
        .iter()
        .map(|item| ((&item.account_id, &item.transaction_id), item))
        .collect();
    let account = |account: &'a Account| CategorizedAccountResponse {
        account: AccountResponse::new(account, Transactions::LeftOut),
        transactions: transactions(shown, account, &tags),
    };
    CategorizedAccountsResponse {
        accounts: accounts.iter().map(account).collect(),
    }
}

fn transactions<'a>(
    shown: Shown<'a>,
    account: &'a Account,
    tags: &Tags<'a>,
) -> Vec<TransactionWithTagsResponse<'a>> {
    let transactions = account.transactions.iter().map(|transaction| {
        let item = tags.get(&(&account.id, &transaction.id)).copied();
        TransactionWithTagsResponse {
            transaction: TransactionResponse::new(account.id.as_str(), transaction),
            confidence: item.map(|item| Share(item.confidence)),
            descriptive_tag: item.map(|item| item.tag.as_str()),
            localized_tag: item.and_then(|item| shown.label(&item.tag)),
            tags: item.map_or_else(Vec::new, |item| shown.tags(item)),
        }
    });
    transactions.collect()
}
