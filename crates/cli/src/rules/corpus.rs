//! The transactions of a corpus: users a line, or single and labelled transactions a line.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use clap::Args;
use domain::{Account, Transaction, UserType};
use formats::{InvalidInput, UploadLimits, corpus, record};
use rules::{AccountContext, Scratch};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::analyze::input::{Record, Source};
use crate::analyze::pump::{self, BadRecords, Produced, Threads};
use crate::analyze::summary::{Count, Totals};
use crate::analyze::{finish, user};

/// What to read and how.
#[derive(Debug, Args)]
pub(super) struct CorpusArgs {
    /// Kind of the users that do not say theirs: person or company.
    #[arg(long = "type", value_name = "TYPE", default_value = "person")]
    pub(super) user_type: UserType,

    /// Stop at the first record that cannot be used instead of passing over it.
    #[arg(long)]
    strict: bool,

    /// Threads to compute with; all by default. The report does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<Threads>,

    /// Files of users (as for `kontor analyze`) or of transactions (as for `kontor categorize`),
    /// one JSON object a line, or - for standard input.
    #[arg(required = true, value_name = "CORPUS")]
    inputs: Vec<PathBuf>,
}

impl CorpusArgs {
    /// Opens the inputs.
    ///
    /// # Errors
    /// One cannot be opened.
    pub(super) fn open(&self) -> Result<Vec<Source>> {
        Source::open_all(&self.inputs, None)
    }
}

/// A transaction of a corpus.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Number of its record over all inputs, and its own within the record.
    pub(super) place: (u64, u64),
    pub(super) tree: UserType,
    /// The user's identifier, if the record is one of a user.
    pub(super) user: Option<&'a str>,
    pub(super) transaction: &'a Transaction,
    /// The record's identifier, if the record is one of a transaction and names one.
    pub(super) id: Option<&'a str>,
    pub(super) context: &'a AccountContext,
}

impl Item<'_> {
    /// What to call the transaction in a report.
    pub(super) fn name(&self) -> String {
        let id = match self.id {
            Some(id) => id.to_owned(),
            None if self.user.is_some() => self.transaction.id.as_str().to_owned(),
            None => format!("T#{}", self.place.0),
        };
        match self.user {
            Some(user) => format!("{user}/{id}"),
            None => id,
        }
    }
}

/// Figures that can be gathered in parts, in any order.
pub(super) trait Tally: Default + Send {
    /// Adds another part.
    fn merge(&mut self, other: Self);
}

/// Working memory of a thread; hands its part over when the thread has done its share.
struct Part<'m, T: Tally> {
    tally: T,
    scratch: Scratch,
    all: &'m Mutex<T>,
}

impl<T: Tally> Drop for Part<'_, T> {
    fn drop(&mut self) {
        let part = std::mem::take(&mut self.tally);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.merge(part);
    }
}

/// Runs every transaction of the sources through `visit` on all threads and gathers its figures.
/// Memory depends on the figures and the longest record, not on the length of the corpus.
///
/// # Errors
/// A source cannot be read.
pub(super) fn gather<T: Tally>(
    args: &CorpusArgs,
    sources: Vec<Source>,
    visit: impl Fn(&mut T, &mut Scratch, &Item<'_>) + Sync + Send,
) -> Result<(T, Totals)> {
    let all = Mutex::new(T::default());
    let plan = pump::Plan {
        threads: args.threads,
        bad_records: BadRecords::of(args.strict),
    };
    let part = || Part {
        tally: T::default(),
        scratch: Scratch::default(),
        all: &all,
    };
    let totals = pump::run(sources, &plan, &mut io::sink(), part, |part, record| {
        let Part { tally, scratch, .. } = part;
        let taken = each(record, args.user_type, |item| visit(tally, scratch, item));
        match taken {
            Ok(transactions) => Produced {
                line: Vec::new(),
                count: Count {
                    records: 1,
                    transactions,
                    ..Count::default()
                },
                broken: None,
            },
            Err(fault) => user::broken(record, &fault),
        }
    })?;
    let gathered = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((gathered, totals))
}

/// Says on standard error what was read; nothing is reported of a run that stopped.
pub(super) fn report(totals: &Totals, write: impl FnOnce() -> Result<()>) -> Result<ExitCode> {
    if totals.stopped_at.is_none() {
        write()?;
    }
    Ok(finish(totals, "records"))
}

/// Hands over the transactions of a record; gives back how many there were.
pub(super) fn each(
    record: &Record,
    default: UserType,
    take: impl FnMut(&Item<'_>),
) -> Result<u64, InvalidInput> {
    let content = record.content.as_ref();
    let bytes = content.map_err(|fault| InvalidInput::new("", fault.to_string()))?;
    if is_user(bytes) {
        each_of_user(bytes, record, default, take)
    } else {
        one(bytes, record, default, take)
    }
}

/// Whether a record has accounts of its own.
fn is_user(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Shape<'a> {
        #[serde(borrow)]
        accounts: Option<&'a RawValue>,
    }
    serde_json::from_slice::<Shape<'_>>(bytes).is_ok_and(|shape| shape.accounts.is_some())
}

fn each_of_user(
    bytes: &[u8],
    record: &Record,
    default: UserType,
    mut take: impl FnMut(&Item<'_>),
) -> Result<u64, InvalidInput> {
    let read = corpus::read_user(bytes, &UploadLimits::FILE)?;
    let user = read.user_id;
    let user = user.unwrap_or_else(|| format!("U#{}", record.sequence));
    let (accounts, _) = read.upload.into_accounts();
    let mut number = 0;
    for account in &accounts {
        let context = AccountContext::new(account, &accounts);
        for transaction in &account.transactions {
            number += 1;
            take(&Item {
                place: (record.sequence, number),
                tree: read.user_type.unwrap_or(default),
                user: Some(&user),
                transaction,
                id: None,
                context: &context,
            });
        }
    }
    Ok(number)
}

fn one(
    bytes: &[u8],
    record: &Record,
    tree: UserType,
    mut take: impl FnMut(&Item<'_>),
) -> Result<u64, InvalidInput> {
    let read = record::read(bytes, &UploadLimits::FILE)?;
    let account: &Account = &read.account;
    let context = AccountContext::new(account, std::slice::from_ref(account));
    let transaction = account.transactions.first();
    let transaction = transaction.ok_or_else(|| InvalidInput::missing("transaction"))?;
    take(&Item {
        place: (record.sequence, 1),
        tree,
        user: None,
        transaction,
        id: read.id.as_deref(),
        context: &context,
    });
    Ok(1)
}
