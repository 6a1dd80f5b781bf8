//! Every documented key is read or written.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::categorization::{CategorizationResponse, CategorizedTransaction, PageMetaData};
use wire::correlation::{CorrelationResponse, TriggerAnalysisResponse};
use wire::json::{Object, read};
use wire::time::{BerlinSeconds, UtcMillis};
use wire::token::{TokenRequest, TokenResponse};
use wire::user::{
    AddUserRequest, AddUserResponse, Context, PagedContext, UpdateUserRequest, User, UserResponse,
    UsersResponse,
};
use wire::webhook::{CreateWebhookRequest, CreateWebhookResponse, Webhook, WebhookPayload};
use wire::{ErrorResponse, ErrorType, Event, ScopeSet, Share};

use crate::samples::{outline, sample};

/// Asserts that an answer has every key of a sample, with the same type.
fn check(name: &str, ours: &impl Serialize) {
    let Some(documented) = sample(name) else {
        return;
    };
    let ours = serde_json::to_value(ours).expect("serialises");
    let ours = outline(&ours);
    let missing: Vec<_> = outline(&documented).difference(&ours).cloned().collect();
    assert!(missing.is_empty(), "{name} lacks {missing:?}");
}

fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_723_635_440_515).expect("in range")
}

fn user() -> User {
    User {
        automatic_analysis: "suspended",
        created_at: UtcMillis(moment()),
        custom_user_id: Some("0815".to_owned()),
        name: Some("John Doe".to_owned()),
        user_type: "person",
        user_id: "e57a73a9-bcda-4cda-9e8a-99a915a7d675".to_owned(),
        user_scopes: vec!["banking".to_owned()],
    }
}

fn context() -> Context {
    Context {
        client: "testClient".to_owned(),
        tenant: "testTenant".to_owned(),
    }
}

#[test]
fn answers_about_users_have_every_documented_key() {
    let one = UserResponse {
        context: context(),
        user: user(),
    };
    check("001-get-user-response.json", &one);
    check("001-update-user-response.json", &one);
    let added = AddUserResponse {
        context: context(),
        user: user(),
        user_id: user().user_id,
    };
    check("001-add-user-response.json", &added);
    let page = UsersResponse {
        context: PagedContext {
            client: "testClient".to_owned(),
            count: 15,
            page: 1,
            page_size: 10,
            tenant: "testTenant".to_owned(),
        },
        users: vec![user()],
    };
    check("001-get-users-response.json", &page);
}

#[test]
fn other_answers_have_every_documented_key() {
    let error = ErrorResponse {
        error_type: ErrorType::Forbidden,
        message: "Forbidden. No access to this resource".into(),
    };
    check("000-error-response.json", &error);
    check("001-error-response.json", &error);
    let token = TokenResponse {
        access_token: "a.b.c".to_owned(),
        expires_in: 300,
        not_before_policy: 0,
        scope: "banking".to_owned(),
        session_state: "1e2212ad-e13f-4d3d-af05-7d1716ee920a".to_owned(),
        token_type: "Bearer",
    };
    check("001-authenticate-response.json", &token);
    check("002-authenticate-response.json", &token);
    let id = "cc451d48-dbc2-4ea4-894a-fb4b299f9e56".to_owned();
    let correlation = CorrelationResponse {
        correlation_id: id.clone(),
        correlation_timestamp: BerlinSeconds(moment()),
    };
    check(
        "001-categorization-get-correlation-response.json",
        &correlation,
    );
    let trigger = TriggerAnalysisResponse {
        correlation_id: id,
        user_scopes: vec!["banking".to_owned()],
    };
    check("001-trigger-analysis-response.json", &trigger);
}

