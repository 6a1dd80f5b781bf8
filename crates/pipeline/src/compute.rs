//! The part of a job that computes: from accounts to tags, and from tags to JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use analysis::{Options, Part, Parts, Report, Subject};
use chrono::NaiveDate;
use domain::{Account, AccountId, Sensitive, Transaction, TransactionId, UserType};
use rules::{Evidence, RulePack};
use store::{NewTag, StoreError, TaggedTransaction, TenantTx, User};
use wire::Share;
use wire::banking::TransactionResponse;
use wire::categorization::{CategorizationEvent, CategorizedTransaction};
use wire::line::FindingLine;
use wire::scope::{Scope, ScopeSet};

use crate::decisions::{Decisions, TenantRulesCache};
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
    tenant_rules: Arc<TenantRulesCache>,
}

/// A user's data as it was loaded, and the day that counts as today.
pub(crate) struct Input {
    pub(crate) user_type: UserType,
    pub(crate) scopes: ScopeSet,
    pub(crate) accounts: Vec<Account>,
    pub(crate) decisions: Decisions,
    pub(crate) as_of: NaiveDate,
}

/// What the core found, in the store's words.
pub(crate) struct Computed {
    pub(crate) tags: Vec<NewTag>,
    pub(crate) tenant_rules_hash: Option<String>,
    pub(crate) findings_json: String,
}

/// The parts of the analysis that a user's scopes ask for.
fn parts(scopes: ScopeSet) -> Parts {
    let part_of = [(Scope::Categorization, Part::Categorization)];
    part_of
        .into_iter()
        .filter(|(scope, _)| scopes.allows(*scope))
        .map(|(_, part)| part)
        .collect()
}

impl Engine {
    /// The engine with a rule pack.
    pub fn new(pack: Arc<RulePack>) -> Self {
        Self::with_core(pack, Arc::new(analysis::analyze))
    }

    /// The engine with another core.
    pub fn with_core(pack: Arc<RulePack>, analyze: Arc<Analyze>) -> Self {
        Self {
            pack,
            analyze,
            tenant_rules: Arc::default(),
        }
    }

    pub(crate) fn pack(&self) -> &RulePack {
        &self.pack
    }

    /// Reads what the user and the tenant decided themselves, in the transaction that reads the data.
    pub(crate) async fn decisions(
        &self,
        tx: &mut TenantTx,
        user: &User,
        scopes: ScopeSet,
    ) -> Result<Decisions, StoreError> {
        if parts(scopes).iter().next().is_none() {
            // Nothing is decided, so nothing that cannot be used any more may fail the run.
            return Ok(Decisions::default());
        }
        Decisions::load(tx, user, &self.tenant_rules).await
    }

    /// Runs the core.
    pub(crate) fn compute(&self, input: &Input) -> Result<Computed, PipelineError> {
        let compiled = input
            .decisions
            .compile(&self.pack, input.user_type, &self.tenant_rules);
        let layers = compiled.layers();
        let subject = Subject {
            user_type: input.user_type,
            accounts: &input.accounts,
            layers,
        };
        let options = Options {
            as_of: input.as_of,
            parts: parts(input.scopes),
        };
        let report = (self.analyze)(&self.pack, &subject, &options);
        // What was left out comes first: it says why other tags are not as somebody decided.
        let findings = compiled.left_out.iter().chain(&report.findings);
        let findings: Vec<FindingLine<'_>> = findings.map(FindingLine::from).collect();
        Ok(Computed {
            tags: self.tags(&subject, &report),
            tenant_rules_hash: compiled
                .tenant
                .as_ref()
                .map(|rules| rules.hash().to_owned()),
            findings_json: written("findings", &findings)?,
        })
    }

    fn tags(&self, subject: &Subject<'_>, report: &Report) -> Vec<NewTag> {
        let deciding = subject.categorizer(&self.pack);
        let tag_name = |tag| self.pack.tag_name(tag).to_owned();
        let categorized = report.categorization.iter().zip(0_i64..);
        categorized
            .filter_map(|(found, position)| {
                let account = subject.accounts.get(found.account_index)?;
                let transaction = account.transactions.get(found.transaction_index)?;
                let decision = found.decision;
                Some(NewTag {
                    account_id: account.id.clone(),
                    transaction_id: transaction.id.clone(),
                    tag: tag_name(decision.tag),
                    rule_id: deciding.rule_name(&decision).into_owned(),
                    origin: decision.origin.as_str().to_owned(),
                    extra_tags: found.extra_tags.clone(),
                    evidence: span(decision.evidence),
                    confidence: decision.confidence.per_ten_thousand(),
                    intermediary: decision
                        .intermediary
                        .map(|id| self.pack.intermediary(id).id.clone()),
                    merchant: decision.merchant(transaction).map(Sensitive::from),
                    refund_of: decision.refund_of.map(tag_name),
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
        let mut tags: Vec<Cow<'_, str>> = match taxonomy.find(user_type, &item.tag) {
            Some(tag) => taxonomy.path(tag).map(Into::into).collect(),
            None => vec![item.tag.as_str().into()],
        };
        for extra in &item.extra_tags {
            if !tags.iter().any(|tag| tag == extra) {
                tags.push(extra.as_str().into());
            }
        }
        let transaction = transactions.get(&(&item.account_id, &item.transaction_id));
        CategorizedTransaction {
            account_id: item.account_id.as_str().into(),
            confidence: Share(item.confidence),
            creation_date: domain::date::berlin_rfc3339(item.created_at).into(),
            descriptive_tag: item.tag.as_str().into(),
            intermediary: item.intermediary.as_deref().map(Into::into),
            localized_tag: None,
            merchant: item.merchant.as_ref().map(|name| name.as_str().into()),
            refund_of: item.refund_of.as_deref().map(Into::into),
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
