//! Users with everything that is known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use analysis::{Options, Part, Subject};
use chrono::NaiveDate;
use domain::{Account, UserType};
use formats::corpus;
use formats::limits::UploadLimits;
use rules::RulePack;
use serde::Deserialize;
use serde_json::Value;

/// A user and what is known of him.
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) tree: UserType,
    pub(crate) accounts: Vec<Account>,
    pub(crate) truth: Truth,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Truth {
    as_of: String,
    #[serde(default)]
    pub(crate) internal_transfers: BTreeSet<String>,
    #[serde(default)]
    pub(crate) own_transfers_external: BTreeSet<String>,
    #[serde(default)]
    pub(crate) detected_accounts: Vec<BTreeMap<String, Value>>,
    /// By account and day.
    #[serde(default)]
    pub(crate) daily_balances: BTreeMap<String, BTreeMap<String, Value>>,
    /// By day, of the only account.
    #[serde(default)]
    pub(crate) end_of_day_balances: BTreeMap<String, String>,
    /// By month.
    #[serde(default)]
    pub(crate) risk: BTreeMap<String, Risk>,
    /// By transaction.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Risk {
    pub(crate) back_debit: usize,
    pub(crate) overdraft_days: usize,
}

impl Truth {
    pub(crate) fn as_of(&self) -> NaiveDate {
        day(&self.as_of)
    }
}

/// A day as the truth writes it.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

#[derive(Deserialize)]
struct Scenario {
    truth: Truth,
}

/// The folder with the data, or `None` and a message where there is none.
fn folder(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {}", folder.display());
    None
}

/// The written users; none where they are not at hand.
pub(crate) fn scenarios() -> Vec<User> {
    let Some(folder) = folder("scenarios") else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(&folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort_unstable();
    let users = paths.into_iter().map(|path| {
        let body = std::fs::read(&path).expect("a readable file");
        let scenario: Scenario = serde_json::from_slice(&body).expect("a scenario");
        user(&body, scenario.truth)
    });
    users.collect()
}

/// The Berka accounts; none where they are not at hand.
pub(crate) fn berka() -> Vec<User> {
    let Some(folder) = folder("berka") else {
        return Vec::new();
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a readable file");
    let (users, truths) = (read("corpus.ndjson"), read("truth.ndjson"));
    let truths = truths
        .lines()
        .map(|line| serde_json::from_str(line).expect("a truth"));
    let lines = users.lines().zip(truths);
    lines
        .map(|(line, truth)| user(line.as_bytes(), truth))
        .collect()
}

fn user(body: &[u8], truth: Truth) -> User {
    let user = corpus::read_user(body, &UploadLimits::FILE).expect("a user");
    let (accounts, _) = user.upload.into_accounts();
    User {
        id: user.user_id.unwrap_or_default(),
        tree: user.user_type.unwrap_or(UserType::Person),
        accounts,
        truth,
    }
}

/// The tags that the rules decide on, by account and transaction.
pub(crate) fn tags(pack: &RulePack, user: &User) -> Vec<Vec<String>> {
    let subject = Subject {
        layers: analysis::Layers::NONE,
        user_type: user.tree,
        accounts: &user.accounts,
    };
    let options = Options {
        as_of: user.truth.as_of(),
        parts: [Part::Categorization].into_iter().collect(),
    };
    let mut tags: Vec<Vec<String>> = vec![Vec::new(); user.accounts.len()];
    for decided in analysis::analyze(pack, &subject, &options).categorization {
        let tag = pack.tag_name(decided.decision.tag).to_owned();
        tags[decided.account_index].push(tag);
    }
    tags
}
