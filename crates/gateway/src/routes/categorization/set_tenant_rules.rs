//! `PUT /api/categorization/rules/{type}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use domain::UserType;
use rules::{RulePack, RulesError, TenantRules};
use store::NewTenantRules;
use wire::tenant_rules::TenantRulesResponse;
use wire::time::UtcMillis;

use crate::compute::computed;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, RulesBody, TypePath, Write, requirement};
use crate::http::Answer;
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, TypeInPath};
use crate::state::AppState;

/// Replaces the tenant's own rules for a type of user; they go before the shipped ones.
///
/// The body is a rule file in the language of the shipped rules. Each rule must decide its own
/// examples, and its id must not be one of the shipped rules'. Tags follow with each user's next
/// analysis; what a user decided himself stays.
#[utoipa::path(
    put,
    path = "/api/categorization/rules/{type}",
    operation_id = "categorization-set-tenant-rules",
    tag = "Categorization",
    security(("bearer" = [])),
    params(TypeInPath, Tenant, IdempotencyKey),
    request_body(
        content = String,
        content_type = "application/toml",
        description = "The rules; also as `text/plain`"
    ),
    responses(
        (status = 200, description = "The rules are stored", body = TenantRulesResponse),
        ItemWriteFailures
    ),
)]
pub(crate) async fn set_tenant_rules(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: TypePath,
    write: Write<RulesBody>,
) -> ApiResult<Answer> {
    let RulesBody { text, room } = write.body;
    let pack = Arc::clone(state.rules());
    let tree = path.user_type;
    let (source, rules) = computed(move || compiled(&pack, tree, text)).await??;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let new = NewTenantRules {
        source,
        hash: rules.hash().to_owned(),
        rules: u32::try_from(rules.len()).unwrap_or(u32::MAX),
    };
    tx.set_tenant_rules(tree, &new).await?;
    let response = TenantRulesResponse {
        hash: &new.hash,
        rules: new.rules,
        source: None,
        tree_type: tree.as_str(),
        updated_at: UtcMillis(state.clock().now()),
    };
    let answer = Answer::json(StatusCode::OK, &response)?;
    write.idempotency.remember(&mut tx, None, &answer).await?;
    tx.commit().await?;
    state.tenant_rules().keep(caller.tenant(), &Arc::new(rules));
    drop(room);
    Ok(answer)
}

fn compiled(pack: &RulePack, tree: UserType, text: String) -> ApiResult<(String, TenantRules)> {
    match TenantRules::compile(pack, tree, &text) {
        Ok(rules) => Ok((text, rules)),
        Err(error) => Err(refused(&error, &text)),
    }
}

/// Says which rule is wrong, and why.
fn refused(error: &RulesError, text: &str) -> ApiError {
    match error {
        RulesError::Format { source, .. } => {
            let line = source.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or_default();
                before.matches('\n').count().saturating_add(1)
            });
            ApiError::field("", format!("line {line}: {}", source.message()))
        }
        RulesError::Rule { rule, problem, .. } => {
            ApiError::field("", format!("rule {rule:?}: {problem}"))
        }
        RulesError::TooMany { .. } => ApiError::field("", error.to_string()),
        RulesError::TaxonomyTable(_)
        | RulesError::FirstNames(_)
        | RulesError::Names(_)
        | RulesError::DescriptionTable(_)
        | RulesError::Description { .. }
        | RulesError::Taxonomy { .. }
        | RulesError::Fallback { .. } => {
            ApiError::Inconsistent("a tenant's rules cannot be compiled")
        }
    }
}
