//! What `/metrics` shows of relay, queue, jobs and webhooks.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Clock;
use gateway::metrics::SharedRegistry;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use queue::QueueMetrics;
use store::Backlog;
use webhooks::Counters;

/// The names of this process' metrics. Counters are shown with `_total` behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricName {
    OutboxLagSeconds,
    OutboxWaiting,
    JobAgeSeconds,
    RunsOpen,
    OldestRunSeconds,
    JobsInFlight,
    JobsHandled,
    JobsRetried,
    MessagesPublished,
    PublishFailures,
    BrokerReconnects,
    DeadLetters,
    DeadLettersWaiting,
    DeliveriesPending,
    DeliveriesInFlight,
    DeliveryAttempts,
    DeliveriesDone,
    DeliveriesExhausted,
}

impl MetricName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OutboxLagSeconds => "outbox_lag_seconds",
            Self::OutboxWaiting => "outbox_waiting",
            Self::JobAgeSeconds => "job_age_seconds",
            Self::RunsOpen => "runs_open",
            Self::OldestRunSeconds => "oldest_run_seconds",
            Self::JobsInFlight => "jobs_in_flight",
            Self::JobsHandled => "jobs_handled",
            Self::JobsRetried => "jobs_retried",
            Self::MessagesPublished => "messages_published",
            Self::PublishFailures => "publish_failures",
            Self::BrokerReconnects => "broker_reconnects",
            Self::DeadLetters => "dead_letters",
            Self::DeadLettersWaiting => "dead_letters_waiting",
            Self::DeliveriesPending => "deliveries_pending",
            Self::DeliveriesInFlight => "deliveries_in_flight",
            Self::DeliveryAttempts => "delivery_attempts",
            Self::DeliveriesDone => "deliveries_done",
            Self::DeliveriesExhausted => "deliveries_exhausted",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::OutboxLagSeconds => "Age of the oldest due message of the outbox",
            Self::OutboxWaiting => "Due messages that are not published",
            Self::JobAgeSeconds => "Age of the newest handled message when it was handled",
            Self::RunsOpen => "Analysis runs that are queued or running",
            Self::OldestRunSeconds => "Age of the oldest analysis run that is not finished",
            Self::JobsInFlight => "Jobs that run in this process",
            Self::JobsHandled => "Jobs that succeeded in this process",
            Self::JobsRetried => "Attempts that failed and are tried again",
            Self::MessagesPublished => "Messages that the broker confirmed",
            Self::PublishFailures => "Publications that failed and are tried again",
            Self::BrokerReconnects => "Lost or refused connections to the broker",
            Self::DeadLetters => "Messages that nobody could handle",
            Self::DeadLettersWaiting => "Dead letters that nobody has replayed",
            Self::DeliveriesPending => "Webhook deliveries that are not settled",
            Self::DeliveriesInFlight => "Webhook deliveries that are being attempted",
            Self::DeliveryAttempts => "Webhook requests made",
            Self::DeliveriesDone => "Webhook deliveries accepted by their receiver",
            Self::DeliveriesExhausted => "Webhook deliveries given up",
        }
    }
}

/// What the parts of this process count, and the newest measurement of what waits.
#[derive(Clone)]
pub(crate) struct ProcessMetrics {
    pub(crate) registry: SharedRegistry,
    pub(crate) queue: Arc<QueueMetrics>,
    pub(crate) webhooks: Arc<Counters>,
    pub(crate) backlog: Arc<Mutex<Backlog>>,
}

impl ProcessMetrics {
    /// A registry that shows them.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::default())),
            queue: Arc::default(),
            webhooks: Arc::default(),
            backlog: Arc::default(),
        };
        let shown = Shown {
            queue: Arc::clone(&metrics.queue),
            webhooks: Arc::clone(&metrics.webhooks),
            backlog: Arc::clone(&metrics.backlog),
            clock,
        };
        let mut registry = metrics
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(shown));
        drop(registry);
        metrics
    }

    /// Everything in the text format.
    pub(crate) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

struct Shown {
    queue: Arc<QueueMetrics>,
    webhooks: Arc<Counters>,
    backlog: Arc<Mutex<Backlog>>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Shown")
    }
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        let (counters, gauges) = self.read();
        for (name, value) in counters {
            show(&mut encoder, name, &ConstCounter::new(value))?;
        }
        for (name, value) in gauges {
            show(&mut encoder, name, &ConstGauge::new(value))?;
        }
        Ok(())
    }
}

type Counts = [(MetricName, u64); 9];
type Measures = [(MetricName, i64); 9];

impl Shown {
    fn read(&self) -> (Counts, Measures) {
        let (queue, webhooks) = (self.queue.figures(), self.webhooks.values());
        let backlog = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let age = |since: Option<chrono::DateTime<chrono::Utc>>| {
            since.map_or(0, |since| (now - since).num_seconds().max(0))
        };
        let counters = [
            (MetricName::JobsHandled, queue.handled_total),
            (MetricName::JobsRetried, queue.retried_total),
            (MetricName::MessagesPublished, queue.published_total),
            (MetricName::PublishFailures, queue.publish_failures_total),
            (MetricName::BrokerReconnects, queue.reconnects_total),
            (MetricName::DeadLetters, queue.dead_letters_total),
            (MetricName::DeliveryAttempts, webhooks.attempts),
            (MetricName::DeliveriesDone, webhooks.delivered),
            (MetricName::DeliveriesExhausted, webhooks.exhausted),
        ];
        let gauges = [
            (MetricName::OutboxLagSeconds, age(backlog.outbox_oldest)),
            (MetricName::OutboxWaiting, backlog.outbox_waiting),
            (MetricName::JobAgeSeconds, whole(queue.job_age.as_secs())),
            (MetricName::RunsOpen, backlog.runs_open),
            (MetricName::OldestRunSeconds, age(backlog.runs_oldest)),
            (MetricName::JobsInFlight, whole(queue.in_flight)),
            (MetricName::DeadLettersWaiting, backlog.dead_letters),
            (MetricName::DeliveriesPending, backlog.deliveries_pending),
            (MetricName::DeliveriesInFlight, whole(webhooks.in_flight)),
        ];
        (counters, gauges)
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn show(
    encoder: &mut DescriptorEncoder,
    name: MetricName,
    metric: &impl EncodeMetric,
) -> std::fmt::Result {
    let encoder =
        encoder.encode_descriptor(name.as_str(), name.help(), None, metric.metric_type())?;
    metric.encode(encoder)
}
