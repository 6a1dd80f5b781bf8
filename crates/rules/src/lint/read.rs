//! The rule files: which rules can be used, and everything that is wrong with the others.

use std::collections::BTreeMap;

use domain::UserType;

use crate::error::RuleProblem;
use crate::file::{RuleEntry, RuleFile};
use crate::lint::data::Data;
use crate::lint::mend::mend;
use crate::lint::problem::{Problem, ProblemKind, Report, path};
use crate::lint::text::{self, Block};
use crate::lint::{TREES, coverage};
use crate::pack::Sources;
use crate::rule::Direction;
use crate::validate::{self, Surroundings};

/// Most problems of one rule that are looked for.
const PROBLEMS_PER_RULE_MAX: usize = 20;
/// The file of what stands in for a missing fallback while the other rules are judged.
const SUBSTITUTES: &str = "substitutes";

/// A rule as written, whether it can be used or not.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tree: UserType,
    pub(super) rule: RuleEntry,
}

/// What the rule files hold.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) entries: Vec<Entry>,
    /// Whether every block could be read; else what seems to be missing may stand in the others.
    pub(super) complete: bool,
    /// By tree and file, the blocks that can be used.
    pub(super) files: BTreeMap<(UserType, String), String>,
}

/// The usable files of each tree.
#[derive(Debug)]
pub(super) struct Texts<'a> {
    pub(super) person: Vec<(&'a str, &'a str)>,
    pub(super) company: Vec<(&'a str, &'a str)>,
}

impl Rules {
    pub(super) fn texts(&self) -> Texts<'_> {
        let of = |tree| {
            let files = self.files.iter().filter(|((of, _), _)| *of == tree);
            files
                .map(|((_, name), text)| (name.as_str(), text.as_str()))
                .collect()
        };
        Texts {
            person: of(UserType::Person),
            company: of(UserType::Company),
        }
    }
}

/// Reads every rule file and reports what is wrong with it.
pub(super) fn rules(sources: &Sources<'_>, data: &Data, report: &mut Report) -> Rules {
    let mut rules = Rules {
        complete: true,
        ..Rules::default()
    };
    for (tree, files) in [
        (UserType::Person, sources.person),
        (UserType::Company, sources.company),
    ] {
        for (name, content) in files {
            for block in text::blocks(content, "[[rule]]") {
                let reader = Reader {
                    tree,
                    name,
                    around: &data.around(),
                };
                reader.block(block, &mut rules, report);
            }
        }
    }
    if rules.complete {
        coverage::lists(data.around().names, &rules.entries, report);
    }
    fallbacks(&mut rules, data, report);
    rules
}

/// Reads the blocks of one file.
pub(super) struct Reader<'a> {
    pub(super) tree: UserType,
    pub(super) name: &'a str,
    pub(super) around: &'a Surroundings<'a>,
}

impl Reader<'_> {
    pub(super) fn block(&self, block: Block<'_>, rules: &mut Rules, report: &mut Report) {
        let file = path(self.tree, self.name);
        let parsed: RuleFile = match text::parse(block) {
            Ok(parsed) => parsed,
            Err((line, message)) => {
                report.add(Problem {
                    file,
                    line: Some(line),
                    rule: text::id_in(block.text),
                    kind: ProblemKind::Format,
                    message,
                });
                rules.complete = false;
                return;
            }
        };
        let mut usable = true;
        for rule in parsed.rule {
            usable &= self.rule(&rule, block, report);
            rules.entries.push(Entry {
                tree: self.tree,
                rule,
            });
        }
        if usable {
            let key = (self.tree, self.name.to_owned());
            rules.files.entry(key).or_default().push_str(block.text);
        }
    }

    /// Whether a rule can be used.
    fn rule(&self, rule: &RuleEntry, block: Block<'_>, report: &mut Report) -> bool {
        let file = path(self.tree, self.name);
        let line = text::line_of(block, &format!("\"{}\"", rule.id));
        let mut problems = self.problems(rule);
        if let Some((other, at)) = report.place(&rule.id, &file, line) {
            let message = format!("the id stands in {other}, line {at}, already");
            problems.push((ProblemKind::DuplicateId, message));
        }
        let usable = problems.is_empty();
        for (kind, message) in problems {
            report.add(Problem {
                file: file.clone(),
                line: Some(line),
                rule: Some(rule.id.clone()),
                kind,
                message,
            });
        }
        usable
    }

    /// Validates again and again, each time with the problem found last out of the way.
    fn problems(&self, rule: &RuleEntry) -> Vec<(ProblemKind, String)> {
        let mut entry = rule.clone();
        let mut found: Vec<RuleProblem> = Vec::new();
        while found.len() < PROBLEMS_PER_RULE_MAX {
            let Err(problem) = validate::rule(self.name, entry.clone(), self.tree, self.around)
            else {
                break;
            };
            let again = found.contains(&problem);
            if !again {
                found.push(problem.clone());
            }
            if again || !mend(&mut entry, &problem, (self.tree, found.len()), self.around) {
                break;
            }
        }
        found
            .iter()
            .map(|problem| (problem.into(), problem.to_string()))
            .collect()
    }
}

/// Reports missing and double fallbacks, and goes on with one of each.
fn fallbacks(rules: &mut Rules, data: &Data, report: &mut Report) {
    for tree in TREES {
        for direction in [Direction::Debit, Direction::Credit] {
            let is_one = |entry: &&Entry| {
                let written = &entry.rule;
                entry.tree == tree
                    && written.fallback
                    && written.direction.as_deref() == Some(direction.as_str())
                    && !written.status.contains_key("removed")
            };
            let ids: Vec<&str> = rules
                .entries
                .iter()
                .filter(is_one)
                .map(|entry| entry.rule.id.as_str())
                .collect();
            let direction = direction.as_str();
            match ids.as_slice() {
                [_] => {}
                [] => {
                    let message = format!("{tree} rules have no fallback for {direction}");
                    report.of_file(tree.as_str(), None, ProblemKind::Fallback, message);
                    let key = (tree, SUBSTITUTES.to_owned());
                    let text = rules.files.entry(key).or_default();
                    text.push_str(&substitute(tree, direction, data).unwrap_or_default());
                }
                several => {
                    let message = format!(
                        "{tree} rules have {} fallbacks for {direction}: {}",
                        several.len(),
                        several.join(", ")
                    );
                    report.of_file(tree.as_str(), None, ProblemKind::Fallback, message);
                }
            }
        }
    }
}

/// A rule that stands in for a missing fallback.
fn substitute(tree: UserType, direction: &str, data: &Data) -> Option<String> {
    let around = data.around();
    let mut tags = around.taxonomy.tags(tree);
    let tag = tags.find(|tag| around.taxonomy.parent(*tag).is_some())?;
    let strength = around.strengths.keys().next()?;
    let tag = around.taxonomy.name(tag);
    Some(format!(
        "[[rule]]\nid = \"{SUBSTITUTES}-{tree}-{direction}\"\ntag = \"{tag}\"\n\
         status = {{ preview = \"0\" }}\ndirection = \"{direction}\"\nstrength = \"{strength}\"\n\
         fallback = true\nwhy = \"-\"\nsource = \"-\"\nhit = [\"A | b | +1.00\"]\n"
    ))
}
