//! Single jobs: what they store, what they announce, and what they do not do twice.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{CorrelationId, IdSource, SystemClock, SystemIds, TenantId};
use pipeline::{Cpu, Disposition, Outcome, PANICS_MAX, PipelineError, RescuePolicy, rescue};
use serde_json::{Value, json};
use store::{PoolSettings, RunStatus, StoreError, SystemStore};
use tokio::sync::Notify;

use crate::support::{World, purposes, traceparent, until};

const FINISHED: [&str; 4] = [
    "categorization",
    "categorization.notification",
    "analysis.finished",
    "analysis.finished.notification",
];

fn transaction_ids(body: &Value) -> Vec<String> {
    let items = body["categorization"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["transactionId"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn a_run_is_analysed_stored_and_announced() {
    let world = World::new().await;
    let user = world.add_user(&["categorization", "contracts"]).await;
    let correlation_id = world.upload(user, &purposes(3)).await;
    let job = world.take_jobs().await.remove(0);
    let outcome = world.analyses().handle(&job).await.expect("handled");
    assert_eq!(outcome, Outcome::Finished { runs: 1 });

    let run = world.run(user, correlation_id).await;
    assert_eq!(run.status, RunStatus::Done);
    assert_eq!(run.result_of, Some(correlation_id));
    // The clock shows 23:30 UTC; in Berlin the next day has begun.
    assert_eq!(run.as_of, "2026-01-15".parse().ok());
    assert_eq!(
        run.engine_version.as_deref(),
        Some(analysis::ENGINE_VERSION)
    );
    assert_eq!(run.rule_pack_hash.map(|hash| hash.len()), Some(64));
    assert_eq!(run.taxonomy_hash.map(|hash| hash.len()), Some(64));
    assert_eq!(run.findings_json.as_deref(), Some("[]"));

    let body = world.body(user, correlation_id).await.expect("an answer");
    assert_eq!(transaction_ids(&body), ["t0", "t1", "t2"]);
    let item = &body["categorization"][0];
    assert_eq!(item["descriptiveTag"], "salary_wage");
    assert_eq!(item["tags"][0], "salary_wage");
    assert_eq!(item["creationDate"], "2026-01-15T00:30:00+01:00");
    assert_eq!(item["transaction"]["purpose"], "LOHN GEHALT NR 0");
    assert_eq!(item["transaction"]["amount"], json!(2000));

    assert_eq!(world.events(correlation_id), FINISHED);
    let told = world.told();
    assert_eq!(told[0].data, Some(body));
    assert_eq!(told[1].data, None);
    let finished = json!({
        "correlationID": correlation_id.to_string(),
        "scopes": ["categorization"],
    });
    assert_eq!(told[2].data, Some(finished));
    for told in told {
        assert_eq!(told.traceparent, Some(traceparent(correlation_id)));
        assert_eq!(told.user, user.to_string());
    }
}

#[tokio::test]
async fn a_message_that_comes_again_changes_nothing() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run = world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let analyses = world.analyses();
    analyses.handle(&job).await.expect("handled");
    let (told, before) = (world.told(), world.run(user, run).await);
    world.clock.advance(Duration::from_hours(1));
    let outcome = analyses.handle(&job).await.expect("handled");
    assert_eq!(outcome, Outcome::AlreadyFinished);
    assert_eq!(world.told(), told);
    assert_eq!(world.run(user, run).await, before);
    assert_eq!(world.query("select count(*) from inbox"), "1");
}

#[tokio::test]
async fn newer_data_answers_for_a_run_that_had_not_started() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let first = world.upload(user, &purposes(1)).await;
    let second = world.upload(user, &purposes(3)).await;
    let jobs = world.take_jobs().await;
    let analyses = world.analyses();
    let outcome = analyses.handle(&jobs[0]).await.expect("handled");
    assert_eq!(outcome, Outcome::Finished { runs: 2 });
    let outcome = analyses.handle(&jobs[1]).await.expect("handled");
    assert_eq!(outcome, Outcome::AlreadyFinished);

    let body = world.body(user, first).await.expect("an answer");
    assert_eq!(transaction_ids(&body), ["t0", "t1", "t2"]);
    assert_eq!(world.body(user, second).await, Some(body));
    assert_eq!(world.events(first), FINISHED);
    assert_eq!(world.events(second), FINISHED);
    // The older request is announced first.
    let runs: Vec<String> = world.told().into_iter().map(|told| told.run).collect();
    assert_eq!(runs[..4], [(); 4].map(|()| first.to_string()));
}

#[tokio::test]
async fn the_answer_is_what_changed() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    let mut texts = purposes(3);
    world.upload(user, &texts).await;
    for job in world.take_jobs().await {
        analyses.handle(&job).await.expect("handled");
    }
    texts[1] = "MIETE WOHNUNG".to_owned();
    texts.push("LOHN GEHALT NEU".to_owned());
    let second = world.upload(user, &texts).await;
    for job in world.take_jobs().await {
        analyses.handle(&job).await.expect("handled");
    }
    let body = world.body(user, second).await.expect("an answer");
    assert_eq!(transaction_ids(&body), ["t1", "t3"]);
}

