//! `POST /api/users/{user-id}/banking/accounts`

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{Account, AutomaticAnalysis, CorrelationId, Sensitive};
use formats::identity::{AccountKey, KnownAccount, resolve};
use formats::upload::{self, Mode, UploadedAccount};
use formats::{InvalidInput, UploadLimits};
use store::{AccountIdentity, RunCause, RunRequest, SetMode, TenantTx, User};
use wire::banking::{AccountsResponse, Transactions};
use wire::event::Topic;
use wire::upload::{UploadRequest, UploadResponse};

use crate::compute::computed;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, UploadBody, UserPath, Write, requirement};
use crate::http::{Answer, RequestContext};
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, UserInPath};
use crate::routes::users::UserEvent;
use crate::settings::Limits;
use crate::state::AppState;

/// Stores accounts with their transactions; each replaces the stored one with its identifier.
///
/// Accounts without identifier are recognised by IBAN, else by bank code and number, so that the
/// same upload sent twice stores nothing twice. With `automaticAnalysis` an analysis starts, named
/// by the header `Finoos-Correlation-Id`.
#[utoipa::path(
    post,
    path = "/api/users/{user-id}/banking/accounts",
    operation_id = "banking-create-external-accounts",
    tag = "Banking",
    security(("bearer" = [])),
    params(UserInPath, Tenant, IdempotencyKey),
    request_body = UploadRequest,
    responses(
        (
            status = 201,
            description = "The accounts are stored",
            body = UploadResponse,
            headers(("Finoos-Correlation-Id" = String, description = "The run that was started, if any"))
        ),
        ItemWriteFailures
    ),
)]
pub(crate) async fn create_external_accounts(
    caller: Caller<requirement::BankingUpload>,
    State(state): State<AppState>,
    path: UserPath,
    request: RequestContext,
    write: Write<UploadBody>,
) -> ApiResult<Answer> {
    let UploadBody { bytes, room } = write.body;
    let uploaded = read(bytes, &state.settings().limits).await?;
    let turn = state.upload_turn().await;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let user = caller.locked_user(&mut tx, path.user_id).await?;
    let known = tx.account_identities(user.id).await?;
    let (accounts, shown) = identify(uploaded, known).await?;
    tx.set_accounts(user.id, &accounts, SetMode::Replace)
        .await?;
    tell(&mut tx, &user, shown, &request).await?;
    let run = start_run(&mut tx, &user, &state, &request).await?;

    let response = UploadResponse {
        user_id: user.id.to_string(),
    };
    let mut answer = Answer::json(StatusCode::CREATED, &response)?;
    if let Some(run) = run {
        answer = answer.with_correlation(run);
    }
    write
        .idempotency
        .remember(&mut tx, Some(user.id), &answer)
        .await?;
    tx.commit().await?;
    drop((turn, room));
    Ok(answer)
}

/// Reads the body off the async threads.
async fn read(bytes: Bytes, limits: &Limits) -> ApiResult<Vec<UploadedAccount>> {
    let limits = UploadLimits {
        accounts_max: limits.upload_accounts_max,
        transactions_max: limits.upload_transactions_max,
        ..UploadLimits::REQUEST
    };
    let upload = computed(move || upload::read(&bytes, &limits, Mode::Strict)).await??;
    if upload.accounts.is_empty() {
        return Err(ApiError::field("accounts", "must not be empty"));
    }
    Ok(upload.accounts)
}

/// Gives every account its identifier, and writes what webhooks are told, off the async threads.
async fn identify(
    uploaded: Vec<UploadedAccount>,
    known: Vec<AccountIdentity>,
) -> ApiResult<(Vec<Account>, Sensitive<String>)> {
    let known: Vec<_> = known.into_iter().map(known_account).collect();
    let identified = move || -> Result<_, Identify> {
        let accounts = resolve(uploaded, &known).map_err(Identify::Input)?;
        let shown = AccountsResponse::new(&accounts, Transactions::LeftOut);
        let shown = serde_json::to_string(&shown).map_err(Identify::Write)?;
        Ok((accounts, Sensitive::new(shown)))
    };
    computed(identified).await?.map_err(|error| match error {
        Identify::Input(error) => error.into(),
        Identify::Write(error) => ApiError::Serialize(error),
    })
}

enum Identify {
    Input(InvalidInput),
    Write(serde_json::Error),
}

fn known_account(account: AccountIdentity) -> KnownAccount {
    KnownAccount {
        id: account.id,
        key: AccountKey {
            iban: account.iban.into_inner(),
            bank_code: account.bank_code,
            account_number: account.account_number.into_inner(),
        },
    }
}

/// Tells webhooks about the accounts that changed.
async fn tell(
    tx: &mut TenantTx,
    user: &User,
    shown: Sensitive<String>,
    request: &RequestContext,
) -> ApiResult<()> {
    let event = UserEvent {
        topic: Topic::Banking,
        user_id: user.id,
        custom_user_id: user.custom_user_id.clone(),
        context: request,
    };
    event.emit_json(tx, shown).await
}

/// Starts an analysis unless the user's are suspended.
async fn start_run(
    tx: &mut TenantTx,
    user: &User,
    state: &AppState,
    request: &RequestContext,
) -> ApiResult<Option<CorrelationId>> {
    match user.automatic_analysis {
        AutomaticAnalysis::Suspended => Ok(None),
        AutomaticAnalysis::Active => {
            let correlation_id = CorrelationId::new(state.ids().uuid());
            let run = RunRequest {
                correlation_id,
                cause: RunCause::Upload,
                not_before: None,
                trace: request.trace(),
            };
            tx.request_run(user.id, &run).await?;
            tracing::Span::current()
                .record("correlation.id", tracing::field::display(correlation_id));
            Ok(Some(correlation_id))
        }
    }
}
