//! Tenants never see each other: every route of the running service's own OpenAPI document is
//! walked with a stranger's token and the ids of another client's objects.

use std::time::{Duration, Instant};

use crate::api::{Answer, Api};
use crate::upload::household;
use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const IBAN: &str = "DE02120300000000202051";
const OWNER: &str = "Wilhelmine Musterfrau-Geheim";
/// What the victim's patterns and rules hold.
const PATTERN: &str = "geheimbund";
const RULES_OF_PERSONS: &str = "/api/categorization/rules/person";

/// The objects of the client that is being spied on.
struct Victim {
    api: Api,
    user: String,
    webhook: String,
    delivery: String,
}

impl Victim {
    async fn set_up(api: Api) -> Self {
        let user = json!({ "type": "person", "name": OWNER, "customUserID": "geheim-1" });
        let user = api.add_user(&user).await.expect("a user");
        let hook = json!({
            // Nobody listens on the discard port, so the deliveries stay pending.
            "url": "http://127.0.0.1:9/geheim", "method": "POST",
            "events": ["categorization", "analysis.finished"], "secret": "geheimes-wort",
        });
        let hook = api
            .send(Method::POST, "/api/webhooks", Some(&hook))
            .await
            .expect("an answer");
        let webhook = hook.body["webhookID"]
            .as_str()
            .expect("a webhook")
            .to_owned();
        let path = format!("/api/users/{user}/banking/accounts");
        let upload = household(IBAN, OWNER, 20);
        let stored = api
            .send(Method::POST, &path, Some(&upload))
            .await
            .expect("an answer");
        let correlation = stored.correlation_id.expect("a run");
        let deadline = Instant::now() + Duration::from_mins(1);
        api.finished(&user, &correlation, deadline)
            .await
            .expect("finished");
        decide(&api, &user).await;
        let path = format!("/api/webhooks/{webhook}/deliveries");
        let log = api.send(Method::GET, &path, None).await.expect("an answer");
        let delivery = log.body["deliveries"][0]["deliveryID"].as_str();
        let delivery = delivery
            .unwrap_or_else(|| panic!("a delivery: {}", log.body))
            .to_owned();
        Self {
            api,
            user,
            webhook,
            delivery,
        }
    }

    /// Everything that the victim can see of its own, except what time changes by itself.
    async fn state(&self) -> Vec<Value> {
        let paths = [
            "/api/users".to_owned(),
            format!("/api/users/{}/banking/accounts", self.user),
            format!("/api/users/{}/categorization?pageSize=50", self.user),
            format!("/api/users/{}/categorization/patterns", self.user),
            format!("/api/users/{}/categorization/transactions", self.user),
            format!("/api/users/{}/categorization/t1/explanation", self.user),
            "/api/categorization/rules/person".to_owned(),
            "/api/webhooks".to_owned(),
        ];
        let mut state = Vec::new();
        for path in paths {
            let answer = self
                .api
                .send(Method::GET, &path, None)
                .await
                .expect("an answer");
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            state.push(answer.body);
        }
        state
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{user-id}", &self.user)
            .replace("{webhook-id}", &self.webhook)
            .replace("{delivery-id}", &self.delivery)
            .replace("{transaction-id}", "t1")
            .replace("{type}", "person")
    }

    fn is_named_in(&self, answer: &Answer) -> bool {
        let text = answer.body.to_string();
        [
            &self.user,
            &self.webhook,
            &self.delivery,
            IBAN,
            OWNER,
            "geheim-1",
            "geheimes-wort",
            PATTERN,
        ]
        .iter()
        .any(|secret| text.contains(*secret))
    }
}

/// Decides about a user and the tenant in words that nobody else may read.
async fn decide(api: &Api, user: &str) {
    let patterns = json!({ "ids": { PATTERN: ["fix"] } });
    let path = format!("/api/users/{user}/categorization/patterns");
    let set = api.send(Method::PUT, &path, Some(&patterns)).await;
    let set = set.expect("an answer");
    assert_eq!(set.status, StatusCode::ACCEPTED, "{}", set.body);
    let run = set.correlation_id.expect("a run");
    let deadline = Instant::now() + Duration::from_mins(1);
    api.finished(user, &run, deadline).await.expect("finished");
    let rules = format!("# {PATTERN}\n");
    let set = api.send_as(Method::PUT, RULES_OF_PERSONS, "application/toml", &rules);
    let set = set.await.expect("an answer");
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
}

/// Every operation that the service documents: method and path template.
async fn operations(api: &Api) -> Vec<(Method, String)> {
    let document = api
        .send(Method::GET, "/api/openapi.json", None)
        .await
        .expect("an answer");
    let paths = document.body["paths"].as_object().expect("paths").clone();
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                let method = method.to_uppercase().parse().expect("a method");
                operations.push((method, path.clone()));
            }
        }
    }
    operations
}

/// A body that would be accepted, so that only ownership can be the reason for a refusal.
fn acceptable_body(method: &Method, path: &str) -> Option<Value> {
    let webhook = json!({
        "url": "http://127.0.0.1:9/stranger", "method": "POST", "events": ["categorization"],
    });
    match (method.as_str(), path) {
        ("GET" | "DELETE", _) => None,
        (_, path) if path.ends_with("/banking/accounts") => {
            Some(household("DE89370400440532013000", "Stranger", 2))
        }
        ("POST", "/api/users") => Some(json!({ "type": "person" })),
        (_, "/api/users/{user-id}") => Some(json!({ "name": "Stranger" })),
        (_, "/api/webhooks" | "/api/webhooks/{webhook-id}") => Some(webhook),
        (_, path) if path.ends_with("/replay") => Some(json!({ "since": "2020-01-01T00:00:00Z" })),
        _ => Some(json!({})),
    }
}

