//! What a user decided himself, ready to match.
//!
//! Decisions by id go before those by creditor, and those before decisions by name; among equals the
//! last one given wins the category. Every matching decision adds its other tags.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, NaiveDate};
use domain::pattern::{Pattern, PatternKind, PatternSet};
use domain::{Sensitive, Transaction, TransactionId, UserType};
use sha1::{Digest, Sha1};

use crate::evidence::{Evidence, Field, Note};
use crate::normalize;
use crate::normalize::scan::Scan;
use crate::rule::RuleId;
use crate::taxonomy::{TagId, Taxonomy};
use crate::view::{Segment, View};

/// Most decisions of one user, patterns and ids together.
pub const PATTERNS_MAX: usize = 10_000;
/// Most characters of the value of a pattern.
pub const PATTERN_CHARS_MAX: usize = 140;
/// Most patterns with one value, for periods of their own: all of them are looked at for every
/// transaction that they may match.
pub const PATTERNS_PER_VALUE_MAX: usize = 100;
/// Most tags of one decision.
pub const PATTERN_TAGS_MAX: usize = 32;
/// Hexadecimal digits of the id of a payment partner.
const PARTNER_ID_DIGITS: usize = 40;

/// Why a user's decisions are refused, or one of them is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct PatternProblem {
    /// Where, for who wrote it: `patterns[3].tags`, `ids.T1[0]`.
    pub path: Sensitive<String>,
    /// Where, for everybody else: `patterns[3].tags`; instead of an id its number in alphabetical
    /// order, from one: `ids[#1][0]`.
    pub place: String,
    /// What is wrong; never holds a name.
    pub message: String,
}

/// The decisions of one user.
#[derive(Debug, Default)]
pub struct UserPatterns {
    /// In the order in which they were given: first the patterns, then the ids.
    all: Vec<Choice>,
    /// How many of them are patterns.
    patterns: usize,
    /// Ids of transactions and of payment partners, in alphabetical order.
    ids: Vec<String>,
    /// What may be the id of a payment partner, in lower case. If there is any, each transaction
    /// costs a hash.
    partners: BTreeMap<String, u16>,
    /// Creditor ids as a whole.
    creditors: BTreeMap<Vec<u8>, Vec<u16>>,
    /// Creditor ids that were given without the business code, which the creditor chooses freely.
    creditor_keys: BTreeMap<Vec<u8>, Vec<u16>>,
    /// Normalised names.
    names: BTreeMap<Vec<u8>, Vec<u16>>,
}

/// No decisions at all.
static NONE: UserPatterns = UserPatterns::empty();

/// One decision.
#[derive(Debug, Default)]
struct Choice {
    /// The deepest of the category tags.
    category: Option<TagId>,
    /// As given.
    tags: Vec<String>,
    since: Option<DateTime<FixedOffset>>,
    until: Option<DateTime<FixedOffset>>,
}

/// A decision that matches a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserMatch {
    pub(crate) rule: RuleId,
    /// `None` for a decision about attributes only.
    pub(crate) category: Option<TagId>,
    pub(crate) evidence: Evidence,
}

/// Names and codes in the form in which they are looked up. Reused between transactions.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    scan: Scan,
    key: Vec<u8>,
}

impl Lookup {
    /// The normalised words of a name, one blank between them.
    fn name(&mut self, text: &str) -> &[u8] {
        self.scan.clear();
        self.scan.read(text, 0);
        self.key.clear();
        for word in self.scan.words() {
            if !self.key.is_empty() {
                self.key.push(b' ');
            }
            self.key.extend(self.scan.bytes(word));
        }
        &self.key
    }

    /// A code without blanks, in upper case.
    fn code(&mut self, code: &str) -> &[u8] {
        let bytes = code.bytes().filter(|byte| !byte.is_ascii_whitespace());
        self.key.clear();
        self.key.extend(bytes.map(|byte| byte.to_ascii_uppercase()));
        &self.key
    }

    /// A creditor id without the business code (positions 5 to 7).
    fn creditor_key(&mut self, creditor_id: &str) -> &[u8] {
        self.code(creditor_id);
        if self.key.len() > 7 {
            self.key.drain(4..7);
        }
        &self.key
    }
}

