//! A tenant's own rules.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::time::UtcMillis;

/// A tenant's rules for a type of user.
#[derive(Serialize, ToSchema)]
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

/// Without the text, which may name people.
impl fmt::Debug for TenantRulesResponse<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TenantRulesResponse")
            .field("hash", &self.hash)
            .field("rules", &self.rules)
            .field("tree_type", &self.tree_type)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_not_printed_by_accident() {
        let response = TenantRulesResponse {
            hash: "abc",
            rules: 7,
            source: Some("Erika Muster"),
            tree_type: "person",
            updated_at: UtcMillis(chrono::DateTime::UNIX_EPOCH),
        };
        let printed = format!("{response:?}");
        assert!(!printed.contains("Erika"), "{printed}");
        assert!(printed.contains("abc"), "{printed}");
    }
}
