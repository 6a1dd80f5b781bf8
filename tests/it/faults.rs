//! Nothing is lost and nothing doubled while every process is killed in turn.
//!
//! Only instances that this test started are killed. The schedule follows from a seed
//! (`KONTOR_FAULT_SEED`), the number of kills from `KONTOR_FAULT_KILLS`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::random::Random;
use crate::upload::household;
use crate::world::{Victim, World, wait_for_messages};
use reqwest::Method;
use serde_json::json;
use testkit::receiver::{Received, Receiver};

/// Users that upload at the same time.
const USERS: usize = 10;
/// Uploads of one user; the service keeps the newest 50 runs of a user and forgets older ones.
const ROUNDS_MAX: usize = 45;
/// Pause between two uploads of one user.
const PAUSE: Duration = Duration::from_millis(1_500);
/// Transactions of one upload.
const TRANSACTIONS: usize = 40;
/// Kills of one run, spread over all victims.
const KILLS: u64 = 20;
/// Seed when none is given.
const SEED: u64 = 20_261_120;
/// How long one write may be refused or unanswered before the test fails.
const INSIST_SECONDS_MAX: u64 = 180;
/// How long all runs and deliveries may take after the last kill.
const SETTLE_SECONDS_MAX: u64 = 240;

/// The events that the webhook of this test hears of; each run must cause each once.
const EVENTS: [&str; 2] = ["categorization", "analysis.finished"];

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Uploads again and again until told to stop; returns the runs that were accepted.
async fn stream(api: Arc<Api>, user: String, number: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut accepted = Vec::new();
    let path = format!("/api/users/{user}/banking/accounts");
    while !stop.load(Ordering::Relaxed) && accepted.len() < ROUNDS_MAX {
        let round = accepted.len();
        let key = format!("user-{number}-round-{round}");
        // Every round adds rows, so that a doubled or lost upload shows in their number.
        let upload = household(
            "DE02120300000000202051",
            "Max Beispiel",
            TRANSACTIONS + round,
        );
        let deadline = Instant::now() + Duration::from_secs(INSIST_SECONDS_MAX);
        let answer = api
            .insist(&path, &upload, &key, deadline)
            .await
            .expect("accepted at last");
        accepted.push(answer.correlation_id.expect("a run"));
        tokio::time::sleep(PAUSE).await;
    }
    accepted
}

async fn chaos(world: &mut World, seed: u64, kills: u64) -> BTreeMap<Victim, u64> {
    let mut random = Random::new(seed);
    let mut killed = BTreeMap::new();
    for round in 0..kills {
        // Each victim comes in turn, so that none is spared by a seed; the pauses are random.
        let victim = Victim::ALL[usize::try_from(round).expect("small") % Victim::ALL.len()];
        tokio::time::sleep(Duration::from_millis(200 + random.below(1_200))).await;
        world.kill(victim).expect("killed");
        *killed.entry(victim).or_default() += 1;
        tokio::time::sleep(Duration::from_millis(random.below(800))).await;
        world.restart(victim).await.expect("restarted");
    }
    killed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_nothing_and_double_nothing() {
    let seed = number("KONTOR_FAULT_SEED", SEED);
    let kills = number("KONTOR_FAULT_KILLS", KILLS);
    let started = Instant::now();
    let mut world = World::distributed().await.expect("a whole system");
    let receiver = Receiver::start().await.expect("a receiver");
    let api = Arc::new(world.add_client("chaos").expect("a client"));
    let hook = json!({ "url": receiver.url("/hook"), "method": "POST", "events": EVENTS });
    let hook = api
        .send(Method::POST, "/api/webhooks", Some(&hook))
        .await
        .expect("an answer");
    assert_eq!(hook.status, 201, "{}", hook.body);

    let stop = Arc::new(AtomicBool::new(false));
    let mut users = Vec::new();
    let mut streams = tokio::task::JoinSet::new();
    for user_number in 0..USERS {
        let user = api.add_person().await.expect("a user");
        users.push(user.clone());
        let (api, stop) = (Arc::clone(&api), Arc::clone(&stop));
        streams.spawn(async move { (user.clone(), stream(api, user, user_number, stop).await) });
    }
    let killed = chaos(&mut world, seed, kills).await;
    stop.store(true, Ordering::Relaxed);
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(finished) = streams.join_next().await {
        let (user, runs) = finished.expect("a stream");
        accepted.insert(user, runs);
    }

    let deadline = Instant::now() + Duration::from_secs(SETTLE_SECONDS_MAX);
    for (user, runs) in &accepted {
        for run in runs {
            api.finished(user, run, deadline)
                .await
                .expect("every accepted upload has a run");
        }
    }
    let expected: usize = accepted.values().map(Vec::len).sum();
    let deliveries = wait_for_messages(&receiver, expected * EVENTS.len(), deadline).await;
    let deliveries = deliveries.expect("every event of every run is delivered");
    check_events(&accepted, &deliveries);
    check_rows(&world, &accepted);
    println!(
        "seed {seed}: {kills} kills {killed:?}, {expected} uploads accepted, {expected} runs \
         finished, {} distinct events in {} deliveries, {:?}",
        expected * EVENTS.len(),
        deliveries.len(),
        started.elapsed()
    );
}

/// Each run told each event, always under the same id.
fn check_events(accepted: &BTreeMap<String, Vec<String>>, received: &[Received]) {
    let mut ids: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for request in received {
        let body = request.json().expect("a JSON payload");
        let text = |key: &str| body[key].as_str().expect("a text").to_owned();
        let id = request.header("webhook-id").expect("an id");
        ids.entry((text("correlationID"), text("event")))
            .or_default()
            .insert(id);
    }
    for run in accepted.values().flatten() {
        for event in EVENTS {
            let found = ids
                .get(&(run.clone(), event.to_owned()))
                .map_or(0, BTreeSet::len);
            assert_eq!(found, 1, "{event} of run {run} has {found} ids");
        }
    }
    let runs: BTreeSet<&str> = accepted.values().flatten().map(String::as_str).collect();
    for (run, event) in ids.keys() {
        assert!(
            runs.contains(run.as_str()),
            "{event} of run {run}, which no caller was told of"
        );
    }
}

/// The database holds exactly what was accepted, and nothing is on its way any more.
fn check_rows(world: &World, accepted: &BTreeMap<String, Vec<String>>) {
    for (user, runs) in accepted {
        let count = |table: &str| {
            world
                .query(&format!(
                    "select count(*) from {table} where user_id = '{user}'"
                ))
                .expect("a count")
        };
        let last_upload = TRANSACTIONS + runs.len().saturating_sub(1);
        assert_eq!(
            count("transaction"),
            last_upload.to_string(),
            "transactions of {user}"
        );
        assert_eq!(
            count("transaction_tag"),
            last_upload.to_string(),
            "tags of {user}"
        );
        assert_eq!(count("account"), "1", "accounts of {user}");
        let open = "select count(*) from analysis_run where status <> 'done' and user_id = ";
        assert_eq!(
            world.query(&format!("{open}'{user}'")).expect("a count"),
            "0"
        );
    }
    let waiting = "select count(*) from outbox where published_at is null";
    assert_eq!(world.query(waiting).expect("a count"), "0", "messages wait");
    let dead = "select count(*) from dead_letter";
    assert_eq!(world.query(dead).expect("a count"), "0", "messages died");
}
