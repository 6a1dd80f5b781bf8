//! The part of a job that computes: from accounts to tags, and from tags to JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use analysis::{Options, Part, Parts, Report, Subject};
use chrono::NaiveDate;
use domain::{Account, AccountId, Transaction, TransactionId, UserType};
use rules::{Evidence, RulePack};
use store::{NewTag, TaggedTransaction};
use wire::banking::TransactionResponse;
use wire::categorization::{CategorizationEvent, CategorizedTransaction};
use wire::line::FindingLine;
use wire::scope::{Scope, ScopeSet};

use crate::error::PipelineError;

/// The module whose answer is the difference of the tags.
pub const CATEGORIZATION: &str = "categorization";

/// The core's entry. A value, so that a test can put a broken core in its place.
pub type Analyze = dyn Fn(&RulePack, &Subject<'_>, &Options) -> Report + Send + Sync;

/// What computes results, and what identifies it.
#[derive(Clone)]
pub struct Engine {
    pack: Arc<RulePack>,
    analyze: Arc<Analyze>,
}

/// A user's data as it was loaded, and the day that counts as today.
pub(crate) struct Input {
    pub(crate) user_type: UserType,
    pub(crate) scopes: ScopeSet,
    pub(crate) accounts: Vec<Account>,
    pub(crate) as_of: NaiveDate,
}

/// What the core found, in the store's words.
pub(crate) struct Computed {
    pub(crate) tags: Vec<NewTag>,
    pub(crate) findings_json: String,
}

impl Input {
    /// The parts of the analysis that the user's scopes ask for.
    fn parts(&self) -> Parts {
        let part_of = [(Scope::Categorization, Part::Categorization)];
        part_of
            .into_iter()
            .filter(|(scope, _)| self.scopes.allows(*scope))
            .map(|(_, part)| part)
            .collect()
    }
}

impl Engine {
    /// The engine with a rule pack.
    pub fn new(pack: Arc<RulePack>) -> Self {
        Self::with_core(pack, Arc::new(analysis::analyze))
    }

    /// The engine with another core.
    pub fn with_core(pack: Arc<RulePack>, analyze: Arc<Analyze>) -> Self {
        Self { pack, analyze }
    }

    pub(crate) fn pack(&self) -> &RulePack {
        &self.pack
    }

    /// Runs the core.
    pub(crate) fn compute(&self, input: &Input) -> Result<Computed, PipelineError> {
        let subject = Subject {
            user_type: input.user_type,
            accounts: &input.accounts,
        };
        let options = Options {
            as_of: input.as_of,
            parts: input.parts(),
        };
        let report = (self.analyze)(&self.pack, &subject, &options);
        let findings: Vec<FindingLine<'_>> =
            report.findings.iter().map(FindingLine::from).collect();
        Ok(Computed {
            tags: self.tags(&input.accounts, &report),
            findings_json: written("findings", &findings)?,
        })
    }

    fn tags(&self, accounts: &[Account], report: &Report) -> Vec<NewTag> {
        let categorized = report.categorization.iter().zip(0_i64..);
        categorized
            .filter_map(|(found, position)| {
                let account = accounts.get(found.account_index)?;
                let transaction = account.transactions.get(found.transaction_index)?;
                let assignment = &found.assignment;
                Some(NewTag {
                    account_id: account.id.clone(),
                    transaction_id: transaction.id.clone(),
                    tag: self.pack.tag_name(assignment.tag).to_owned(),
                    rule_id: self.pack.rule_name(assignment.rule).to_owned(),
                    origin: "pack".to_owned(),
                    extra_tags: Vec::new(),
                    evidence: span(assignment.evidence),
                    confidence: 10_000,
                    intermediary: None,
                    merchant: None,
                    refund_of: None,
                    position,
                })
            })
            .collect()
    }

    /// Writes the difference of the tags as it is served and sent.
    pub(crate) fn categorization(
        &self,
        input: &Input,
        changed: &[TaggedTransaction],
    ) -> Result<String, PipelineError> {
        let transactions = by_id(&input.accounts);
        let categorization = changed
            .iter()
            .map(|item| self.categorized(input.user_type, &transactions, item))
            .collect();
        written(CATEGORIZATION, &CategorizationEvent { categorization })
    }

    fn categorized<'a>(
        &'a self,
        user_type: UserType,
        transactions: &BTreeMap<(&AccountId, &TransactionId), &'a Transaction>,
        item: &'a TaggedTransaction,
    ) -> CategorizedTransaction<'a> {
        let taxonomy = self.pack.taxonomy();
        let tags = match taxonomy.find(user_type, &item.tag) {
            Some(tag) => taxonomy.path(tag).map(Into::into).collect(),
            None => vec![item.tag.as_str().into()],
        };
        let transaction = transactions.get(&(&item.account_id, &item.transaction_id));
        CategorizedTransaction {
            account_id: item.account_id.as_str().into(),
            creation_date: domain::date::berlin_rfc3339(item.created_at).into(),
            descriptive_tag: item.tag.as_str().into(),
            localized_tag: None,
            tags,
            transaction: transaction
                .map(|transaction| TransactionResponse::new(item.account_id.as_str(), transaction)),
            transaction_id: item.transaction_id.as_str().into(),
        }
    }
}

fn by_id(accounts: &[Account]) -> BTreeMap<(&AccountId, &TransactionId), &Transaction> {
    accounts
        .iter()
        .flat_map(|account| {
            let transactions = account.transactions.iter();
            transactions.map(move |transaction| ((&account.id, &transaction.id), transaction))
        })
        .collect()
}

/// Where the rule found what it looked for; the text itself stays in the transaction.
fn span(evidence: Evidence) -> String {
    format!(
        "{}[{}..{}]: {}",
        evidence.field.as_str(),
        evidence.start,
        evidence.end,
        evidence.note.as_str()
    )
}

/// Writes a value as JSON text.
pub(crate) fn written<T: serde::Serialize>(
    module: &'static str,
    value: &T,
) -> Result<String, PipelineError> {
    serde_json::to_string(value).map_err(|source| PipelineError::Unwritable { module, source })
}
