//! Real accounts of 1993 and 1994 with standing orders that are known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use analysis::contracts::Interval;
use anyhow::{Context, Result};
use domain::{Account, Counterparty, UserType};
use formats::corpus;
use formats::limits::UploadLimits;
use serde::Deserialize;

use super::sample::{Sample, Truth};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    user_id: String,
    as_of: String,
    contracts: Vec<Known>,
    ignore: Vec<String>,
    noise: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    kind: String,
    label: String,
    transaction_ids: Vec<String>,
}

/// Reads the users of a folder with `corpus.ndjson` and `truth.ndjson`.
///
/// # Errors
/// A file is missing or unreadable.
pub fn read(folder: &Path) -> Result<Vec<Sample>> {
    let mut accounts: BTreeMap<String, Vec<Account>> = BTreeMap::new();
    for line in lines(&folder.join("corpus.ndjson"))? {
        let user = corpus::read_user(line?.as_bytes(), &UploadLimits::FILE)
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let (read, _) = user.upload.into_accounts();
        accounts.insert(user.user_id.unwrap_or_default(), read);
    }
    lines(&folder.join("truth.ndjson"))?
        .map(|line| {
            let line: Line = serde_json::from_str(&line?)?;
            let accounts = accounts.remove(&line.user_id);
            sample(line, accounts.context("a user without accounts")?)
        })
        .collect()
}

fn lines(path: &Path) -> Result<impl Iterator<Item = std::io::Result<String>> + use<>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(BufReader::new(file).lines())
}

fn sample(line: Line, accounts: Vec<Account>) -> Result<Sample> {
    let truth = line.contracts.into_iter().map(|known| Truth {
        label: format!("{} {}", known.kind, known.label),
        interval: Interval::Monthly,
        ids: known.transaction_ids.into_iter().collect(),
        optional_ids: BTreeSet::new(),
        is_optional: false,
        next: None,
        is_active: None,
    });
    Ok(Sample {
        user: line.user_id,
        user_type: UserType::Person,
        as_of: line.as_of.parse()?,
        accounts,
        truth: truth.collect(),
        ignored: line.ignore.into_iter().collect(),
        habits: Vec::new(),
        cash: line.noise.into_iter().collect(),
    })
}

/// Takes the other side out of every booking.
pub fn hide(sample: &mut Sample) {
    for account in &mut sample.accounts {
        for transaction in &mut account.transactions {
            transaction.counterparty = Counterparty::default();
        }
    }
}
