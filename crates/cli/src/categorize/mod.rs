//! `kontor categorize`: tags for single transactions, without accounts and users.
//!
//! Exit codes as those of `kontor analyze`.

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use domain::{Transaction, UserType};
use formats::{InvalidInput, UploadLimits, record};
use rules::{AccountContext, Decision, Language, RulePack, Scratch};
use wire::line::{CategorizedLine, Explanation};

use crate::analyze::input::{Format, Record, Source};
use crate::analyze::pump::{self, BadRecords, Produced, Threads};
use crate::analyze::summary::{Count, Totals};
use crate::analyze::{finish, open_output, user};

/// Reads one transaction a line and writes its tags, one line each, in the order of the input.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done; 1 an input cannot be read or the output not be written; \
                        2 wrong arguments; 3 --strict met a record that cannot be used."
)]
pub(crate) struct CategorizeArgs {
    /// Whose transactions these are: person or company.
    #[arg(long = "type", value_name = "TYPE")]
    user_type: UserType,

    /// Also say which rule set the tag and what it saw.
    #[arg(long)]
    explain: bool,

    /// Language of `localizedTag`: de or en.
    #[arg(long, value_name = "LANGUAGE", default_value = "de")]
    language: Language,

    /// Where the lines go; standard output by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Stop at the first record that cannot be used instead of writing a line about it.
    #[arg(long)]
    strict: bool,

    /// Threads to compute with; all by default. The output does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<Threads>,

    /// A file of one JSON object a line, or - for standard input.
    #[arg(value_name = "INPUT")]
    input: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The input cannot be read, the output cannot be written, or the rules cannot be loaded.
pub(crate) fn run(args: &CategorizeArgs) -> anyhow::Result<ExitCode> {
    let sources = Source::open_all(std::slice::from_ref(&args.input), Some(Format::Ndjson))?;
    let mut out = open_output(args.out.as_deref())?;
    let totals = categorize(args, sources, &mut out)?;
    Ok(finish(&totals, "records"))
}

fn categorize(
    args: &CategorizeArgs,
    sources: Vec<Source>,
    out: &mut dyn Write,
) -> anyhow::Result<Totals> {
    let pack = RulePack::builtin().context("cannot load the rules")?;
    let tagger = Tagger { pack: &pack, args };
    let plan = pump::Plan {
        threads: args.threads,
        bad_records: BadRecords::of(args.strict),
    };
    pump::run(
        sources,
        &plan,
        out,
        || pack.scratch(),
        |scratch, record| tagger.line(scratch, record),
    )
}

struct Tagger<'p> {
    pack: &'p RulePack,
    args: &'p CategorizeArgs,
}

impl Tagger<'_> {
    fn line(&self, scratch: &mut Scratch, record: &Record) -> Produced {
        match self.tagged(scratch, record) {
            Ok(line) => Produced {
                line,
                count: Count {
                    records: 1,
                    transactions: 1,
                    ..Count::default()
                },
                broken: None,
            },
            Err(fault) => user::broken(record, &fault),
        }
    }

    fn tagged(&self, scratch: &mut Scratch, record: &Record) -> Result<Vec<u8>, InvalidInput> {
        let sent = record.content.as_ref();
        let bytes = sent.map_err(|fault| InvalidInput::new("", fault.to_string()))?;
        let read = record::read(bytes, &UploadLimits::FILE)?;
        let accounts = std::slice::from_ref(&read.account);
        let context = AccountContext::new(&read.account, accounts);
        let Some(transaction) = read.account.transactions.first() else {
            return Err(InvalidInput::missing("transaction"));
        };
        let view = self.pack.prepare(transaction, &context);
        let decision = self.pack.categorize(self.args.user_type, &view, scratch);
        let taxonomy = self.pack.taxonomy();
        let line = CategorizedLine {
            id: read
                .id
                .unwrap_or_else(|| format!("T#{}", record.sequence))
                .into(),
            tags: taxonomy.path(decision.tag).collect(),
            descriptive_tag: taxonomy.name(decision.tag),
            localized_tag: taxonomy.label(decision.tag, self.args.language),
            explanation: self
                .args
                .explain
                .then(|| self.explanation(&decision, transaction)),
        };
        user::to_json(&line)
    }

    fn explanation<'t>(
        &'t self,
        decision: &Decision,
        transaction: &'t Transaction,
    ) -> Explanation<'t> {
        let rule = self.pack.rule(decision.rule);
        let evidence = decision.evidence;
        let service = decision.intermediary.map(|id| self.pack.intermediary(id));
        Explanation {
            rule: &rule.id,
            why: &rule.why,
            field: wire::line::field_name(evidence.field.as_str()),
            matched: evidence.matched(transaction),
            note: evidence.note.as_str(),
            intermediary: service.map(|service| service.name.as_str()),
        }
    }
}
