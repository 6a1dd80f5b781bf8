//! Where log lines go and how they look.

use std::io::{self, IsTerminal as _, Write as _};

use tracing_subscriber::EnvFilter;

use crate::config::{LogFilter, LogFormat, LogSection};

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever runs the service.
    Service,
    /// Whoever typed a command and wants its answer alone, unless a filter was configured.
    Command,
}

/// What a command logs when nothing is configured.
const COMMAND_FILTER: &str = "warn,sqlx=error";

/// Starts logging to standard error; standard output belongs to what commands print.
pub(crate) fn start(section: &LogSection, reader: Reader) {
    let is_default = section.filter == LogFilter::default();
    let filter = EnvFilter::new(match reader {
        Reader::Command if is_default => COMMAND_FILTER,
        Reader::Command | Reader::Service => section.filter.as_str(),
    });
    let is_terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(is_terminal);
    let is_json = match section.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !is_terminal,
    };
    // A second start, which only tests could try, keeps the first.
    let _ = if is_json {
        builder
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init()
    } else {
        builder.try_init()
    };
}

/// Reports a panic by its place alone, without backtrace: its message may quote the data that it
/// stumbled over.
pub(crate) fn keep_panics_short() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "a defect of this program: it panicked");
        } else {
            // Standard error may be closed as well; there is nobody left to tell then.
            let _ = writeln!(
                io::stderr(),
                "kontor: a defect of this program: panic at {place}"
            );
        }
    }));
}
