//! `PUT /api/categorization/rules/{type}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use domain::UserType;
use rules::{RulePack, RulesError, TenantRules};
use store::NewTenantRules;
use wire::InvalidInput;
use wire::tenant_rules::TenantRulesResponse;
use wire::time::UtcMillis;

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
    let turn = state.compile_turn().await?;
    let (source, rules) = turn.computed(move || compiled(&pack, tree, text)).await??;
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

/// What the parser says, as far as it repeats no value: those may name people.
fn unreadable(message: &str) -> String {
    if message.starts_with("missing field") || message.starts_with("unknown field") {
        return message.to_owned();
    }
    match message.rfind(", expected ") {
        Some(at) if !message[at..].contains("struct ") => {
            format!("must be {}", &message[at + ", expected ".len()..])
        }
        _ => "is not in the format of rules".to_owned(),
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
            ApiError::field("", format!("line {line}: {}", unreadable(source.message())))
        }
        RulesError::Rule { rule, problem, .. } => {
            ApiError::field("", format!("rule {rule:?}: {}", problem.without_values()))
        }
        RulesError::TooMany { what, max } => InvalidInput::too_many("", what, *max).into(),
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

#[cfg(test)]
mod tests {
    use domain::{Classify as _, ErrorKind};

    use super::*;

    #[test]
    fn too_many_rules_are_too_large() {
        let pack = RulePack::builtin().expect("a pack");
        let rule = r#"[[rule]]
id = "ours"
tag = "streaming"
strength = "name"
status = { stable = "0.1" }
mcc = ["0-999999"]
why = "x"
source = "x"
hit = ["X | x | -12.50"]
miss = ["X | y | -12.50"]
"#;
        let refused = compiled(&pack, UserType::Person, rule.to_owned()).expect_err("too many");
        assert_eq!(refused.kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn what_is_wrong_is_said_without_values() {
        let pack = RulePack::builtin().expect("a pack");
        let rule = r#"[[rule]]
id = "ours"
tag = "streaming"
strength = "name"
status = { stable = "0.1" }
direction = "debit"
why = "x"
source = "x"
hit = ["X | Erika | -12.50"]
miss = ["X | NETTO | -12.50"]
"#;
        for (lines, expected) in [
            (
                "purpose = \"Erika\"",
                "line 1: is not in the format of rules",
            ),
            ("purpose = { any = [\"Erika\", 7] }", "line "),
            ("purpose = { any = [\"Erika\"", "line "),
            ("moon = \"Erika\"", "line "),
            ("id = \"Erika\"", "line "),
            (
                "purpose.any = [\"Erika\", \"ERIKA\"]",
                "rule \"ours\": a literal adds nothing",
            ),
            (
                "iban = [\"Erika\"]",
                "rule \"ours\": `iban` holds what is no such code",
            ),
        ] {
            let refused = compiled(&pack, UserType::Person, format!("{rule}{lines}\n"));
            let refused = refused.expect_err(lines).to_string();
            assert!(refused.starts_with(expected), "{lines}: {refused}");
            assert!(!refused.to_lowercase().contains("erika"), "{refused}");
        }
    }
}
