//! How right the tags are, measured on labelled transactions.
//!
//! Reading order: `labelled` reads the rows, `observe` asks the engine, `score` counts, `calibration` compares what the engine
//! is sure of with how often it is right, `report` prints. Every share is of rows, so that a
//! reader can count it again by hand.

pub mod calibration;
pub mod labelled;
pub mod observe;
pub mod report;
pub mod score;

use labelled::Row;

/// Tags that say that the engine does not know.
pub const ABSTENTIONS: [&str; 5] = [
    "transfer_in",
    "transfer_out",
    "payment_service",
    "earning_other",
    "spending_other",
];

/// The engine's answer about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The most specific tag.
    pub tag: String,
    /// The tag above it.
    pub parent: String,
    /// How sure the engine is, of ten thousand.
    pub confidence: u16,
    /// The rule, tenant's rule or pattern that decided.
    pub rule: String,
    /// The cell of the calibration table that the confidence comes from.
    pub cell: String,
}

/// A row with the answer to it.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The row.
    pub row: Row,
    /// The answer.
    pub answer: Answer,
    /// The tag above the expected one.
    pub expected_parent: String,
}

impl Observation {
    /// Whether the answer is the expected tag or one as good.
    pub fn is_right(&self) -> bool {
        self.answer.tag == self.row.expected || self.row.accept.contains(&self.answer.tag)
    }

    /// Whether the answer is right or lies beside the expected tag.
    pub fn is_near(&self) -> bool {
        self.is_right() || self.answer.parent == self.expected_parent
    }

    /// Whether the engine says that it knows.
    pub fn is_decided(&self) -> bool {
        !ABSTENTIONS.contains(&self.answer.tag.as_str())
    }

    /// The tag that counts as true: the answer if it is as good as the expected one.
    pub fn truth(&self) -> &str {
        if self.is_right() {
            &self.answer.tag
        } else {
            &self.row.expected
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::UserType;

    /// An observation of `expected` answered by `tag`.
    pub(crate) fn observed(expected: &str, tag: &str, confidence: u16) -> Observation {
        let parent = |tag: &str| tag.split('_').next().unwrap_or_default().to_owned();
        Observation {
            row: Row {
                id: "R1".to_owned(),
                tree: UserType::Person,
                expected: expected.to_owned(),
                accept: Vec::new(),
                difficulty: "easy".to_owned(),
                line: Vec::new(),
            },
            answer: Answer {
                tag: tag.to_owned(),
                parent: parent(tag),
                confidence,
                rule: "rule".to_owned(),
                cell: "cell".to_owned(),
            },
            expected_parent: parent(expected),
        }
    }

    #[test]
    fn an_accepted_tag_is_right_and_a_sibling_is_near() {
        let mut seen = observed("insurance_car", "insurance_life", 9_000);
        assert!(!seen.is_right() && seen.is_near() && seen.is_decided());
        assert_eq!(seen.truth(), "insurance_car");
        seen.row.accept.push("insurance_life".to_owned());
        assert!(seen.is_right());
        assert_eq!(seen.truth(), "insurance_life");
        assert!(!observed("fuel", "transfer_out", 5_000).is_decided());
    }
}
