//! Inputs: files or standard input, cut into records.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use formats::corpus::{self, Line, LineTooLong, Lines};

/// Size of the buffer before a file, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;
/// The name of standard input.
const STDIN: &str = "-";

/// How an input is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One record a line.
    Ndjson,
    /// One JSON document.
    Json,
}

/// A record of an input.
#[derive(Debug)]
pub(crate) struct Record {
    /// Name of the input; absent when there is only one.
    pub(crate) input: Option<Arc<str>>,
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// Number of the record over all inputs, from 1.
    pub(crate) sequence: u64,
    /// The record itself, or that it is too long.
    pub(crate) content: Result<Vec<u8>, LineTooLong>,
}

/// An input that is open.
pub(crate) struct Source {
    name: Arc<str>,
    label: Option<Arc<str>>,
    format: Format,
    /// Length in bytes; unknown for standard input and pipes.
    pub(crate) length: Option<u64>,
    reader: Box<dyn BufRead + Send>,
}

impl Source {
    /// Opens every input before the first is read, so that a mistyped name costs no time.
    pub(crate) fn open_all(paths: &[PathBuf], format: Option<Format>) -> anyhow::Result<Vec<Self>> {
        let stdins = paths
            .iter()
            .filter(|path| path.as_os_str() == STDIN)
            .count();
        ensure!(stdins <= 1, "standard input can be read only once");
        let mut sources = paths
            .iter()
            .map(|path| Self::open(path, format))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if sources.len() > 1 {
            for source in &mut sources {
                source.label = Some(Arc::clone(&source.name));
            }
        }
        Ok(sources)
    }

    fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let name: Arc<str> = path.display().to_string().into();
        let (length, reader): (_, Box<dyn BufRead + Send>) = if path.as_os_str() == STDIN {
            (
                None,
                Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin())),
            )
        } else {
            let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
            let metadata = file
                .metadata()
                .with_context(|| format!("cannot read {name}"))?;
            ensure!(!metadata.is_dir(), "cannot read {name}: it is a directory");
            let length = metadata.is_file().then_some(metadata.len());
            (
                length,
                Box::new(BufReader::with_capacity(BUFFER_BYTES, file)),
            )
        };
        Ok(Self {
            name,
            label: None,
            format: format.unwrap_or_else(|| format_of(path)),
            length,
            reader,
        })
    }

    /// An input that is in memory already.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        Self {
            name: "text".into(),
            label: None,
            format: Format::Ndjson,
            length: None,
            reader: Box::new(io::Cursor::new(text.to_owned())),
        }
    }

    /// Hands over the records until there are none or `take` has had enough.
    pub(crate) fn records(
        self,
        sequence: &mut u64,
        mut take: impl FnMut(Record) -> Flow,
    ) -> anyhow::Result<Flow> {
        let name = Arc::clone(&self.name);
        let label = self.label.clone();
        let lines: Box<dyn Iterator<Item = io::Result<Line>>> = match self.format {
            Format::Ndjson => Box::new(Lines::new(self.reader)),
            Format::Json => Box::new(std::iter::once_with(|| corpus::document(self.reader))),
        };
        for line in lines {
            let line = line.with_context(|| format!("cannot read {name}"))?;
            *sequence = sequence.saturating_add(1);
            let record = Record {
                input: label.clone(),
                line: line.number,
                sequence: *sequence,
                content: line.content,
            };
            if take(record) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }
}

/// Whether more is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// More is wanted.
    Continue,
    /// Enough.
    Stop,
}

fn format_of(path: &Path) -> Format {
    let lines = path.as_os_str() == STDIN
        || path
            .extension()
            .is_some_and(|extension| extension == "ndjson" || extension == "jsonl");
    if lines { Format::Ndjson } else { Format::Json }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_how_an_input_is_read() {
        for (name, expected) in [
            ("-", Format::Ndjson),
            ("corpus.ndjson", Format::Ndjson),
            ("a/b.jsonl", Format::Ndjson),
            ("upload.json", Format::Json),
            ("upload", Format::Json),
        ] {
            assert_eq!(format_of(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn missing_files_and_two_standard_inputs_are_refused() {
        let open = |names: &[&str]| {
            let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
            Source::open_all(&paths, None).map(|sources| sources.len())
        };
        assert!(open(&["-", "-"]).is_err());
        assert!(open(&["/nowhere/at/all.json"]).is_err());
        assert!(open(&["/"]).is_err());
        assert_eq!(open(&["-"]).expect("opens"), 1);
    }
}
