//! Uploads and corpora from outside: samples, faults, laws.

mod faults;
mod laws;
mod shared;
mod uploads;
