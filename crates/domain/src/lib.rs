//! Money, dates, identifiers, accounts and transactions: the words every other crate speaks.
//!
//! **Invariant:** nothing here knows a database, a network, a clock or a wire format. The names
//! follow ISO 20022; `docs/GLOSSARY.md` gives the finoOS word for each.
#![deny(clippy::arithmetic_side_effects)]

pub mod account;
pub mod address;
pub mod clock;
pub mod date;
pub mod error;
pub mod finding;
pub mod iban;
pub mod id;
pub mod money;
pub mod pattern;
pub mod sensitive;
pub mod transaction;
pub mod user;

pub use account::{Account, AccountType, Overdraft};
pub use clock::{Clock, IdSource, SystemClock, SystemIds};
pub use error::{Classify, ErrorKind};
pub use finding::{Finding, FindingCode};
pub use id::{
    AccountId, ClientId, CorrelationId, DeliveryId, EventId, IdError, MessageId, TenantId,
    TransactionId, UserId, WebhookId,
};
pub use money::{Currency, Money, MoneyError};
pub use pattern::{Pattern, PatternKind, PatternSet};
pub use sensitive::Sensitive;
pub use transaction::{Counterparty, Transaction};
pub use user::{AutomaticAnalysis, UserType};
