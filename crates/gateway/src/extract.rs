//! What handlers take: the authenticated caller, parsed parameters, parsed bodies.

mod body;
mod caller;
mod path;
mod query;
mod write;

pub(crate) use body::{
    FromBody, Json, NoBody, PatternsBody, Received, RulesBody, UploadBody, essence, read_json,
    receive,
};
pub(crate) use caller::{Caller, Requirement, requirement};
pub(crate) use path::{DeliveryPath, TransactionPath, TypePath, UserPath, WebhookPath};
pub(crate) use query::Query;
pub(crate) use write::Write;
