//! Lines that the commands `analyze` and `categorize` write.

use std::borrow::Cow;

use domain::Finding;
use serde::Serialize;

use crate::categorization::CategorizedTransaction;

/// The analysis of one user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisLine<'a> {
    /// The user's identifier, or one made of the position in the input.
    pub user_id: Cow<'a, str>,
    /// `person` or `company`.
    #[serde(rename = "type")]
    pub user_type: &'static str,
    /// The day on which the analysis stands, `YYYY-MM-DD`.
    pub as_of: String,
    /// What computed it.
    pub engine: EngineLine<'a>,
    /// Tags of the transactions; absent when the part was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorization: Option<Vec<CategorizedTransaction<'a>>>,
    /// Bad data.
    pub findings: Vec<FindingLine<'a>>,
}

/// What computed a result, so that it can be computed again.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineLine<'a> {
    /// Version of the engine.
    pub version: &'a str,
    /// Hash of the rules.
    pub rule_pack_hash: &'a str,
    /// Hash of the taxonomy.
    pub taxonomy_hash: &'a str,
}

/// One piece of bad data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FindingLine<'a> {
    /// Where, as a path into the input.
    pub path: &'a str,
    /// What, as a stable word.
    pub code: &'static str,
    /// A sentence for people.
    pub message: &'a str,
}

impl<'a> From<&'a Finding> for FindingLine<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            path: &finding.path,
            code: finding.code.as_str(),
            message: &finding.message,
        }
    }
}

/// A line of the input that is no readable record.
#[derive(Serialize)]
pub struct BrokenLine<'a> {
    /// The input; absent when there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'a str>,
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub findings: Vec<FindingLine<'a>>,
}

/// The tags of one transaction that stands for itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CategorizedLine<'a> {
    /// The record's identifier, or one made of the position in the input.
    pub id: Cow<'a, str>,
    /// All tags, from specific to general.
    pub tags: Vec<&'a str>,
    /// The most specific tag.
    pub descriptive_tag: &'a str,
    /// The most specific tag for people.
    pub localized_tag: &'a str,
    /// Why; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation<'a>>,
}

/// Why a tag was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation<'a> {
    /// The rule that set the tag.
    pub rule: &'a str,
    /// What the rule says about itself.
    pub why: &'a str,
    /// The field that decided, as it is called in an upload.
    pub field: &'a str,
    /// The part of the field that matched.
    pub matched: Cow<'a, str>,
    /// What kind of match it is.
    pub note: &'a str,
    /// The payment service that was looked through; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediary: Option<&'a str>,
}

/// What a field that a rule speaks of is called in an upload; a name not in the table stays.
pub fn field_name(rule_name: &str) -> &str {
    const NAMES: [(&str, &str); 12] = [
        ("counterparty", "paymentPartner.name"),
        ("creditor_id", "paymentPartner.creditorId"),
        ("iban", "paymentPartner.iban"),
        ("purpose", "purpose"),
        ("booking_text", "bookingText"),
        ("ultimate_creditor", "differentCreditor"),
        ("ultimate_debtor", "differentDebitor"),
        ("mcc", "merchantCategoryCode"),
        ("gvc", "transactionCode"),
        ("purpose_code", "sepaPurposeCode"),
        ("amount", "amount"),
        ("transaction_id", "transactionId"),
    ];
    NAMES
        .iter()
        .find(|(name, _)| *name == rule_name)
        .map_or(rule_name, |(_, wire)| wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_called_as_in_an_upload() {
        assert_eq!(field_name("counterparty"), "paymentPartner.name");
        assert_eq!(field_name("mcc"), "merchantCategoryCode");
        assert_eq!(field_name("weather"), "weather");
    }
}
