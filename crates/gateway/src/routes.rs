//! The routes: one file per endpoint, one list of them here.

mod auth;
mod banking;
mod categories;
mod categorization;
mod operations;
mod users;
mod webhooks;

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::error::ApiError;
use crate::http::{admit, answer_panic, linger, time_limit, track};
use crate::openapi;
use crate::state::AppState;

/// Where the OpenAPI document lies.
const DOCUMENT: &str = "/api/openapi.json";
/// Where the document can be browsed.
pub(crate) const DOCS: &str = "/api/docs";

/// Where clients get their tokens.
pub(crate) const AUTHENTICATE: &str = "/api/auth";

/// Every documented route.
pub(crate) fn documented() -> OpenApiRouter<AppState> {
    quick().merge(uploads())
}

/// Routes that answer within moments.
fn quick() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(auth::authenticate))
        .routes(routes!(users::add::add_user, users::list::get_users))
        .routes(routes!(
            users::get::get_user,
            users::update::update_user,
            users::delete::delete_user
        ))
        .routes(routes!(users::trigger::trigger_analysis))
        .routes(routes!(categorization::tags::get_categorization))
        .routes(routes!(categorization::correlation::get_correlation))
        .routes(routes!(categorization::get_patterns::get_patterns))
        .routes(routes!(
            categorization::transaction_tags::get_transaction_tags
        ))
        .routes(routes!(categorization::explanation::get_explanation))
        .routes(routes!(
            categorization::get_tenant_rules::get_tenant_rules,
            categorization::delete_tenant_rules::delete_tenant_rules
        ))
        .routes(routes!(categories::tree::get_tree))
        .routes(routes!(categories::descriptions::get_descriptions))
        .routes(routes!(
            webhooks::create::create_webhook,
            webhooks::list::get_webhooks
        ))
        .routes(routes!(
            webhooks::get::get_webhook,
            webhooks::update::update_webhook,
            webhooks::delete::delete_webhook
        ))
        .routes(routes!(webhooks::rotate::rotate_signing_secret))
        .routes(routes!(webhooks::deliveries::get_deliveries))
        .routes(routes!(webhooks::replay::replay_deliveries))
        .routes(routes!(webhooks::replay_one::replay_delivery))
        .routes(routes!(operations::get_liveness))
        .routes(routes!(operations::get_readiness))
        .routes(routes!(operations::get_metrics))
}

/// Routes with large bodies or answers.
fn uploads() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            banking::create_external_accounts::create_external_accounts,
            banking::get_accounts::get_accounts
        ))
        .routes(routes!(categorization::transactions::get_transactions))
        .routes(routes!(categorization::set_patterns::set_patterns))
        .routes(routes!(categorization::set_tenant_rules::set_tenant_rules))
}

/// The whole API as a router, for a socket or for tests.
pub fn router(state: AppState) -> Router {
    let timeouts = state.settings().timeouts;
    let document = openapi::document();
    limited(quick(), timeouts.request())
        .merge(also().layer(from_fn_with_state(timeouts.request(), time_limit)))
        .merge(limited(uploads(), timeouts.upload()))
        .merge(also_uploads().layer(from_fn_with_state(timeouts.upload(), time_limit)))
        .merge(SwaggerUi::new(DOCS).url(DOCUMENT, document))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(state.clone(), admit))
        .layer(from_fn_with_state(state.clone(), linger))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn_with_state(state.clone(), track))
        .with_state(state)
}

/// The same operations under a second method or path; the document names the first.
fn also() -> Router<AppState> {
    Router::new()
        .route(
            "/api/users/{user-id}/categorization/transactions/{transaction-id}/tags",
            get(categorization::transaction_tags::get_transaction_tags),
        )
        .route(
            "/api/users/{user-id}/categorization/transactions/{transaction-id}/explanation",
            get(categorization::explanation::get_explanation),
        )
        .route("/api/users/{user-id}", put(users::update::update_user))
        .route(
            "/api/webhooks/{webhook-id}",
            put(webhooks::update::update_webhook),
        )
        .route("/api/categorization/tree", get(categories::tree::get_tree))
        .route(
            "/api/categorization/categories/tree",
            get(categories::tree::get_tree),
        )
        .route(
            "/api/categorization/descriptions",
            get(categories::descriptions::get_descriptions),
        )
}

/// The same for large bodies.
fn also_uploads() -> Router<AppState> {
    Router::new().route(
        "/api/users/{user-id}/categorization/patterns",
        post(categorization::set_patterns::set_patterns),
    )
}

fn limited(routes: OpenApiRouter<AppState>, limit: Duration) -> Router<AppState> {
    let (limited, _) = routes.split_for_parts();
    limited.layer(from_fn_with_state(limit, time_limit))
}

async fn no_such_path() -> Response {
    ApiError::NotFound { what: "path" }.into_response()
}

async fn no_such_method() -> Response {
    ApiError::MethodNotAllowed.into_response()
}
