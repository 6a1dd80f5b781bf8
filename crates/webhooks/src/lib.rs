//! Webhook deliveries: sign, send, retry, in order per user.
//!
//! A [`dispatcher::Dispatcher`] leases due deliveries from the database and sends each through an
//! [`http::HttpSender`]. The real one, [`http::HttpClient`], opens connections only to addresses
//! that the operator's policy allows. An answer of 200 to 299 settles a delivery; anything else,
//! redirects included, is tried again on the [`schedule`] for five days.
//!
//! Receivers see each event at least once, under the same ids on every attempt, and of one user in
//! the order in which they happened. [`signature`] is what they verify.
//!
//! **Invariant:** nothing is sent unsigned, and neither logs nor stored errors hold a URL, a
//! secret or personal data.

pub mod counters;
pub mod dispatcher;
pub mod error;
pub mod http;
pub mod request;
pub mod schedule;
pub mod signature;
pub mod target;

mod attempt;
mod held;

pub use counters::{CounterValues, Counters};
pub use dispatcher::{Dispatcher, Surroundings};
pub use error::{SendError, WebhooksError};
pub use http::{HttpClient, HttpSender};
