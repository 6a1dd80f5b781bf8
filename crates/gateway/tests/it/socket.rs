use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gateway::{GatewayError, GatewaySettings, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{ACME, Call, World};

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), GatewayError>>,
}

async fn serve(world: &World) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let served = gateway::serve(listener, world.state.clone(), shutdown.clone());
    Served {
        address,
        shutdown,
        task: TaskTracker::new().spawn(served),
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client")
}

fn quick() -> GatewaySettings {
    GatewaySettings {
        timeouts: Timeouts {
            head_seconds_max: 1,
            shutdown_seconds_max: 1,
            ..Timeouts::default()
        },
        ..GatewaySettings::default()
    }
}

/// A request that has no place to end before the user is released.
fn waiting_request(
    served: &Served,
    user: &str,
    token: &str,
) -> JoinHandle<reqwest::Result<reqwest::Response>> {
    let url = format!(
        "http://{}/api/users/{user}/trigger-analysis",
        served.address
    );
    TaskTracker::new().spawn(http().post(url).bearer_auth(token).send())
}

async fn until_in_flight(world: &World, count: usize) {
    let line = format!("http_requests_in_flight {}", count + 1);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let metrics = world.send(Call::get("/metrics")).await;
        if metrics.text.lines().any(|found| found == line) {
            return;
        }
        assert!(Instant::now() < deadline, "{}", metrics.text);
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_are_finished_at_shutdown() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    let served = serve(&world).await;
    let holder = world.hold(&user).await;
    let request = waiting_request(&served, &user, &token);
    until_in_flight(&world, 1).await;

    served.shutdown.cancel();
    drop(holder);
    let answer = request.await.expect("joined").expect("an answer");
    assert_eq!(answer.status(), 409);
    served.task.await.expect("joined").expect("served");
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "nobody listens"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_does_not_wait_for_ever() {
    let world = World::with(quick()).await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    let served = serve(&world).await;
    let holder = world.hold(&user).await;
    let request = waiting_request(&served, &user, &token);
    until_in_flight(&world, 1).await;

    served.shutdown.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(5), served.task).await;
    stopped
        .expect("within its limit")
        .expect("joined")
        .expect("served");
    drop(holder);
    request.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_finishes_a_request_s_head_is_cut_off() {
    let world = World::with(quick()).await;
    let served = serve(&world).await;
    let mut stream = TcpStream::connect(served.address).await.expect("connected");
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost:")
        .await
        .expect("sent");
    let mut received = Vec::new();
    let ended = stream.read_to_end(&mut received);
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
    assert!(ended.is_ok(), "the connection is still open");
    served.shutdown.cancel();
    served.task.await.expect("joined").expect("served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_who_is_still_sending() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    let served = serve(&world).await;
    let url = format!(
        "http://{}/api/users/{user}/banking/accounts",
        served.address
    );
    let send = |token: &str, length: usize| {
        let request = http().post(&url).bearer_auth(token);
        request
            .header("content-type", "application/json")
            .body(vec![b' '; length])
            .send()
    };
    let refused = send("forged", 8 << 20)
        .await
        .expect("an answer, not a reset");
    assert_eq!(refused.status(), 401);
    let refused = send(&token, (64 << 20) + 1)
        .await
        .expect("an answer, not a reset");
    assert_eq!(refused.status(), 413);
    served.shutdown.cancel();
    served.task.await.expect("joined").expect("served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_send_slowly_shut_nobody_out() {
    let mut settings = GatewaySettings::default();
    settings.limits.requests_in_flight_max = 1;
    let world = World::with(settings).await;
    let token = world.token(ACME).await;
    let served = serve(&world).await;
    let mut slow = Vec::new();
    for path in ["/api/users", "/api/nothing", "/api/auth"] {
        let mut stream = TcpStream::connect(served.address).await.expect("connected");
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    until_in_flight(&world, slow.len()).await;
    let answer = world.send(Call::get("/api/users").token(&token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    drop(slow);
    served.shutdown.cancel();
    served.task.await.expect("joined").expect("served");
}
