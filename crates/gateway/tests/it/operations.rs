use serde_json::json;

use crate::support::{ACME, Call, World};

#[tokio::test]
async fn health_and_metrics() {
    let world = World::start().await;
    for path in ["/health/live", "/health/ready"] {
        let answer = world.send(Call::get(path)).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({ "status": "ok" }))
        );
    }
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    world
        .send(Call::get(format!("/api/users/{user}")).token(&token))
        .await;
    world.send(Call::get("/api/nothing")).await;
    world
        .send(Call::post("/api/auth").json(&json!({ "name": "x", "secret": "y" })))
        .await;

    let metrics = world.send(Call::get("/metrics")).await;
    assert_eq!(metrics.status, 200);
    let has = |line: &str| {
        assert!(
            metrics.text.lines().any(|l| l == line),
            "{line}\n{}",
            metrics.text
        );
    };
    has(r#"http_requests_total{method="GET",route="/api/users/{user-id}",status="200"} 1"#);
    has(r#"http_requests_total{method="GET",route="none",status="404"} 1"#);
    has(r#"http_requests_total{method="POST",route="/api/auth",status="401"} 1"#);
    has(r#"http_request_duration_seconds_count{method="GET",route="/api/users/{user-id}"} 1"#);
    has("login_failures_total 1");
    has("http_requests_in_flight 1");
    has("# EOF");
    assert!(
        !metrics.text.contains(&user),
        "paths with identifiers are no labels"
    );
}

#[tokio::test]
async fn the_api_can_be_browsed_without_any_other_host() {
    let world = World::start().await;
    let document = world.send(Call::get("/api/openapi.json")).await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    let entry = world.send(Call::get("/api/docs")).await;
    assert_eq!(entry.status, 303, "{}", entry.text);
    assert_eq!(entry.header("location"), Some("/api/docs/"));
    let page = world.send(Call::get("/api/docs/")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"));
    assert!(
        !page.text.contains("//unpkg") && !page.text.contains("cdn"),
        "{}",
        page.text
    );
    let script = world
        .send(Call::get("/api/docs/swagger-ui-bundle.js"))
        .await;
    assert_eq!(script.status, 200);
}
