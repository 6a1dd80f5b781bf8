use axum::http::Method;
use domain::ClientId;
use gateway::{GatewaySettings, TenancyMode};
use serde_json::{Value, json};
use store::UnknownTenant;

use crate::support::{ACME, Call, GLOBEX, World, finish_runs};

const NOT_YOURS: &str = "403 forbidden: Forbidden. No access to this resource: \
                         TenantID does not belong to this client";

/// A word that only the owner's patterns and rules hold.
const SECRET_WORD: &str = "geheimbund";

/// What one tenant owns.
struct Owned {
    user: String,
    webhook: String,
    delivery: String,
}

impl Owned {
    async fn make(world: &World, token: &str) -> Self {
        let hook = json!({ "url": "http://127.0.0.1:9/hook", "events": ["user.created"] });
        let hook = world
            .send(Call::post("/api/webhooks").token(token).json(&hook))
            .await;
        let webhook = text(&hook.json()["webhookID"]);
        let user = world.add_person(token).await;
        let upload = Call::post(format!("/api/users/{user}/banking/accounts")).token(token);
        let stored = world.send(upload.json(&body_of("/banking/accounts"))).await;
        assert_eq!(stored.status, 201, "{}", stored.text);
        finish_runs(world, ACME, &user, "spending", &{
            let trigger = format!("/api/users/{user}/trigger-analysis");
            world.send(Call::post(trigger).token(token)).await
        })
        .await;
        let decided = json!({ "ids": { SECRET_WORD: ["fix"] } });
        let patterns = Call::put(format!("/api/users/{user}/categorization/patterns"));
        let decided = world.send(patterns.token(token).json(&decided)).await;
        assert_eq!(decided.status, 202, "{}", decided.text);
        let rules = Call::put("/api/categorization/rules/person").token(token);
        let rules = rules.body("application/toml", format!("# {SECRET_WORD}\n"));
        let rules = world.send(rules).await;
        assert_eq!(rules.status, 200, "{}", rules.text);
        let log = Call::get(format!("/api/webhooks/{webhook}/deliveries")).token(token);
        let log = world.send(log).await.json();
        let delivery = text(&log["deliveries"][0]["deliveryID"]);
        Self {
            user,
            webhook,
            delivery,
        }
    }

    fn path(&self, pattern: &str) -> String {
        pattern
            .replace("{user-id}", &self.user)
            .replace("{transaction-id}", "t1")
            .replace("{type}", "person")
            .replace("{webhook-id}", &self.webhook)
            .replace("{delivery-id}", &self.delivery)
    }

