//! The W3C trace context that a request carries on to the worker and the webhook.

use std::fmt;

use domain::IdSource;

const VERSION: &str = "00";
const SAMPLED: &str = "01";
const ZERO_TRACE: &str = "00000000000000000000000000000000";
const ZERO_SPAN: &str = "0000000000000000";

/// Trace id, span id and flags of this request.
///
/// # Source
/// W3C Trace Context, Level 1, §3.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traceparent {
    trace_id: String,
    span_id: String,
    flags: String,
}

impl Traceparent {
    /// A child of the caller's span, or a new trace when there is none that can be read.
    pub(crate) fn child_of(header: Option<&str>, ids: &dyn IdSource) -> Self {
        let span_id = first_half(&hex(ids));
        match header.and_then(parse) {
            Some((trace_id, flags)) => Self {
                trace_id,
                span_id,
                flags,
            },
            None => Self {
                trace_id: hex(ids),
                span_id,
                flags: SAMPLED.to_owned(),
            },
        }
    }

    /// The id that all spans of the trace share.
    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{VERSION}-{}-{}-{}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

fn hex(ids: &dyn IdSource) -> String {
    ids.uuid().simple().to_string()
}

fn first_half(hex: &str) -> String {
    hex.chars().take(ZERO_SPAN.len()).collect()
}

/// Trace id and flags of a header in version 00, or of a later version that begins the same way.
fn parse(header: &str) -> Option<(String, String)> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let later = parts.next().is_some();
    let well_formed = is_hex(version, 2)
        && is_hex(trace, ZERO_TRACE.len())
        && is_hex(span, ZERO_SPAN.len())
        && is_hex(flags, 2)
        && version != "ff"
        && trace != ZERO_TRACE
        && span != ZERO_SPAN
        && !(later && version == VERSION);
    well_formed.then(|| (trace.to_owned(), flags.to_owned()))
}

fn is_hex(text: &str, length: usize) -> bool {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == length && text.bytes().all(lower)
}

#[cfg(test)]
mod tests {
    use domain::SystemIds;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn the_caller_s_trace_is_continued_in_a_new_span() {
        let header = format!("00-{TRACE}-00f067aa0ba902b7-00");
        let child = Traceparent::child_of(Some(&header), &SystemIds);
        assert_eq!(child.trace_id(), TRACE);
        let text = child.to_string();
        assert!(
            text.starts_with(&format!("00-{TRACE}-")) && text.ends_with("-00"),
            "{text}"
        );
        assert!(!text.contains("00f067aa0ba902b7"));
        assert_eq!(text.len(), 55);
    }

    #[test]
    fn what_cannot_be_read_starts_a_new_trace() {
        let span = "00f067aa0ba902b7";
        for header in [
            String::new(),
            format!("ff-{TRACE}-{span}-01"),
            format!("00-{TRACE}-{span}-01-more"),
            format!("00-{ZERO_TRACE}-{span}-01"),
            format!("00-{TRACE}-{ZERO_SPAN}-01"),
            format!("00-{}-{span}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{span}"),
        ] {
            let fresh = Traceparent::child_of(Some(&header), &SystemIds);
            assert_ne!(fresh.trace_id(), TRACE, "{header}");
            assert_eq!(fresh.trace_id().len(), 32);
        }
    }
}
