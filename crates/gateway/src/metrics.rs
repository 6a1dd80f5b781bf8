//! What `/metrics` shows of the gateway, and the registry that other parts add to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The registry of the whole process; every part registers its own metrics.
pub type SharedRegistry = Arc<Mutex<Registry>>;

/// The names of the gateway's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricName {
    /// Answers, by method, route and status.
    HttpRequests,
    /// Time from the head of a request to its answer, by method and route.
    HttpRequestDurationSeconds,
    /// Requests that are worked on.
    HttpRequestsInFlight,
    /// Logins with a wrong secret or an unknown client.
    LoginFailures,
}

impl MetricName {
    /// The name without the suffix `_total` that counters get.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpRequests => "http_requests",
            Self::HttpRequestDurationSeconds => "http_request_duration_seconds",
            Self::HttpRequestsInFlight => "http_requests_in_flight",
            Self::LoginFailures => "login_failures",
        }
    }
}

/// Upper bounds of the latency histogram, in seconds.
const LATENCY_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

/// The gateway's metrics. Routes are the patterns, never paths with identifiers.
pub(crate) struct Metrics {
    registry: SharedRegistry,
    answers: Family<AnswerLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    login_failures: Counter,
}

impl Metrics {
    /// Registers the gateway's metrics.
    pub(crate) fn register(registry: SharedRegistry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let metrics = Self {
            registry,
            answers: Family::default(),
            latency: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            login_failures: Counter::default(),
        };
        let mut registry = metrics.lock();
        registry.register(
            MetricName::HttpRequests.as_str(),
            "Answers by method, route and status",
            metrics.answers.clone(),
        );
        registry.register(
            MetricName::HttpRequestDurationSeconds.as_str(),
            "Time from the head of a request to its answer",
            metrics.latency.clone(),
        );
        registry.register(
            MetricName::HttpRequestsInFlight.as_str(),
            "Requests that are worked on",
            metrics.in_flight.clone(),
        );
        registry.register(
            MetricName::LoginFailures.as_str(),
            "Logins with a wrong secret or an unknown client",
            metrics.login_failures.clone(),
        );
        drop(registry);
        metrics
    }

    /// Counts a request as under way until the value is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, latency: Duration) {
        self.answers
            .get_or_create(&AnswerLabels {
                method: method.to_owned(),
                route: route.to_owned(),
                status,
            })
            .inc();
        self.latency
            .get_or_create(&RouteLabels {
                method: method.to_owned(),
                route: route.to_owned(),
            })
            .observe(latency.as_secs_f64());
    }

    /// Counts a failed login.
    pub(crate) fn login_failed(&self) {
        self.login_failures.inc();
    }

    /// Everything of the process in the text format.
    pub(crate) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.lock())?;
        Ok(text)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
