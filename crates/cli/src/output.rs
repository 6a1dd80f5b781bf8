//! Standard output, which may be a pipe whose reader has heard enough.

use std::io::{self, Write as _};

/// Writes a line.
///
/// # Errors
/// Standard output cannot be written; [`is_closed`] tells whether its reader just went away.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.write_all(b"\n")?;
    output.flush()
}

/// Writes the fields of one thing, a line each.
///
/// # Errors
/// As [`line`].
pub(crate) fn fields<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> io::Result<()> {
    for (name, value) in fields {
        line(&format!("{name}: {value}"))?;
    }
    Ok(())
}

/// Whether an error only says that nobody reads the output any more, which is no failure.
pub(crate) fn is_closed(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
