//! Moves records through a pool of threads and keeps their order.
//!
//! One thread reads and cuts batches, one hands each batch to the pool, the caller writes. The
//! channels between them hold few batches, so that a slow writer slows the reader down.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::input::{Flow, Record, Source};
use super::summary::{Count, Totals};

/// Most records of a batch.
const BATCH_RECORDS_MAX: usize = 4_096;
/// A batch is closed when it holds so many bytes.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Batches that wait between two threads.
const BATCHES_WAITING_MAX: usize = 2;

/// A number of threads, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threads(NonZeroUsize);

impl FromStr for Threads {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What happens to a record that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRecords {
    /// A line says what is wrong with it.
    Report,
    /// The run stops.
    Stop,
}

impl BadRecords {
    /// From the flag `--strict`.
    pub(crate) const fn of(strict: bool) -> Self {
        if strict { Self::Stop } else { Self::Report }
    }
}

/// How to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Threads to compute with; all by default.
    pub(crate) threads: Option<Threads>,
    /// What happens to a record that cannot be used.
    pub(crate) bad_records: BadRecords,
}

/// What became of a record.
#[derive(Debug)]
pub(crate) struct Produced {
    /// The line to write, without its end.
    pub(crate) line: Vec<u8>,
    /// What it counts for.
    pub(crate) count: Count,
    /// Where and why the record cannot be used.
    pub(crate) broken: Option<String>,
}

struct Batch<T> {
    items: Vec<T>,
    bytes: u64,
}

/// Runs every record of the sources through `work` and writes the lines in their order.
///
/// `prepare` makes the working memory that a thread reuses from record to record.
///
/// # Errors
/// A source cannot be read, or the output cannot be written.
pub(crate) fn run<S>(
    sources: Vec<Source>,
    plan: &Plan,
    out: &mut dyn Write,
    prepare: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, &Record) -> Produced + Sync + Send,
) -> anyhow::Result<Totals> {
    let started = Instant::now();
    let pool = pool(plan.threads)?;
    let progress = progress(&sources);
    let (to_pool, from_reader) = sync_channel(BATCHES_WAITING_MAX);
    let (to_writer, from_pool) = sync_channel(BATCHES_WAITING_MAX);
    let mut totals = Totals::default();
    let written = std::thread::scope(|scope| {
        scope.spawn(move || read(sources, &to_pool));
        scope.spawn(|| compute(&pool, from_reader, to_writer, &prepare, &work));
        write(from_pool, plan.bad_records, out, &progress, &mut totals)
    });
    progress.finish_and_clear();
    written?;
    totals.duration = started.elapsed();
    Ok(totals)
}

fn pool(threads: Option<Threads>) -> anyhow::Result<ThreadPool> {
    let threads = threads.map_or(0, |Threads(threads)| threads.get());
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("analyze-{number}"))
        .build()
        .context("cannot start threads")
}

/// A bar on a terminal, nothing elsewhere.
fn progress(sources: &[Source]) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = sources
        .iter()
        .map(|source| source.length)
        .sum::<Option<u64>>();
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let template = match length {
        Some(_) => "{wide_bar} {binary_bytes} of {binary_total_bytes}, {eta} left",
        None => "{spinner} {binary_bytes}, {elapsed}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

type Lines = anyhow::Result<Batch<Record>>;

/// Cuts the sources into batches.
fn read(sources: Vec<Source>, to_pool: &SyncSender<Lines>) {
    let mut sequence = 0;
    let mut batch = Batch::default();
    for source in sources {
        let flow = source.records(&mut sequence, |record| {
            batch.push(record);
            if batch.is_full() {
                return send(to_pool, Ok(std::mem::take(&mut batch)));
            }
            Flow::Continue
        });
        match flow {
            Ok(Flow::Continue) => {}
            Ok(Flow::Stop) => return,
            Err(error) => {
                // What was read before the fault is still analysed and written.
                if send(to_pool, Ok(std::mem::take(&mut batch))) == Flow::Continue {
                    send(to_pool, Err(error));
                }
                return;
            }
        }
    }
    send(to_pool, Ok(batch));
}

impl Default for Batch<Record> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
        }
    }
}

impl Batch<Record> {
    fn push(&mut self, record: Record) {
        let length = record.content.as_ref().map_or(0, Vec::len);
        self.bytes = self.bytes.saturating_add(length as u64 + 1);
        self.items.push(record);
    }

    fn is_full(&self) -> bool {
        self.items.len() >= BATCH_RECORDS_MAX || self.bytes >= BATCH_BYTES as u64
    }
}

/// Sends until the other side has gone, which is how it says that it wants no more.
fn send<T>(channel: &SyncSender<T>, item: T) -> Flow {
    match channel.send(item) {
        Ok(()) => Flow::Continue,
        Err(_) => Flow::Stop,
    }
}

/// Hands each batch to the pool; a batch keeps its order, and batches follow each other.
fn compute<S>(
    pool: &ThreadPool,
    from_reader: Receiver<Lines>,
    to_writer: SyncSender<anyhow::Result<Batch<Produced>>>,
    prepare: &(impl Fn() -> S + Sync + Send),
    work: &(impl Fn(&mut S, &Record) -> Produced + Sync + Send),
) {
    for batch in from_reader {
        let produced = batch.map(|batch| Batch {
            items: pool.install(|| {
                let records = batch.items.par_iter();
                records
                    .map_init(prepare, |state, record| work(state, record))
                    .collect()
            }),
            bytes: batch.bytes,
        });
        if send(&to_writer, produced) == Flow::Stop {
            break;
        }
    }
    // The writer ends when this side is gone.
    drop(to_writer);
}

/// Writes the lines in their order.
fn write(
    from_pool: Receiver<anyhow::Result<Batch<Produced>>>,
    bad_records: BadRecords,
    out: &mut dyn Write,
    progress: &ProgressBar,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    for batch in from_pool {
        let batch = batch?;
        for produced in batch.items {
            if let (BadRecords::Stop, Some(fault)) = (bad_records, &produced.broken) {
                totals.stopped_at = Some(fault.clone());
                return flush(out);
            }
            totals.count.add(produced.count);
            match write_line(out, &produced.line) {
                Ok(()) => {}
                Err(error) => return closed_or(error),
            }
        }
        progress.inc(batch.bytes);
    }
    flush(out)
}

fn write_line(out: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

fn flush(out: &mut dyn Write) -> anyhow::Result<()> {
    out.flush().or_else(closed_or)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn closed_or(error: io::Error) -> anyhow::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    Err(error).context("cannot write the output")
}
