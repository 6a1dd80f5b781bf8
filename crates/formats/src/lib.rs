//! Upload JSON and corpus files to domain values, with findings.
//!
//! Two ways of reading share one conversion: strict, for requests, where the first fault is an
//! error with the path of its field; and lenient, for files, where bad data is left out and
//! reported as a finding. No error and no finding repeats a value.

pub mod corpus;
pub mod identity;
pub mod limits;
pub mod record;
pub mod upload;

pub use limits::UploadLimits;
pub use upload::{Mode, Upload, UploadedAccount};
pub use wire::json::{InputFault, InvalidInput};
