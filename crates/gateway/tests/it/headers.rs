use serde_json::json;

use crate::support::{ACME, Call, World};

#[tokio::test]
async fn every_answer_is_identified() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let calls = [
        Call::get("/api/users").token(&token),
        Call::get("/api/users"),
        Call::get("/api/nothing"),
        Call::delete("/api/auth"),
        Call::get("/health/live"),
        Call::get("/metrics"),
        Call::get("/api/openapi.json"),
    ];
    for call in calls {
        let answer = world.send(call.clone()).await;
        let id = answer.header("x-request-id").expect("an id");
        assert!(uuid::Uuid::try_parse(id).is_ok(), "{call:?}: {id}");
        assert_eq!(answer.header("api-version"), Some("2020-06-16"), "{call:?}");

        let own = call.clone().header("x-request-id", "mine-1");
        let own = world.send(own.header("api-version", "2019-02-03")).await;
        assert_eq!(own.header("x-request-id"), Some("mine-1"), "{call:?}");
        assert_eq!(own.header("api-version"), Some("2019-02-03"), "{call:?}");

        let bad = call
            .header("x-request-id", "not one word")
            .header("api-version", "v2");
        let bad = world.send(bad).await;
        assert_ne!(bad.header("x-request-id"), Some("not one word"));
        assert_eq!(bad.header("api-version"), Some("2020-06-16"));
    }
}

#[tokio::test]
async fn the_caller_s_trace_reaches_the_worker() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_user(&token, json!({ "type": "person" })).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let body = json!({ "accounts": [{ "iban": "DE89370400440532013000" }] });
    let upload = Call::post(format!("/api/users/{user}/banking/accounts"))
        .token(&token)
        .json(&body)
        .header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))
        .header("x-request-id", "mine-1");
    assert_eq!(world.send(upload).await.status, 201);
    let lease = std::time::Duration::from_secs(1);
    let messages = world
        .system
        .lease_outbox(10, lease)
        .await
        .expect("the outbox");
    let sent = messages[0].traceparent.as_deref().expect("a trace");
    assert!(sent.starts_with(&format!("00-{trace}-")), "{sent}");
}
