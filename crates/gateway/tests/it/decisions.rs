//! Patterns of users, rules of tenants, and explanations of what they decide.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{ACME, Answer, Call, World, finish_runs, sample};

struct Deciding {
    world: World,
    token: String,
    user: String,
}

impl Deciding {
    async fn start() -> Self {
        let world = World::start().await;
        let token = world.token(ACME).await;
        let user = world.add_person(&token).await;
        Self { world, token, user }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/users/{}/categorization/{rest}", self.user)
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(Call::get(path).token(&self.token)).await
    }

    async fn patterns(&self) -> Value {
        let answer = self.get(&self.path("patterns")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    fn set(&self, body: &Value) -> Call {
        Call::put(self.path("patterns"))
            .token(&self.token)
            .json(body)
    }

    fn set_rules(&self, tree: &str, rules: &str) -> Call {
        let call = Call::put(format!("/api/categorization/rules/{tree}"));
        call.token(&self.token).body("application/toml", rules)
    }

    /// Two accounts with a transaction of the same identifier, one of them with another as well.
    async fn upload(&self) -> Answer {
        let transaction = |id: &str| {
            json!({
                "transactionId": id,
                "amount": -12.5,
                "bookingDate": 1_705_928_941,
                "purpose": "netflix",
            })
        };
        let accounts = json!({ "accounts": [
            { "accountId": "giro", "transactions": [transaction("t/1"), transaction("t2")] },
            { "accountId": "card", "transactions": [transaction("t/1")] },
        ] });
        let path = format!("/api/users/{}/banking/accounts", self.user);
        let call = Call::post(path).token(&self.token).json(&accounts);
        let answer = self.world.send(call).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }

    /// Gives every transaction a tag.
    async fn analyse(&self, tag: &str) {
        let path = format!("/api/users/{}/trigger-analysis", self.user);
        let run = self.world.send(Call::post(path).token(&self.token)).await;
        finish_runs(&self.world, ACME, &self.user, tag, &run).await;
    }
}

const NOT_CATEGORIZED: &str = "404 notFound: categorized transaction not found";
const NO_RULES: &str = "404 notFound: tenant rules not found";
const NOTHING: &str = r#"{"ids":{},"patterns":[]}"#;

#[tokio::test]
async fn patterns_are_replaced_as_a_whole() {
    let deciding = Deciding::start().await;
    assert_eq!(deciding.patterns().await.to_string(), NOTHING);
    // The documented body, with tags that lie on one path of a person's tree.
    let mut body = sample("001-categorization-set-patterns-request");
    body["patterns"][0]["tags"] = json!(["salary", "earning", "fix", "recurring"]);
    let stored = deciding.world.send(deciding.set(&body)).await;
    assert_eq!(stored.status, 202, "{}", stored.text);
    let run = stored.header("finoos-correlation-id").expect("a run");
    assert_eq!(stored.json()["correlationID"], run);
    let shown = deciding.patterns().await;
    assert_eq!(shown, body);
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let documented = sample("001-categorization-get-patterns-response");
    assert_eq!(
        keys(&shown["patterns"][0]),
        keys(&documented["patterns"][0])
    );

    let other = json!({ "patterns": [
        { "type": "creditorID", "value": "DE98ZZZ09999999999", "tags": ["groceries"] }
    ] });
    let post = Call::post(deciding.path("patterns"));
    let stored = deciding
        .world
        .send(post.token(&deciding.token).json(&other))
        .await;
    assert_eq!(stored.status, 202, "{}", stored.text);
    let shown = deciding.patterns().await;
    assert_eq!(shown["ids"], json!({}));
    assert_eq!(shown["patterns"][0]["type"], "creditorId");
    let stored = deciding.world.send(deciding.set(&json!({}))).await;
    assert_eq!(stored.status, 202, "{}", stored.text);
    assert_eq!(deciding.patterns().await.to_string(), NOTHING);
}

#[tokio::test]
async fn setting_patterns_starts_one_run_for_one_key() {
    let deciding = Deciding::start().await;
    let body = json!({ "patterns": [{ "type": "name", "value": "ACME", "tags": ["salary"] }] });
    let first = deciding.world.send(deciding.set(&body).key("k")).await;
    let again = deciding.world.send(deciding.set(&body).key("k")).await;
    assert_eq!((first.status, again.status), (202, 202));
    let run = |answer: &Answer| answer.header("finoos-correlation-id").map(str::to_owned);
    assert_eq!(run(&first), run(&again));
    assert_eq!(again.header("idempotency-hit"), Some("true"));
    let other = deciding.world.send(deciding.set(&json!({})).key("k")).await;
    assert_eq!(other.status, 409, "{}", other.text);
    assert_eq!(deciding.patterns().await["patterns"][0]["value"], "ACME");
}

/// A body with a good pattern before one that has another value at a key.
fn with(key: &str, value: Value) -> Value {
    let good = json!({ "type": "name", "value": "ACME", "tags": ["salary"] });
    let mut bad = good.clone();
    bad[key] = value;
    json!({ "patterns": [good, bad] })
}

/// Bodies that are refused, with the beginning of what is said about them.
fn bad_patterns() -> Vec<(Value, &'static str)> {
    let period = json!({ "patterns": [{
        "type": "name", "value": "ACME", "tags": ["salary"],
        "since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z",
    }] });
    vec![
        (json!([]), "must be an object"),
        (json!({ "ids": 7 }), "ids: "),
        (json!({ "ids": { "a": "fix" } }), "ids.a: "),
        (json!({ "ids": { "a": [] } }), "ids.a: "),
        (json!({ "ids": { "a": ["moon"] } }), "ids.a[0]: "),
        (json!({ "ids": { "": ["fix"] } }), "ids: "),
        (json!({ "patterns": {} }), "patterns: "),
        (
            with("type", json!("iban")),
            "patterns[1].type: must be one of: name, creditorId",
        ),
        (with("type", Value::Null), "patterns[1].type: is required"),
        (with("value", json!("")), "patterns[1].value: "),
        (with("value", json!("x".repeat(141))), "patterns[1].value: "),
        (with("value", json!("§§")), "patterns[1].value: "),
        (
            with("value", json!({})),
            "patterns[1].value: must be a string",
        ),
        (with("tags", json!([])), "patterns[1].tags: "),
        (
            with("tags", json!(["salary", "moon"])),
            "patterns[1].tags[1]: ",
        ),
        (with("tags", json!(["revenue"])), "patterns[1].tags[0]: "),
        (
            with("tags", json!(["salary", "pension"])),
            "patterns[1].tags",
        ),
        (
            with("tags", json!([1])),
            "patterns[1].tags[0]: must be a string",
        ),
        (with("since", json!("yesterday")), "patterns[1].since: "),
        (with("until", json!("2026-01-01")), "patterns[1].until: "),
        (period, "patterns[0]."),
    ]
}

#[tokio::test]
async fn bad_patterns_are_named_and_change_nothing() {
    let deciding = Deciding::start().await;
    let kept = with("value", json!("Müschke GmbH"));
    assert_eq!(deciding.world.send(deciding.set(&kept)).await.status, 202);
    let before = deciding.patterns().await;
    for (body, path) in bad_patterns() {
        let answer = deciding.world.send(deciding.set(&body)).await;
        let failure = answer.failure();
        let text: String = body.to_string().chars().take(200).collect();
        assert!(
            failure.starts_with(&format!("400 invalidInput: {path}")),
            "{text}: {failure}"
        );
        assert_eq!(answer.header("finoos-correlation-id"), None);
    }
    let many: Vec<Value> = (0..10_001)
        .map(|number| json!({ "type": "name", "value": format!("A{number}"), "tags": ["fix"] }))
        .collect();
    let many = json!({ "patterns": many });
    assert_eq!(
        deciding.world.send(deciding.set(&many)).await.failure(),
        "413 invalidInput: patterns: must not contain more than 10000 patterns and ids"
    );
    let twice = r#"{"ids":{"a":["fix"],"a":["gym"]}}"#;
    let call = Call::put(deciding.path("patterns")).token(&deciding.token);
    let twice = call.body("application/json", twice);
    assert_eq!(
        deciding.world.send(twice).await.failure(),
        "400 invalidInput: ids: holds a key twice"
    );
    assert_eq!(deciding.patterns().await, before);
}

#[tokio::test]
async fn bodies_that_are_no_patterns_are_refused() {
    let deciding = Deciding::start().await;
    let call = Call::put(deciding.path("patterns")).token(&deciding.token);
    let broken = call.clone().body("application/json", "{\"patterns\": [");
    assert_eq!(deciding.world.send(broken).await.status, 400);
    let empty = deciding.world.send(call.clone()).await;
    assert_eq!(empty.failure(), "400 invalidInput: a body is required");
    let form = deciding.world.send(call.clone().form("a=b")).await;
    assert_eq!(form.status, 415);
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(4 << 20));
    let long = deciding
        .world
        .send(call.body("application/json", long))
        .await;
    assert_eq!(long.status, 413, "{}", long.text);
    assert_eq!(deciding.patterns().await.to_string(), NOTHING);
}

#[tokio::test]
async fn ten_thousand_patterns_fit() {
    let deciding = Deciding::start().await;
    let many: Vec<Value> = (0..10_000)
        .map(|number| {
            let value = format!("{number} {}", "ä".repeat(130));
            json!({ "type": "name", "value": value, "tags": ["fix", "salary", "earning"] })
        })
        .collect();
    let body = json!({ "patterns": many });
    let stored = deciding.world.send(deciding.set(&body)).await;
    assert_eq!(stored.status, 202, "{}", stored.text);
    assert_eq!(
        deciding.patterns().await["patterns"]
            .as_array()
            .map(Vec::len),
        Some(10_000)
    );
}

#[tokio::test]
async fn tags_of_one_transaction() {
    let deciding = Deciding::start().await;
    let path = deciding.path("transactions/t%2F1");
    assert_eq!(deciding.get(&path).await.failure(), NOT_CATEGORIZED);
    deciding.upload().await;
    assert_eq!(deciding.get(&path).await.failure(), NOT_CATEGORIZED);
    deciding.analyse("insurance_legal").await;
    let plain = deciding.get(&path).await.json();
    let expected = json!({
        "accountId": "giro",
        "confidence": 0.9,
        "descriptiveTag": "insurance_legal",
        "tags": ["insurance_legal", "insurance", "spending"],
    });
    assert_eq!(plain, expected);
    let documented = sample("001-categorization-get-transaction-tags-response");
    for key in documented.as_object().expect("an object").keys() {
        assert!(plain.get(key).is_some(), "{key}");
    }
    let also = deciding
        .get(&format!("{path}/tags?language=DE"))
        .await
        .json();
    assert_eq!(also["localizedTag"], "Rechtsschutzversicherung");
    for (query, expected) in [
        ("?accountId=card", Ok("card")),
        ("?accountID=giro", Ok("giro")),
        ("?account-id=card", Ok("card")),
        ("?accountId=other", Err(NOT_CATEGORIZED)),
        (
            "?language=fr",
            Err("400 invalidInput: language: must be one of: de, en"),
        ),
    ] {
        let answer = deciding.get(&format!("{path}{query}")).await;
        match expected {
            Ok(account) => assert_eq!(answer.json()["accountId"], account, "{query}"),
            Err(failure) => assert_eq!(answer.failure(), failure, "{query}"),
        }
    }
    for unknown in ["nothing", "explanation", "t"] {
        let answer = deciding
            .get(&deciding.path(&format!("transactions/{unknown}")))
            .await;
        assert_eq!(answer.failure(), NOT_CATEGORIZED, "{unknown}");
    }
    let long = deciding.path(&format!("transactions/{}", "x".repeat(300)));
    assert_eq!(deciding.get(&long).await.status, 400);
}

#[tokio::test]
async fn transactions_carry_their_tags() {
    let deciding = Deciding::start().await;
    let path = deciding.path("transactions");
    let empty = deciding.get(&path).await;
    assert_eq!(
        (empty.status, empty.json()),
        (200, json!({ "accounts": [] }))
    );
    deciding.upload().await;
    let before = deciding.get(&path).await.json();
    assert_eq!(before["accounts"][0]["transactions"][0]["tags"], json!([]));
    deciding.analyse("insurance_legal").await;
    let answer = deciding.get(&format!("{path}?language=en")).await.json();
    let plain = deciding
        .get(&format!("/api/users/{}/banking/accounts", deciding.user))
        .await;
    let mut expected = plain.json();
    for account in expected["accounts"].as_array_mut().expect("an array") {
        for transaction in account["transactions"].as_array_mut().expect("an array") {
            transaction["confidence"] = json!(0.9);
            transaction["descriptiveTag"] = json!("insurance_legal");
            transaction["localizedTag"] = json!("Legal expenses insurance");
            transaction["tags"] = json!(["insurance_legal", "insurance", "spending"]);
        }
    }
    assert_eq!(answer, expected);
    assert_eq!(
        deciding.get(&format!("{path}?language=x")).await.status,
        400
    );
}

#[tokio::test]
async fn a_decision_that_would_be_made_differently_is_explained_as_it_was() {
    let deciding = Deciding::start().await;
    let path = deciding.path("t%2F1/explanation");
    assert_eq!(deciding.get(&path).await.status, 404);
    deciding.upload().await;
    deciding.analyse("insurance_legal").await;
    let answer = deciding.get(&format!("{path}?language=de")).await;
    let mut body = answer.redacted();
    body["body"]["alternatives"][0]["rule"] = json!("[the fallback]");
    body["body"]["alternatives"][0]["why"] = json!("[why]");
    insta::assert_json_snapshot!("explanation_changed", body);
    let also = deciding.path("transactions/t%2F1/explanation?accountId=card");
    assert_eq!(deciding.get(&also).await.json()["accountId"], "card");
}

const RULE: &str = r#"
[[rule]]
id = "our-netflix"
tag = "streaming"
strength = "name"
status = { stable = "0.1" }
direction = "debit"
purpose = { any = ["NETFLIX"] }
why = "What we call it."
source = "our own list"
hit = ["X | NETFLIX | -12.50"]
miss = ["X | NETTO | -12.50"]
"#;

#[tokio::test]
async fn rules_of_a_tenant_are_kept_as_sent() {
    let deciding = Deciding::start().await;
    let path = "/api/categorization/rules/person";
    assert_eq!(deciding.get(path).await.failure(), NO_RULES);
    let stored = deciding
        .world
        .send(deciding.set_rules("person", RULE))
        .await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert_eq!(stored.json()["rules"], 1);
    assert_eq!(stored.json().get("source"), None);
    let shown = deciding.get(path).await.json();
    assert_eq!(shown["source"], RULE);
    assert_eq!(shown["type"], "person");
    for key in ["hash", "rules", "updatedAt"] {
        assert_eq!(shown[key], stored.json()[key], "{key}");
    }
    assert_eq!(
        deciding
            .get("/api/categorization/rules/company")
            .await
            .failure(),
        NO_RULES
    );
    let plain = Call::put(path)
        .token(&deciding.token)
        .body("text/plain", "");
    assert_eq!(
        deciding.world.send(plain).await.status,
        400,
        "an empty body"
    );
    let comment = Call::put(path)
        .token(&deciding.token)
        .body("text/plain", "# none\n");
    let comment = deciding.world.send(comment).await;
    assert_eq!(
        (comment.status, comment.json()["rules"].clone()),
        (200, json!(0))
    );
    let delete = || Call::new(Method::DELETE, path).token(&deciding.token);
    assert_eq!(deciding.world.send(delete()).await.status, 204);
    assert_eq!(deciding.world.send(delete()).await.failure(), NO_RULES);
    assert_eq!(deciding.get(path).await.failure(), NO_RULES);
}

/// Rules that are refused, with the beginning of what is said about them.
fn bad_rules() -> Vec<(String, &'static str)> {
    let changed = |from: &str, to: &str| {
        assert!(RULE.contains(from), "{from}");
        RULE.replacen(from, to, 1)
    };
    vec![
        ("[[rule]\n".to_owned(), "line 1: "),
        (format!("{RULE}\nmoon = 1\n"), "line 2: "),
        (
            changed("streaming", "moon"),
            "rule \"our-netflix\": the tag is not in this tree",
        ),
        (
            changed("\"streaming\"", "\"spending\""),
            "rule \"our-netflix\": the tag is a root",
        ),
        (
            changed("\"name\"", "\"iron\""),
            "rule \"our-netflix\": the strength is not defined",
        ),
        (
            changed("our-netflix", "Our Netflix"),
            "rule \"Our Netflix\": the id",
        ),
        (
            changed("What we call it.", ""),
            "rule \"our-netflix\": `why`",
        ),
        (
            changed("X | NETFLIX | -12.50", "X | NETTO | -12.50"),
            "rule \"our-netflix\": `hit` example 1",
        ),
        (
            changed("X | NETTO | -12.50", "X | NETFLIX | -12.50"),
            "rule \"our-netflix\": `miss` example 1",
        ),
        (
            format!("{RULE}{RULE}"),
            "rule \"our-netflix\": another rule has the same id",
        ),
    ]
}

#[tokio::test]
async fn bad_rules_are_named_and_change_nothing() {
    let deciding = Deciding::start().await;
    let stored = deciding
        .world
        .send(deciding.set_rules("person", RULE))
        .await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    let path = "/api/categorization/rules/person";
    let before = deciding.get(path).await.json();
    for (rules, expected) in bad_rules() {
        let failure = deciding
            .world
            .send(deciding.set_rules("person", &rules))
            .await
            .failure();
        assert!(
            failure.starts_with(&format!("400 invalidInput: {expected}")),
            "{failure}\n{rules}"
        );
    }
    assert_eq!(deciding.get(path).await.json(), before);
}

#[tokio::test]
async fn bodies_that_are_no_rules_are_refused() {
    let deciding = Deciding::start().await;
    let path = "/api/categorization/rules/person";
    let call = || Call::put(path).token(&deciding.token);
    let json = deciding.world.send(call().json(&json!({}))).await;
    assert_eq!(
        json.failure(),
        "415 invalidInput: Content-Type must be application/toml or text/plain"
    );
    let binary = deciding
        .world
        .send(call().body("text/plain", vec![0xff]))
        .await;
    assert_eq!(binary.failure(), "400 invalidInput: must be UTF-8");
    let long = "#".repeat((1 << 20) + 1);
    let long = deciding.world.send(call().body("text/plain", long)).await;
    assert_eq!(long.status, 413);
    let pet = deciding.world.send(deciding.set_rules("pet", RULE)).await;
    assert_eq!(
        pet.failure(),
        "400 invalidInput: type: must be one of: person, company"
    );
    let company = deciding
        .world
        .send(deciding.set_rules("company", RULE))
        .await;
    assert!(
        company.failure().contains("is not in this tree"),
        "{}",
        company.text
    );
    assert_eq!(deciding.get(path).await.failure(), NO_RULES);
}

#[tokio::test]
async fn who_lacks_the_scope_neither_reads_nor_decides() {
    let deciding = Deciding::start().await;
    let world = &deciding.world;
    world
        .add_client("acme-b", &["banking", "categorization-categories"])
        .await;
    let foreign = world.token("acme-b").await;
    let without = world
        .add_user(
            &deciding.token,
            json!({ "type": "person", "userScopes": ["banking"] }),
        )
        .await;
    let of_user = |user: &str, rest: &str| format!("/api/users/{user}/categorization/{rest}");
    for rest in [
        "patterns",
        "transactions",
        "transactions/t",
        "t/explanation",
    ] {
        let call = Call::get(of_user(&deciding.user, rest)).token(&foreign);
        let refused = world.send(call).await.failure();
        assert!(
            refused.contains("the client lacks the scope categorization"),
            "{refused}"
        );
        let call = Call::get(of_user(&without, rest)).token(&deciding.token);
        let refused = world.send(call).await.failure();
        assert!(
            refused.contains("the user lacks the scope categorization"),
            "{refused}"
        );
    }
    let put = Call::put(of_user(&without, "patterns")).token(&deciding.token);
    assert_eq!(world.send(put.json(&json!({}))).await.status, 403);
    let rules = Call::put("/api/categorization/rules/person").token(&foreign);
    assert_eq!(world.send(rules.body("text/plain", RULE)).await.status, 403);
    let nobody = "b0a3d8f2-54a7-4a5e-9d4e-1f2a3b4c5d6e";
    let put = Call::put(of_user(nobody, "patterns")).token(&deciding.token);
    assert_eq!(
        world.send(put.json(&json!({}))).await.failure(),
        "404 notFound: user not found"
    );
    let get = Call::get(of_user(nobody, "patterns")).token(&deciding.token);
    assert_eq!(
        world.send(get).await.failure(),
        "404 notFound: user not found"
    );
}
