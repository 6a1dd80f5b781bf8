use axum::http::Method;
use gateway::{GatewaySettings, Limits, RateLimits, Timeouts};
use serde_json::{Value, json};

use crate::support::{ACME, Answer, Call, GLOBEX, World, sample};

/// Body, status and the headers that belong to a failure.
fn golden(answer: &Answer) -> Value {
    answer.failure();
    let mut headers = serde_json::Map::new();
    for name in ["allow", "content-type", "retry-after", "www-authenticate"] {
        if let Some(value) = answer.header(name) {
            headers.insert(name.to_owned(), json!(value));
        }
    }
    json!({ "status": answer.status, "headers": headers, "body": answer.json() })
}

fn settings() -> GatewaySettings {
    GatewaySettings {
        limits: Limits {
            body_bytes_max: 1_000,
            ..Limits::default()
        },
        rates: RateLimits {
            polling_burst: 1,
            ..RateLimits::default()
        },
        timeouts: Timeouts {
            request_seconds_max: 1,
            ..Timeouts::default()
        },
        ..GatewaySettings::default()
    }
}

#[tokio::test]
async fn every_kind_of_failure_has_its_body() {
    let world = World::with(settings()).await;
    world.add_client("without", &[]).await;
    let (token, poor) = (world.token(ACME).await, world.token("without").await);
    let user = world.add_person(&token).await;
    let correlation = format!("/api/users/{user}/categorization/correlation");
    assert_eq!(
        world
            .send(Call::get(&correlation).token(&token))
            .await
            .status,
        404
    );
    let add = Call::post("/api/users").token(&token);
    for (name, call) in [
        ("no_such_path", Call::get("/api/nothing")),
        ("no_such_page", Call::get("/api/docs/nothing.js")),
        ("no_such_method", Call::new(Method::PATCH, "/api/auth")),
        ("invalid_input", add.clone().json(&json!({ "type": 5 }))),
        ("invalid_path", Call::get("/api/users/1").token(&token)),
        ("unauthorized", Call::get("/api/users")),
        ("forbidden", Call::get("/api/webhooks").token(&poor)),
        (
            "not_found",
            Call::get("/api/users/18bf1171-9e82-4a74-bf52-923b9a80144e").token(&token),
        ),
        (
            "conflict",
            Call::post(format!("/api/users/{user}/trigger-analysis")).token(&token),
        ),
        (
            "too_large",
            add.clone().json(&json!({ "name": "x".repeat(1_000) })),
        ),
        ("media_type", add.body("text/plain", "x")),
        ("too_many_requests", Call::get(&correlation).token(&token)),
    ] {
        let answer = world.send(call).await;
        insta::assert_json_snapshot!(format!("error_{name}"), golden(&answer));
    }
    let documented = sample("001-error-response");
    let forbidden = world
        .send(Call::get("/api/webhooks").token(&poor))
        .await
        .json();
    assert_eq!(forbidden["type"], documented["type"]);
    let message = forbidden["message"].as_str().expect("text");
    assert!(message.starts_with(documented["message"].as_str().expect("text")));
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    world.clock.break_it();
    let answer = world.send(Call::get("/api/users").token(&token)).await;
    insta::assert_json_snapshot!("error_internal", golden(&answer));
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn without_its_database_the_service_is_unavailable() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    assert_eq!(world.send(Call::get("/health/ready")).await.status, 200);
    world.store.close().await;
    let user = "/api/users/18bf1171-9e82-4a74-bf52-923b9a80144e";
    for call in [
        Call::get(user).token(&token),
        Call::post("/api/auth").json(&json!({ "name": ACME, "secret": "x" })),
        Call::get("/health/ready"),
    ] {
        let answer = world.send(call).await;
        insta::assert_json_snapshot!("error_unavailable", golden(&answer));
    }
    assert_eq!(world.send(Call::get("/health/live")).await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let mut settings = settings();
    settings.limits.requests_in_flight_max = 1;
    let world = World::with(settings).await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    // Somebody else holds the user, so the request waits until its time is over.
    let holder = world.hold(&user).await;
    let trigger = Call::post(format!("/api/users/{user}/trigger-analysis")).token(&token);
    let (slow, refused, live) = tokio::join!(
        world.send(trigger),
        world.send(Call::get("/api/users").token(&token)),
        world.send(Call::get("/health/live")),
    );
    assert_eq!(
        golden(&slow),
        golden(&refused),
        "the caller is told the same"
    );
    insta::assert_json_snapshot!("error_unavailable", golden(&slow));
    assert_eq!(
        live.status, 200,
        "those who watch the service are always answered"
    );
    drop(holder);
    assert_eq!(
        world
            .send(Call::get("/api/users").token(&token))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn each_client_has_its_rate() {
    let settings = GatewaySettings {
        rates: RateLimits {
            client_per_second: 1,
            client_burst: 3,
            ..RateLimits::default()
        },
        ..GatewaySettings::default()
    };
    let world = World::with(settings).await;
    let (acme, globex) = (world.token(ACME).await, world.token("globex").await);
    let list = async |token: &str| world.send(Call::get("/api/users").token(token)).await;
    for _ in 0..3 {
        assert_eq!(list(&acme).await.status, 200);
    }
    let refused = list(&acme).await;
    assert_eq!(
        refused.failure(),
        "429 tooManyRequests: too many requests, try again after 1 s"
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(list(&globex).await.status, 200);
    world.clock.advance_seconds(1);
    assert_eq!(list(&acme).await.status, 200);
    assert_eq!(list(&acme).await.status, 429);
}

#[tokio::test]
async fn deep_nesting_is_refused_even_where_nobody_looks() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"type":"person","ignored":{open}{close}}}"#)
    };
    let add = Call::post("/api/users").token(&token);
    let send = |body: String| world.send(add.clone().body("application/json", body));
    assert_eq!(send(nested(100)).await.status, 201);
    let refused = send(nested(10_000)).await.failure();
    assert!(
        refused.starts_with("400 invalidInput: ignored[0][0]"),
        "{refused}"
    );
    let mut login = Call::post("/api/auth").body("application/json", nested(1_000));
    assert_eq!(world.send(login).await.status, 400);
    login = Call::post("/api/auth").form(&"a".repeat((16 << 10) + 1));
    assert_eq!(world.send(login).await.status, 413);
}

