//! Written users, each with everything that is known of them.

use std::collections::BTreeSet;
use std::path::Path;

use analysis::contracts::Interval;
use anyhow::{Context, Result};
use domain::UserType;
use formats::corpus;
use formats::limits::UploadLimits;
use serde::Deserialize;

use super::sample::{Sample, Truth};

#[derive(Deserialize)]
struct Scenario {
    truth: Facts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    as_of: String,
    contracts: Vec<Known>,
    #[serde(default)]
    single_bookings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    partner: String,
    tag: String,
    interval: String,
    is_active: bool,
    transaction_ids: Vec<String>,
    #[serde(default)]
    optional_transaction_ids: Vec<String>,
    #[serde(default)]
    next_booking_date: Option<String>,
    #[serde(default)]
    optional: bool,
}

/// Reads the scenarios of a folder, in the order of their names.
///
/// # Errors
/// A file is missing or unreadable.
pub fn read(folder: &Path) -> Result<Vec<Sample>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort_unstable();
    paths.iter().map(|path| scenario(path)).collect()
}

fn scenario(path: &Path) -> Result<Sample> {
    let body = std::fs::read(path).with_context(|| path.display().to_string())?;
    let user = corpus::read_user(&body, &UploadLimits::FILE)
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let facts = serde_json::from_slice::<Scenario>(&body)?.truth;
    let (accounts, _) = user.upload.into_accounts();
    let truth = facts.contracts.into_iter().map(truth);
    Ok(Sample {
        user: user.user_id.unwrap_or_default(),
        user_type: user.user_type.unwrap_or(UserType::Person),
        accounts,
        as_of: facts.as_of.parse()?,
        truth: truth.collect::<Result<_>>()?,
        ignored: facts.single_bookings.into_iter().collect(),
        habits: Vec::new(),
        cash: BTreeSet::new(),
    })
}

fn truth(known: Known) -> Result<Truth> {
    let interval = Interval::ALL
        .into_iter()
        .find(|interval| interval.as_str() == known.interval);
    let next = known
        .next_booking_date
        .map(|date| date.parse())
        .transpose()?;
    let optional_ids: BTreeSet<String> = known.optional_transaction_ids.into_iter().collect();
    Ok(Truth {
        label: format!("{} ({})", known.partner, known.tag),
        interval: interval.context("an unknown interval")?,
        ids: known.transaction_ids.into_iter().collect(),
        optional_ids,
        is_optional: known.optional,
        next,
        is_active: Some(known.is_active),
    })
}