/// Sends what would be accepted from the owner.
async fn attempt(api: &Api, method: &Method, template: &str, path: &str) -> Answer {
    let answer = if *method == Method::PUT && path == RULES_OF_PERSONS {
        api.send_as(Method::PUT, path, "application/toml", "# nothing\n")
            .await
    } else {
        let body = acceptable_body(method, template);
        api.send(method.clone(), path, body.as_ref()).await
    };
    answer.expect("an answer")
}

fn is_public(path: &str) -> bool {
    path == "/api/auth"
        || path.starts_with("/health")
        || path.starts_with("/metrics")
        || path.starts_with("/api/openapi")
        || path.starts_with("/api/docs")
}

async fn walk(stranger: &Api, victim: &Victim) -> usize {
    let operations = operations(&victim.api).await;
    let mut walked = 0;
    for (method, template) in &operations {
        if is_public(template) {
            continue;
        }
        let path = victim.fill(template);
        assert!(
            !path.contains('{'),
            "a parameter of {template} is not known to this test"
        );
        let answer = attempt(stranger, method, template, &path).await;
        let shown = format!("{method} {template}: {} {}", answer.status, answer.body);
        // A tenant's rules are named by type: everybody has his own.
        if template.contains('{') && path != RULES_OF_PERSONS {
            assert!(matches!(answer.status.as_u16(), 401 | 403 | 404), "{shown}");
        }
        assert!(!answer.status.is_server_error(), "{shown}");
        assert!(!victim.is_named_in(&answer), "{shown}");
        walked += 1;
    }
    walked
}

#[tokio::test]
async fn no_route_shows_or_changes_another_client_s_objects() {
    let world = World::on_database().expect("kontor serve");
    let victim = Victim::set_up(world.add_client("acme").expect("a client")).await;
    let before = victim.state().await;
    let stranger = world.add_client("mallory").expect("a client");
    let walked = walk(&stranger, &victim).await;
    assert!(walked >= 15, "only {walked} operations are documented");
    // The stranger may not enter the victim's tenant by name either.
    let disguised = world
        .add_client("mallory-two")
        .expect("a client")
        .with_tenant("acme");
    for (method, template) in operations(&victim.api).await {
        if is_public(&template) {
            continue;
        }
        let path = victim.fill(&template);
        let answer = attempt(&disguised, &method, &template, &path).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{template}: {}",
            answer.body
        );
    }
    assert_eq!(victim.state().await, before);
    world.stop().expect("stopped");
}

#[tokio::test]
async fn equally_named_tenants_of_two_clients_stay_apart() {
    let world = World::on_database().expect("kontor serve");
    // `acme-west-one` is a valid tenant name of both clients.
    let acme = world
        .add_client("acme")
        .expect("a client")
        .with_tenant("acme-west-one");
    let west = world
        .add_client("acme-west")
        .expect("a client")
        .with_tenant("acme-west-one");
    let victim = Victim::set_up(acme).await;
    let before = victim.state().await;
    let listed = west
        .send(Method::GET, "/api/users", None)
        .await
        .expect("an answer");
    assert_eq!(listed.body["context"]["count"], 0, "{}", listed.body);
    assert_eq!(listed.body["context"]["tenant"], "acme-west-one");
    walk(&west, &victim).await;
    assert_eq!(victim.state().await, before);
    // The same client under its default tenant does not see the other tenant's user either.
    let default = world.api_of("acme").expect("the client again");
    let path = format!("/api/users/{}", victim.user);
    let answer = default
        .send(Method::GET, &path, None)
        .await
        .expect("an answer");
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    world.stop().expect("stopped");
}

#[tokio::test]
async fn nothing_of_a_deleted_user_remains() {
    let world = World::distributed().await.expect("gateway and workers");
    let victim = Victim::set_up(world.add_client("acme").expect("a client")).await;
    let again = format!("/api/users/{}/trigger-analysis", victim.user);
    victim
        .api
        .send(Method::POST, &again, None)
        .await
        .expect("an answer");
    let dump = world.dump_database().expect("a dump");
    assert!(
        dump.contains(OWNER) && dump.contains(IBAN),
        "the scan would find them"
    );

    let path = format!("/api/users/{}", victim.user);
    let deleted = victim
        .api
        .send(Method::DELETE, &path, None)
        .await
        .expect("an answer");
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);

    let path = format!("/api/webhooks/{}/deliveries", victim.webhook);
    let log = victim
        .api
        .send(Method::GET, &path, None)
        .await
        .expect("an answer");
    let deliveries = log.body["deliveries"]
        .as_array()
        .expect("deliveries")
        .clone();
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        assert_ne!(delivery["status"], "pending", "{delivery}");
    }
    let places = [
        ("database", world.dump_database().expect("a dump")),
        ("queues", world.broker_files().expect("the broker's files")),
        ("logs", world.logs()),
    ];
    for (place, content) in places {
        for personal in [OWNER, IBAN, "geheim-1", "Musterfrau"] {
            assert!(
                !content.contains(personal),
                "{personal} remains in the {place}"
            );
        }
    }
    world.stop().expect("stopped");
}
