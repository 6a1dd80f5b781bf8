//! What both matchers share: hits, and the tests that are not about words.

use std::cmp::Reverse;

use crate::codes;
use crate::evidence::{Evidence, Field, Note};
use crate::names::Guard;
use crate::rule::{Direction, Guards, Mandate, SelfTest, Test};
use crate::view::{Roles, View};

/// How specific a code counts as, in letters of a word.
const CODE_LENGTH: u32 = 8;

/// Where a hit lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In a segment of the view, by index; byte offsets count within the segment.
    Segment(u8),
    /// The whole of a field.
    Field(Field),
}

/// A test that succeeded, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) length: u32,
    place: Place,
    start: u32,
    end: u32,
    note: Note,
}

impl Hit {
    pub(crate) fn word(length: usize, segment: u8, span: (usize, usize), note: Note) -> Self {
        Self {
            length: small(length),
            place: Place::Segment(segment),
            start: small(span.0),
            end: small(span.1),
            note,
        }
    }

    pub(crate) const fn field(field: Field, note: Note) -> Self {
        Self {
            length: CODE_LENGTH,
            place: Place::Field(field),
            start: 0,
            end: u32::MAX,
            note,
        }
    }

    /// No hit at all, only the direction of the money.
    pub(crate) const fn direction() -> Self {
        Self {
            length: 0,
            ..Self::field(Field::Amount, Note::Direction)
        }
    }

    /// The segment that a hit of words lies in.
    pub(crate) fn segment(&self) -> Option<usize> {
        match self.place {
            Place::Segment(index) => Some(usize::from(index)),
            Place::Field(_) => None,
        }
    }

    pub(crate) fn evidence(self, view: &View<'_>) -> Evidence {
        match self.place {
            Place::Segment(index) => {
                let segment = view.segments()[usize::from(index)];
                Evidence {
                    field: segment.field,
                    start: segment.offset.saturating_add(self.start),
                    end: segment.offset.saturating_add(self.end),
                    note: self.note,
                }
            }
            Place::Field(Field::CreditorId) => {
                let segment = view.creditor_id();
                Evidence {
                    field: segment.field,
                    start: segment.offset,
                    end: segment.offset.saturating_add(small(segment.text.len())),
                    note: self.note,
                }
            }
            Place::Field(field) => Evidence {
                field,
                start: 0,
                end: small(field.length(view.transaction())),
                note: self.note,
            },
        }
    }

    /// Whether the hit is a shorter piece of the same text.
    pub(crate) fn lies_inside(&self, other: &Self) -> bool {
        let within = other.start <= self.start && self.end <= other.end;
        let same = (self.start, self.end) == (other.start, other.end);
        matches!(self.place, Place::Segment(_)) && self.place == other.place && within && !same
    }

    /// Whether the hit of a test on these roles tells who the other side is.
    pub(crate) fn names_other_side(&self, roles: Roles, view: &View<'_>) -> bool {
        match self.place {
            Place::Segment(index) => {
                let index = usize::from(index);
                let segment = view.segments()[index];
                let named =
                    roles.meet(Roles::COUNTERPARTY) && segment.roles.meet(Roles::COUNTERPARTY);
                named && !view.is_personal(index)
            }
            Place::Field(field) => {
                let known = matches!(
                    field,
                    Field::CreditorId | Field::Iban | Field::MerchantCategoryCode
                );
                known && self.note == Note::Code
            }
        }
    }

