//! The shapes against the documented samples.

mod samples;
mod shapes;
