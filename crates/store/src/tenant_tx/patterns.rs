//! What a user decided about tags, kept as one document.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use domain::{Pattern, PatternKind, PatternSet, UserId};
use serde::{Deserialize, Serialize};

use super::TenantTx;
use crate::error::StoreError;

/// The longest document of one user's patterns, in bytes; more than any set that the rim lets in.
pub const PATTERN_SET_BYTES_MAX: usize = 16 * 1024 * 1024;

const CORRUPT: StoreError = StoreError::Corrupt {
    column: "pattern_set.body",
};

/// The document, in words that stay when the domain's change.
#[derive(Default, Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    ids: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    patterns: Vec<StoredPattern>,
}

#[derive(Serialize, Deserialize)]
struct StoredPattern {
    kind: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    tags: Vec<String>,
}

impl Document {
    fn of(set: &PatternSet) -> Self {
        Self {
            ids: set.ids.clone(),
            patterns: set.patterns.iter().map(StoredPattern::of).collect(),
        }
    }

    fn read(text: &str) -> Result<PatternSet, StoreError> {
        // The parser's words are not kept, they may quote the document.
        let document: Self = serde_json::from_str(text).map_err(|_| CORRUPT)?;
        let patterns = document.patterns.into_iter();
        Ok(PatternSet {
            ids: document.ids,
            patterns: patterns.map(Pattern::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl StoredPattern {
    fn of(pattern: &Pattern) -> Self {
        let instant = |at: DateTime<FixedOffset>| at.to_rfc3339();
        Self {
            kind: pattern.kind.as_str().to_owned(),
            value: pattern.value.as_str().to_owned(),
            since: pattern.since.map(instant),
            until: pattern.until.map(instant),
            tags: pattern.tags.clone(),
        }
    }
}

impl TryFrom<StoredPattern> for Pattern {
    type Error = StoreError;

    fn try_from(stored: StoredPattern) -> Result<Self, StoreError> {
        let kinds = [PatternKind::Name, PatternKind::CreditorId];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == stored.kind);
        let instant = |text: Option<String>| {
            text.map(|text| DateTime::parse_from_rfc3339(&text).map_err(|_| CORRUPT))
                .transpose()
        };
        Ok(Self {
            kind: kind.ok_or(CORRUPT)?,
            value: stored.value.into(),
            since: instant(stored.since)?,
            until: instant(stored.until)?,
            tags: stored.tags,
        })
    }
}

impl TenantTx {
    /// Reads the user's own decisions about tags; none is an empty set, and so is no such user.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn patterns(&mut self, user: UserId) -> Result<PatternSet, StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let body = sqlx::query_scalar!(
            r#"select body::text as "body!" from pattern_set
               where tenant_id = $1 and user_id = $2"#,
            tenant,
            user
        )
        .fetch_optional(self.conn())
        .await?;
        body.map_or_else(|| Ok(PatternSet::default()), |body| Document::read(&body))
    }

    /// Makes these the user's own decisions, in the place of all earlier ones.
    ///
    /// Tags follow with the next run. Locks the user, so that a run asked for in the same
    /// transaction, and every later one, sees them.
    ///
    /// # Errors
    /// `NotFound` for the user, `LimitReached` beyond [`PATTERN_SET_BYTES_MAX`].
    pub async fn set_patterns(&mut self, user: UserId, set: &PatternSet) -> Result<(), StoreError> {
        self.lock_user(user).await?;
        let body = serde_json::to_string(&Document::of(set)).map_err(|_| CORRUPT)?;
        if body.len() > PATTERN_SET_BYTES_MAX {
            return Err(StoreError::LimitReached {
                what: "bytes of patterns",
                max: PATTERN_SET_BYTES_MAX,
            });
        }
        let (tenant, user, now) = (self.id(), user.as_uuid(), self.now());
        sqlx::query!(
            "insert into pattern_set (tenant_id, user_id, body, updated_at)
             values ($1, $2, $3::text::json, $4)
             on conflict (tenant_id, user_id) do update
             set body = excluded.body, updated_at = excluded.updated_at",
            tenant,
            user,
            body,
            now
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_wrote_is_corrupt_and_not_quoted() {
        let pattern = |fields: &str| format!(r#"{{"patterns":[{{{fields},"tags":[]}}]}}"#);
        for text in [
            "",
            "7",
            &pattern(r#""kind":"iban","value":"geheim""#),
            &pattern(r#""kind":"name""#),
            &pattern(r#""kind":"name","value":"geheim","since":"geheim""#),
        ] {
            let error = Document::read(text).expect_err(text);
            assert!(
                !format!("{error:?} {error}").contains("geheim"),
                "{error:?}"
            );
        }
        assert_eq!(
            Document::read("{}").expect("readable"),
            PatternSet::default()
        );
    }
}
