//! The explanation itself.

use std::io::Write;

use anyhow::Result;
use domain::Transaction;
use rules::{Decision, Language, Origin, Scratch};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::rules::corpus::Item;
use crate::rules::layers::Layers;
use crate::rules::ratio::{decimal, number};

/// Characters of a field that are shown on each side of the evidence.
const CONTEXT_CHARS: usize = 40;

/// Why a transaction has its tag.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    id: String,
    #[serde(rename = "type")]
    tree: &'static str,
    tags: Vec<String>,
    label: String,
    abstained: bool,
    decision: Reason,
    why: String,
    source: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    intermediary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_of: Option<String>,
    alternatives: Vec<Alternative>,
}

/// A rule and what it saw.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reason {
    tag: String,
    origin: &'static str,
    rule: String,
    strength: String,
    weight: u16,
    confidence: Option<Box<RawValue>>,
    field: &'static str,
    /// The matched piece in square brackets, with what stands around it.
    evidence: String,
    start: u32,
    end: u32,
    note: &'static str,
    #[serde(skip)]
    sureness: String,
}

/// What would have been possible, and why it was not chosen.
#[derive(Debug, Serialize)]
struct Alternative {
    #[serde(flatten)]
    reason: Reason,
    lost: String,
}

impl Answer {
    /// Explains the decision about a transaction.
    pub(super) fn of(layers: &Layers, item: &Item<'_>) -> Self {
        let view = layers.pack.prepare(item.transaction, item.context);
        let categorizer = layers.categorizer(item.tree);
        let explained = categorizer.explain(&view, &mut Scratch::default());
        let decision = explained.decision;
        let taxonomy = layers.pack.taxonomy();
        let rule = layers.rule(item.tree, &decision);
        let others = explained.alternatives.iter().map(|other| Alternative {
            reason: Reason::of(layers, item, other),
            lost: lost(layers, item, &decision, other),
        });
        let service = decision.intermediary;
        Self {
            id: item.name(),
            tree: item.tree.as_str(),
            tags: taxonomy.path(decision.tag).map(str::to_owned).collect(),
            label: taxonomy.label(decision.tag, Language::De).to_owned(),
            abstained: decision.abstained,
            decision: Reason::of(layers, item, &decision),
            why: rule.why.clone(),
            source: rule.source.clone(),
            status: format!("{} since {}", stage(rule.status.stage), rule.status.since),
            intermediary: service.map(|id| layers.pack.intermediary(id).name.clone()),
            merchant: decision.merchant(item.transaction).map(str::to_owned),
            refund_of: decision.refund_of.map(|tag| taxonomy.name(tag).to_owned()),
            alternatives: others.collect(),
        }
    }

    /// Writes the explanation for people.
    pub(super) fn write_text(&self, out: &mut dyn Write) -> Result<()> {
        let decision = &self.decision;
        let abstained = if self.abstained { ", abstained" } else { "" };
        writeln!(
            out,
            "{}: {} ({}{abstained})",
            self.id,
            self.tags.join(" < "),
            self.label
        )?;
        for (name, value) in [
            (
                "rule",
                format!(
                    "{} of the {} ({} {}, {})",
                    decision.rule, decision.origin, decision.strength, decision.weight, self.status
                ),
            ),
            ("confidence", decision.sureness.clone()),
            ("evidence", decision.seen()),
            ("why", self.why.clone()),
            ("source", self.source.clone()),
        ] {
            writeln!(out, "{name:<13}{value}")?;
        }
        for (name, value) in [
            ("through", &self.intermediary),
            ("merchant", &self.merchant),
            ("refund of", &self.refund_of),
        ] {
            if let Some(value) = value {
                writeln!(out, "{name:<13}{value}")?;
            }
        }
        match self.alternatives.len() {
            1 => writeln!(out, "\n1 alternative")?,
            count => writeln!(out, "\n{count} alternatives")?,
        }
        for Alternative { reason, lost } in &self.alternatives {
            writeln!(
                out,
                "{}: {} of the {}",
                reason.tag, reason.rule, reason.origin
            )?;
            writeln!(out, "    {}", reason.seen())?;
            writeln!(out, "    lost: {lost}")?;
        }
        Ok(())
    }
}

impl Reason {
    fn of(layers: &Layers, item: &Item<'_>, decision: &Decision) -> Self {
        let rule = layers.rule(item.tree, decision);
        let evidence = decision.evidence;
        let sureness = decimal(decision.confidence.per_ten_thousand().into());
        Self {
            tag: layers.pack.tag_name(decision.tag).to_owned(),
            origin: decision.origin.as_str(),
            rule: rule.id.clone(),
            strength: rule.strength.name.clone(),
            weight: rule.strength.weight,
            confidence: number(&sureness),
            field: wire::line::field_name(evidence.field.as_str()),
            evidence: marked(item.transaction, decision),
            start: evidence.start,
            end: evidence.end,
            note: evidence.note.as_str(),
            sureness,
        }
    }

    fn seen(&self) -> String {
        format!("{}: {} ({})", self.field, self.evidence, self.note)
    }
}

const fn stage(stage: rules::Stage) -> &'static str {
    match stage {
        rules::Stage::Preview => "preview",
        rules::Stage::Stable => "stable",
        rules::Stage::Deprecated => "deprecated",
        rules::Stage::Removed => "removed",
    }
}

/// The field with the evidence in square brackets, shortened around it.
fn marked(transaction: &Transaction, decision: &Decision) -> String {
    let evidence = decision.evidence;
    let content = evidence.field.content(transaction);
    let (start, end) = (evidence.start as usize, evidence.end as usize);
    let (before, after) = match (content.get(..start), content.get(end..)) {
        (Some(before), Some(after)) if start < end => (before, after),
        // Numbers, and codes as a whole.
        _ => return format!("[{content}]"),
    };
    let matched = content.get(start..end).unwrap_or_default();
    let text = format!("{}[{matched}]{}", tail(before), head(after));
    text.replace(char::is_control, " ")
}

fn head(text: &str) -> String {
    match text.char_indices().nth(CONTEXT_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn tail(text: &str) -> String {
    let mut starts = text.char_indices().rev();
    match starts.nth(CONTEXT_CHARS) {
        Some((at, c)) => format!("…{}", &text[at + c.len_utf8()..]),
        None => text.to_owned(),
    }
}

/// Why another match did not decide.
fn lost(layers: &Layers, item: &Item<'_>, decision: &Decision, other: &Decision) -> String {
    if other.origin < decision.origin {
        return format!("rules of the {} go first", decision.origin.as_str());
    }
    if decision.abstained && !other.abstained {
        let threshold = layers.pack.abstention_threshold().per_ten_thousand();
        return format!(
            "not sure enough: {} where {} is needed",
            decimal(other.confidence.per_ten_thousand().into()),
            decimal(threshold.into()),
        );
    }
    if decision.refund_of.is_some() {
        return "money that comes back from a spending says more".to_owned();
    }
    let of = |decision: &Decision| {
        let strength = &layers.rule(item.tree, decision).strength;
        let rank = (strength.precedence, strength.weight);
        (rank, format!("{} {}", strength.name, strength.weight))
    };
    let ((own, own_words), (lesser, lesser_words)) = (of(decision), of(other));
    if lesser < own {
        return format!("weighs less: {lesser_words}, against {own_words}");
    }
    match (other.refund_of, decision.origin) {
        (Some(_), Origin::Pack | Origin::Tenant) => "what comes in is known well enough".to_owned(),
        _ => "weighs the same, but its evidence is shorter or its name comes later".to_owned(),
    }
}