#[test]
fn categorizations_have_every_documented_key() {
    let item = || CategorizedTransaction {
        account_id: "account-1".into(),
        confidence: Share(9_731),
        creation_date: "2026-01-22T14:08:47+01:00".into(),
        descriptive_tag: "insurance_legal".into(),
        intermediary: None,
        localized_tag: Some("Rechtsschutzversicherung".into()),
        merchant: None,
        refund_of: None,
        tags: vec!["insurance_legal".into()],
        transaction: None,
        transaction_id: "transaction-1".into(),
    };
    let page = CategorizationResponse {
        categorization: vec![item()],
        meta_data: PageMetaData::new(1, 10, 11),
    };
    assert_eq!(page.meta_data.pages, 2);
    check("001-categorization-get-categorization-response.json", &page);
    // The transaction is an extra that has to be asked for.
    let Some(mut documented) = sample("002-categorization-item-response.json") else {
        return;
    };
    let entries = documented.as_object_mut().expect("an object");
    entries.remove("transaction");
    entries.insert("confidence".to_owned(), 1.into());
    let ours = serde_json::to_value(item()).expect("serialises");
    assert_eq!(outline(&documented), outline(&ours));
}

#[test]
fn webhooks_have_every_documented_key() {
    let webhook = CreateWebhookResponse {
        webhook: Webhook {
            webhook_id: "1e2212ad-e13f-4d3d-af05-7d1716ee920a".to_owned(),
            url: "https://yourapp.com/finoos-hook".to_owned(),
            method: "POST".to_owned(),
            events: vec!["personcockpit".to_owned()],
            has_secret: true,
            active: true,
            tenant_id: "testClient".to_owned(),
            created_at: UtcMillis(moment()),
        },
        signing_secret: "whsec_".to_owned(),
    };
    check(
        "proposed/002-webhooks-create-webhook-response.json",
        &webhook,
    );
    let data = RawValue::from_string("{}".to_owned()).expect("JSON");
    let payload = WebhookPayload {
        correlation_id: "cc451d48-dbc2-4ea4-894a-fb4b299f9e56",
        correlation_timestamp: BerlinSeconds(moment()),
        custom_user_id: Some("0815"),
        data: Some(&data),
        event: "personcockpit",
        secret: Some("string"),
        tenant_id: "testClient",
        user_id: "e57a73a9-bcda-4cda-9e8a-99a915a7d675",
        webhook_id: "1e2212ad-e13f-4d3d-af05-7d1716ee920a",
    };
    check("reconstructed/002-webhook-payload-request.json", &payload);
}

#[test]
fn documented_requests_are_read() {
    let body = |name| sample(name).map(|value| serde_json::to_vec(&value).expect("JSON"));
    for name in ["001-add-user-request.json", "002-add-user-request.json"] {
        if let Some(body) = body(name) {
            let Object(request) = read::<Object<AddUserRequest>>(&body).expect(name);
            assert!(request.user_type.is_some(), "{name}");
            let scopes = request.user_scopes.unwrap_or_default();
            assert!(ScopeSet::try_from_names(&scopes).is_ok(), "{name}");
        }
    }
    if let Some(body) = body("001-update-user-request.json") {
        let Object(request) = read::<Object<UpdateUserRequest>>(&body).expect("reads");
        assert!(request.automatic_analysis.is_some() && request.name.is_some());
    }
    if let Some(body) = body("000-authenticate-request.json") {
        let Object(request) = read::<Object<TokenRequest>>(&body).expect("reads");
        assert!(request.client_id.is_some() && request.client_secret.is_some());
    }
    if let Some(body) = body("proposed/002-webhooks-create-webhook-request.json") {
        let Object(request) = read::<Object<CreateWebhookRequest>>(&body).expect("reads");
        let events = request.events.unwrap_or_default();
        assert!(events.len() == 2 && events.iter().all(|name| name.parse::<Event>().is_ok()));
        assert!(request.url.is_some() && request.method.is_some() && request.secret.is_some());
    }
}

#[test]
fn scopes_of_the_documented_token_are_known() {
    let Some(token) = sample("001-authenticate-response.json") else {
        return;
    };
    let scopes = token["scope"].as_str().expect("text");
    let names: Vec<_> = scopes.split(' ').collect();
    assert!(ScopeSet::try_from_names(&names).is_ok(), "{scopes}");
}