    /// Everything of it that can be read.
    async fn seen(&self, world: &World, token: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        for pattern in [
            "/api/users",
            "/api/users/{user-id}",
            "/api/users/{user-id}/banking/accounts",
            "/api/users/{user-id}/categorization",
            "/api/users/{user-id}/categorization/patterns",
            "/api/users/{user-id}/categorization/transactions",
            "/api/users/{user-id}/categorization/transactions/{transaction-id}",
            "/api/users/{user-id}/categorization/{transaction-id}/explanation",
            "/api/categorization/rules/{type}",
            "/api/webhooks",
            "/api/webhooks/{webhook-id}",
            "/api/webhooks/{webhook-id}/deliveries",
        ] {
            let answer = world.send(Call::get(self.path(pattern)).token(token)).await;
            assert_eq!(answer.status, 200, "{pattern}");
            seen.push(answer.json());
        }
        seen
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// A body that the owner could send to a path.
fn body_of(pattern: &str) -> Value {
    if pattern.ends_with("/banking/accounts") {
        json!({ "accounts": [{
            "iban": "DE89370400440532013000",
            "owner": "Max Mustermann",
            "transactions": [
                { "transactionId": "t1", "amount": -1, "bookingDate": 1_705_928_941 }
            ],
        }] })
    } else if pattern.ends_with("/patterns") {
        json!({ "ids": { "t1": ["fix"] } })
    } else if pattern.ends_with("/replay") {
        json!({ "since": "2026-01-01T00:00:00Z" })
    } else if pattern.starts_with("/api/webhooks") {
        json!({ "url": "http://127.0.0.1:9/foreign", "events": ["user.created"] })
    } else {
        json!({ "type": "person", "name": "Stranger" })
    }
}

/// Every documented operation on a tenant, and the methods that are routed beside them.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(gateway::openapi_document()).expect("json");
    let mut operations = vec![
        (Method::PUT, "/api/users/{user-id}".to_owned()),
        (Method::PUT, "/api/webhooks/{webhook-id}".to_owned()),
        (
            Method::POST,
            "/api/users/{user-id}/categorization/patterns".to_owned(),
        ),
        (
            Method::GET,
            "/api/users/{user-id}/categorization/transactions/{transaction-id}/tags".to_owned(),
        ),
    ];
    for (pattern, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation.get("security").is_some() {
                let method = method.to_uppercase().parse().expect("a method");
                operations.push((method, pattern.clone()));
            }
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

fn call(method: &Method, pattern: &str, owned: &Owned) -> Call {
    let call = Call::new(method.clone(), owned.path(pattern));
    if *method == Method::GET || *method == Method::DELETE {
        call
    } else if pattern.ends_with("/rules/{type}") {
        call.body("application/toml", "# nothing\n")
    } else {
        call.json(&body_of(pattern))
    }
}

#[tokio::test]
async fn strangers_neither_see_nor_change_anything() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let owned = Owned::make(&world, &token).await;
    let before = owned.seen(&world, &token).await;
    let stranger = world.token(GLOBEX).await;

    for (method, pattern) in operations() {
        // A tenant's rules are named by type: a stranger finds and changes his own.
        let of_tenant = pattern.ends_with("/rules/{type}");
        let named = pattern.contains('{') && !of_tenant;
        let own = if of_tenant {
            vec![200, 204, 404]
        } else {
            vec![200, 201]
        };
        for (call, expected) in [
            (call(&method, &pattern, &owned), vec![401]),
            (call(&method, &pattern, &owned).token("forged"), vec![401]),
            (
                call(&method, &pattern, &owned).token(&stranger),
                if named { vec![404] } else { own.clone() },
            ),
            (
                call(&method, &pattern, &owned)
                    .token(&stranger)
                    .tenant(ACME),
                vec![403],
            ),
            (
                call(&method, &pattern, &owned)
                    .token(&token)
                    .tenant("acme-other"),
                if named { vec![404] } else { own },
            ),
        ] {
            let answer = world.send(call.clone()).await;
            assert!(
                expected.contains(&answer.status),
                "{call:?}: {}",
                answer.text
            );
            for secret in [&owned.user, &owned.webhook, &owned.delivery, SECRET_WORD] {
                assert!(!answer.text.contains(secret), "{call:?}: {}", answer.text);
            }
            world.clock.advance_seconds(1);
        }
        if pattern.contains("correlation") {
            world.clock.advance_seconds(5);
        }
    }
    let token = world.token(ACME).await;
    assert_eq!(owned.seen(&world, &token).await, before);
}

#[tokio::test]
async fn equal_names_under_two_clients_are_two_tenants() {
    let world = World::start().await;
    world.add_client("acme-eu", &["webhooks"]).await;
    let (parent, child) = (world.token(ACME).await, world.token("acme-eu").await);
    // `acme-eu` is the default tenant of one client and a chosen one of the other.
    let add = Call::post("/api/users").json(&json!({ "type": "person" }));
    let of_child = world.send(add.clone().token(&child)).await;
    let of_parent = world.send(add.token(&parent).tenant("acme-eu")).await;
    assert_eq!(
        of_child.json()["context"],
        json!({ "client": "acme-eu", "tenant": "acme-eu" })
    );
    assert_eq!(
        of_parent.json()["context"],
        json!({ "client": "acme", "tenant": "acme-eu" })
    );
    let path =
        |answer: &crate::support::Answer| format!("/api/users/{}", text(&answer.json()["userId"]));
    for (call, status) in [
        (Call::get(path(&of_child)).token(&child), 200),
        (
            Call::get(path(&of_child)).token(&parent).tenant("acme-eu"),
            404,
        ),
        (
            Call::get(path(&of_parent)).token(&parent).tenant("acme-eu"),
            200,
        ),
        (Call::get(path(&of_parent)).token(&parent), 404),
        (Call::get(path(&of_parent)).token(&child), 404),
    ] {
        assert_eq!(world.send(call.clone()).await.status, status, "{call:?}");
    }
}

#[tokio::test]
async fn tenants_are_named_after_their_client() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let list = |tenant: &str| Call::get("/api/users").token(&token).tenant(tenant);
    for tenant in ["acme", "acme-app", "acme-app-2", ""] {
        assert_eq!(world.send(list(tenant)).await.status, 200, "{tenant}");
    }
    for tenant in ["acmeapp", "acme-", "ACME", "globex", "globex-app", "other"] {
        assert_eq!(
            world.send(list(tenant)).await.failure(),
            NOT_YOURS,
            "{tenant}"
        );
    }
    let long = format!("acme-{}", "x".repeat(300));
    assert_eq!(
        world.send(list(&long)).await.failure(),
        "400 invalidInput: TenantID: must not be longer than 256 bytes"
    );
    // What the operator made for a client counts, whatever its name (G-50).
    let acme = ClientId::try_new(ACME).expect("an id");
    let made = world
        .store
        .tenant(&acme, "legacy", UnknownTenant::Create)
        .await;
    made.expect("a tenant");
    assert_eq!(world.send(list("legacy")).await.status, 200);
    let stranger = world.token(GLOBEX).await;
    let foreign = Call::get("/api/users").token(&stranger).tenant("legacy");
    assert_eq!(world.send(foreign).await.failure(), NOT_YOURS);
}

#[tokio::test]
async fn strict_tenancy_creates_no_more_than_the_default() {
    let settings = GatewaySettings {
        tenancy: TenancyMode::Strict,
        ..GatewaySettings::default()
    };
    let world = World::with(settings).await;
    let token = world.token(ACME).await;
    let list = |tenant: &str| Call::get("/api/users").token(&token).tenant(tenant);
    assert_eq!(
        world
            .send(Call::get("/api/users").token(&token))
            .await
            .status,
        200
    );
    assert_eq!(world.send(list("acme-app")).await.failure(), NOT_YOURS);
    let acme = ClientId::try_new(ACME).expect("an id");
    let made = world
        .store
        .tenant(&acme, "acme-app", UnknownTenant::Create)
        .await;
    made.expect("a tenant");
    assert_eq!(world.send(list("acme-app")).await.status, 200);
}
