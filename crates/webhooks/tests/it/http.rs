//! The HTTP client against receivers on the loopback.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::address::TargetPolicy;
use testkit::receiver::{Answer, Receiver};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use webhooks::error::SendError;
use webhooks::http::{HttpClient, HttpLimits, HttpSender, SignedRequest};
use webhooks::target::{LookupFuture, NameLookup, SystemLookup};

/// Generous for a loopback; a test that waits for it fails.
const ARRIVAL: Duration = Duration::from_secs(10);
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Answers each look-up with the next of the prepared ones; the last one stays.
struct ScriptedLookup(Mutex<VecDeque<Vec<IpAddr>>>);

impl ScriptedLookup {
    fn new(answers: &[&[IpAddr]]) -> Self {
        Self(Mutex::new(
            answers.iter().map(|answer| answer.to_vec()).collect(),
        ))
    }
}

impl NameLookup for ScriptedLookup {
    fn lookup(&self, _host: &str) -> LookupFuture {
        let mut answers = self.0.lock().expect("not poisoned");
        let answer = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        Box::pin(async move { answer.ok_or(io::Error::from(io::ErrorKind::NotFound)) })
    }
}

fn client(policy: TargetPolicy) -> HttpClient {
    HttpClient::try_new(policy).expect("a client")
}

fn client_with(policy: TargetPolicy, lookup: impl NameLookup) -> HttpClient {
    HttpClient::try_with(policy, HttpLimits::default(), lookup).expect("a client")
}

fn request(url: &str) -> SignedRequest {
    SignedRequest {
        method: "POST".parse().expect("a method"),
        url: url.to_owned(),
        headers: [("x-request-id", "7")]
            .into_iter()
            .map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")))
            .collect(),
        body: b"{\"event\":\"test\"}".to_vec(),
    }
}

#[tokio::test]
async fn method_headers_and_body_arrive_as_given() {
    let receiver = Receiver::start().await.expect("a receiver");
    let mut sent = request(&receiver.url("/hook?token=7"));
    sent.method = "PATCH".parse().expect("a method");
    assert_eq!(client(TargetPolicy::LoopbackToo).send(sent).await, Ok(200));
    let arrived = receiver.wait_for(1, ARRIVAL).await.expect("received");
    let [request] = arrived.as_slice() else {
        panic!("one request")
    };
    assert_eq!(request.method, "PATCH");
    assert_eq!(request.path, "/hook?token=7");
    assert_eq!(request.header("x-request-id"), Some("7"));
    assert_eq!(request.body, b"{\"event\":\"test\"}");
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let elsewhere = Receiver::start().await.expect("a receiver");
    let receiver = Receiver::start().await.expect("a receiver");
    receiver.answer(Answer::Redirect(elsewhere.url("/elsewhere")));
    let sent = client(TargetPolicy::LoopbackToo)
        .send(request(&receiver.url("/hook")))
        .await;
    assert_eq!(sent, Ok(307));
    assert_eq!(elsewhere.received(), []);
}

