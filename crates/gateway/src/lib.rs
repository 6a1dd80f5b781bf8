//! The HTTP API: authentication, tenancy, routes, errors, OpenAPI.
//!
//! Reading order: [`settings`] is what an operator may change, [`auth`] who is calling, `extract`
//! what handlers take, `routes` one file per endpoint, `error` the only table from causes to
//! statuses, `http` what surrounds every request, `serve` the socket.
//!
//! **Invariant:** no SQL, no broker and no analysis here: a handler authenticates by its
//! extractor, calls one use case and answers. Everything a caller can see of a failure is
//! `{type, message}`; what failed on our side is only in the log.

pub mod auth;
pub mod metrics;
pub mod settings;

mod categories;
mod compute;
mod error;
mod extract;
mod http;
mod openapi;
mod places;
mod rate;
mod routes;
mod serve;
mod state;
mod tenancy;
mod tenant_rules;

pub use auth::{KeyRing, SigningKey};
pub use openapi::document as openapi_document;
pub use routes::router;
pub use serve::serve;
pub use settings::{GatewaySettings, Limits, RateLimits, SettingsError, TenancyMode, Timeouts};
pub use state::{AppState, GatewayError, Parts};