    /// The longest hit is the best, then the first in the order of segments and bytes.
    fn rank(&self) -> impl Ord + use<> {
        (
            self.length,
            Reverse((self.place, self.start, self.note, self.end)),
        )
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether everything holds that narrows a clause, for rules of a direction, except for
/// [`other_side_holds`], which costs most.
pub(crate) fn guards_hold(guards: &Guards, direction: Direction, view: &View<'_>) -> bool {
    let mandate = guards.mandate.is_none_or(|mandate| match mandate {
        Mandate::Present => view.has_mandate(),
        Mandate::Absent => !view.has_mandate(),
    });
    let account_type = view.context().account_type();
    mandate
        && guards.direction.is_none_or(|wanted| wanted == direction)
        && (guards.account_types.is_empty() || guards.account_types.contains(&account_type))
        && guards
            .amount_cents
            .is_none_or(|range| amount_holds(range, view))
}

/// Whether the other side is as visibly a business as a clause asks for.
pub(crate) fn other_side_holds(guards: &Guards, view: &View<'_>) -> bool {
    match guards.other_side {
        Guard::None => true,
        Guard::Business => view.is_business(),
        Guard::Card => view.is_card_merchant(),
    }
}

fn amount_holds((min, max): (u64, u64), view: &View<'_>) -> bool {
    let amount = view.transaction().amount;
    amount.currency == domain::Currency::EUR && (min..=max).contains(&amount.minor.unsigned_abs())
}

/// The hit of a test that is not about words. The holder's name is a matter of words.
pub(crate) fn code_hit(test: &Test, view: &View<'_>) -> Option<Hit> {
    let transaction = view.transaction();
    let (holds, field, note) = match test {
        Test::Words { .. } => return None,
        Test::TransactionCode(codes) => {
            let holds = transaction
                .transaction_code
                .is_some_and(|code| codes.contains(&code));
            (holds, Field::TransactionCode, Note::Code)
        }
        Test::MerchantCategory(ranges) => {
            let code = merchant_category(view);
            let holds = code
                .is_some_and(|code| ranges.iter().any(|(min, max)| (min..=max).contains(&&code)));
            (holds, Field::MerchantCategoryCode, Note::Code)
        }
        Test::PurposeCode(codes) => {
            let holds = purpose_code(view).is_some_and(|code| codes.contains(&code));
            (holds, Field::PurposeCode, Note::Code)
        }
        Test::CreditorId(keys) => {
            let key = codes::creditor_key(view.creditor_id().text);
            (
                key.is_some_and(|key| keys.contains(&key)),
                Field::CreditorId,
                Note::Code,
            )
        }
        Test::Iban(keys) => {
            let key = codes::iban_key(transaction.counterparty.iban.as_str());
            (
                key.is_some_and(|key| keys.contains(&key)),
                Field::Iban,
                Note::Code,
            )
        }
        Test::BankCode(codes) => {
            let code = codes::bank_code_of(transaction.counterparty.iban.as_str());
            (
                code.is_some_and(|code| codes.contains(&code)),
                Field::Iban,
                Note::Code,
            )
        }
        Test::Intermediary(ids) => {
            let holds = view
                .intermediary()
                .is_some_and(|id| ids.is_empty() || ids.contains(&id));
            (holds, Field::Counterparty, Note::Intermediary)
        }
        Test::Self_(SelfTest::OwnAccount) => {
            let iban = transaction.counterparty.iban.as_str();
            (
                !iban.is_empty() && view.context().owns(iban),
                Field::Iban,
                Note::Holder,
            )
        }
        Test::Self_(SelfTest::Holder) => return holder_hit(view),
    };
    holds.then_some(Hit::field(field, note))
}

/// The slow form of the holder test; the compiled matcher uses the words that it has read anyway.
fn holder_hit(view: &View<'_>) -> Option<Hit> {
    let holder = view.context().holder();
    let segments = view
        .segments()
        .iter()
        .filter(|segment| segment.field == Field::Counterparty);
    let words: Vec<_> = segments
        .flat_map(|segment| crate::normalize::words(segment.text))
        .collect();
    let named = |wanted: &String| words.iter().any(|word| word.folded == *wanted);
    let holds = !holder.is_empty() && holder.iter().all(named);
    holds.then_some(Hit::field(Field::Counterparty, Note::Holder))
}

/// The merchant category code as a number.
pub(crate) fn merchant_category(view: &View<'_>) -> Option<u16> {
    view.transaction().merchant_category_code.parse().ok()
}

/// The SEPA purpose code in upper case.
pub(crate) fn purpose_code(view: &View<'_>) -> Option<[u8; 4]> {
    let code: [u8; 4] = view.transaction().purpose_code.as_bytes().try_into().ok()?;
    Some(code.map(|byte| byte.to_ascii_uppercase()))
}
