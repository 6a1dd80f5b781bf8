//! Why a transaction has its tags.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::number::Share;

/// Why a transaction has its tags.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationResponse<'a> {
    /// Whether the category is only what remains, because nothing was known or not surely enough.
    pub abstained: bool,
    /// The account's identifier.
    pub account_id: &'a str,
    /// What other rules and patterns would have decided, best first.
    pub alternatives: Vec<AlternativeResponse<'a>>,
    /// How often decisions like this one are right; 1 for what the user decided.
    pub confidence: Share,
    /// When the tags were set, RFC 3339 with offset.
    #[schema(example = "2026-01-22T14:08:47+01:00")]
    pub creation_date: String,
    /// The most specific tag.
    #[schema(example = "insurance_legal")]
    pub descriptive_tag: &'a str,
    /// The piece of the transaction that decided; absent when it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceResponse<'a>>,
    /// The payment service in between; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "paypal")]
    pub intermediary: Option<&'a str>,
    /// The most specific tag in the language asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Rechtsschutzversicherung")]
    pub localized_tag: Option<&'a str>,
    /// The merchant behind the payment service; absent when not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<&'a str>,
    /// Who decided: `user` before `tenant` before `pack`.
    #[schema(example = "pack")]
    pub origin: &'a str,
    /// For money that comes back: the tag of the spending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<&'a str>,
    /// Whether deciding again now gives the same.
    pub replay: Replay,
    /// The rule, or the user's pattern as a path into `patterns`.
    #[schema(example = "insurance-legal-de")]
    pub rule: &'a str,
    /// Where the rule's knowledge comes from; absent for patterns and rules that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    /// How much evidence of this kind weighs; absent for patterns and rules that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<&'a str>,
    /// All tags, from specific to general, then those that the user's patterns add.
    #[schema(value_type = Vec<String>)]
    pub tags: Vec<Cow<'a, str>>,
    /// Below this confidence no category is claimed.
    pub threshold: Share,
    /// The transaction's identifier within the account.
    pub transaction_id: &'a str,
    /// What the rule says about itself; absent for rules that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

/// What another rule or pattern would have decided.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlternativeResponse<'a> {
    /// How often decisions like this one are right.
    pub confidence: Share,
    /// The tag it would have set.
    pub descriptive_tag: &'a str,
    /// The piece of the transaction that it found.
    pub evidence: EvidenceResponse<'a>,
    /// The tag in the language asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized_tag: Option<&'a str>,
    /// Whose rule it is: `user`, `tenant` or `pack`.
    #[schema(example = "pack")]
    pub origin: &'a str,
    /// For money that comes back: the tag of the spending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<&'a str>,
    /// The rule, or the user's pattern as a path into `patterns`.
    #[schema(value_type = String)]
    pub rule: Cow<'a, str>,
    /// What the rule says about itself; absent for patterns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

/// A piece of a transaction.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceResponse<'a> {
    /// Byte after the piece; 0 for numbers, which count as a whole.
    pub end: u32,
    /// The field, as it is called in an upload.
    #[schema(example = "paymentPartner.name")]
    pub field: &'a str,
    /// What kind of match it is.
    #[schema(example = "word or phrase")]
    pub note: &'a str,
    /// First byte of the piece in the field (UTF-8).
    pub start: u32,
    /// The piece.
    #[schema(value_type = String)]
    pub text: Cow<'a, str>,
}

/// Whether deciding again now gives the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Replay {
    /// The same tag, by the same rule.
    Same,
    /// The rules, the patterns or the data have changed; the next analysis decides again.
    Changed,
}
