//! The format of rule files and of the data files beside them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The rules.
    #[serde(default)]
    pub rule: Vec<RuleEntry>,
}

/// A file of rules, each of them whatever it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTables {
    #[serde(default)]
    pub(crate) rule: Vec<toml::Table>,
}

/// A rule as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// Permanent name: lower-case words joined by hyphens, says nothing about the tag.
    pub id: String,
    /// A leaf of the taxonomy.
    pub tag: String,
    /// `{ stage = "version" }` with one of preview, stable, deprecated, removed.
    pub status: BTreeMap<String, String>,
    /// `debit` or `credit`; both when absent.
    pub direction: Option<String>,
    /// A word of `evidence.toml`.
    pub strength: String,
    /// Whether the rule is what remains when nothing else matches.
    #[serde(default)]
    pub fallback: bool,
    /// Conditions that hold always.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Alternatives of which one must hold as well.
    #[serde(default)]
    pub either: Vec<Conditions>,
    /// Why it is right.
    pub why: String,
    /// Where the knowledge comes from.
    pub source: String,
    /// Transactions that it must decide.
    #[serde(default)]
    pub hit: Vec<String>,
    /// Transactions that it must not decide.
    #[serde(default)]
    pub miss: Vec<String>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Words in the counterparty's name, or in the merchant's behind a payment service.
    pub counterparty: Option<Words>,
    /// Words in the remittance information.
    pub purpose: Option<Words>,
    /// Words in the bank's word for the booking.
    pub booking_text: Option<Words>,
    /// Words in the counterparty's name or in the remittance information.
    pub text: Option<Words>,
    /// German transaction codes.
    pub gvc: Vec<u16>,
    /// Merchant category codes, `5411` or `3000-3299`.
    pub mcc: Vec<String>,
    /// SEPA purpose codes.
    pub purpose_code: Vec<String>,
    /// Creditor identifiers.
    pub creditor_id: Vec<String>,
    /// IBANs of the counterparty.
    pub iban: Vec<String>,
    /// German bank codes inside the counterparty's IBAN.
    pub bank_code: Vec<String>,
    /// Payment services by id, or `any`.
    pub intermediary: Vec<String>,
    /// `own_account`, `holder`, or `business`.
    pub counterparty_is: Option<String>,
    /// `present` or `absent`.
    pub mandate: Option<String>,
    /// Range of the absolute amount in euros.
    pub amount: Option<AmountRange>,
    /// Kinds of the account booked on.
    pub account_type: Vec<String>,
}

/// Lists of words and phrases.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// One must be there.
    pub any: Vec<String>,
    /// Each must be there.
    pub all: Vec<String>,
    /// None may be there.
    pub none: Vec<String>,
    /// Lists of `names.tsv` whose names count as if they stood in `any`.
    pub listed: Vec<String>,
    /// As `listed`, but the names that are also ordinary words, surnames or places.
    pub guarded: Vec<String>,
    /// As `guarded`, but common surnames, which many other businesses bear as well.
    pub carded: Vec<String>,
}

/// A range of absolute amounts, inclusive.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmountRange {
    /// Smallest amount in euros.
    pub min: Option<String>,
    /// Largest amount in euros.
    pub max: Option<String>,
}

/// A row of `names.tsv`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameRow {
    /// The list, as rules name it.
    pub list: String,
    /// A name, a phrase or a stem, as in rule files.
    pub name: String,
    /// `business` when it only counts where the other side is visibly one, `card` when it only
    /// counts in card texts and the like, else empty.
    pub guard: String,
    /// Where the knowledge comes from.
    pub source: String,
}

/// The file `evidence.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// The strengths.
    pub strength: Vec<StrengthEntry>,
}

/// A strength as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrengthEntry {
    /// The word used in rule files.
    pub name: String,
    /// What comes before any weight: the higher wins.
    pub precedence: u16,
    /// Among equal precedence the heavier wins.
    pub weight: u16,
    /// What it is for.
    pub why: String,
}

/// The file `intermediaries.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntermediaryFile {
    /// The payment services.
    pub intermediary: Vec<IntermediaryEntry>,
}

/// A payment service as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntermediaryEntry {
    /// Permanent id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How its name starts in bank data; ASCII, in any case. A star at the end must be there, too:
    /// `SQ *` is no name without one.
    pub starts: Vec<String>,
    /// Whether its own name says what the payment is for, so that rules go on reading it.
    #[serde(default)]
    pub telling: bool,
    /// Words after which the merchant's name stands in the remittance information.
    #[serde(default)]
    pub merchant_after: Vec<String>,
    /// Words in the remittance information with which the merchant's name itself starts.
    #[serde(default)]
    pub merchant_from: Vec<String>,
    /// Where the knowledge comes from.
    pub source: String,
}

/// The file `calibration.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationFile {
    /// Below this confidence, of ten thousand, the engine abstains.
    pub threshold: u16,
    /// How much less a rule may weigh to contest a decision.
    pub near: u16,
    /// The tags of abstention.
    #[serde(default)]
    pub rest: Vec<RestEntry>,
    /// The confidences.
    pub confidence: Vec<CalibrationEntry>,
}

/// A tag that says that nothing is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestEntry {
    /// `person` or `company`.
    pub tree: String,
    /// The tag.
    pub tag: String,
}

/// The confidence of decisions by rules of one strength.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationEntry {
    /// `person` or `company`.
    pub tree: String,
    /// A word of `evidence.toml`, or `refund`.
    pub strength: String,
    /// Right decisions among ten thousand when no other tag was near.
    pub uncontested: u16,
    /// Right decisions among ten thousand when one was.
    pub contested: u16,
}

/// The file `refunds.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundFile {
    /// Rules for money that comes in give way when they weigh less than this strength.
    pub below: String,
    /// Rules for spending below this strength only count where the other side is a business.
    pub sure: String,
    /// What becomes of which spending.
    pub refund: Vec<RefundEntry>,
}

/// What money is that comes back from a kind of spending.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundEntry {
    /// `person` or `company`.
    pub tree: String,
    /// A tag of spending; it stands for everything below it too.
    pub spending: String,
    /// The tag that the money gets.
    pub refund: String,
    /// Why.
    pub why: String,
}
