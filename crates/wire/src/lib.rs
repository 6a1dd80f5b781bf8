//! The API's request and response shapes, scopes and event names; serde only.
//!
//! **Invariant:** wire names exist only here. Nothing here decides anything: a shape is read from
//! or written to JSON, and a name is looked up in a table.

pub mod banking;
pub mod categories;
pub mod categorization;
pub mod correlation;
pub mod error;
pub mod event;
pub mod explanation;
pub mod json;
pub mod line;
pub mod number;
pub mod patterns;
pub mod scope;
pub mod tenant_rules;
pub mod time;
pub mod token;
pub mod upload;
pub mod user;
pub mod webhook;

mod word;

pub use error::{ErrorResponse, ErrorType};
pub use event::Event;
pub use json::InvalidInput;
pub use number::{Amount, Share};
pub use scope::{Scope, ScopeSet};
