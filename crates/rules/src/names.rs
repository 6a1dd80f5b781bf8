//! Names of merchants, companies and authorities as data: `names.tsv`.
//!
//! A rule refers to a list by its name, so that thousands of names need few rules. A name that is
//! also an ordinary word, a surname or a place is guarded: it only counts where the other side is
//! visibly a business.

use std::collections::BTreeMap;

use crate::error::{RuleProblem, RulesError};
use crate::file::NameRow;

/// What a name needs beside itself to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    /// Nothing.
    #[default]
    None,
    /// Something that only payments to businesses have.
    Business,
    /// A card text, a payment service, or no other word in the name.
    Card,
}

/// Every list of names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    lists: BTreeMap<(String, Guard), Vec<String>>,
}

impl Names {
    /// Reads a tab-separated table with the columns of [`NameRow`].
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, RulesError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b'\t')
            .quoting(false)
            .from_reader(text.as_bytes());
        let mut names = Self::default();
        for row in reader.deserialize() {
            let row: NameRow = row.map_err(RulesError::Names)?;
            let fault = |problem| RulesError::rule(file, &row.list, problem);
            let guard = match row.guard.as_str() {
                "" => Guard::None,
                "business" => Guard::Business,
                "card" => Guard::Card,
                _ => {
                    return Err(fault(RuleProblem::UnknownWord {
                        field: "guard",
                        allowed: "business, card, or nothing",
                    }));
                }
            };
            if row.source.trim().is_empty() {
                return Err(fault(RuleProblem::Undocumented { field: "source" }));
            }
            names
                .lists
                .entry((row.list, guard))
                .or_default()
                .push(row.name);
        }
        Ok(names)
    }

    /// Adds the names of lists to the literals of a condition.
    pub(crate) fn add(
        &self,
        lists: &[String],
        guard: Guard,
        literals: &mut Vec<String>,
    ) -> Result<(), RuleProblem> {
        for list in lists {
            let names = self.lists.get(&(list.clone(), guard));
            let names = names.ok_or_else(|| RuleProblem::UnknownList { list: list.clone() })?;
            literals.extend(names.iter().cloned());
        }
        Ok(())
    }

    /// How many names a list has, with all guards.
    pub(crate) fn len_of(&self, list: &str) -> usize {
        let lists = self.lists.iter().filter(|((name, _), _)| name == list);
        lists.map(|(_, names)| names.len()).sum()
    }

    /// Each list and its guard.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &(String, Guard)> {
        self.lists.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rows: &str) -> Result<Names, RulesError> {
        Names::parse("names.tsv", &format!("list\tname\tguard\tsource\n{rows}"))
    }

    #[test]
    fn guarded_names_are_kept_apart() {
        let names = parse("grocer\tREWE\t\tx\ngrocer\tPenny\tbusiness\tx\n").expect("valid");
        let read = |guard| {
            let mut literals = Vec::new();
            names
                .add(&["grocer".to_owned()], guard, &mut literals)
                .expect("known");
            literals
        };
        assert_eq!(read(Guard::None), ["REWE"]);
        assert_eq!(read(Guard::Business), ["Penny"]);
    }

    #[test]
    fn careless_rows_are_refused() {
        for rows in ["grocer\tREWE\tcash\tx\n", "grocer\tREWE\t\t \n", "grocer\n"] {
            assert!(parse(rows).is_err(), "{rows:?}");
        }
        let names = parse("grocer\tREWE\t\tx\n").expect("valid");
        let unknown = names.add(&["baker".to_owned()], Guard::None, &mut Vec::new());
        assert_eq!(
            unknown,
            Err(RuleProblem::UnknownList {
                list: "baker".to_owned()
            })
        );
    }
}
