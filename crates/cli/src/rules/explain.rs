//! `kontor rules explain`: one decision, its evidence, and why nothing else decided.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use domain::{ErrorKind, UserType};
use serde_json::{Map, Value, json};

use super::corpus;
use super::layers::{LayerArgs, Layers};
use super::{OutputFormat, write_json};
use crate::analyze::input::{Flow, Format, Record, Source};
use crate::exit::Refusal;

mod answer;

use answer::Answer;

/// Which transaction, and by which rules.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done; 1 the input cannot be read; 2 wrong arguments, rules or \
                        input; 4 there is no such transaction, or no such file or folder of rules."
)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    layers: LayerArgs,

    /// Whose transaction it is, unless the input says so: person or company.
    #[arg(long = "type", value_name = "TYPE", default_value = "person")]
    user_type: UserType,

    /// How to write the explanation.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,

    /// A file of users or of transactions, one JSON object a line, or - for standard input.
    #[arg(
        value_name = "INPUT",
        conflicts_with = "amount",
        required_unless_present = "amount"
    )]
    input: Option<PathBuf>,

    /// Take the transaction with this id instead of the first one.
    #[arg(long, value_name = "ID", requires = "input")]
    id: Option<String>,

    #[command(flatten)]
    flags: FlagArgs,
}

/// A transaction in words of the command line.
#[derive(Debug, Args)]
#[command(next_help_heading = "A transaction without a file")]
struct FlagArgs {
    /// Its signed amount, -12.50.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    amount: Option<String>,
    /// Name of the other side.
    #[arg(long, requires = "amount")]
    name: Option<String>,
    /// Remittance information.
    #[arg(long, requires = "amount")]
    purpose: Option<String>,
    /// The bank's word for the booking.
    #[arg(long, requires = "amount")]
    booking_text: Option<String>,
    /// IBAN of the other side.
    #[arg(long, requires = "amount")]
    iban: Option<String>,
    /// Creditor identifier of the other side.
    #[arg(long, requires = "amount")]
    creditor_id: Option<String>,
    /// Mandate reference.
    #[arg(long, requires = "amount")]
    mandate: Option<String>,
    /// Merchant category code.
    #[arg(long, requires = "amount")]
    mcc: Option<String>,
    /// German transaction code (GVC).
    #[arg(long, requires = "amount")]
    gvc: Option<u16>,
    /// SEPA purpose code.
    #[arg(long, requires = "amount")]
    purpose_code: Option<String>,
    /// Holder of the account.
    #[arg(long, requires = "amount")]
    owner: Option<String>,
    /// Kind of the account, GIRO.
    #[arg(long, requires = "amount")]
    account_type: Option<String>,
}

impl FlagArgs {
    /// The transaction as a record of a corpus, so that it is read as any other.
    fn record(&self, amount: &str) -> Result<Record> {
        let number: Value = serde_json::from_str(amount.trim_start_matches('+'))
            .ok()
            .filter(Value::is_number)
            .ok_or_else(|| {
                let message = format!("--amount: {amount:?} is no number such as -12.50");
                Refusal::new(ErrorKind::InvalidInput, message)
            })?;
        let partner = object([
            ("name", &self.name),
            ("iban", &self.iban),
            ("creditorId", &self.creditor_id),
        ]);
        let mut transaction = object([
            ("purpose", &self.purpose),
            ("bookingText", &self.booking_text),
            ("mref", &self.mandate),
            ("merchantCategoryCode", &self.mcc),
            ("sepaPurposeCode", &self.purpose_code),
        ]);
        transaction.insert("amount".to_owned(), number);
        transaction.insert("bookingDate".to_owned(), json!(0));
        transaction.insert("paymentPartner".to_owned(), Value::Object(partner));
        if let Some(code) = self.gvc {
            transaction.insert("transactionCode".to_owned(), json!(code));
        }
        let account = object([("owner", &self.owner), ("type", &self.account_type)]);
        let record = json!({"transaction": transaction, "account": account});
        Ok(Record {
            input: None,
            line: 1,
            sequence: 1,
            content: Ok(serde_json::to_vec(&record)?),
        })
    }
}

fn object<const N: usize>(fields: [(&str, &Option<String>); N]) -> Map<String, Value> {
    let given = fields
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.clone()?))));
    given.collect()
}

/// Runs the command.
pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let layers = Layers::load(&args.layers, args.user_type)?;
    let answer = match (&args.flags.amount, &args.input) {
        (Some(amount), _) => of_record(&layers, args, &args.flags.record(amount)?)?,
        (None, Some(input)) => of_input(&layers, args, input)?,
        (None, None) => None,
    };
    let Some(answer) = answer else {
        let message = match &args.id {
            Some(id) => format!("no transaction of the input has the id {id:?}"),
            None => "the input has no transaction".to_owned(),
        };
        return Err(Refusal::new(ErrorKind::NotFound, message).into());
    };
    match args.format {
        OutputFormat::Text => answer.write_text(out)?,
        OutputFormat::Json => write_json(out, &answer)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The answer about the first record that holds the transaction.
fn of_input(layers: &Layers, args: &ExplainArgs, input: &PathBuf) -> Result<Option<Answer>> {
    let sources = Source::open_all(std::slice::from_ref(input), Some(Format::Ndjson))?;
    let mut answer = Ok(None);
    for source in sources {
        source.records(&mut 0, |record| {
            answer = of_record(layers, args, &record);
            match &answer {
                Ok(None) => Flow::Continue,
                Ok(Some(_)) | Err(_) => Flow::Stop,
            }
        })?;
    }
    answer
}

fn of_record(layers: &Layers, args: &ExplainArgs, record: &Record) -> Result<Option<Answer>> {
    let mut answer = None;
    let read = corpus::each(record, args.user_type, |item| {
        let wanted = args.id.as_ref().is_none_or(|id| {
            *id == item.name() || id == item.transaction.id.as_str() || Some(id.as_str()) == item.id
        });
        if answer.is_none() && wanted {
            answer = Some(Answer::of(layers, item));
        }
    });
    read.map_err(|fault| Refusal::new(ErrorKind::InvalidInput, fault.to_string()))
        .with_context(|| format!("line {}", record.line))?;
    Ok(answer)
}