#[tokio::test]
async fn a_user_without_the_scope_gets_no_such_answer() {
    let world = World::new().await;
    let user = world.add_user(&["banking"]).await;
    let run = world.upload(user, &purposes(2)).await;
    let job = world.take_jobs().await.remove(0);
    world.analyses().handle(&job).await.expect("handled");
    assert_eq!(world.run(user, run).await.status, RunStatus::Done);
    assert_eq!(world.body(user, run).await, None);
    assert_eq!(
        world.events(run),
        ["analysis.finished", "analysis.finished.notification"]
    );
    assert_eq!(
        world.told()[0].data.as_ref().expect("data")["scopes"],
        json!([])
    );
    assert_eq!(world.query("select count(*) from transaction_tag"), "0");
}

#[tokio::test]
async fn a_panic_is_tried_again_and_then_fails_the_run() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run = world.upload(user, &purposes(1)).await;
    let covered = world.upload(user, &purposes(1)).await;
    let mut job = world.take_jobs().await.remove(0);
    let analyses = world.analyses_with(Arc::new(|_, _, _| panic!("broken on purpose")));
    for attempt in 1..=PANICS_MAX {
        job.attempt = attempt;
        let failure = analyses.handle(&job).await.expect_err("panics");
        assert!(matches!(failure, PipelineError::Panicked));
        let expected = if attempt < PANICS_MAX {
            Disposition::Retry
        } else {
            Disposition::Poison
        };
        assert_eq!(failure.disposition(attempt), expected);
    }
    let state = world.run(user, run).await;
    assert_eq!(state.status, RunStatus::Running);
    assert_eq!(state.error.as_deref(), Some("the analysis panicked"));

    let cause = analyses.dead(&job, "gave up").await.expect("taken notice");
    assert_eq!(cause, "the analysis panicked");
    for id in [run, covered] {
        let state = world.run(user, id).await;
        assert_eq!(state.status, RunStatus::Failed);
        assert_eq!(state.error.as_deref(), Some("the analysis panicked"));
        assert_eq!(
            world.events(id),
            ["analysis.failed", "analysis.failed.notification"]
        );
    }
    // Told again, it says the same and announces nothing more.
    assert_eq!(analyses.dead(&job, "gave up").await.expect("again"), cause);
    assert_eq!(world.told().len(), 4);
}

#[tokio::test]
async fn an_operator_s_replay_brings_a_failed_run_to_its_end() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run = world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let broken = world.analyses_with(Arc::new(|_, _, _| panic!("broken on purpose")));
    assert!(broken.handle(&job).await.is_err());
    let error = broken.dead(&job, "gave up").await.expect("taken notice");
    let letter = store::NewDeadLetter {
        tenant_id: job.tenant_id,
        message_id: job.message_id,
        user_id: user,
        topic: job.topic.clone(),
        payload: job.payload.clone(),
        traceparent: None,
        error,
    };
    world
        .system
        .record_dead_letter(&letter)
        .await
        .expect("recorded");
    world
        .system
        .replay_dead_letter(job.message_id)
        .await
        .expect("replayed");
    let again = world.take_jobs().await.remove(0);
    let outcome = world.analyses().handle(&again).await.expect("handled");
    assert_eq!(outcome, Outcome::Finished { runs: 1 });
    assert_eq!(world.run(user, run).await.status, RunStatus::Done);
}