#[tokio::test]
async fn a_slow_receiver_times_out() {
    let receiver = Receiver::start().await.expect("a receiver");
    receiver.answer(Answer::Silence);
    let limits = HttpLimits {
        connect: Duration::from_secs(5),
        total: Duration::from_millis(200),
    };
    let client =
        HttpClient::try_with(TargetPolicy::LoopbackToo, limits, SystemLookup).expect("a client");
    let sent = client.send(request(&receiver.url("/hook"))).await;
    assert_eq!(sent, Err(SendError::Timeout { seconds: 0 }));
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_long_answer_is_cut_off_and_counts() {
    let receiver = Receiver::start().await.expect("a receiver");
    receiver.answer(Answer::Bytes(64 * 1024 * 1024));
    let sent = client(TargetPolicy::LoopbackToo)
        .send(request(&receiver.url("/hook")))
        .await;
    assert_eq!(sent, Ok(200));
}

#[tokio::test]
async fn connections_are_used_again() {
    let receiver = Receiver::start().await.expect("a receiver");
    // The second look-up would refuse: only a connection that stands can still be used.
    let lookup = ScriptedLookup::new(&[&[LOOPBACK], &[NOBODY]]);
    let client = client_with(TargetPolicy::LoopbackToo, lookup);
    let url = receiver.url_by_name("hooks.example.com", "/hook");
    assert_eq!(client.send(request(&url)).await, Ok(200));
    assert_eq!(client.send(request(&url)).await, Ok(200));
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_refused_at_connect() {
    let receiver = Receiver::start().await.expect("a receiver");
    let by_name = receiver.url_by_name("localhost", "/hook");
    let https_by_name = by_name.replace("http://", "https://");
    let strict = client(TargetPolicy::PublicHttps);
    assert_eq!(
        strict.send(request(&https_by_name)).await,
        Err(SendError::TargetRefused)
    );
    assert_eq!(
        strict.send(request(&by_name)).await,
        Err(SendError::TargetRefused)
    );
    assert_eq!(receiver.received(), []);
    // The same name is reached where the operator allows it.
    let lenient = client(TargetPolicy::LoopbackToo);
    assert_eq!(lenient.send(request(&by_name)).await, Ok(200));
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_refused() {
    let receiver = Receiver::start().await.expect("a receiver");
    let url = receiver.url_by_name("hooks.example.com", "/hook");
    let lookup = ScriptedLookup::new(&[&[LOOPBACK], &[NOBODY]]);
    let client = client_with(TargetPolicy::LoopbackToo, lookup);
    assert_eq!(client.send(request(&url)).await, Ok(200));
    receiver.stop().await;
    assert_eq!(
        client.send(request(&url)).await,
        Err(SendError::TargetRefused)
    );
}

#[tokio::test]
async fn plain_http_reaches_only_addresses_that_allow_it() {
    let receiver = Receiver::start().await.expect("a receiver");
    let public = "93.184.216.34".parse().expect("an address");
    // The public address would be tried first; http must skip it and take the loopback.
    let lookup = ScriptedLookup::new(&[&[public, LOOPBACK]]);
    let client = client_with(TargetPolicy::LoopbackToo, lookup);
    let url = receiver.url_by_name("hooks.example.com", "/hook");
    assert_eq!(client.send(request(&url)).await, Ok(200));
    let public_only = client_with(TargetPolicy::LoopbackToo, ScriptedLookup::new(&[&[public]]));
    assert_eq!(
        public_only.send(request(&url)).await,
        Err(SendError::TargetRefused)
    );
}

#[tokio::test]
async fn failures_are_told_by_cause() {
    let closed = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("bound");
        listener.local_addr().expect("an address")
    };
    let receiver = Receiver::start().await.expect("a receiver");
    let plain_behind_https = receiver.url("/hook").replace("http://", "https://");
    let client = client_with(TargetPolicy::LoopbackToo, ScriptedLookup::new(&[&[]]));
    for (url, expected) in [
        (format!("http://{closed}/hook"), SendError::ConnectionFailed),
        (plain_behind_https, SendError::TlsHandshake),
        (
            "https://nowhere.invalid/hook".to_owned(),
            SendError::NameNotResolved,
        ),
        ("not a url".to_owned(), SendError::InvalidUrl),
    ] {
        assert_eq!(client.send(request(&url)).await, Err(expected), "{url}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_broken_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("bound");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let answering = async {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let mut asked = [0u8; 16];
        stream.read_exact(&mut asked).await.expect("asked");
        stream
            .write_all(b"SSH-2.0-nonsense\r\n\r\n")
            .await
            .expect("answered");
    };
    let client = client(TargetPolicy::LoopbackToo);
    let (sent, ()) = tokio::join!(client.send(request(&url)), answering);
    assert_eq!(sent, Err(SendError::ConnectionBroken));
}

/// Serves TLS with a certificate for `localhost` that nobody vouches for.
async fn accept_with_untrusted_certificate(listener: TcpListener) {
    let certificate = include_bytes!("fixtures/untrusted.cert.der").to_vec();
    let key = include_bytes!("fixtures/untrusted.key.der").to_vec();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.into()],
            PrivatePkcs8KeyDer::from(key).into(),
        )
        .expect("a certificate");
    let (stream, _) = listener.accept().await.expect("accepted");
    let handshake = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    assert!(handshake.is_err(), "the client must turn away");
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let client = client_with(
        TargetPolicy::LoopbackToo,
        ScriptedLookup::new(&[&[LOOPBACK]]),
    );
    let (sent, ()) = tokio::join!(
        client.send(request(&format!("https://localhost:{port}/hook"))),
        accept_with_untrusted_certificate(listener)
    );
    assert_eq!(sent, Err(SendError::InvalidCertificate));
}
