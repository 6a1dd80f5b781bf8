//! A webhook receiver on the loopback: records what it is sent and answers as it is told.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// How the receiver answers a request. Every request is recorded before it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With this status and an empty body.
    Status(u16),
    /// With this status, after this time.
    Delayed(u16, Duration),
    /// With status 307 and this location.
    Redirect(String),
    /// Never.
    Silence,
    /// With status 200 and a body of so many bytes.
    Bytes(usize),
}

/// A recorded request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case with their values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// What the receiver answered to it.
    pub answer: Answer,
}

impl Received {
    /// The first value of a header; the name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).context("the body is no JSON")
    }
}

#[derive(Debug)]
struct Script {
    next: VecDeque<Answer>,
    then: Answer,
    received: Vec<Received>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    count: watch::Sender<usize>,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a stopping receiver waits for answers that it still owes.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// A running receiver; stops listening when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    server: JoinSet<std::io::Result<()>>,
}

impl Receiver {
    /// Starts a receiver on a free port that answers 200.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a receiver on a given address, for instance one that answered before.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .context("cannot bind the receiver")?;
        let address = listener
            .local_addr()
            .context("the receiver has no address")?;
        let script = Script {
            next: VecDeque::new(),
            then: Answer::Status(200),
            received: vec![],
        };
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            count: watch::Sender::new(0),
        });
        let router = Router::new()
            .fallback(record)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        let (stop, stopped) = oneshot::channel::<()>();
        server.spawn(async move {
            // A dropped sender stops it as well, so both outcomes mean the same.
            let stopped = async move { drop(stopped.await) };
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
        });
        Ok(Self {
            address,
            shared,
            stop,
            server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL by address with a path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its URL by a host name with a path, which starts with a slash.
    pub fn url_by_name(&self, name: &str, path: &str) -> String {
        format!("http://{name}:{}{path}", self.address.port())
    }

    /// Answers every request so from now on; forgets what [`Self::answer_next`] planned.
    pub fn answer(&self, answer: Answer) {
        let mut script = self.shared.script();
        script.next.clear();
        script.then = answer;
    }

    /// Answers the next requests so, one each, and then as before.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script().next.extend(answers);
    }

    /// Everything received so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.script().received.clone()
    }

    /// Waits until at least so many requests have come, and returns all of them.
    ///
    /// # Errors
    /// When the deadline passes; the message says how many have come.
    pub async fn wait_for(
        &self,
        count: usize,
        deadline: Duration,
    ) -> anyhow::Result<Vec<Received>> {
        let mut arrivals = self.shared.count.subscribe();
        let waited = tokio::time::timeout(deadline, arrivals.wait_for(|n| *n >= count)).await;
        let received = self.received();
        match waited {
            Ok(Ok(_)) => Ok(received),
            Ok(Err(_)) | Err(_) => {
                anyhow::bail!(
                    "{} of {count} requests came within {deadline:?}",
                    received.len()
                )
            }
        }
    }

    /// Stops listening and closes open connections, so that the next attempt finds nobody.
    pub async fn stop(mut self) -> Vec<Received> {
        let received = Arc::clone(&self.shared);
        drop(self.stop);
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.server.join_next()).await;
        self.server.shutdown().await;
        received.script().received.clone()
    }
}

async fn record(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect();
    let answer = {
        let mut script = shared.script();
        let answer = script
            .next
            .pop_front()
            .unwrap_or_else(|| script.then.clone());
        script.received.push(Received {
            method: method.to_string(),
            path: uri.to_string(),
            headers,
            body: body.to_vec(),
            answer: answer.clone(),
        });
        let count = script.received.len();
        shared.count.send_replace(count);
        answer
    };
    respond(answer).await
}

async fn respond(answer: Answer) -> Response {
    let status = |code| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        Answer::Status(code) => status(code).into_response(),
        Answer::Delayed(code, time) => {
            tokio::time::sleep(time).await;
            status(code).into_response()
        }
        Answer::Redirect(location) => (
            StatusCode::TEMPORARY_REDIRECT,
            [(header::LOCATION, location)],
        )
            .into_response(),
        Answer::Silence => std::future::pending().await,
        Answer::Bytes(length) => Body::from(vec![b'x'; length]).into_response(),
    }
}
