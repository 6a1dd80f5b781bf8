//! Every documented request of the built operations is accepted, and every answer has the
//! documented keys; more only where a conflict (C-nn) or a gap (G-nn) of the catalogue says so.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::api::{Answer, Api};
use crate::shared::shared;
use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::Value;

fn sample(name: &str) -> Option<Value> {
    let path = shared(&format!("reference/api/samples/{name}"))?;
    let text = std::fs::read_to_string(path).expect("a readable sample");
    Some(serde_json::from_str(&text).expect("a JSON sample"))
}

/// The paths of all keys, with the elements of an array under one path.
fn keys(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let path = format!("{path}.{key}");
                    into.insert(path.clone());
                    walk(member, &path, into);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    walk(element, &format!("{path}[]"), into);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

/// Compares an answer with its sample; `extra` are the keys that we add knowingly.
fn check(operation: &str, answer: &Answer, status: StatusCode, name: &str, extra: &[&str]) {
    assert_eq!(answer.status, status, "{operation}: {}", answer.body);
    let documented = keys(&sample(name).expect("present, or the test had been skipped"));
    let answered = keys(&answer.body);
    let missing: Vec<_> = documented.difference(&answered).collect();
    assert!(missing.is_empty(), "{operation} lacks {missing:?}");
    let allowed: BTreeSet<String> = extra.iter().map(|key| (*key).to_owned()).collect();
    let unknown: Vec<_> = answered
        .difference(&documented)
        .filter(|key| !allowed.contains(*key))
        .collect();
    assert!(
        unknown.is_empty(),
        "{operation} has undocumented {unknown:?}"
    );
}

async fn get(api: &Api, path: &str) -> Answer {
    api.send(Method::GET, path, None).await.expect("an answer")
}

async fn post(api: &Api, path: &str, body: Option<&Value>) -> Answer {
    api.send(Method::POST, path, body).await.expect("an answer")
}

/// C-06: `userID` inside the envelope, `userId` beside it.
const ADD_USER_EXTRA: &[&str] = &[".userId"];
/// The item of the newer documents (002) has the most specific tag; how sure it is, is ours.
const ITEM_EXTRA: &[&str] = &[
    ".categorization[].descriptiveTag",
    ".categorization[].confidence",
];
/// What of the tags of one transaction is ours.
const TAGS_EXTRA: &[&str] = &[".accountId", ".confidence", ".descriptiveTag"];
/// The same for transactions within their accounts.
const TRANSACTION_EXTRA: &[&str] = &[
    ".accounts[].transactions[].confidence",
    ".accounts[].transactions[].descriptiveTag",
];
/// Signing (Standard Webhooks) is ours: the secret is shown once.
const WEBHOOK_EXTRA: &[&str] = &[".signingSecret"];

#[tokio::test]
async fn documented_requests_are_accepted_and_answers_have_the_documented_keys() {
    let Some(upload) = sample("001-banking-create-external-accounts-request.json") else {
        return;
    };
    let world = World::embedded().expect("kontor serve");
    let api = world.demo_api();
    users(&api).await;
    let (user, correlation) = banking(&api, &upload).await;
    categorization(&api, &user, &correlation).await;
    decisions(&api, &user).await;
    categories(&api).await;
    webhooks(&api).await;
    world.stop().expect("stopped");
}

async fn users(api: &Api) {
    let request = sample("001-add-user-request.json").expect("a sample");
    let added = post(api, "/api/users", Some(&request)).await;
    let created = StatusCode::CREATED;
    check(
        "users-add-user",
        &added,
        created,
        "001-add-user-response.json",
        ADD_USER_EXTRA,
    );
    let short = sample("002-add-user-request.json").expect("a sample");
    let added_short = post(api, "/api/users", Some(&short)).await;
    assert_eq!(added_short.status, created);
    let user = added.body["user"]["userID"]
        .as_str()
        .expect("an id")
        .to_owned();
    let one = get(api, &format!("/api/users/{user}")).await;
    check(
        "users-get-user",
        &one,
        StatusCode::OK,
        "001-get-user-response.json",
        &[],
    );
    let list = get(api, "/api/users?page=1").await;
    check(
        "users-get-users",
        &list,
        StatusCode::OK,
        "001-get-users-response.json",
        &[],
    );
    let change = sample("001-update-user-request.json").expect("a sample");
    let path = format!("/api/users/{user}");
    let updated = api
        .send(Method::PATCH, &path, Some(&change))
        .await
        .expect("an answer");
    check(
        "users-update-user",
        &updated,
        StatusCode::OK,
        "001-update-user-response.json",
        &[],
    );
    assert_eq!(updated.body["user"]["automaticAnalysis"], "active");
    let deleted = api
        .send(Method::DELETE, &path, None)
        .await
        .expect("an answer");
    assert_eq!(
        (deleted.status, deleted.body),
        (StatusCode::NO_CONTENT, Value::Null)
    );
    let gone = get(api, &path).await;
    check(
        "a deleted user",
        &gone,
        StatusCode::NOT_FOUND,
        "001-error-response.json",
        &[],
    );
}

async fn banking(api: &Api, upload: &Value) -> (String, String) {
    let request = sample("001-add-user-request.json").expect("a sample");
    let user = api.add_user(&request).await.expect("a user");
    let path = format!("/api/users/{user}/banking/accounts");
    let stored = post(api, &path, Some(upload)).await;
    let name = "001-banking-create-external-accounts-response.json";
    check(
        "banking-create-external-accounts",
        &stored,
        StatusCode::CREATED,
        name,
        &[],
    );
    assert_eq!(
        stored.correlation_id, None,
        "a suspended user is not analysed by itself"
    );
    let accounts = get(api, &path).await;
    let name = "001-banking-get-accounts-response.json";
    check("banking-get-accounts", &accounts, StatusCode::OK, name, &[]);
    let sent = &upload["accounts"][0]["transactions"][0];
    let kept = &accounts.body["accounts"][0]["transactions"][0];
    for key in [
        "amount",
        "bookingDate",
        "valueDate",
        "purpose",
        "mref",
        "transactionId",
    ] {
        assert_eq!(sent[key], kept[key], "{key} is echoed as sent");
    }
    let without = get(api, &format!("{path}?includeTransactions=false")).await;
    assert!(
        without.body["accounts"][0]["transactions"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
    let triggered = post(api, &format!("/api/users/{user}/trigger-analysis"), None).await;
    let name = "001-trigger-analysis-response.json";
    check(
        "users-trigger-analysis",
        &triggered,
        StatusCode::ACCEPTED,
        name,
        &[],
    );
    let correlation = triggered.correlation_id.expect("the header (C-07)");
    assert_eq!(triggered.body["correlationID"], correlation);
    (user, correlation)
}

async fn categorization(api: &Api, user: &str, correlation: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    api.finished(user, correlation, deadline)
        .await
        .expect("the run finishes");
    let base = format!("/api/users/{user}/categorization");
    let name = "001-categorization-get-correlation-response.json";
    for query in ["correlation-id", "correlationID"] {
        let path = format!("{base}/correlation?{query}={correlation}");
        let answer = get(api, &path).await;
        check(
            "categorization-get-correlation",
            &answer,
            StatusCode::OK,
            name,
            &[],
        );
    }
    let page = get(api, &base).await;
    let name = "001-categorization-get-categorization-response.json";
    check(
        "get-categorization",
        &page,
        StatusCode::OK,
        name,
        ITEM_EXTRA,
    );
    let rich = get(api, &format!("{base}?language=de&includeTransactions=true")).await;
    let documented = keys(&sample("002-categorization-item-response.json").expect("a sample"));
    let item = keys(&rich.body["categorization"][0]);
    let missing: Vec<_> = documented.difference(&item).collect();
    assert!(missing.is_empty(), "the item of 002 lacks {missing:?}");
    let unknown = get(api, &format!("{base}/correlation?correlationID={user}")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

async fn decisions(api: &Api, user: &str) {
    let base = format!("/api/users/{user}/categorization");
    let path = format!("{base}/transactions");
    let accounts = get(api, &path).await;
    let name = "001-categorization-get-transactions-response.json";
    check(
        "categorization-get-transactions",
        &accounts,
        StatusCode::OK,
        name,
        TRANSACTION_EXTRA,
    );
    let id = accounts.body["accounts"][0]["transactions"][0]["transactionId"].as_str();
    let id = id.expect("an id");
    let name = "001-categorization-get-transaction-tags-response.json";
    for path in [format!("{path}/{id}"), format!("{path}/{id}/tags")] {
        let tags = get(api, &path).await;
        check(
            "categorization-get-transaction-tags",
            &tags,
            StatusCode::OK,
            name,
            TAGS_EXTRA,
        );
    }
    let path = format!("{base}/patterns");
    let name = "001-categorization-set-patterns-request.json";
    let request = sample(name).expect("a sample");
    for method in [Method::POST, Method::PUT] {
        let set = api
            .send(method, &path, Some(&request))
            .await
            .expect("an answer");
        assert_eq!(set.status, StatusCode::ACCEPTED, "{}", set.body);
        assert_eq!(
            set.body["correlationID"],
            set.correlation_id.expect("the header")
        );
    }
    let patterns = get(api, &path).await;
    assert_eq!(patterns.body, request, "what is set is what is answered");
    let name = "001-categorization-get-patterns-response.json";
    check(
        "categorization-get-patterns",
        &patterns,
        StatusCode::OK,
        name,
        &[],
    );
}

async fn categories(api: &Api) {
    let mut tree = get(api, "/api/categorization/categories").await;
    // The sample shows one empty child.
    let children = tree.body["nodes"]["children"]
        .as_array_mut()
        .expect("nodes");
    assert!(children.iter().all(|node| node["level"] == 1));
    *children = vec![Value::Object(serde_json::Map::new())];
    let name = "001-categories-get-tree-response.json";
    check("categories-get-tree", &tree, StatusCode::OK, name, &[]);
    let descriptions = get(api, "/api/categorization/categories/descriptions").await;
    let name = "001-categories-get-descriptions-response.json";
    check(
        "categories-get-descriptions",
        &descriptions,
        StatusCode::OK,
        name,
        &[],
    );
}

async fn webhooks(api: &Api) {
    let name = "proposed/002-webhooks-create-webhook-request.json";
    let request = sample(name).expect("a sample");
    let created = post(api, "/api/webhooks", Some(&request)).await;
    let name = "proposed/002-webhooks-create-webhook-response.json";
    check(
        "webhooks-create-webhook",
        &created,
        StatusCode::CREATED,
        name,
        WEBHOOK_EXTRA,
    );
    let id = created.body["webhookID"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/webhooks/{id}");
    let one = get(api, &path).await;
    check("webhooks-get-webhook", &one, StatusCode::OK, name, &[]);
    let list = get(api, "/api/webhooks").await;
    assert_eq!(list.body["webhooks"][0]["webhookID"], id);
    let changed = api
        .send(Method::PATCH, &path, Some(&request))
        .await
        .expect("an answer");
    check(
        "webhooks-update-webhook",
        &changed,
        StatusCode::OK,
        name,
        &[],
    );
    let deleted = api
        .send(Method::DELETE, &path, None)
        .await
        .expect("an answer");
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}
