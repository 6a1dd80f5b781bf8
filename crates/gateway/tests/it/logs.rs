use std::io::Write;
use std::sync::{Mutex, OnceLock};

use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{ACME, Answer, Call, SECRET, World};

/// Everything that is logged by any test of this process.
#[derive(Clone, Copy)]
struct Log;

fn lines() -> &'static Mutex<Vec<u8>> {
    static LINES: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LINES.get_or_init(Mutex::default)
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lines()
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

#[tokio::test]
async fn logs_identify_requests_and_hold_no_personal_data() {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new("debug,gateway=trace,store=trace,sqlx=trace"))
        .with_writer(Log)
        .init();
    let world = World::start().await;
    let token = world.token(ACME).await;
    let (name, custom, iban) = (
        "Zacharias Kranich",
        "zk-0815-private",
        "DE02120300000000202051",
    );
    let purpose = "Zuzahlung Kniegelenk";
    let user = json!({ "type": "person", "name": name, "customUserID": custom });
    let user = world.add_user(&token, user).await;
    let hook =
        json!({ "url": "http://127.0.0.1:9/hook", "events": ["banking"], "secret": "hush-hush" });
    let hook = world
        .send(Call::post("/api/webhooks").token(&token).json(&hook))
        .await;
    let signing = hook.json()["signingSecret"]
        .as_str()
        .expect("a secret")
        .to_owned();

    let path = format!("/api/users/{user}/banking/accounts");
    let booking = json!({ "amount": -10, "bookingDate": 1_705_928_941, "purpose": purpose });
    let fine = json!({ "accounts": [{ "iban": iban, "owner": name, "transactions": [booking] }] });
    let upload = |body: &serde_json::Value| Call::post(&path).token(&token).json(body);
    let answer = world
        .send(upload(&fine).header("x-request-id", "find-me-7"))
        .await;
    assert_eq!(answer.status, 201);
    // Refused content must not leak by its refusal.
    let wrong = json!({ "accounts": [{ "iban": iban, "balance": name, "type": purpose }] });
    assert_eq!(world.send(upload(&wrong)).await.status, 400);
    let broken = format!("{{\"accounts\":[{{\"iban\":\"{iban}\",\"owner\":\"{name}\" {purpose}");
    let broken = Call::post(&path)
        .token(&token)
        .body("application/json", broken);
    assert_eq!(world.send(broken).await.status, 400);
    assert_eq!(world.send(Call::get(&path).token(&token)).await.status, 200);
    refuse_decisions(&world, &token, &user, [name, iban]).await;
    let secret = json!({ "name": ACME, "secret": "wrong-but-private" });
    assert_eq!(
        world
            .send(Call::post("/api/auth").json(&secret))
            .await
            .status,
        401
    );
    let in_path = Call::get(format!("/api/users/{custom}?name={custom}")).token(&token);
    assert_eq!(world.send(in_path).await.status, 400);
    let deleted = Call::delete(format!("/api/users/{user}")).token(&token);
    assert_eq!(world.send(deleted).await.status, 204);

    check_request(&answer, &user);
    let log = logged();
    for private in [
        name,
        custom,
        iban,
        purpose,
        "hush-hush",
        SECRET,
        "wrong-but-private",
        "private-id-4711",
        &token,
        &signing,
    ] {
        let leak = log.lines().find(|line| line.contains(private));
        assert_eq!(leak, None, "{private}");
    }
}

/// Sends patterns and rules that are refused, with what nobody may find in the log.
async fn refuse_decisions(world: &World, token: &str, user: &str, [name, iban]: [&str; 2]) {
    let decisions = format!("/api/users/{user}/categorization/patterns");
    for wrong in [
        json!({ "ids": { "private-id-4711": ["moon"] } }),
        json!({ "ids": { "private-id-4711": "moon" } }),
        json!({ "patterns": [{ "type": "name", "value": name, "tags": [name] }] }),
    ] {
        let call = Call::put(decisions.clone()).token(token).json(&wrong);
        assert_eq!(world.send(call).await.status, 400, "{wrong}");
    }
    for wrong in [
        format!("rule = \"{name}\""),
        format!("[[rule]]\nid = \"{iban}"),
    ] {
        let call = Call::put("/api/categorization/rules/person").token(token);
        let answer = world.send(call.body("application/toml", wrong)).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.text.contains(name) && !answer.text.contains(iban));
    }
}

fn logged() -> String {
    String::from_utf8(lines().lock().expect("not poisoned").clone()).expect("UTF-8")
}

/// The one line about a request names everything that support asks for.
fn check_request(answer: &Answer, user: &str) {
    let log = logged();
    let run = answer.header("finoos-correlation-id").expect("a run");
    let request = log
        .lines()
        .find(|line| line.contains("find-me-7") && line.contains("answered"));
    let request: serde_json::Value = serde_json::from_str(request.expect("logged")).expect("json");
    assert_eq!(request["fields"]["http.status"], 201);
    let span = &request["span"];
    assert_eq!(span["client.id"], ACME);
    assert_eq!(span["user.id"], user);
    assert_eq!(span["correlation.id"], run);
    assert_eq!(span["http.route"], "/api/users/{user-id}/banking/accounts");
}
