//! The shapes against the documented samples.

mod samples;
mod schemas;
mod shapes;
