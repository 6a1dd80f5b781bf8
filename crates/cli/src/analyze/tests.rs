//! The command as a whole, on inputs in memory and on files.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: AnalyzeArgs,
}

fn args(words: &[&str]) -> AnalyzeArgs {
    let words = ["analyze"].iter().chain(words);
    Line::try_parse_from(words).expect("valid arguments").args
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 4, 1).expect("a day")
}

fn run_on(words: &[&str], sources: Vec<Source>) -> (String, Totals) {
    let mut out = Vec::new();
    let totals = analyze(&args(words), today(), sources, &mut out).expect("runs");
    (String::from_utf8(out).expect("text"), totals)
}

fn on_text(words: &[&str], text: &str) -> (Vec<Value>, Totals) {
    let words = [words, &["-"]].concat();
    let (out, totals) = run_on(&words, vec![Source::of_text(text)]);
    let lines = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.collect(), totals)
}

fn user(id: &str, bookings: &str) -> String {
    format!("{{\"userId\":\"{id}\",\"accounts\":[{{\"transactions\":[{bookings}]}}]}}")
}

/// A booking at noon of a day.
fn booking(day: &str) -> String {
    format!("{{\"amount\":-1,\"bookingDate\":\"{day}T12:00:00Z\"}}")
}

#[test]
fn a_line_has_the_documented_keys() {
    let bookings = [
        booking("2026-03-27"),
        booking("2026-03-28"),
        booking("2026-12-24"),
    ];
    let (lines, totals) = on_text(&[], &user("u1", &bookings.join(",")));
    let line = lines[0].as_object().expect("an object");
    let keys: Vec<_> = line.keys().map(String::as_str).collect();
    let expected = [
        "asOf",
        "categorization",
        "engine",
        "findings",
        "type",
        "userId",
    ];
    assert_eq!(keys, expected);
    assert_eq!(line["userId"], "u1");
    assert_eq!(line["type"], "person");
    // Bookings of the future do not move the day.
    assert_eq!(line["asOf"], "2026-03-28");
    assert_eq!(line["engine"]["version"], analysis::ENGINE_VERSION);
    let first = &line["categorization"][0];
    assert_eq!(first["creationDate"], "2026-03-28T00:00:00+01:00");
    assert_eq!(
        (&first["accountId"], &first["transactionId"]),
        (&"A#1".into(), &"T#1".into())
    );
    assert_eq!(first["descriptiveTag"], first["tags"][0]);
    assert_eq!((totals.count.records, totals.count.transactions), (1, 3));
}

#[test]
fn arguments_decide_type_day_and_parts() {
    let text = user("", &booking("2026-03-27"));
    let (lines, _) = on_text(&["--type", "company", "--as-of", "2026-07-01"], &text);
    assert_eq!(
        (&lines[0]["userId"], &lines[0]["type"]),
        (&"U#1".into(), &"company".into())
    );
    let created = &lines[0]["categorization"][0]["creationDate"];
    assert_eq!(created, "2026-07-01T00:00:00+02:00");
    let said = text.replacen('{', "{\"type\":\"person\",", 1);
    let (lines, _) = on_text(&["--type", "company"], &said);
    assert_eq!(lines[0]["type"], "person");
    for wrong in [
        &["--type", "robot", "-"][..],
        &["--as-of", "yesterday", "-"],
        &["--only", "weather", "-"],
        &["--threads", "0", "-"],
        &[],
    ] {
        let words = ["analyze"].iter().chain(wrong);
        assert!(Line::try_parse_from(words).is_err(), "{wrong:?}");
    }
}

