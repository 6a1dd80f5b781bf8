//! One user of a corpus to one line of output.

use std::borrow::Cow;

use analysis::{ENGINE_VERSION, Options, Part, Parts, Report, Subject};
use chrono::NaiveDate;
use domain::{Account, Finding, FindingCode, UserType, date};
use formats::corpus::{self, CorpusUser};
use formats::{InvalidInput, UploadLimits};
use rules::RulePack;
use serde::Serialize;
use wire::Share;
use wire::categorization::CategorizedTransaction;
use wire::line::{AnalysisLine, BrokenLine, EngineLine, FindingLine};

use super::input::Record;
use super::pump::Produced;
use super::summary::Count;

/// What every user of a run is analysed with.
pub(super) struct Analyst<'p> {
    pub(super) pack: &'p RulePack,
    /// Kind of the users that do not say theirs.
    pub(super) default_type: UserType,
    /// The day on which the analysis stands; each user's newest booking day when absent.
    pub(super) as_of: Option<NaiveDate>,
    /// Only bounds the default of `as_of`.
    pub(super) today: NaiveDate,
    pub(super) parts: Parts,
}

impl Analyst<'_> {
    /// Analyses the user of a record.
    pub(super) fn line(&self, record: &Record) -> Produced {
        match read(record).and_then(|user| self.analyze(record, user)) {
            Ok(produced) => produced,
            Err(fault) => broken(record, &fault),
        }
    }

    fn analyze(&self, record: &Record, user: CorpusUser) -> Result<Produced, InvalidInput> {
        let user_type = user.user_type.unwrap_or(self.default_type);
        let user_id = user
            .user_id
            .unwrap_or_else(|| format!("U#{}", record.sequence));
        let places = user.upload.places();
        let (accounts, mut findings) = user.upload.into_accounts();
        let as_of = self
            .as_of
            .unwrap_or_else(|| analysis::newest_booking_day(&accounts, self.today));
        let subject = Subject {
            user_type,
            accounts: &accounts,
            layers: analysis::Layers::NONE,
        };
        let options = Options {
            as_of,
            parts: self.parts,
        };
        let report = analysis::analyze(self.pack, &subject, &options);
        findings.extend(report.findings.iter().map(|finding| Finding {
            path: places.in_input(&finding.path),
            ..finding.clone()
        }));
        let line = AnalysisLine {
            user_id: user_id.into(),
            user_type: user_type.as_str(),
            as_of: as_of.to_string(),
            engine: self.engine(),
            categorization: self
                .parts
                .contains(Part::Categorization)
                .then(|| self.categorization(&accounts, &report, as_of)),
            findings: findings.iter().map(FindingLine::from).collect(),
        };
        let transactions = accounts
            .iter()
            .map(|account| account.transactions.len() as u64);
        Ok(Produced {
            line: to_json(&line)?,
            count: Count {
                records: 1,
                transactions: transactions.sum(),
                findings: findings.len() as u64,
                broken: 0,
            },
            broken: None,
        })
    }

    fn engine(&self) -> EngineLine<'_> {
        EngineLine {
            version: ENGINE_VERSION,
            rule_pack_hash: self.pack.hash(),
            taxonomy_hash: self.pack.taxonomy().hash(),
        }
    }

    fn categorization<'r>(
        &'r self,
        accounts: &'r [Account],
        report: &Report,
        as_of: NaiveDate,
    ) -> Vec<CategorizedTransaction<'r>> {
        let taxonomy = self.pack.taxonomy();
        let creation_date: Cow<'r, str> = date::berlin_midnight_rfc3339(as_of).into();
        let decided = report.categorization.iter().filter_map(|decided| {
            let account = accounts.get(decided.account_index)?;
            let transaction = account.transactions.get(decided.transaction_index)?;
            let decision = decided.decision;
            let tag = decision.tag;
            Some(CategorizedTransaction {
                account_id: account.id.as_str().into(),
                confidence: Share(decision.confidence.per_ten_thousand()),
                creation_date: creation_date.clone(),
                descriptive_tag: taxonomy.name(tag).into(),
                intermediary: decision
                    .intermediary
                    .map(|id| self.pack.intermediary(id).id.as_str().into()),
                localized_tag: None,
                merchant: decision.merchant(transaction).map(Into::into),
                refund_of: decision.refund_of.map(|tag| taxonomy.name(tag).into()),
                tags: taxonomy.path(tag).map(Cow::Borrowed).collect(),
                transaction: None,
                transaction_id: transaction.id.as_str().into(),
            })
        });
        decided.collect()
    }
}

fn read(record: &Record) -> Result<CorpusUser, InvalidInput> {
    match &record.content {
        Ok(bytes) => corpus::read_user(bytes, &UploadLimits::FILE),
        Err(too_long) => Err(InvalidInput::new("", too_long.to_string())),
    }
}

/// A line that says what is wrong with a record.
pub(crate) fn broken(record: &Record, fault: &InvalidInput) -> Produced {
    let code = if fault.path.is_empty() {
        FindingCode::UnreadableLine
    } else {
        FindingCode::Invalid
    };
    let line = BrokenLine {
        input: record.input.as_deref(),
        line: record.line,
        findings: vec![FindingLine {
            path: &fault.path,
            code: code.as_str(),
            message: &fault.message,
        }],
    };
    let place = match &record.input {
        Some(input) => format!("{input}, line {}", record.line),
        None => format!("line {}", record.line),
    };
    Produced {
        line: to_json(&line).unwrap_or_default(),
        count: Count {
            broken: 1,
            findings: 1,
            ..Count::default()
        },
        broken: Some(format!("{place}: {fault}")),
    }
}

/// Writes a line. Every shape can be written; should one not, its record counts as broken.
pub(crate) fn to_json(line: &impl Serialize) -> Result<Vec<u8>, InvalidInput> {
    serde_json::to_vec(line).map_err(|error| InvalidInput::new("", error.to_string()))
}
