//! Rounds, the fastest of which counts, and the table of what was measured.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Something to measure: a name and what one round does.
pub struct Candidate<'a> {
    /// The name in the table.
    pub name: &'a str,
    /// One round over all inputs. It returns a number that depends on all of its work, so that the
    /// compiler cannot leave the work out.
    pub round: Box<dyn FnMut() -> u64 + 'a>,
}

/// What was measured of a candidate.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The candidate.
    pub name: String,
    /// Duration per item in the fastest round, in nanoseconds.
    pub nanoseconds: f64,
    /// Items per second in the fastest round.
    pub per_second: f64,
    /// Duration as a multiple of the baseline's.
    pub ratio: f64,
}

/// Measures the candidates; the one at `baseline` is what ratios refer to.
pub fn measure(
    candidates: &mut [Candidate<'_>],
    baseline: usize,
    rounds: u32,
    items: usize,
) -> Vec<Figure> {
    let mut fastest = vec![Duration::MAX; candidates.len()];
    for _ in 0..rounds.max(1) {
        for (candidate, best) in candidates.iter_mut().zip(&mut fastest) {
            let start = Instant::now();
            std::hint::black_box((candidate.round)());
            *best = start.elapsed().min(*best);
        }
    }
    let base = fastest.get(baseline).copied().unwrap_or_default();
    candidates
        .iter()
        .zip(fastest)
        .map(|(candidate, duration)| figure(candidate.name, duration, base, items))
        .collect()
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn figure(name: &str, duration: Duration, base: Duration, items: usize) -> Figure {
    let items = items.max(1) as f64;
    let seconds = duration.as_secs_f64();
    Figure {
        name: name.to_owned(),
        nanoseconds: seconds * 1e9 / items,
        per_second: items / seconds,
        ratio: seconds / base.as_secs_f64(),
    }
}

/// The figures as a Markdown table.
pub fn markdown(item: &str, figures: &[Figure]) -> String {
    let head = format!("| | ns per {item} | {item}s per second | ratio |\n|---|---:|---:|---:|\n");
    let rows = figures.iter().map(|figure| {
        format!(
            "| {} | {:.0} | {:.0} | {:.2} |\n",
            figure.name, figure.nanoseconds, figure.per_second, figure.ratio
        )
    });
    head + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_refer_to_the_baseline() {
        let work =
            |turns: u64| (0..turns).fold(1_u64, |sum, turn| std::hint::black_box(sum ^ turn));
        let mut candidates = [
            Candidate {
                name: "much",
                round: Box::new(move || work(400_000)),
            },
            Candidate {
                name: "little",
                round: Box::new(move || work(1_000)),
            },
        ];
        let figures = measure(&mut candidates, 1, 5, 10);
        assert!(figures[0].ratio > 2.0, "{figures:?}");
        assert!((figures[1].ratio - 1.0).abs() < f64::EPSILON);
        let table = markdown("row", &figures);
        assert!(
            table.contains("| much |") && table.contains("ns per row"),
            "{table}"
        );
    }
}
