//! One analysis job: load, analyse, save, emit.
//!
//! [`Analyses`] handles the message `analysis.requested`. It claims the run together with every
//! other run of the user that waits, loads the newest data, computes behind the [`Cpu`] door, and
//! saves results, tags, events and the end of the runs in one transaction. A message that comes
//! again finds its run done; an attempt that was overtaken finds its claim lost.
//!
//! **Invariant:** nothing here knows a broker. `cli` wires [`Analyses`] into the queue.

mod analyses;
mod compute;
mod cpu;
mod decisions;
mod error;
mod events;
mod rescue;

pub use analyses::{Analyses, Job, Outcome};
pub use compute::{Analyze, CATEGORIZATION, Engine};
pub use cpu::Cpu;
pub use decisions::{LEFT_OUT_TOLD_MAX, TENANT_RULES_KEPT};
pub use error::{Disposition, PANICS_MAX, PipelineError};
pub use rescue::{RescuePolicy, rescue};
