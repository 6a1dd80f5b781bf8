//! Reads a corpus: users as lines of NDJSON, or one user as a JSON document.

use std::io::{self, BufRead, Read};

use domain::{Finding, UserType};
use wire::json::{InvalidInput, Object};
use wire::upload::{CorpusRequest, Text};

use crate::limits::UploadLimits;
use crate::upload::{self, Mode, Upload};

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its content, or that it is longer than allowed.
    pub content: Result<Vec<u8>, LineTooLong>,
}

/// A line is longer than allowed and was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line is longer than {max} bytes")]
pub struct LineTooLong {
    /// The limit in bytes.
    pub max: usize,
}

/// Lines of a file one after the other; blank ones are passed over but counted.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    number: u64,
    bytes_max: usize,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most [`LINE_BYTES_MAX`] bytes.
    pub fn new(source: R) -> Self {
        Self::with_limit(source, LINE_BYTES_MAX)
    }

    /// Lines of at most so many bytes.
    pub fn with_limit(source: R, bytes_max: usize) -> Self {
        Self {
            source,
            number: 0,
            bytes_max,
        }
    }

    /// Reads up to the end of the line; `None` at the end of the file.
    fn next_raw(&mut self) -> io::Result<Option<Result<Vec<u8>, LineTooLong>>> {
        let mut line = Vec::new();
        let mut too_long = false;
        let mut any = false;
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', chunk);
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            too_long |= line.len().saturating_add(part.len()) > self.bytes_max;
            if too_long {
                line = Vec::new();
            } else {
                line.extend_from_slice(part);
            }
            let consumed = end.map_or(chunk.len(), |end| end.saturating_add(1));
            self.source.consume(consumed);
            if end.is_some() {
                break;
            }
        }
        let max = self.bytes_max;
        Ok(match (any, too_long) {
            (false, _) => None,
            (true, false) => Some(Ok(line)),
            (true, true) => Some(Err(LineTooLong { max })),
        })
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        loop {
            let content = match self.next_raw() {
                Ok(content) => content?,
                Err(error) => return Some(Err(error)),
            };
            let first = self.number == 0;
            let content = if first {
                content.map(without_mark)
            } else {
                content
            };
            self.number = self.number.saturating_add(1);
            let blank = content
                .as_ref()
                .is_ok_and(|line| line.trim_ascii().is_empty());
            if !blank {
                let number = self.number;
                return Some(Ok(Line { number, content }));
            }
        }
    }
}

/// A whole file as one line, for a user that is written as a JSON document.
///
/// # Errors
/// The file cannot be read.
pub fn document(source: impl Read) -> io::Result<Line> {
    let max = LINE_BYTES_MAX;
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    source.take(limit).read_to_end(&mut bytes)?;
    let content = if bytes.len() > max {
        Err(LineTooLong { max })
    } else {
        Ok(without_mark(bytes))
    };
    Ok(Line { number: 1, content })
}

/// The bytes without the mark that some editors put before UTF-8.
fn without_mark(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    }
}

/// One user of a corpus.
#[derive(Debug)]
pub struct CorpusUser {
    /// Identifier, when the corpus gives one.
    pub user_id: Option<String>,
    /// Person or company, when the corpus says so.
    pub user_type: Option<UserType>,
    /// The accounts, with findings.
    pub upload: Upload,
}

impl CorpusUser {
    /// Whether any of the data was bad.
    pub fn findings(&self) -> &[Finding] {
        &self.upload.findings
    }
}

/// Reads one user: `{"userId"?, "type"?, "accounts": [...]}`, other keys ignored.
///
/// # Errors
/// What leaves nothing to read: no JSON, no list of accounts, an unknown type, or more than the
/// limits allow.
pub fn read_user(body: &[u8], limits: &UploadLimits) -> Result<CorpusUser, InvalidInput> {
    upload::check_nesting(body)?;
    let Object(request) = wire::json::read::<Object<CorpusRequest<'_>>>(body)?;
    let user_id = request.user_id.filter(|id| !id.as_str().is_empty());
    let user_id = user_id.map(|id| upload::text("userId", Some(id), limits.code_bytes_max));
    let user_type = request.user_type.as_ref().map(Text::as_str);
    Ok(CorpusUser {
        user_id: user_id.transpose()?,
        user_type: user_type.map(read_type).transpose()?,
        upload: upload::read_accounts(request.accounts, limits, Mode::Lenient)?,
    })
}

fn read_type(word: &str) -> Result<UserType, InvalidInput> {
    word.parse()
        .map_err(|error: domain::user::UnknownWord| InvalidInput::new("type", error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(text: &str, buffer: usize) -> Vec<(u64, Option<String>)> {
        Lines::with_limit(BufReader::with_capacity(buffer, text.as_bytes()), 8)
            .map(|line| line.expect("no I/O error"))
            .map(|line| {
                let text = line
                    .content
                    .ok()
                    .map(|bytes| String::from_utf8(bytes).expect("text"));
                (line.number, text)
            })
            .collect()
    }

    #[test]
    fn lines_are_counted_and_bounded_whatever_the_buffer() {
        for buffer in [1, 2, 3, 7, 64] {
            let some = |text: &str| Some(text.to_owned());
            assert_eq!(lines("", buffer), []);
            assert_eq!(lines("\n\n", buffer), []);
            assert_eq!(
                lines("one\n\n \r\ntwo\nfar too long\n12345678\nend", buffer),
                [
                    (1, some("one")),
                    (4, some("two")),
                    (5, None),
                    (6, some("12345678")),
                    (7, some("end"))
                ],
                "{buffer}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(
            lines("\u{feff}one\n\u{feff}", 4).first(),
            Some(&(1, Some("one".to_owned())))
        );
        let line = document("\u{feff}{}\n".as_bytes()).expect("reads");
        assert_eq!(line.content, Ok(b"{}\n".to_vec()));
    }

    #[test]
    fn a_user_says_who_it_is_or_not() {
        let read = |body: &str| read_user(body.as_bytes(), &UploadLimits::FILE);
        let user = read(r#"{"userId":"u1","type":"company","accounts":[],"truth":{}}"#);
        let user = user.expect("reads");
        assert_eq!(
            (user.user_id.as_deref(), user.user_type),
            (Some("u1"), Some(UserType::Company))
        );
        let user = read(r#"{"accounts":[{"transactions":[{"amount":1}]}]}"#).expect("reads");
        assert_eq!((user.user_id.as_deref(), user.user_type), (None, None));
        assert_eq!(user.findings().len(), 1);
        let fault = |body| read(body).expect_err("fault").to_string();
        assert_eq!(fault(r#"{"userId":"u1"}"#), "accounts: is required");
        assert_eq!(
            fault(r#"{"type":"robot","accounts":[]}"#),
            "type: must be one of: person, company"
        );
        assert_eq!(fault("[1]"), "must be an object");
    }
}