/// A core that lets the test know that it has begun and waits for a permission to go on, the first
/// time only.
struct SlowOnce {
    begun: Arc<Notify>,
    go_on: std::sync::mpsc::Sender<()>,
    core: Arc<pipeline::Analyze>,
}

fn slow_once() -> SlowOnce {
    let (go_on, permission) = std::sync::mpsc::channel::<()>();
    let (begun, permission) = (Arc::new(Notify::new()), std::sync::Mutex::new(permission));
    let (beginning, calls) = (Arc::clone(&begun), AtomicUsize::new(0));
    let core = move |pack: &rules::RulePack,
                     subject: &analysis::Subject<'_>,
                     options: &analysis::Options| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            beginning.notify_one();
            permission.lock().expect("lock").recv().expect("permission");
        }
        analysis::analyze(pack, subject, options)
    };
    SlowOnce {
        begun,
        go_on,
        core: Arc::new(core),
    }
}

#[tokio::test]
async fn an_attempt_that_was_overtaken_leaves_no_trace() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run = world.upload(user, &purposes(2)).await;
    let job = world.take_jobs().await.remove(0);
    let slow = slow_once();
    let (straggler, other) = (world.analyses_with(slow.core), world.analyses());
    let overtaking = async {
        slow.begun.notified().await;
        // The broker took the worker for dead and handed its message to another.
        let outcome = other.handle(&job).await.expect("handled");
        assert_eq!(outcome, Outcome::Finished { runs: 1 });
        slow.go_on.send(()).expect("listening");
    };
    let (outcome, ()) = tokio::join!(straggler.handle(&job), overtaking);
    assert_eq!(outcome.expect("no failure"), Outcome::Overtaken);
    assert_eq!(world.events(run), FINISHED);
}

#[tokio::test]
async fn who_waits_for_the_processor_keeps_no_user_waiting() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let slow = slow_once();
    let cpu = Cpu::try_new(NonZeroUsize::MIN).expect("threads");
    let analyses = world.analyses_on(cpu.clone(), slow.core);
    let (done, until_done) = std::sync::mpsc::channel::<()>();
    let between = async {
        slow.begun.notified().await;
        // Others are next in line, between what is computed and what is rendered.
        let begun = Arc::new(Notify::new());
        let begins = Arc::clone(&begun);
        let mut others = tokio::task::JoinSet::new();
        others.spawn(async move {
            let work = move || {
                begins.notify_one();
                until_done.recv().expect("told");
            };
            cpu.run(work).await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        slow.go_on.send(()).expect("listening");
        begun.notified().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let open = "select count(*) from pg_stat_activity
                    where datname = current_database() and state = 'idle in transaction'";
        let open = world.query(open);
        done.send(()).expect("listening");
        let joined = others.join_next().await.expect("spawned");
        joined.expect("joined").expect("computed");
        open
    };
    let (outcome, open) = tokio::join!(analyses.handle(&job), between);
    assert_eq!(outcome.expect("handled"), Outcome::Finished { runs: 1 });
    assert_eq!(open, "0");
}

#[tokio::test]
async fn a_slow_attempt_is_answered_by_newer_results() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let first = world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let slow = slow_once();
    let (straggler, other) = (world.analyses_with(slow.core), world.analyses());
    let overtaking = async {
        slow.begun.notified().await;
        let second = world.upload(user, &purposes(3)).await;
        let newer = world.take_jobs().await.remove(0);
        let outcome = other.handle(&newer).await.expect("handled");
        assert_eq!(outcome, Outcome::Finished { runs: 1 });
        slow.go_on.send(()).expect("listening");
        second
    };
    let (outcome, second) = tokio::join!(straggler.handle(&job), overtaking);
    assert_eq!(
        outcome.expect("no failure"),
        Outcome::AnsweredByNewer { runs: 1 }
    );
    let run = world.run(user, first).await;
    assert_eq!((run.status, run.result_of), (RunStatus::Done, Some(second)));
    let body = world.body(user, first).await;
    assert_eq!(transaction_ids(body.as_ref().expect("an answer")).len(), 3);
    assert_eq!(world.body(user, second).await, body);
    assert_eq!(world.events(first), FINISHED);
}

