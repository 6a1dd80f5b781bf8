//! A tenant's own rules.

use serde::Serialize;
use utoipa::ToSchema;

use crate::time::UtcMillis;

/// A tenant's rules for a type of user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantRulesResponse<'a> {
    /// Identifies the text: SHA-256, in hexadecimal.
    pub hash: &'a str,
    /// How many rules there are.
    pub rules: u32,
    /// The text as it was sent; left out where it was just sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    /// `person` or `company`.
    #[serde(rename = "type")]
    #[schema(example = "person")]
    pub tree_type: &'static str,
    /// When they were set.
    pub updated_at: UtcMillis,
}