#[test]
fn broken_lines_are_reported_and_the_rest_goes_on() {
    let good = user("u", &booking("2026-03-27"));
    let bad = user(
        "v",
        &format!("{},{{\"amount\":true}}", booking("2026-03-27")),
    );
    let text = format!("{good}\n\nnot json\n{bad}\n{{\"accounts\":7}}\n{good}");
    let (lines, totals) = on_text(&[], &text);
    let count = totals.count;
    assert_eq!((count.records, count.broken, count.findings), (3, 2, 3));
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[1]["line"], 3);
    assert_eq!(lines[1]["findings"][0]["code"], "unreadableLine");
    assert_eq!(
        lines[2]["findings"][0]["path"],
        "accounts[0].transactions[1].bookingDate"
    );
    assert_eq!(lines[3]["line"], 5);
    assert_eq!(lines[3]["findings"][0]["message"], "must be an array");
    assert!(lines[3].get("input").is_none());
}

#[test]
fn strict_stops_at_the_first_broken_line() {
    let good = user("u", &booking("2026-03-27"));
    let (lines, totals) = on_text(&["--strict"], &format!("{good}\n{{}}\n{good}"));
    assert_eq!(lines.len(), 1);
    assert_eq!(
        totals.stopped_at.as_deref(),
        Some("line 2: accounts: is required")
    );
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let mut text = String::new();
    for number in 0..5_000 {
        let line = match number % 7 {
            0 => "broken".to_owned(),
            kind => user(
                &number.to_string(),
                &vec![booking("2026-03-27"); kind.min(2)].join(","),
            ),
        };
        writeln!(text, "{line}").expect("text");
    }
    let run = |threads| run_on(&["--threads", threads, "-"], vec![Source::of_text(&text)]);
    let (one, totals) = run("1");
    assert_eq!(one.lines().count(), 5_000);
    assert_eq!(totals.count.broken, 715);
    for threads in ["2", "7"] {
        let (other, _) = run(threads);
        assert!(one == other, "{threads} threads");
    }
}

#[test]
fn several_inputs_of_both_forms_are_read_in_their_order() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let Some(examples) = examples.ancestors().find_map(|folder| {
        let examples = folder.join("examples");
        examples
            .join("upload-person.json")
            .is_file()
            .then_some(examples)
    }) else {
        panic!("the examples are part of the repository");
    };
    let paths = ["upload-person.json", "corpus.ndjson"].map(|name| examples.join(name));
    let sources = Source::open_all(&paths, None).expect("opens");
    let (out, totals) = run_on(&["-"], sources);
    let lines = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let users: Vec<_> = lines.map(|line| line["userId"].clone()).collect();
    assert_eq!(
        users,
        ["jana-lindner", "jana-lindner", "wagner-haustechnik"]
    );
    assert_eq!(totals.count.findings, 0);
}

/// A reader that has seen enough.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let text = format!("{}\n", user("u", &booking("2026-03-27"))).repeat(5_000);
    for (kind, succeeds) in [
        (io::ErrorKind::BrokenPipe, true),
        (io::ErrorKind::StorageFull, false),
    ] {
        let sources = vec![Source::of_text(&text)];
        let run = analyze(&args(&["-"]), today(), sources, &mut Closed(kind));
        assert_eq!(run.is_ok(), succeeds, "{kind}");
    }
}

#[test]
fn the_berka_corpus_is_analysed_without_failure() {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let beside = manifest
        .ancestors()
        .nth(3)
        .map(|folder| folder.join("shared"));
    let shared = std::env::var_os("KONTOR_SHARED")
        .map(PathBuf::from)
        .or(beside);
    let path = shared.map(|shared| shared.join("data/berka/corpus.ndjson"));
    let Some(path) = path.filter(|path| path.is_file()) else {
        println!("skipped: the Berka corpus is not here (set KONTOR_SHARED)");
        return;
    };
    let open = || Source::open_all(std::slice::from_ref(&path), None).expect("opens");
    let (one, totals) = run_on(&["--threads", "1", "-"], open());
    assert_eq!(
        (totals.count.records, totals.count.transactions),
        (330, 16_705)
    );
    assert_eq!(totals.count.broken, 0);
    let (other, _) = run_on(&["--threads", "4", "-"], open());
    assert!(one == other);
}