impl UserPatterns {
    /// No decisions at all, for as long as anybody likes.
    pub const fn none() -> &'static Self {
        &NONE
    }

    /// No decisions at all.
    pub const fn empty() -> Self {
        Self {
            all: Vec::new(),
            patterns: 0,
            ids: Vec::new(),
            partners: BTreeMap::new(),
            creditors: BTreeMap::new(),
            creditor_keys: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// Checks and prepares all of a user's decisions.
    ///
    /// # Errors
    /// The first thing that is wrong, and where.
    pub fn compile(
        taxonomy: &Taxonomy,
        tree: UserType,
        set: &PatternSet,
    ) -> Result<Self, PatternProblem> {
        match Self::load(taxonomy, tree, set) {
            (compiled, problems) if problems.is_empty() => Ok(compiled),
            (_, mut problems) => Err(problems.swap_remove(0)),
        }
    }

    /// Prepares decisions that were accepted before, perhaps beside an older taxonomy, as far as they
    /// can be used, and says what is wrong with each that is left out. The others keep their names.
    pub fn load(
        taxonomy: &Taxonomy,
        tree: UserType,
        set: &PatternSet,
    ) -> (Self, Vec<PatternProblem>) {
        let (mut compiled, mut problems) = (Self::empty(), Vec::new());
        if set.len() > PATTERNS_MAX {
            let message = format!("must not be more than {PATTERNS_MAX}, with the ids");
            problems.push(problem("patterns".to_owned(), message));
        }
        for (index, pattern) in set.patterns.iter().take(PATTERNS_MAX).enumerate() {
            let path = format!("patterns[{index}]");
            let choice = match compiled.choice(taxonomy, tree, (pattern, &path)) {
                Ok(choice) => choice,
                Err(problem) => {
                    problems.push(problem);
                    // Nothing leads to it, but it keeps the numbers of those behind.
                    Choice::default()
                }
            };
            compiled.all.push(choice);
        }
        compiled.patterns = compiled.all.len();
        let room = PATTERNS_MAX.saturating_sub(compiled.patterns);
        for (number, (id, tags)) in (1..).zip(set.ids.iter().take(room)) {
            let read = check_id(id)
                .and_then(|()| read_tags(taxonomy, tree, tags, &format!("ids.{id}")))
                .map_err(|problem| problem.about_id(id, number));
            match read {
                Ok(tags) => compiled.add_id(id, tags),
                Err(problem) => problems.push(problem),
            }
        }
        (compiled, problems)
    }

    /// Reads a pattern, and adds its value with the next number.
    fn choice(
        &mut self,
        taxonomy: &Taxonomy,
        tree: UserType,
        (pattern, path): (&Pattern, &str),
    ) -> Result<Choice, PatternProblem> {
        let (category, tags) = read_tags(taxonomy, tree, &pattern.tags, &format!("{path}.tags"))?;
        check_times(pattern, path)?;
        self.add_value(pattern, path)?;
        Ok(Choice {
            category,
            tags,
            since: pattern.since,
            until: pattern.until,
        })
    }

    fn add_id(&mut self, id: &str, (category, tags): (Option<TagId>, Vec<String>)) {
        if is_partner_id(id) {
            self.partners.insert(id.to_ascii_lowercase(), self.next());
        }
        self.ids.push(id.to_owned());
        self.all.push(Choice {
            category,
            tags,
            since: None,
            until: None,
        });
    }

    fn add_value(&mut self, pattern: &Pattern, path: &str) -> Result<(), PatternProblem> {
        let value = pattern.value.as_str();
        let fault = |message: &str| problem(format!("{path}.value"), message.to_owned());
        if value.trim().is_empty() || value.chars().count() > PATTERN_CHARS_MAX {
            return Err(fault(&format!(
                "must have 1 to {PATTERN_CHARS_MAX} characters"
            )));
        }
        let number = self.next();
        match pattern.kind {
            PatternKind::Name => {
                let name = normalize::normalized(value);
                if name.is_empty() {
                    return Err(fault("has neither letter nor digit"));
                }
                let named = self.names.entry(name.into()).or_default();
                if named.len() >= PATTERNS_PER_VALUE_MAX {
                    return Err(fault(&too_often()));
                }
                named.push(number);
            }
            PatternKind::CreditorId => {
                // Given without the business code, or as a whole: both are looked for, since
                // nothing in the text tells which it is.
                let id = Lookup::default().code(value).to_vec();
                let keyed = self.creditor_keys.entry(id.clone()).or_default();
                if keyed.len() >= PATTERNS_PER_VALUE_MAX {
                    return Err(fault(&too_often()));
                }
                keyed.push(number);
                self.creditors.entry(id).or_default().push(number);
            }
        }
        Ok(())
    }

    fn next(&self) -> u16 {
        u16::try_from(self.all.len()).unwrap_or(u16::MAX)
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The decision that sets the category of a transaction.
    pub(crate) fn find(&self, view: &View<'_>, lookup: &mut Lookup) -> Option<UserMatch> {
        let mut best = None;
        self.each(view, lookup, |found| {
            if best.is_none() && found.category.is_some() {
                best = Some(found);
            }
        });
        best
    }

    /// Every decision that matches, best first.
    pub(crate) fn matching(&self, view: &View<'_>) -> Vec<UserMatch> {
        let mut all: Vec<UserMatch> = Vec::new();
        self.each(view, &mut Lookup::default(), |found| {
            // A name may be the counterparty's and the merchant's at once. Equals come together.
            if all.last().is_none_or(|known| known.rule != found.rule) {
                all.push(found);
            }
        });
        all
    }

    /// The tags of every matching decision that do not lie on the path of the category.
    pub(crate) fn extra_tags(&self, taxonomy: &Taxonomy, view: &View<'_>) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let matching = self.matching(view);
        let category = matching.iter().find_map(|found| found.category);
        let mut extra: Vec<String> = category
            .into_iter()
            .flat_map(|category| taxonomy.path(category).map(str::to_owned))
            .collect();
        let path = extra.len();
        for found in &matching {
            for tag in &self.all[usize::from(found.rule.0)].tags {
                if !extra.contains(tag) {
                    extra.push(tag.clone());
                }
            }
        }
        extra.split_off(path)
    }

    /// What the decision with a number is called: `patterns[3]` or `ids[…]`.
    pub(crate) fn name(&self, rule: RuleId) -> String {
        let Some(place) = usize::from(rule.0).checked_sub(self.patterns) else {
            return format!("patterns[{}]", rule.0);
        };
        self.ids
            .get(place)
            .map_or_else(String::new, |id| id_path(id))
    }

    /// The number of the decision about an id.
    fn of_id(&self, id: &str) -> Option<u16> {
        let place = self.ids.binary_search_by(|known| known.as_str().cmp(id));
        u16::try_from(place.ok()?.saturating_add(self.patterns)).ok()
    }

    /// Calls back for each matching decision, best first, some more than once.
    fn each(&self, view: &View<'_>, lookup: &mut Lookup, mut report: impl FnMut(UserMatch)) {
        if self.is_empty() {
            return;
        }
        let transaction = view.transaction();
        let mut offer = |number: u16, evidence: Evidence| {
            let choice = &self.all[usize::from(number)];
            if choice.holds_on(transaction) {
                report(UserMatch {
                    rule: RuleId(number),
                    category: choice.category,
                    evidence,
                });
            }
        };
        if let Some(number) = self.of_id(transaction.id.as_str()) {
            offer(number, whole(Field::TransactionId, transaction));
        }
        if !self.partners.is_empty()
            && let Some(number) = partner_id(transaction).and_then(|id| self.partners.get(&id))
        {
            offer(*number, whole(Field::Counterparty, transaction));
        }
        if !self.creditors.is_empty() && !view.creditor_id().text.is_empty() {
            let creditor = view.creditor_id();
            let mut found = Vec::new();
            add(
                &self.creditors,
                lookup.code(creditor.text),
                creditor,
                &mut found,
            );
            let key = lookup.creditor_key(creditor.text);
            add(&self.creditor_keys, key, creditor, &mut found);
            last_first(found, &mut offer);
        }
        if !self.names.is_empty() {
            let mut found = Vec::new();
            for name in view.names() {
                add(&self.names, lookup.name(name.text), &name, &mut found);
            }
            last_first(found, &mut offer);
        }
    }
}

/// Adds the decisions with a key. Nothing is allocated as long as nothing is found.
fn add(
    decisions: &BTreeMap<Vec<u8>, Vec<u16>>,
    key: &[u8],
    place: &Segment<'_>,
    found: &mut Vec<(u16, Evidence)>,
) {
    let numbers = decisions.get(key).into_iter().flatten();
    found.extend(numbers.map(|number| (*number, of_segment(place))));
}

fn last_first(mut found: Vec<(u16, Evidence)>, offer: &mut impl FnMut(u16, Evidence)) {
    found.sort_by_key(|(number, _)| Reverse(*number));
    for (number, evidence) in found {
        offer(number, evidence);
    }
}

impl Choice {
    /// Whether the booking day lies in the period, both ends included, in the offsets given.
    fn holds_on(&self, transaction: &Transaction) -> bool {
        let day = |moment: &DateTime<FixedOffset>| -> Option<NaiveDate> {
            let booked = DateTime::from_timestamp(transaction.booking_instant, 0)?;
            Some(booked.with_timezone(moment.offset()).date_naive())
        };
        let after = self
            .since
            .is_none_or(|since| day(&since).is_some_and(|booked| booked >= since.date_naive()));
        let before = self
            .until
            .is_none_or(|until| day(&until).is_some_and(|booked| booked <= until.date_naive()));
        after && before
    }
}

/// Refuses what cannot be the id of a transaction, before it stands in the path of an error.
fn check_id(id: &str) -> Result<(), PatternProblem> {
    match TransactionId::try_new(id) {
        Ok(_) => Ok(()),
        Err(error) => Err(problem("ids".to_owned(), format!("an id {error}"))),
    }
}

fn check_times(pattern: &Pattern, path: &str) -> Result<(), PatternProblem> {
    match (pattern.since, pattern.until) {
        (Some(since), Some(until)) if since > until => Err(problem(
            format!("{path}.since"),
            "must not be after until".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// The category among tags, and the tags without doubles.
fn read_tags(
    taxonomy: &Taxonomy,
    tree: UserType,
    written: &[String],
    path: &str,
) -> Result<(Option<TagId>, Vec<String>), PatternProblem> {
    let fault = |message: String| problem(path.to_owned(), message);
    if written.is_empty() || written.len() > PATTERN_TAGS_MAX {
        return Err(fault(format!("must hold 1 to {PATTERN_TAGS_MAX} tags")));
    }
    let mut tags: Vec<String> = Vec::new();
    let mut deepest: Option<TagId> = None;
    for (place, name) in written.iter().enumerate() {
        if !tags.contains(name) {
            tags.push(name.clone());
        }
        if taxonomy.attributes().contains(&name.as_str()) {
            continue;
        }
        let Some(tag) = taxonomy.find(tree, name) else {
            let message = "is neither an attribute nor a tag of this type of user";
            return Err(problem(format!("{path}[{place}]"), message.to_owned()));
        };
        let below = |one: TagId, two: TagId| {
            std::iter::successors(Some(one), |tag| taxonomy.parent(*tag)).any(|tag| tag == two)
        };
        deepest = match deepest {
            None => Some(tag),
            Some(known) if below(known, tag) => Some(known),
            Some(known) if below(tag, known) => Some(tag),
            Some(_) => {
                let message = "holds tags that do not lie on one path of the tree";
                return Err(fault(message.to_owned()));
            }
        };
    }
    Ok((deepest, tags))
}

fn too_often() -> String {
    format!("is the value of more than {PATTERNS_PER_VALUE_MAX} patterns")
}

fn problem(path: String, message: String) -> PatternProblem {
    PatternProblem {
        place: path.clone(),
        path: Sensitive::new(path),
        message,
    }
}

impl PatternProblem {
    /// Writes a number in the place of an id.
    fn about_id(mut self, id: &str, number: usize) -> Self {
        let rest = self.path.as_str().strip_prefix("ids.");
        let rest = rest
            .and_then(|path| path.strip_prefix(id))
            .unwrap_or_default();
        self.place = format!("ids[#{number}]{rest}");
        self
    }
}

fn id_path(id: &str) -> String {
    format!("ids[{id}]")
}

fn whole(field: Field, transaction: &Transaction) -> Evidence {
    Evidence {
        field,
        start: 0,
        end: u32::try_from(field.length(transaction)).unwrap_or(u32::MAX),
        note: Note::User,
    }
}

fn of_segment(segment: &Segment<'_>) -> Evidence {
    let span = segment.span();
    Evidence {
        field: span.field,
        start: span.start,
        end: span.end,
        note: Note::User,
    }
}

/// The id of the payment partner of a transaction, `None` when nothing is known of him.
///
/// SHA-1 in hexadecimal of the normalised words of the name, a line feed, and the creditor id
/// without blanks in upper case.
pub fn partner_id(transaction: &Transaction) -> Option<String> {
    let counterparty = &transaction.counterparty;
    let name = normalize::normalized(counterparty.name.as_str());
    let creditor: String = counterparty
        .creditor_id
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    if name.is_empty() && creditor.is_empty() {
        return None;
    }
    let digest = Sha1::digest(format!("{name}\n{creditor}"));
    let mut id = String::with_capacity(PARTNER_ID_DIGITS);
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

fn is_partner_id(id: &str) -> bool {
    id.len() == PARTNER_ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}
