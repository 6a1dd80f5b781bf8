//! What every request goes through before and after its handler.

pub(crate) mod answer;
mod context;
mod guard;
mod linger;
mod peer;
mod traceparent;
mod unchanging;

pub(crate) use answer::Answer;
pub(crate) use context::{RequestContext, track};
pub(crate) use guard::{admit, answer_panic, time_limit};
pub(crate) use linger::linger;
pub(crate) use peer::Peer;
pub(crate) use unchanging::Unchanging;