#[tokio::test]
async fn a_user_who_was_deleted_meanwhile_gets_no_results() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    world.upload(user, &purposes(2)).await;
    let job = world.take_jobs().await.remove(0);
    let slow = slow_once();
    let analyses = world.analyses_with(slow.core);
    let deleting = async {
        slow.begun.notified().await;
        let mut tx = world.store.begin(world.tenant).await.expect("begin");
        tx.delete_user(user).await.expect("deleted");
        tx.commit().await.expect("commit");
        slow.go_on.send(()).expect("listening");
    };
    let (outcome, ()) = tokio::join!(analyses.handle(&job), deleting);
    assert_eq!(outcome.expect("no failure"), Outcome::Overtaken);
    let again = analyses.handle(&job).await.expect("no failure");
    assert_eq!(again, Outcome::UnknownRun);
    assert_eq!(world.query("select count(*) from transaction_tag"), "0");
    assert!(world.told().is_empty());
    let cause = analyses.dead(&job, "gave up").await.expect("taken notice");
    assert_eq!(cause, "the run is gone");
}

#[tokio::test]
async fn what_cannot_be_read_is_poison_and_says_why() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let analyses = world.analyses();
    let mut unknown = job.clone();
    unknown.topic = "analysis.requested.v9".to_owned();
    let mut broken = job.clone();
    broken.payload = json!({"tenantId": 7});
    let mut foreign = job.clone();
    foreign.tenant_id = TenantId::new(SystemIds.uuid());
    for (job, why) in [
        (unknown, "unknown topic"),
        (broken, "cannot be read"),
        (foreign, "different tenants"),
    ] {
        let failure = analyses.handle(&job).await.expect_err("refused");
        assert_eq!(failure.disposition(1), Disposition::Poison, "{failure}");
        let cause = analyses.dead(&job, "gave up").await.expect("taken notice");
        assert!(cause.contains(why), "{cause}");
    }
    assert!(world.told().is_empty());
}

#[tokio::test]
async fn a_run_whose_message_was_lost_is_woken() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run: CorrelationId = world.upload(user, &purposes(1)).await;
    // The message was published, and the broker lost it.
    assert_eq!(world.take_jobs().await.len(), 1);
    let policy = RescuePolicy::default();
    assert_eq!(rescue(&world.system, &policy).await.expect("swept"), 0);
    world
        .clock
        .advance(policy.stale_after + Duration::from_secs(1));
    assert_eq!(rescue(&world.system, &policy).await.expect("swept"), 1);
    assert_eq!(rescue(&world.system, &policy).await.expect("swept"), 0);
    let job = world.take_jobs().await.remove(0);
    world.analyses().handle(&job).await.expect("handled");
    assert_eq!(world.events(run), FINISHED);
}

#[tokio::test]
async fn a_statement_that_is_cut_off_counts_as_an_attempt() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let run = world.upload(user, &purposes(1)).await;
    let job = world.take_jobs().await.remove(0);
    let mut other = world.store.begin(world.tenant).await.expect("begun");
    other.lock_user(user).await.expect("locked");
    let analyses = world.analyses();
    let cut_off = until("the job's statement is cut off", async || {
        // As the server does by itself when the statement's time is up.
        world.query(
            "select count(pg_cancel_backend(pid)) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        ) == "1"
    });
    let (handled, ()) = tokio::join!(analyses.handle(&job), cut_off);
    let failure = handled.expect_err("cut off");
    let contention = matches!(failure, PipelineError::Store(StoreError::Contention(_)));
    assert!(contention, "{failure:?}");
    assert_eq!(failure.disposition(1), Disposition::Retry);
    drop(other);
    let error = world.run(user, run).await.error.expect("noted");
    assert_eq!(error, failure.chain());
}

#[tokio::test]
async fn a_database_that_lets_nobody_in_is_waited_for() {
    let world = World::new().await;
    let url = world.database.system_url().as_str();
    let (server, _database) = url.rsplit_once('/').expect("an address");
    let settings = PoolSettings::new(format!("{server}/no_such_database"));
    let refused = SystemStore::connect(
        &settings,
        testkit::database::vault().expect("a vault"),
        Arc::new(SystemClock),
        Arc::new(SystemIds),
    );
    let failure = PipelineError::from(refused.await.expect_err("refused"));
    let refused = matches!(failure, PipelineError::Store(StoreError::Refused(_)));
    assert!(refused, "{failure:?}");
    assert_eq!(failure.disposition(99), Disposition::Unavailable);
}
