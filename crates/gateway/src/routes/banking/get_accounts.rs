//! `GET /api/users/{user-id}/banking/accounts`

use axum::extract::State;
use axum::http::StatusCode;
use domain::Account;
use store::{Include, Store};
use wire::banking::{AccountsResponse, Transactions};

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Query, UserPath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, Tenant, UserInPath};

/// Returns the bank accounts of an end user.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/banking/accounts",
    operation_id = "banking-get-accounts",
    tag = "Banking",
    security(("bearer" = [])),
    params(
        UserInPath, Tenant,
        ("includeTransactions" = Option<bool>, Query, description = "False leaves transactions out; true by default"),
    ),
    responses((status = 200, description = "The accounts", body = AccountsResponse), ItemFailures),
)]
pub(crate) async fn get_accounts(
    caller: Caller<requirement::BankingFetch>,
    State(store): State<Store>,
    path: UserPath,
    query: Query,
) -> ApiResult<Answer> {
    let transactions = match query.flag(&["includeTransactions", "include-transactions"])? {
        Some(false) => Transactions::LeftOut,
        Some(true) | None => Transactions::Included,
    };
    let include = match transactions {
        Transactions::LeftOut => Include::AccountsOnly,
        Transactions::Included => Include::Transactions,
    };
    let mut tx = store.begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let accounts = tx.accounts(user.id, include).await?;
    // The connection is free again while the answer is written.
    drop(tx);
    written(accounts, transactions).await
}

/// Writes the answer off the async threads: a user may have hundreds of thousands of bookings.
async fn written(accounts: Vec<Account>, transactions: Transactions) -> ApiResult<Answer> {
    tokio::task::spawn_blocking(move || {
        Answer::json(
            StatusCode::OK,
            &AccountsResponse::new(&accounts, transactions),
        )
    })
    .await
    .map_err(|_| ApiError::Worker)?
}