#[tokio::test]
async fn one_client_cannot_take_every_place() {
    let mut settings = GatewaySettings::default();
    settings.limits.requests_in_flight_per_client_max = 1;
    let world = World::with(settings).await;
    let (acme, globex) = (world.token(ACME).await, world.token(GLOBEX).await);
    let user = world.add_person(&acme).await;
    let list = |token: &str| world.send(Call::get("/api/users").token(token));
    assert_eq!(list(&globex).await.status, 200);
    let holder = world.hold(&user).await;
    let trigger = Call::post(format!("/api/users/{user}/trigger-analysis")).token(&acme);
    let (slow, (refused, other)) = tokio::join!(world.send(trigger), async {
        let answers = (list(&acme).await, list(&globex).await);
        drop(holder);
        answers
    });
    assert_eq!(
        refused.failure(),
        "429 tooManyRequests: too many requests, try again after 1 s"
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(other.status, 200, "{}", other.text);
    assert_eq!(slow.status, 409, "{}", slow.text);
    assert_eq!(list(&acme).await.status, 200);
}

#[tokio::test]
async fn bodies_are_required_and_not_compressed() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    let encoded = |call: &Call, encoding: &str| call.clone().header("content-encoding", encoding);
    for path in [
        "/api/users".to_owned(),
        "/api/webhooks".to_owned(),
        "/api/auth".to_owned(),
        format!("/api/users/{user}/banking/accounts"),
    ] {
        let call = Call::post(&path).token(&token);
        for call in [call.clone(), encoded(&call, "identity")] {
            let answer = world.send(call).await;
            assert_eq!(
                answer.failure(),
                "400 invalidInput: a body is required",
                "{path}"
            );
        }
        for encoding in ["gzip", "identity, br", "Deflate"] {
            let answer = world.send(encoded(&call, encoding)).await;
            assert_eq!(
                answer.failure(),
                "415 invalidInput: Content-Encoding must be identity",
                "{path}"
            );
        }
    }
    // Where no body is read, none is looked at.
    let trigger = Call::post(format!("/api/users/{user}/trigger-analysis")).token(&token);
    assert_eq!(world.send(encoded(&trigger, "gzip")).await.status, 409);
}
