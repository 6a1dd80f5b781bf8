//! Tags of transactions.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::banking::{AccountResponse, TransactionResponse};
use crate::number::Share;

/// A page of tagged transactions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategorizationResponse<'a> {
    /// The transactions of this page.
    pub categorization: Vec<CategorizedTransaction<'a>>,
    /// Where this page lies.
    pub meta_data: PageMetaData,
}

/// What the event `categorization` carries: the difference, without paging.
#[derive(Serialize, ToSchema)]
pub struct CategorizationEvent<'a> {
    /// The transactions whose tags are new or changed.
    pub categorization: Vec<CategorizedTransaction<'a>>,
}

/// The tags of one transaction.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategorizedTransaction<'a> {
    /// The account's identifier.
    #[schema(value_type = String)]
    pub account_id: Cow<'a, str>,
    /// How often decisions like this one are right; 1 for what the user decided.
    pub confidence: Share,
    /// When the tags were set, RFC 3339 with offset.
    #[schema(value_type = String, example = "2026-01-22T14:08:47+01:00")]
    pub creation_date: Cow<'a, str>,
    /// The most specific tag.
    #[schema(value_type = String, example = "insurance_legal")]
    pub descriptive_tag: Cow<'a, str>,
    /// The payment service in between; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "paypal")]
    pub intermediary: Option<Cow<'a, str>>,
    /// The most specific tag in the language asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Rechtsschutzversicherung")]
    pub localized_tag: Option<Cow<'a, str>>,
    /// The merchant behind the payment service; absent when not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub merchant: Option<Cow<'a, str>>,
    /// For money that comes back: the tag of the spending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fashion")]
    pub refund_of: Option<Cow<'a, str>>,
    /// All tags, from specific to general, then those that the user's patterns add.
    #[schema(value_type = Vec<String>)]
    pub tags: Vec<Cow<'a, str>>,
    /// The transaction; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionResponse<'a>>,
    /// The transaction's identifier within the account.
    #[schema(value_type = String)]
    pub transaction_id: Cow<'a, str>,
}

/// Accounts whose transactions carry their tags.
#[derive(Serialize, ToSchema)]
pub struct CategorizedAccountsResponse<'a> {
    /// The accounts, in the order in which they were uploaded.
    pub accounts: Vec<CategorizedAccountResponse<'a>>,
}

/// A bank account whose transactions carry their tags.
#[derive(Serialize, ToSchema)]
pub struct CategorizedAccountResponse<'a> {
    /// The account itself.
    #[serde(flatten)]
    pub account: AccountResponse<'a>,
    /// Its bookings, in the order in which they were uploaded.
    pub transactions: Vec<TransactionWithTagsResponse<'a>>,
}

/// A booking with its tags.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionWithTagsResponse<'a> {
    /// The booking itself.
    #[serde(flatten)]
    pub transaction: TransactionResponse<'a>,
    /// How often decisions like this one are right; absent before the first analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Share>,
    /// The most specific tag; absent before the first analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insurance_legal")]
    pub descriptive_tag: Option<&'a str>,
    /// The most specific tag in the language asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Rechtsschutzversicherung")]
    pub localized_tag: Option<&'a str>,
    /// All tags, from specific to general; none before the first analysis.
    #[schema(value_type = Vec<String>)]
    pub tags: Vec<Cow<'a, str>>,
}

/// The tags of one transaction that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionTagsResponse<'a> {
    /// The account's identifier.
    pub account_id: &'a str,
    /// How often decisions like this one are right.
    pub confidence: Share,
    /// The most specific tag.
    #[schema(example = "insurance_legal")]
    pub descriptive_tag: &'a str,
    /// The most specific tag in the language asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Rechtsschutzversicherung")]
    pub localized_tag: Option<&'a str>,
    /// All tags, from specific to general.
    #[schema(value_type = Vec<String>)]
    pub tags: Vec<Cow<'a, str>>,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageMetaData {
    /// Number of the page, from 1.
    pub page: u64,
    /// Transactions a page.
    pub page_size: u64,
    /// Number of pages.
    pub pages: u64,
    /// Transactions in total.
    pub total_count: u64,
}

impl PageMetaData {
    /// Where a page lies among all transactions; a page size of 0 counts as 1.
    pub fn new(page: u64, page_size: u64, total_count: u64) -> Self {
        Self {
            page,
            page_size,
            pages: total_count.div_ceil(page_size.max(1)),
            total_count,
        }
    }
}
