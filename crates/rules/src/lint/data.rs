//! The data files beside the rules: what of them can be used.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{RuleProblem, RulesError};
use crate::intermediary::Intermediaries;
use crate::lint::problem::{ProblemKind, Report};
use crate::lint::{shipped, text};
use crate::literal::Literal;
use crate::names::Names;
use crate::pack::Sources;
use crate::people::FirstNames;
use crate::rule::Strength;
use crate::taxonomy::Taxonomy;
use crate::validate::{self, Surroundings};

/// Data files without their broken parts; one that cannot be read at all is the shipped one.
#[derive(Debug)]
pub(super) struct Data {
    taxonomy_text: String,
    evidence_text: String,
    services_text: String,
    first_names_text: String,
    names_text: String,
    taxonomy: Taxonomy,
    strengths: BTreeMap<String, Strength>,
    services: Intermediaries,
    names: Names,
}

impl Data {
    pub(super) const fn around(&self) -> Surroundings<'_> {
        Surroundings {
            taxonomy: &self.taxonomy,
            strengths: &self.strengths,
            services: &self.services,
            names: &self.names,
        }
    }

    /// The sources with what can be used of their data files.
    pub(super) fn sources<'a>(&'a self, sources: &Sources<'a>) -> Sources<'a> {
        Sources {
            taxonomy: &self.taxonomy_text,
            evidence: &self.evidence_text,
            intermediaries: &self.services_text,
            first_names: &self.first_names_text,
            names: &self.names_text,
            ..*sources
        }
    }
}

/// Reads the data files and reports what is wrong with them.
///
/// `None` never comes while the shipped files can be read, which a test of the pack makes sure of.
pub(super) fn read(sources: &Sources<'_>, report: &mut Report) -> Option<Data> {
    let shipped = shipped();
    let evidence_text = tables(
        ("evidence.toml", "[[strength]]"),
        sources.evidence,
        report,
        |text| validate::strengths("evidence.toml", text).map(drop),
    );
    let services_text = tables(
        ("intermediaries.toml", "[[intermediary]]"),
        sources.intermediaries,
        report,
        |text| Intermediaries::parse("intermediaries.toml", text).map(drop),
    );
    let names_text = names(sources.names, report);
    let (taxonomy, taxonomy_text) = or_shipped(
        "taxonomy.csv",
        (sources.taxonomy, shipped.taxonomy),
        Taxonomy::parse,
        report,
    )?;
    let (strengths, evidence_text) = or_shipped(
        "evidence.toml",
        (&evidence_text, shipped.evidence),
        |text| validate::strengths("evidence.toml", text),
        report,
    )?;
    let (services, services_text) = or_shipped(
        "intermediaries.toml",
        (&services_text, shipped.intermediaries),
        |text| Intermediaries::parse("intermediaries.toml", text),
        report,
    )?;
    let (_, first_names_text) = or_shipped(
        "first_names.csv",
        (sources.first_names, shipped.first_names),
        FirstNames::parse,
        report,
    )?;
    let (names, names_text) = or_shipped(
        "names.tsv",
        (&names_text, shipped.names),
        |text| Names::parse("names.tsv", text),
        report,
    )?;
    Some(Data {
        taxonomy_text,
        evidence_text,
        services_text,
        first_names_text,
        names_text,
        taxonomy,
        strengths,
        services,
        names,
    })
}

/// What a text says, or what the shipped one says when it cannot be read.
fn or_shipped<T>(
    file: &str,
    (text, shipped): (&str, &str),
    read: impl Fn(&str) -> Result<T, RulesError>,
    report: &mut Report,
) -> Option<(T, String)> {
    match read(text) {
        Ok(data) => Some((data, text.to_owned())),
        Err(error) => {
            report.refused(file, &error);
            Some((read(shipped).ok()?, shipped.to_owned()))
        }
    }
}

/// A file of tables without those that are refused.
fn tables(
    (file, header): (&str, &str),
    content: &str,
    report: &mut Report,
    read: impl Fn(&str) -> Result<(), RulesError>,
) -> String {
    let mut usable = String::with_capacity(content.len());
    for block in text::blocks(content, header) {
        match text::parse::<toml::Table>(block) {
            Err((line, message)) => {
                report.of_file(file, Some(line), ProblemKind::Format, message);
            }
            Ok(table) if table.is_empty() => usable.push_str(block.text),
            Ok(_) => match read(block.text) {
                Ok(()) => usable.push_str(block.text),
                Err(error) => {
                    let (kind, message) = cause(&error);
                    report.of_file(file, Some(block.line), kind, message);
                }
            },
        }
    }
    usable
}

/// Kind and words of a refusal whose file and line are known already.
fn cause(error: &RulesError) -> (ProblemKind, String) {
    if let RulesError::Rule { rule, problem, .. } = error {
        return (problem.into(), format!("{rule:?}: {problem}"));
    }
    if let RulesError::Format { source, .. } = error {
        return (ProblemKind::Format, source.message().to_owned());
    }
    (ProblemKind::Format, error.to_string())
}

/// The table of names without rows that cannot be used.
fn names(content: &str, report: &mut Report) -> String {
    let (head, rows) = content.split_once('\n').unwrap_or((content, ""));
    let mut usable = format!("{head}\n");
    let mut seen = BTreeSet::new();
    for (line, row) in (2..).zip(rows.lines()) {
        match name(head, row, &mut seen) {
            Ok(()) => {
                usable.push_str(row);
                usable.push('\n');
            }
            Err((kind, message)) => report.of_file("names.tsv", Some(line), kind, message),
        }
    }
    usable
}

/// Checks one row: its cells, its literal, and that the list does not have it already.
fn name(
    head: &str,
    row: &str,
    seen: &mut BTreeSet<(String, String, Literal)>,
) -> Result<(), (ProblemKind, String)> {
    let cells: Vec<&str> = row.split('\t').collect();
    let [list, name, guard, source, ..] = cells.as_slice() else {
        return Err((ProblemKind::Format, "a cell is missing".to_owned()));
    };
    let usual =
        cells.len() == head.split('\t').count() && matches!(*guard, "" | "business" | "card");
    // A reader of its own for each of nine thousand rows would be noticed.
    if !usual || source.trim().is_empty() {
        Names::parse("names.tsv", &format!("{head}\n{row}\n")).map_err(|error| cause(&error))?;
    }
    let problem = |problem: &RuleProblem| (ProblemKind::from(problem), problem.to_string());
    let literal = Literal::parse(name).map_err(|error| problem(&error))?;
    if seen.insert(((*list).to_owned(), (*guard).to_owned(), literal)) {
        return Ok(());
    }
    Err(problem(&RuleProblem::RedundantLiteral {
        literal: (*name).to_owned(),
    }))
}
