//! The schemas of all shapes form one closed document.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::OpenApi;
use wire::{banking, categorization, correlation, error, token, upload, user, webhook};

#[derive(OpenApi)]
#[openapi(components(schemas(
    banking::AccountsResponse,
    categorization::CategorizationEvent,
    categorization::CategorizationResponse,
    correlation::AnalysisFailedEvent,
    correlation::AnalysisFinishedEvent,
    correlation::CorrelationResponse,
    correlation::TriggerAnalysisResponse,
    error::ErrorResponse,
    token::TokenRequest,
    token::TokenResponse,
    upload::UploadRequest,
    upload::UploadResponse,
    user::AddUserRequest,
    user::AddUserResponse,
    user::UpdateUserRequest,
    user::UserResponse,
    user::UsersResponse,
    webhook::CreateWebhookRequest,
    webhook::CreateWebhookResponse,
    webhook::DeliveriesResponse,
    webhook::ReplayRequest,
    webhook::ReplayResponse,
    webhook::RotateSigningSecretResponse,
    webhook::UpdateWebhookRequest,
    webhook::WebhookPayload,
    webhook::WebhooksResponse,
)))]
struct Shapes;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                match item.as_str() {
                    Some(target) if key == "$ref" => {
                        found.insert(target.to_owned());
                    }
                    Some(_) | None => references(item, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(Shapes::openapi()).expect("serialises");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(
        found.contains("#/components/schemas/AccountRequest"),
        "{found:?}"
    );
    assert!(
        found.contains("#/components/schemas/TransactionResponse"),
        "{found:?}"
    );
    for target in found {
        let pointer = target.trim_start_matches('#');
        assert!(
            document.pointer(pointer).is_some(),
            "{target} is not defined"
        );
    }
}

#[test]
fn schemas_show_wire_names_and_types() {
    let document = serde_json::to_value(Shapes::openapi()).expect("serialises");
    for (pointer, expected) in [
        ("AccountRequest/properties/balance/type", "number"),
        ("TransactionRequest/properties/bookingDate/type", "integer"),
        ("Amount/type", "number"),
        ("AccountResponse/properties/securities/type", "array"),
        ("UtcMillis/format", "date-time"),
    ] {
        let value = document.pointer(&format!("/components/schemas/{pointer}"));
        let fits = match value {
            Some(Value::Array(types)) => types.iter().any(|kind| kind == expected),
            Some(value) => value == expected,
            None => false,
        };
        assert!(fits, "{pointer}: {value:?}");
    }
}
