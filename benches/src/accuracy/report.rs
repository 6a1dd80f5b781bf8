//! The figures as Markdown for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::Observation;
use super::calibration::{self, Bin, Cell, Cut};
use super::score::{self, Confusion, Score, TagScore};

/// Most confusions that the Markdown report lists; JSON has all.
const CONFUSIONS_SHOWN: usize = 40;

/// Everything that is measured of a set of rows.
#[derive(Debug, Serialize)]
pub struct Report {
    /// All rows.
    pub all: Score,
    /// Mean distance between confidence and rightness.
    pub calibration_error: f64,
    /// By name of the set, which is the file's.
    pub by_set: Vec<(String, Score)>,
    /// By tree and difficulty.
    pub by_difficulty: Vec<(String, Score)>,
    /// With part of the known names withheld: the estimate for names that nobody has listed.
    pub withheld: Vec<(String, Score)>,
    /// By tree and tag.
    pub by_tag: Vec<TagScore>,
    /// By confidence.
    pub bins: Vec<Bin>,
    /// By least confidence.
    pub cuts: Vec<Cut>,
    /// By cell of the calibration table.
    pub cells: Vec<Cell>,
    /// What was taken for what.
    pub confusions: Vec<Confusion>,
}

/// Observations under a name.
pub type Named = (String, Vec<Observation>);

/// Measures the sets; `withheld` are the same rows answered with fewer names.
pub fn report(sets: &[Named], withheld: &[Named]) -> Report {
    let all: Vec<&Observation> = sets.iter().flat_map(|(_, rows)| rows).collect();
    let bins = calibration::bins(&all);
    let mut difficulties: Vec<String> = all.iter().map(|o| difficulty(o)).collect();
    difficulties.sort();
    difficulties.dedup();
    let by_difficulty = difficulties.into_iter().map(|name| {
        let rows: Vec<_> = all
            .iter()
            .copied()
            .filter(|o| difficulty(o) == name)
            .collect();
        (name, score::score(&rows))
    });
    Report {
        all: score::score(&all),
        calibration_error: calibration::error(&bins),
        by_set: sets.iter().map(scored).collect(),
        by_difficulty: by_difficulty.collect(),
        withheld: withheld.iter().map(scored).collect(),
        by_tag: score::by_tag(&all),
        bins,
        cuts: calibration::cuts(&all),
        cells: calibration::cells(&all),
        confusions: score::confusions(&all),
    }
}

fn difficulty(observation: &Observation) -> String {
    let row = &observation.row;
    format!("{} {}", row.tree.as_str(), row.difficulty)
}

fn scored((name, rows): &Named) -> (String, Score) {
    (name.clone(), score::score(&rows.iter().collect::<Vec<_>>()))
}

/// Prints a report for people.
pub fn markdown(report: &Report) -> String {
    let mut text = String::from("# Accuracy\n\n");
    let named = [("all".to_owned(), report.all.clone())];
    table(&mut text, "Set", named.iter().chain(&report.by_set));
    table(&mut text, "Difficulty", report.by_difficulty.iter());
    if !report.withheld.is_empty() {
        table(&mut text, "Names withheld", report.withheld.iter());
    }
    calibration_tables(&mut text, report);
    tag_table(&mut text, &report.by_tag);
    text.push_str("\n| expected | answered | rows | for example |\n|---|---|---:|---|\n");
    for confusion in report.confusions.iter().take(CONFUSIONS_SHOWN) {
        let Confusion {
            expected,
            answered,
            rows,
            examples,
        } = confusion;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {expected} | {answered} | {rows} | {} |",
            examples.join(", ")
        );
    }
    text
}

fn table<'a>(text: &mut String, title: &str, rows: impl Iterator<Item = &'a (String, Score)>) {
    let _ = writeln!(
        text,
        "| {title} | rows | exact | same parent | coverage | precision of decided | macro F1 |\n\
         |---|---:|---:|---:|---:|---:|---:|"
    );
    for (name, score) in rows {
        let _ = writeln!(
            text,
            "| {name} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {:.4} |",
            score.rows,
            score.exact,
            score.same_parent,
            score.coverage,
            score.precision_decided,
            score.macro_f1
        );
    }
    text.push('\n');
}

fn calibration_tables(text: &mut String, report: &Report) {
    let _ = writeln!(
        text,
        "Calibration error {:.4}\n\n| confidence from | rows | mean confidence | exact |\n\
         |---:|---:|---:|---:|",
        report.calibration_error
    );
    for bin in &report.bins {
        let _ = writeln!(
            text,
            "| {:.1} | {} | {:.4} | {:.4} |",
            bin.from, bin.rows, bin.confidence, bin.exact
        );
    }
    text.push_str("\n| confidence at least | coverage | precision |\n|---:|---:|---:|\n");
    for cut in &report.cuts {
        let _ = writeln!(
            text,
            "| {:.2} | {:.4} | {:.4} |",
            cut.from, cut.coverage, cut.precision
        );
    }
    text.push_str("\n| cell | rows | exact | smoothed | table |\n|---|---:|---:|---:|---:|\n");
    for cell in &report.cells {
        let _ = writeln!(
            text,
            "| {} | {} | {:.4} | {} | {} |",
            cell.cell, cell.rows, cell.exact, cell.smoothed, cell.confidence
        );
    }
}

fn tag_table(text: &mut String, tags: &[TagScore]) {
    text.push_str(
        "\n| tree | tag | rows | answered | right | precision | recall | F1 |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for tag in tags {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.3} | {:.3} | {:.3} |",
            tag.tree, tag.tag, tag.rows, tag.answered, tag.right, tag.precision, tag.recall, tag.f1
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    #[test]
    fn the_report_names_each_set_and_each_confusion() {
        let sets = [(
            "one".to_owned(),
            vec![
                observed("fuel", "fuel", 9_000),
                observed("fuel", "parking", 9_000),
            ],
        )];
        let report = report(&sets, &[]);
        let text = markdown(&report);
        assert!(text.contains("| one | 2 | 0.5000 |"), "{text}");
        assert!(text.contains("| fuel | parking | 1 | R1 |"), "{text}");
        assert!(text.contains("| person easy | 2 |"), "{text}");
    }
}
