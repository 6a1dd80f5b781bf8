use domain::address::TargetPolicy;
use gateway::GatewaySettings;
use serde_json::{Value, json};

use crate::support::{ACME, Answer, Call, World, sample};

struct Subscriber {
    world: World,
    token: String,
}

impl Subscriber {
    async fn start() -> Self {
        Self::with(World::start().await).await
    }

    async fn with(world: World) -> Self {
        let token = world.token(ACME).await;
        Self { world, token }
    }

    async fn send(&self, call: Call) -> Answer {
        self.world.send(call.token(&self.token)).await
    }

    async fn create(&self, body: &Value) -> Answer {
        self.send(Call::post("/api/webhooks").json(body)).await
    }

    /// A webhook for user events, and as many of them as asked for.
    async fn with_deliveries(&self, count: usize) -> String {
        let hook = json!({ "url": "http://127.0.0.1:9/hook", "events": ["user.created"] });
        let id = id(&self.create(&hook).await);
        for _ in 0..count {
            self.world.add_person(&self.token).await;
            self.world.clock.advance_seconds(1);
        }
        id
    }

    async fn deliveries(&self, webhook: &str, query: &str) -> Value {
        let path = format!("/api/webhooks/{webhook}/deliveries{query}");
        let answer = self.send(Call::get(path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

fn id(answer: &Answer) -> String {
    let body = answer.json();
    body["webhookID"].as_str().expect(&answer.text).to_owned()
}

#[tokio::test]
async fn a_webhook_s_life() {
    let subscriber = Subscriber::start().await;
    let created = subscriber
        .create(&sample("002-webhooks-create-webhook-request"))
        .await;
    insta::assert_json_snapshot!("webhooks_create", created.redacted());
    let documented = sample("002-webhooks-create-webhook-response");
    for key in documented.as_object().expect("an object").keys() {
        assert!(created.json().get(key).is_some(), "{key}");
    }
    assert!(!created.text.contains("my-secret"));
    let path = format!("/api/webhooks/{}", id(&created));

    let got = subscriber.send(Call::get(&path)).await;
    insta::assert_json_snapshot!("webhooks_get", got.redacted());
    let listed = subscriber.send(Call::get("/api/webhooks")).await;
    assert_eq!(listed.json(), json!({ "webhooks": [got.json()] }));

    let update = json!({ "method": "put", "events": ["contracts"], "active": false, "secret": "" });
    let updated = subscriber.send(Call::patch(&path).json(&update)).await;
    insta::assert_json_snapshot!("webhooks_update", updated.redacted());
    let put = json!({ "url": "https://93.184.216.34/other", "secret": "s" });
    let put = subscriber.send(Call::put(&path).json(&put)).await.json();
    assert_eq!(put["url"], "https://93.184.216.34/other");
    assert_eq!(put["hasSecret"], true);
    assert_eq!(put["events"], json!(["contracts"]), "what is omitted stays");

    let rotated = subscriber
        .send(Call::post(format!("{path}/rotate-signing-secret")))
        .await;
    insta::assert_json_snapshot!("webhooks_rotate", rotated.redacted());
    let secret = |answer: &Answer| answer.json()["signingSecret"].clone();
    assert_ne!(secret(&rotated), secret(&created));

    let deleted = subscriber.send(Call::delete(&path)).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    for call in [
        Call::get(&path),
        Call::delete(&path),
        Call::patch(&path).json(&json!({})),
        Call::post(format!("{path}/rotate-signing-secret")),
        Call::get(format!("{path}/deliveries")),
        Call::post(format!("{path}/replay")).json(&json!({ "since": "2026-01-01T00:00:00Z" })),
    ] {
        let answer = subscriber.send(call).await;
        assert_eq!(answer.failure(), "404 notFound: webhook not found");
    }
}

#[tokio::test]
async fn what_a_webhook_may_not_be() {
    let world = World::with_targets(GatewaySettings::default(), TargetPolicy::PublicHttps).await;
    world
        .add_client("limited", &["webhooks", "categorization"])
        .await;
    let token = world.token("limited").await;
    let hook = |url: &str, events: &[&str]| json!({ "url": url, "events": events });
    let public = "https://93.184.216.34/hook";
    let internal =
        "400 invalidInput: url: must not lead to a private, loopback or link-local address";
    for (body, expected) in [
        (
            json!({ "events": ["banking"] }),
            "400 invalidInput: url: is required",
        ),
        (
            json!({ "url": public }),
            "400 invalidInput: events: is required",
        ),
        (
            hook(public, &[]),
            "400 invalidInput: events: must not be empty",
        ),
        (
            hook(public, &["categorization", "moon"]),
            "400 invalidInput: events[1]: is not a known event",
        ),
        (
            hook(public, &["banking"]),
            "403 forbidden: Forbidden. No access to this resource: \
             the client lacks the scope of events[0]",
        ),
        (
            hook("http://93.184.216.34/", &["categorization"]),
            "400 invalidInput: url: must begin with https://",
        ),
        (
            hook("https://u:p@93.184.216.34/", &["categorization"]),
            "400 invalidInput: url: must not contain a user name or password",
        ),
        (hook("https://127.0.0.1/", &["categorization"]), internal),
        (hook("https://localhost/", &["categorization"]), internal),
        (
            hook("https://169.254.169.254/", &["categorization"]),
            internal,
        ),
        (
            hook("nonsense", &["categorization"]),
            "400 invalidInput: url: must be an absolute URL",
        ),
        (
            json!({ "url": public, "events": ["categorization"], "method": "GET" }),
            "400 invalidInput: method: must be one of: POST, PUT, PATCH",
        ),
        (
            json!({ "url": public, "events": ["categorization"], "secret": "x".repeat(1025) }),
            "400 invalidInput: secret: must not be longer than 1024 bytes",
        ),
    ] {
        let answer = world
            .send(Call::post("/api/webhooks").token(&token).json(&body))
            .await;
        assert_eq!(answer.failure(), expected, "{body}");
    }
}

#[tokio::test]
async fn an_update_is_judged_like_a_registration() {
    let world = World::with_targets(GatewaySettings::default(), TargetPolicy::PublicHttps).await;
    world
        .add_client("limited", &["webhooks", "categorization"])
        .await;
    world.add_client("without", &["categorization"]).await;
    let token = world.token("limited").await;
    let events = ["categorization", "analysis.finished"];
    let fine = json!({ "url": "https://93.184.216.34/hook", "events": events });
    let created = world
        .send(Call::post("/api/webhooks").token(&token).json(&fine))
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = format!("/api/webhooks/{}", id(&created));
    for (body, status) in [
        (json!({ "url": "https://10.0.0.1/" }), 400),
        (json!({ "events": [] }), 400),
        (json!({ "events": ["contracts"] }), 403),
        (json!({ "method": "DELETE" }), 400),
        (json!({ "active": "yes" }), 400),
    ] {
        let answer = world
            .send(Call::patch(&path).token(&token).json(&body))
            .await;
        assert_eq!(answer.status, status, "{body}");
    }
    let token = world.token("without").await;
    let answer = world.send(Call::get("/api/webhooks").token(&token)).await;
    assert_eq!(
        answer.failure(),
        "403 forbidden: Forbidden. No access to this resource: the client lacks the scope webhooks"
    );
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page() {
    let subscriber = Subscriber::start().await;
    let webhook = subscriber.with_deliveries(5).await;
    let all = subscriber.deliveries(&webhook, "").await;
    let all = all["deliveries"].as_array().expect("an array").clone();
    assert_eq!(all.len(), 5);
    insta::assert_json_snapshot!("webhooks_delivery", {
        let mut shown = all[0].clone();
        for key in ["deliveryID", "eventID", "userID"] {
            shown[key] = json!("[uuid]");
        }
        shown
    });
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = subscriber.deliveries(&webhook, &query).await;
        seen.extend(page["deliveries"].as_array().expect("an array").clone());
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let none = subscriber.deliveries(&webhook, "?status=exhausted").await;
    assert_eq!(none, json!({ "deliveries": [] }));
    for (query, expected) in [
        ("limit=0", "limit: must be a number from 1 to 100"),
        ("limit=101", "limit: must be a number from 1 to 100"),
        ("limit=x", "limit: must be a whole number"),
        ("cursor=x", "cursor: must be the nextCursor of a page"),
        (
            "status=lost",
            "status: must be one of: pending, delivered, exhausted, cancelled",
        ),
    ] {
        let path = format!("/api/webhooks/{webhook}/deliveries?{query}");
        let answer = subscriber.send(Call::get(path)).await;
        assert_eq!(answer.failure(), format!("400 invalidInput: {expected}"));
    }
}

#[tokio::test]
async fn deliveries_can_be_sent_again() {
    let subscriber = Subscriber::start().await;
    let webhook = subscriber.with_deliveries(2).await;
    let lease = std::time::Duration::from_secs(30);
    let due = subscriber
        .world
        .system
        .lease_deliveries(10, lease)
        .await
        .expect("due");
    assert_eq!(due.len(), 2);
    for delivery in &due {
        let outcome = store::Outcome::Delivered { status: 204 };
        let settled = subscriber
            .world
            .system
            .settle_delivery(delivery, &outcome)
            .await;
        settled.expect("settled");
    }
    let delivered = subscriber.deliveries(&webhook, "?status=delivered").await;
    let delivered = delivered["deliveries"]
        .as_array()
        .expect("an array")
        .clone();
    assert_eq!(delivered.len(), 2);

    let one = delivered[1]["deliveryID"].as_str().expect("an id");
    let path = format!("/api/webhooks/{webhook}/deliveries/{one}/replay");
    let again = subscriber.send(Call::post(&path)).await;
    assert_eq!(
        (again.status, &again.json()["status"]),
        (202, &json!("pending"))
    );
    assert_eq!(again.json()["deliveryID"], one);

    let replay = Call::post(format!("/api/webhooks/{webhook}/replay"));
    let period = json!({ "since": "2026-03-01T00:00:00Z" });
    let rest = subscriber.send(replay.clone().json(&period)).await;
    assert_eq!((rest.status, rest.json()), (202, json!({ "replayed": 1 })));
    let named = json!({ "deliveryIDs": [one] });
    let named = subscriber.send(replay.clone().json(&named)).await;
    assert_eq!(named.json(), json!({ "replayed": 1 }));
    let before = json!({ "since": "2026-01-01T00:00:00Z", "until": "2026-01-31T00:00:00Z" });
    let before = subscriber.send(replay.json(&before)).await;
    assert_eq!(before.json(), json!({ "replayed": 0 }));

    let unknown = format!("/api/webhooks/{webhook}/deliveries/{webhook}/replay");
    let unknown = subscriber.send(Call::post(unknown)).await;
    assert_eq!(unknown.failure(), "404 notFound: delivery not found");
    let malformed = format!("/api/webhooks/{webhook}/deliveries/1/replay");
    let malformed = subscriber.send(Call::post(malformed)).await;
    assert_eq!(
        malformed.failure(),
        "400 invalidInput: delivery-id: must be a UUID"
    );
}
